"""How does the command line itself speak HTTP?

To the demo's gateway like anybody, and to ask an upstream for a sign of life. The standard
library is enough: one request, one answer, no pool, bounded in time and size. The gateway's own
client stays behind `transport`.
"""

import json
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Final
from urllib.parse import urlsplit

from attrs import frozen

BYTES_MAX: Final = 8 * 1024 * 1024


@frozen(kw_only=True)
class Answer:
    """What came back. `body` is the JSON, or `None` where it is none."""

    status: int
    request_id: str | None = None
    body: object


@frozen
class NoAnswer:
    """Why nothing came back."""

    message: str


def send(
    url: str,
    *,
    body: object = None,
    key: str | None = None,
    timeout_s: float = 30.0,
) -> Answer | NoAnswer:
    """GET a URL, or POST JSON to it."""
    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=timeout_s)
    headers = {"accept": "application/json", "user-agent": "astrolabe"}
    if key is not None:
        headers["authorization"] = f"Bearer {key}"
    if body is not None:
        headers["content-type"] = "application/json"
    path = parts.path or "/"
    try:
        connection.request(
            "GET" if body is None else "POST",
            f"{path}?{parts.query}" if parts.query else path,
            None if body is None else json.dumps(body).encode(),
            headers,
        )
        response = connection.getresponse()
        return Answer(
            status=response.status,
            request_id=response.headers.get("x-request-id"),
            body=_read(response.read(BYTES_MAX)),
        )
    except TimeoutError:
        return NoAnswer(f"no answer within {timeout_s:g} s")
    except (OSError, HTTPException) as error:
        return NoAnswer(getattr(error, "strerror", None) or type(error).__name__)
    finally:
        connection.close()


def _read(raw: bytes) -> object:
    try:
        return json.loads(raw)
    except ValueError:
        return None
