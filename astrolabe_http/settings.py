"""What can be set about a gateway, and where from?

A flag wins over the environment, the environment over the file `astrolabe.toml`. Every secret may
also stand in a file of its own, named by `<VARIABLE>_FILE`. All findings are told at once, by the
name under which the operator wrote the value. `OPTIONS` is the whole table; the docs are checked
against it.
"""

import difflib
import tomllib
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from attrs import evolve, field, frozen

from astrolabe_core.money import ZERO, MoneyFormatError, NanoUsd, usd
from astrolabe_core.requests import Surface
from astrolabe_core.units import Millis

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


@frozen(kw_only=True)
class Settings:
    """Everything that an operator decides. Times are milliseconds, sizes bytes.

    `upstream_silence_ms` is how long a provider may send no byte, `upstream_apis` which of the two
    wire formats it has. `head_timeout_ms` and `body_timeout_ms` are how long a caller may take to
    send head and body, `concurrency_max` how many requests are worked on at once. `debug` has each
    stream that goes out checked against its grammar. `simulated` says that the upstream is a
    demonstration's.
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
    headers_max: int = 100
    header_bytes_max: int = 32 * 1024
    head_timeout_ms: Millis = Millis(10_000)
    body_timeout_ms: Millis = Millis(60_000)
    concurrency_max: int = 1_000
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


def _text(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be empty")
    return text.strip()


def _url(text: str) -> str:
    parts = urlsplit(text.strip())
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be a URL such as https://openrouter.ai/api/v1")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("must hold neither credentials nor a query")
    return text.strip().rstrip("/")


def _whole(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.strip().isascii() or not text.strip().isdigit():
            raise ValueError("must be a whole number")
        number = int(text)
        if not least <= number <= most:
            raise ValueError(f"must be between {least} and {most}")
        return number

    return read


def _seconds(text: str) -> Millis:
    try:
        millis = Decimal(text.strip()) * 1_000
        if not 1 <= millis <= 86_400_000:
            raise ValueError("must be above 0 and at most 86400 seconds")
        return Millis(int(millis))
    except InvalidOperation:
        raise ValueError("must be a number of seconds") from None


def _money(text: str) -> NanoUsd:
    try:
        amount = usd(text.strip())
    except MoneyFormatError as error:
        raise ValueError(str(error)) from None
    if amount < 0:
        raise ValueError("must not be negative")
    return amount


def _word(vocabulary: type[StrEnum]) -> Callable[[str], StrEnum]:
    def read(text: str) -> StrEnum:
        try:
            return vocabulary(text.strip().lower())
        except ValueError:
            raise ValueError(f"must be one of {', '.join(vocabulary)}") from None

    return read


def _apis(text: str) -> frozenset[Surface]:
    words = [word.strip().lower() for word in text.split(",")]
    try:
        return frozenset(Surface(word) for word in words)
    except ValueError:
        raise ValueError(f"must be one or more of {', '.join(Surface)}, with commas") from None


def _switch(text: str) -> bool:
    known = {"true": True, "1": True, "on": True, "false": False, "0": False, "off": False}
    if text.strip().lower() not in known:
        raise ValueError("must be true or false")
    return known[text.strip().lower()]


_ANY_BYTES: Final = _whole(1_024, 1 << 32)

OPTIONS: Final = (
    Option(
        field="secret_key",
        variable="ASTROLABE_SECRET_KEY",
        name="secret_key",
        read=_text,
        secret=True,
    ),
    Option(
        field="upstream_key",
        variable="OPENROUTER_API_KEY",
        name="openrouter_api_key",
        read=_text,
        secret=True,
    ),
    Option(field="upstream_url", variable="ASTROLABE_UPSTREAM_URL", name="upstream_url", read=_url),
    Option(
        field="upstream_kind",
        variable="ASTROLABE_UPSTREAM_KIND",
        name="upstream_kind",
        read=_word(UpstreamKind),
    ),
    Option(
        field="upstream_apis",
        variable="ASTROLABE_UPSTREAM_APIS",
        name="upstream_apis",
        read=_apis,
    ),
    Option(field="catalog_file", variable="ASTROLABE_CATALOG", name="catalog", read=_text),
    Option(
        field="database_url", variable="ASTROLABE_DATABASE_URL", name="database_url", read=_text
    ),
    Option(field="host", variable="ASTROLABE_HOST", name="host", read=_text),
    Option(field="port", variable="ASTROLABE_PORT", name="port", read=_whole(0, 65_535)),
    Option(field="workers", variable="ASTROLABE_WORKERS", name="workers", read=_whole(1, 64)),
    Option(
        field="log_format",
        variable="ASTROLABE_LOG_FORMAT",
        name="log_format",
        read=_word(LogFormat),
    ),
    Option(
        field="balance_floor",
        variable="ASTROLABE_BALANCE_FLOOR_USD",
        name="balance_floor_usd",
        read=_money,
    ),
    Option(
        field="request_timeout_ms",
        variable="ASTROLABE_REQUEST_TIMEOUT",
        name="request_timeout",
        read=_seconds,
    ),
    Option(
        field="upstream_silence_ms",
        variable="ASTROLABE_ATTEMPT_TIMEOUT",
        name="attempt_timeout",
        read=_seconds,
    ),
    Option(
        field="upstream_connect_ms",
        variable="ASTROLABE_CONNECT_TIMEOUT",
        name="connect_timeout",
        read=_seconds,
    ),
    Option(
        field="upstream_connections_max",
        variable="ASTROLABE_UPSTREAM_CONNECTIONS",
        name="upstream_connections",
        read=_whole(1, 100_000),
    ),
    Option(
        field="headers_max",
        variable="ASTROLABE_HEADERS_MAX",
        name="headers_max",
        read=_whole(8, 10_000),
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
        read=_seconds,
    ),
    Option(
        field="body_timeout_ms",
        variable="ASTROLABE_BODY_TIMEOUT",
        name="body_timeout",
        read=_seconds,
    ),
    Option(
        field="concurrency_max",
        variable="ASTROLABE_CONCURRENCY_MAX",
        name="concurrency_max",
        read=_whole(1, 1_000_000),
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
    Option(field="debug", variable="ASTROLABE_DEBUG", name="debug", read=_switch),
)
"""Every setting, in the order in which `doctor` and the docs list them."""
