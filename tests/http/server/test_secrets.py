"""Secrets and prompts are searched for wherever anything is kept, logged, shown or answered.

One run of the whole program, by its own command line: `serve` before a provider that repeats in
every kind of error the key and the prompt that it was sent. Each thing that must stay where it is
has a canary; then answers, headers, log, traces, database and every command's output are searched.
litellm #18731 #30670: keys echoed in errors and logs.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from attrs import define, field
from click.testing import CliRunner

from astrolabe_http.cli.root import astrolabe
from tests.http.gateways import chat_body, chat_chunk
from tests.http.server.processes import ROOT

PROVIDER_KEY = "sk-or-v1-canary0provider0key0"
SERVER_SECRET = "canary0server0secret0of0this0gateway"
PROMPT = "canary0prompt0of0the0caller"
ANSWER = "canary0answer0of0the0model"
NAME = "canary0name0that0the0caller0made0up"
MODEL = "openai/gpt-5.4-nano"
STATUSES = (400, 401, 402, 403, 404, 408, 413, 422, 429, 500, 502, 503, 524)
FORMS = (
    *(f"status-{status}" for status in STATUSES),
    "html",
    "head",
    "error-200",
    "frame",
    "frame-late",
    "cut",
    "garbage",
)


class Parrot(BaseHTTPRequestHandler):
    """A provider that repeats what it was told, in the form that `server.form` names."""

    def do_POST(self) -> None:
        assert isinstance(self.server, ParrotServer)
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        self.server.seen.append(f"{self.headers}{body}")
        form, asked = self.server.form, json.loads(body)
        echo = f"{self.headers['authorization']} said: {body}"
        metadata = {"raw": echo, "flagged_input": PROMPT, "headers": {"x": echo}}
        error = {"error": {"message": echo, "code": 500, "param": echo, "metadata": metadata}}
        streamed = bool(asked.get("stream"))
        if form.startswith("status-"):
            self._tell(int(form.removeprefix("status-")), json.dumps(error))
        elif form == "html":
            self._tell(502, f"<html><body>{echo}</body></html>")
        elif form == "head":
            self._tell(500, "{}", {"x-debug": PROVIDER_KEY, "set-cookie": f"k={PROVIDER_KEY}"})
        elif form == "error-200":
            self._tell(200, json.dumps(error))
        elif form == "garbage":
            self._tell(200, f"data: {echo}\n\n")
        elif form == "frame" and streamed:
            self._tell(200, f"data: {json.dumps(error)}\n\n")
        elif form == "frame-late" and streamed:
            first = json.dumps(chat_chunk(ANSWER))
            self._tell(200, f"data: {first}\n\ndata: {json.dumps(error)}\n\n")
        elif form == "cut" and streamed:
            self._tell(200, f"data: {json.dumps(chat_chunk(ANSWER))}\n\n")
        elif form == "good":
            self._tell(200, json.dumps(chat_body(text=ANSWER)))
        else:
            self._tell(200, json.dumps(error)[:-9])

    def _tell(self, status: int, body: str, headers: dict[str, str] | None = None) -> None:
        self.send_response(status, f"Echo {PROVIDER_KEY}")
        for name, value in {"connection": "close", **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Say nothing."""


class ParrotServer(ThreadingHTTPServer):
    form = "good"
    seen: list[str]


@define
class Program:
    """The program in a folder of its own, and all that it ever said."""

    folder: Path
    upstream: str
    key: str = ""
    said: list[str] = field(factory=list)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "ASTROLABE_DATABASE_URL": f"sqlite:///{self.folder / 'gateway.db'}",
            "ASTROLABE_SECRET_KEY": SERVER_SECRET,
            "ASTROLABE_UPSTREAM_URL": self.upstream,
            "ASTROLABE_PORT": "0",
            "ASTROLABE_CIRCUITS": "off",  # each failure is to be told, and so one after the other
            "OPENROUTER_API_KEY": PROVIDER_KEY,
        }

    def run(self, *words: str, shown: bool = True) -> Any:
        """Run a command in both forms of output; give its object."""
        ran = [
            CliRunner(env=self.environment).invoke(astrolabe, [*words, "-o", form])
            for form in ("json", "table")[: 2 if shown else 1]
        ]
        if shown:
            self.said += [each.output + each.stderr for each in ran]
        return json.loads(ran[0].stdout)

    @contextlib.contextmanager
    def serving(self) -> Iterator[str]:
        log = (self.folder / "log").open("ab")
        process = subprocess.Popen(
            [sys.executable, "-m", "astrolabe_http", "serve", "-o", "json"],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        assert process.stdout is not None
        try:
            first = ""
            while '"url"' not in first and (line := process.stdout.readline()):
                first += line
            found = re.search(r'"(http://[^"]+)"', first)
            assert found is not None, (self.folder / "log").read_text()
            yield found[1]
        finally:
            process.send_signal(signal.SIGTERM)
            rest, _ = process.communicate(timeout=20)
            self.said.append(first + rest)
            log.close()


@pytest.fixture
def parrot() -> Iterator[ParrotServer]:
    with ParrotServer(("127.0.0.1", 0), Parrot) as made:
        made.seen = []
        thread = threading.Thread(target=made.serve_forever, daemon=True)
        thread.start()
        yield made
        made.shutdown()


def bodies() -> Iterator[tuple[str, dict[str, Any]]]:
    """Give prompts of both formats, with a canary wherever a caller may write words."""
    tool = {"name": "f", "description": PROMPT, "parameters": {"title": PROMPT}}
    common = {"model": MODEL, "user": PROMPT, "metadata": {"note": PROMPT}, "max_tokens": 99}
    for stream in (False, True):
        yield (
            "/v1/chat/completions",
            {
                **common,
                "stream": stream,
                "messages": [
                    {"role": "system", "content": PROMPT},
                    {"role": "user", "content": [{"type": "text", "text": PROMPT}]},
                ],
                "tools": [{"type": "function", "function": tool}],
            },
        )
        yield (
            "/v1/responses",
            {
                "model": MODEL,
                "stream": stream,
                "instructions": PROMPT,
                "input": [{"role": "user", "content": PROMPT}],
                "text": {"format": {"type": "json_schema", "name": "n", "schema": {}}},
            },
        )


REFUSED: tuple[tuple[str, str, Any, dict[str, str]], ...] = (
    (
        "POST",
        "/v1/chat/completions",
        {"model": NAME, "messages": [{"role": "user", "content": PROMPT}]},
        {},
    ),
    ("POST", "/v1/chat/completions", f'{{"a": {PROMPT}', {}),
    ("POST", "/v1/chat/completions", {"model": MODEL, "messages": PROMPT}, {}),
    ("POST", "/v1/chat/completions", {"model": MODEL, "metadata": {"astrolabe": PROMPT}}, {}),
    ("POST", "/v1/route", {"model": MODEL, "input": PROMPT}, {"x-astrolabe-stack": NAME}),
    ("GET", f"/v1/models/{NAME}", None, {}),
    ("GET", f"/v1/traces/{NAME}", None, {}),
    ("GET", f"/v1/usage?model={NAME}&group_by={NAME}", None, {}),
    ("GET", f"/{NAME}", None, {}),
    ("POST", "/v1/chat/completions", {}, {"authorization": f"Bearer {NAME}"}),
    ("POST", "/v1/chat/completions", {}, {"x-api-key": NAME, "user-agent": NAME}),
)


def test_no_secret_and_no_prompt_is_anywhere_that_it_should_not_be(
    tmp_path: Path, parrot: ParrotServer
) -> None:
    program = Program(tmp_path, f"http://127.0.0.1:{parrot.server_address[1]}/api/v1")
    workspace = program.run("workspaces", "create", "acme", shown=False)["id"]
    program.key = program.run("keys", "create", "--workspace", workspace, shown=False)["key"]
    program.run("credits", "grant", "--workspace", workspace, "--usd", "50", shown=False)
    errors, answers, heads, ids = ask_everything(program, parrot)
    for request in ids[:: len(ids) // 3]:
        program.run("traces", "show", request, "--workspace", workspace)
    commands: tuple[tuple[str, ...], ...] = (
        ("doctor",),
        ("workspaces", "list"),
        ("keys", "list", "--workspace", workspace),
        ("usage", "--requests"),
        ("ledger", "verify"),
    )
    for command in commands:
        program.run(*command)
    # The canaries were where they belong, so that not to find one elsewhere says something.
    assert all(PROVIDER_KEY in each for each in parrot.seen)
    assert sum(PROMPT in each for each in parrot.seen) == len(parrot.seen)
    assert any(ANSWER in each for each in answers)
    log = (tmp_path / "log").read_text()
    kept = b"".join(path.read_bytes() for path in sorted(tmp_path.glob("gateway.db*")))
    assert len(ids) > 80
    assert all(each.encode() in kept for each in ids)
    secrets = (PROVIDER_KEY, SERVER_SECRET, program.key)
    for place, words in {
        "an error": "".join(errors),
        "a head": "".join(heads),
        "the log": log,
        "the database": kept.decode("latin-1"),
        "a command": "".join(program.said),
    }.items():
        for canary in (*secrets, PROMPT, ANSWER):
            assert_absent(canary, words, place)
    # A model or a stack that a caller names is told back to it, and stands in its trace.
    for place, words in {"a head": "".join(heads), "the log": log}.items():
        assert_absent(NAME, words, place)
    for canary in secrets:
        assert_absent(canary, "".join(answers), "an answer")
    for line in log.splitlines():
        if not line.startswith("Serving at http://127.0.0.1:"):
            assert isinstance(json.loads(line), dict)
    assert not list(tmp_path.glob("core*"))


def ask_everything(
    program: Program, parrot: ParrotServer
) -> tuple[list[str], list[str], list[str], list[str]]:
    """Ask in every form; give bodies of errors, of answers, all heads, and the requests' ids."""
    errors: list[str] = []
    answers: list[str] = []
    heads: list[str] = []
    ids: list[str] = []
    with program.serving() as url, httpx.Client(base_url=url, timeout=30) as client:
        key = {"authorization": f"Bearer {program.key}"}
        for form in (*FORMS, "good"):
            parrot.form = form
            for path, body in bodies():
                answer = client.post(path, json=body, headers=key)
                heads.append(f"{answer.headers.raw}")
                ids.append(answer.headers["x-request-id"])
                # A stream that had begun repeats the caller's own settings, and what was said.
                begun = answer.status_code == 200
                (answers if begun else errors).append(answer.text)
                if begun and path.endswith("completions"):
                    assert_absent(PROMPT, answer.text.partition('"metadata"')[0], "a stream")
        pages = ("/v1/usage", "/v1/models", "/v1/lanes", "/ready", "/health", "/openapi.json")
        shown = (*pages, *(f"/v1/traces/{request}" for request in ids))
        errors += [client.get(path, headers=key).text for path in shown]
        for method, path, content, headers in REFUSED:
            words = content if isinstance(content, str | None) else json.dumps(content)
            typed = {"content-type": "application/json"} if words else {}
            answer = client.request(
                method, path, content=words, headers={**key, **typed, **headers}
            )
            assert answer.status_code >= 400
            heads.append(f"{answer.headers.raw}")
            answers.append(answer.text)
    return errors, answers, heads, ids


def assert_absent(canary: str, words: str, place: str) -> None:
    """Not as it is, nor in any plain writing of it, nor a telling part."""
    raw = canary.encode()
    for form in (
        canary,
        canary[:-4],
        raw.hex(),
        base64.b64encode(raw).decode().rstrip("=")[:-2],
        "".join(f"\\u{ord(each):04x}" for each in canary),
        "".join(f"%{each:02x}" for each in raw),
    ):
        assert form not in words, f"{canary} stands in {place}"
