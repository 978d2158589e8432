"""What can be set about a gateway, and where from?

A flag wins over the environment, the environment over the file `astrolabe.toml`. Every secret may
also stand in a file of its own, named by `<VARIABLE>_FILE`. All findings are told at once, by the
name under which the operator wrote the value. `OPTIONS` is the whole table; the docs are checked
against it.
"""

import difflib
import tomllib
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from attrs import evolve, field, frozen

from astrolabe_core.money import ZERO, NanoUsd
from astrolabe_core.requests import Surface
from astrolabe_core.units import Millis
from astrolabe_http.setting_values import (
    read_apis,
    read_money,
    read_seconds,
    read_switch,
    read_text,
    read_url,
    read_whole,
    read_word,
)

OPENROUTER_URL: Final = "https://openrouter.ai/api/v1"
CONFIG_FILE: Final = "astrolabe.toml"
CONFIG_VARIABLE: Final = "ASTROLABE_CONFIG"


class LogFormat(StrEnum):
    """How a request is logged."""

    JSON = "json"
    TEXT = "text"
    OFF = "off"


class UpstreamKind(StrEnum):
    """What the upstream understands beside OpenAI's own fields."""

    OPENROUTER = "openrouter"
    OPENAI = "openai"


class OnDisconnect(StrEnum):
    """What becomes of a call whose caller leaves: broken off, or read to its end and billed."""

    CANCEL = "cancel"
    DRAIN = "drain"


@frozen(kw_only=True)
class Settings:
    """Everything that an operator decides. Times are milliseconds, sizes bytes.

    `upstream_silence_ms` is how long a provider may send no byte, `upstream_apis` which of the two
    wire formats it has. `stream_keepalive_ms` is how long a caller waits without a word for an
    answer that is held back; then comments come, as far apart. `head_timeout_ms` and
    `body_timeout_ms` are how long a caller may take to send head and body, `concurrency_max` how
    many requests are worked on at once. `circuits` says that no calls are made for a while of a
    model that fails `circuit_failures` times in a row. `debug` has each stream that goes out
    checked against its grammar. `simulated` says that the upstream is a demonstration's.
    """

    secret_key: str = field(default="", repr=False)
    upstream_key: str = field(default="", repr=False)
    upstream_url: str = OPENROUTER_URL
    upstream_kind: UpstreamKind = UpstreamKind.OPENROUTER
    upstream_apis: frozenset[Surface] = frozenset(Surface)
    catalog_file: str = ""
    database_url: str = "sqlite:///astrolabe.db"
    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = 1
    log_format: LogFormat = LogFormat.JSON
    balance_floor: NanoUsd = ZERO
    request_timeout_ms: Millis = Millis(600_000)
    upstream_connect_ms: Millis = Millis(10_000)
    upstream_silence_ms: Millis = Millis(60_000)
    upstream_connections_max: int = 1_000
    stream_keepalive_ms: Millis = Millis(10_000)
    on_client_disconnect: OnDisconnect = OnDisconnect.CANCEL
    headers_max: int = 100
    header_bytes_max: int = 32 * 1024
    head_timeout_ms: Millis = Millis(10_000)
    body_timeout_ms: Millis = Millis(60_000)
    concurrency_max: int = 1_000
    circuits: bool = True
    circuit_failures: int = 5
    circuit_open_ms: Millis = Millis(5_000)
    circuit_open_ms_max: Millis = Millis(300_000)
    body_bytes_max: int = 32 * 1024 * 1024
    answer_bytes_max: int = 32 * 1024 * 1024
    debug: bool = False
    simulated: bool = False


@frozen(kw_only=True)
class Option:
    """One setting: its field, its variable, its name in the file, and how it is read."""

    field: str
    variable: str
    name: str
    read: Callable[[str], object]
    secret: bool = False


@frozen
class InvalidSettings:
    """Settings that cannot be used; one finding a line, each with what to do."""

    findings: tuple[str, ...]

    def __str__(self) -> str:
        """Write all findings."""
        return "\n".join(self.findings)


def load_settings(
    flags: Mapping[str, str | None],
    environ: Mapping[str, str],
    *,
    demo: bool = False,
) -> Settings | InvalidSettings:
    """Gather the settings. `flags` are by field name, and `config` names the file.

    A demonstration needs no secret: the one that it was given, or none, is used.
    """
    findings: list[str] = []
    values: dict[str, Any] = {}
    written = _read_file(flags.get("config"), environ, findings)
    for option in OPTIONS:
        found = _find(option, flags, environ, written, findings)
        if found is None:
            continue
        source, text = found
        try:
            values[option.field] = option.read(text)
        except ValueError as error:
            # The value of a secret stays unsaid.
            shown = "" if option.secret else f" {text[:80]!r}"
            findings.append(f"{source}{shown}: {error}")
    if not demo and not findings and not values.get("secret_key"):
        findings.append(
            "ASTROLABE_SECRET_KEY is not set: keys are stored under this secret; make one with "
            "'astrolabe init', or set it to any long random text"
        )
    if findings:
        return InvalidSettings(tuple(findings))
    return evolve(Settings(), **values)


def _read_file(
    flag: str | None, environ: Mapping[str, str], findings: list[str]
) -> Mapping[str, str]:
    named = flag or environ.get(CONFIG_VARIABLE)
    path = Path(named or CONFIG_FILE)
    if named is None and not path.is_file():
        return {}
    try:
        with path.open("rb") as file:
            document = tomllib.load(file)
    except OSError as error:
        findings.append(f"{path}: cannot be read: {error.strerror}")
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        findings.append(f"{path}: is not TOML: {error}")
        return {}
    known = {option.name for option in OPTIONS}
    known |= {f"{option.name}_file" for option in OPTIONS if option.secret}
    for name in sorted(document.keys() - known):
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        findings.append(f"{path}: there is no setting {name!r}{hint}")
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in document.items()
    }


def _find(
    option: Option,
    flags: Mapping[str, str | None],
    environ: Mapping[str, str],
    written: Mapping[str, str],
    findings: list[str],
) -> tuple[str, str] | None:
    """Give where a setting was found and what it says, or `None`. An empty variable is unset."""
    flag = flags.get(option.field)
    if flag is not None:
        return f"--{option.field.replace('_', '-')}", flag
    for source, values, name, suffix in (
        (option.variable, environ, option.variable, "_FILE"),
        (f"{option.name} in the file", written, option.name, "_file"),
    ):
        text = values.get(name) or None
        path = (values.get(name + suffix) or None) if option.secret else None
        if text is not None and path is not None:
            findings.append(f"{source}: is set both as {name} and as {name}{suffix}; keep one")
        elif text is not None:
            return source, text
        elif path is not None:
            try:
                return f"{source}{suffix}", Path(path).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                findings.append(f"{name}{suffix}: {path} cannot be read: {type(error).__name__}")
    return None


_ANY_BYTES: Final = read_whole(1_024, 1 << 32)

OPTIONS: Final = (
    Option(
        field="secret_key",
        variable="ASTROLABE_SECRET_KEY",
        name="secret_key",
        read=read_text,
        secret=True,
    ),
    Option(
        field="upstream_key",
        variable="OPENROUTER_API_KEY",
        name="openrouter_api_key",
        read=read_text,
        secret=True,
    ),
    Option(
        field="upstream_url", variable="ASTROLABE_UPSTREAM_URL", name="upstream_url", read=read_url
    ),
    Option(
        field="upstream_kind",
        variable="ASTROLABE_UPSTREAM_KIND",
        name="upstream_kind",
        read=read_word(UpstreamKind),
    ),
    Option(
        field="upstream_apis",
        variable="ASTROLABE_UPSTREAM_APIS",
        name="upstream_apis",
        read=read_apis,
    ),
    Option(field="catalog_file", variable="ASTROLABE_CATALOG", name="catalog", read=read_text),
    Option(
        field="database_url", variable="ASTROLABE_DATABASE_URL", name="database_url", read=read_text
    ),
    Option(field="host", variable="ASTROLABE_HOST", name="host", read=read_text),
    Option(field="port", variable="ASTROLABE_PORT", name="port", read=read_whole(0, 65_535)),
    Option(field="workers", variable="ASTROLABE_WORKERS", name="workers", read=read_whole(1, 64)),
    Option(
        field="log_format",
        variable="ASTROLABE_LOG_FORMAT",
        name="log_format",
        read=read_word(LogFormat),
    ),
    Option(
        field="balance_floor",
        variable="ASTROLABE_BALANCE_FLOOR_USD",
        name="balance_floor_usd",
        read=read_money,
    ),
    Option(
        field="request_timeout_ms",
        variable="ASTROLABE_REQUEST_TIMEOUT",
        name="request_timeout",
        read=read_seconds,
    ),
    Option(
        field="upstream_silence_ms",
        variable="ASTROLABE_ATTEMPT_TIMEOUT",
        name="attempt_timeout",
        read=read_seconds,
    ),
    Option(
        field="upstream_connect_ms",
        variable="ASTROLABE_CONNECT_TIMEOUT",
        name="connect_timeout",
        read=read_seconds,
    ),
    Option(
        field="upstream_connections_max",
        variable="ASTROLABE_UPSTREAM_CONNECTIONS",
        name="upstream_connections",
        read=read_whole(1, 100_000),
    ),
    Option(
        field="stream_keepalive_ms",
        variable="ASTROLABE_STREAM_KEEPALIVE",
        name="stream_keepalive",
        read=read_seconds,
    ),
    Option(
        field="on_client_disconnect",
        variable="ASTROLABE_ON_CLIENT_DISCONNECT",
        name="on_client_disconnect",
        read=read_word(OnDisconnect),
    ),
    Option(
        field="headers_max",
        variable="ASTROLABE_HEADERS_MAX",
        name="headers_max",
        read=read_whole(8, 10_000),
    ),
    Option(
        field="header_bytes_max",
        variable="ASTROLABE_HEADER_BYTES_MAX",
        name="header_bytes_max",
        read=_ANY_BYTES,
    ),
    Option(
        field="head_timeout_ms",
        variable="ASTROLABE_HEAD_TIMEOUT",
        name="head_timeout",
        read=read_seconds,
    ),
    Option(
        field="body_timeout_ms",
        variable="ASTROLABE_BODY_TIMEOUT",
        name="body_timeout",
        read=read_seconds,
    ),
    Option(
        field="concurrency_max",
        variable="ASTROLABE_CONCURRENCY_MAX",
        name="concurrency_max",
        read=read_whole(1, 1_000_000),
    ),
    Option(
        field="body_bytes_max",
        variable="ASTROLABE_BODY_BYTES_MAX",
        name="body_bytes_max",
        read=_ANY_BYTES,
    ),
    Option(
        field="answer_bytes_max",
        variable="ASTROLABE_ANSWER_BYTES_MAX",
        name="answer_bytes_max",
        read=_ANY_BYTES,
    ),
    Option(field="circuits", variable="ASTROLABE_CIRCUITS", name="circuits", read=read_switch),
    Option(
        field="circuit_failures",
        variable="ASTROLABE_CIRCUIT_FAILURES",
        name="circuit_failures",
        read=read_whole(1, 1_000),
    ),
    Option(
        field="circuit_open_ms",
        variable="ASTROLABE_CIRCUIT_OPEN",
        name="circuit_open",
        read=read_seconds,
    ),
    Option(
        field="circuit_open_ms_max",
        variable="ASTROLABE_CIRCUIT_OPEN_MAX",
        name="circuit_open_max",
        read=read_seconds,
    ),
    Option(field="debug", variable="ASTROLABE_DEBUG", name="debug", read=read_switch),
)
"""Every setting, in the order in which `doctor` and the docs list them."""
