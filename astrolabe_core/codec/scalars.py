"""How is each kind of single value written in JSON, and what is refused?

Strict, since cattrs by itself turns `"false"` into true, `None` into `"None"` and 2.9 into 2: a
boolean is `true` or `false`, an integer has no point, text is a string. What the core counts in
nanos or basis points travels as decimal dollars or as a share. A key of `SCALARS` is a type of
the core, or one of the types below, which say more of a plain `str` or `int` than the core does.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, NewType

from attrs import frozen

from astrolabe_core.catalog import Capability, DataPolicy, Modality, Retention, Status, Tier
from astrolabe_core.codec.findings import did_you_mean, form, refuse, shown
from astrolabe_core.money import (
    AMOUNT_MAX,
    AttoUsd,
    MoneyFormatError,
    NanoUsd,
    price,
    price_text,
    usd,
    usd_text,
)
from astrolabe_core.requests import ActionClass, Category, Complexity, Modifier
from astrolabe_core.resolve import LOCKABLE
from astrolabe_core.stacks import (
    CostMode,
    DataRule,
    FallbackMode,
    Primary,
    QualityTarget,
    RetentionRule,
    ToolProfile,
    Trigger,
    VerificationMode,
    VersionStatus,
)
from astrolabe_core.units import (
    FULL_BPS,
    Bps,
    Digest,
    Instant,
    Millis,
    ModelId,
    ProviderId,
    StackSlug,
    Tokens,
)
from astrolabe_core.virtual import VENDOR

Share = NewType("Share", Bps)
"""Basis points that travel as a number from 0 to 1."""
Percent = NewType("Percent", int)
Ordinal = NewType("Ordinal", int)
"""Counted from 1."""
Minute = NewType("Minute", int)
"""A minute of the day, 1440 included as its end."""
Title = NewType("Title", str)
"""Text that is not empty."""
Pattern = NewType("Pattern", str)
"""A serving model's id, or `vendor/*`."""
Lane = NewType("Lane", str)
Override = NewType("Override", str)
"""A field of a request's metadata that a stack may lock."""
VirtualId = NewType("VirtualId", str)
# Words of a vocabulary that the record keeps as plain text.
CategoryWord = NewType("CategoryWord", str)
ActionWord = NewType("ActionWord", str)
ComplexityWord = NewType("ComplexityWord", str)
ModifierWord = NewType("ModifierWord", str)

COUNT_MAX: Final = 10**9
TEXT_MAX: Final = 4_000
TITLE_MAX: Final = 120
PERCENT_MAX: Final = 1_000
_SLUG: Final = re.compile(r"(?=[a-z0-9-]{1,64}$)[a-z0-9]+(?:-[a-z0-9]+)*")
_PROVIDER: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_MODEL: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}/[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?Z", re.ASCII)
_UNPRINTABLE: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
"""Control characters but tabs and line ends, and half surrogate pairs: no store keeps them all."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@frozen(kw_only=True)
class Scalar:
    """How a kind of value is read, how it is written, and what a person is told of its form."""

    form: str
    read: Callable[[object], object]
    write: Callable[[Any], object] = lambda value: value


def read_bool(value: object) -> bool:
    """Read `true` or `false`, and nothing that merely counts as one."""
    if isinstance(value, bool):
        return value
    quoted = isinstance(value, str) and value.lower() in {"true", "false"}
    raise refuse(
        f"must be true or false, not {form(value)}",
        f"write {str(value).lower()} without quotes" if quoted else None,
    )


def integer(least: int, most: int) -> Callable[[object], int]:
    """Make the reader of an integer within bounds; a number with a point is none."""

    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            suggestion = "write it without quotes" if _looks_integer(value) else None
            raise refuse(f"must be an integer, not {_number_form(value)}", suggestion)
        if not least <= value <= most:
            raise refuse(f"must be between {least} and {most}")
        return value

    return read


def text(most: int, *, least: int = 0) -> Callable[[object], str]:
    """Make the reader of text within bounds of length."""

    def read(value: object) -> str:
        if not isinstance(value, str):
            raise refuse(f"must be a string, not {form(value)}")
        if not least <= len(value) <= most:
            raise refuse(f"must have between {least} and {most} characters, not {len(value)}")
        if _UNPRINTABLE.search(value):
            raise refuse("holds control characters or half a surrogate pair")
        return value

    return read


def written_as(pattern: re.Pattern[str], asked: str) -> Callable[[object], str]:
    """Make the reader of text that has a fixed form."""

    def read(value: object) -> str:
        written = _ANY_TEXT(value)
        if not pattern.fullmatch(written):
            raise refuse(f"{shown(written)!r} is not {asked}")
        return written

    return read


def word(known: Collection[str]) -> Callable[[object], str]:
    """Make the reader of a closed vocabulary; others are told what is allowed."""
    allowed = ", ".join(known)

    def read(value: object) -> str:
        written = _ANY_TEXT(value)
        if written not in known:
            raise refuse(
                f"{shown(written)!r} is not one of: {allowed}", did_you_mean(written, known)
            )
        return written

    return read


def read_pattern(value: object) -> str:
    """Read a model's id or `vendor/*`."""
    written = _ANY_TEXT(value)
    vendor, slash, _ = written.partition("/")
    if vendor == VENDOR:
        raise refuse(
            f"{shown(written)!r} is a virtual model; this list takes models that serve",
            "name vendor/model, or vendor/* for all of a vendor",
        )
    if written == f"{vendor}/*" and _PROVIDER.fullmatch(vendor):
        return written
    if not _MODEL.fullmatch(written):
        raise refuse(
            f"{shown(written)!r} is not a model id (vendor/name) or a pattern (vendor/*)",
            f"did you mean {vendor}/*?" if not slash and _PROVIDER.fullmatch(vendor) else None,
        )
    return written


def read_provider(value: object) -> str:
    """Read a vendor's id."""
    written = _ANY_TEXT(value)
    if not _PROVIDER.fullmatch(written):
        vendor = written.partition("/")[0]
        raise refuse(
            f"{shown(written)!r} is not a provider id",
            f"did you mean {vendor}?" if _PROVIDER.fullmatch(vendor) else None,
        )
    return written


def read_usd(value: object) -> NanoUsd:
    """Read dollars: a decimal string, or a JSON number by the shortest digits that give it."""
    try:
        amount = usd(_decimal_text(value))
    except MoneyFormatError as error:
        raise refuse(str(error), 'write dollars as a decimal string, like "0.02"') from error
    if amount < 0:
        raise refuse("must not be negative")
    return amount


def read_price(value: object) -> AttoUsd:
    """Read the price of one unit: a decimal string and nothing else, since floats are not exact."""
    if not isinstance(value, str):
        raise refuse(f"must be a decimal string, not {form(value)}", 'write it like "0.000000435"')
    try:
        return price(value)
    except MoneyFormatError as error:
        raise refuse(str(error)) from error


def read_share(value: object) -> Bps:
    """Read a number from 0 to 1 with at most four decimals, as basis points."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise refuse(f"must be a number from 0 to 1, not {form(value)}")
    share = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not share.is_finite():
        raise refuse("must be between 0 and 1")
    if not 0 <= share <= 1:
        percent = 1 < share <= 100
        raise refuse(
            "must be between 0 and 1",
            f"write {share} percent as {share.scaleb(-2)}" if percent else None,
        )
    # Compared before it is scaled: scaling rounds to the context's 28 digits.
    if share != round(share, 4):
        raise refuse("must have at most four decimals")
    return Bps(int(share.scaleb(4)))


def write_share(share: Bps) -> int | float:
    """Write basis points as the number whose shortest form has at most four decimals."""
    whole, rest = divmod(share, FULL_BPS)
    return share / FULL_BPS if rest else whole


def read_instant(value: object) -> Instant:
    """Read a UTC time such as `2026-11-21T15:42:00.000Z`."""
    written = _FORMED_INSTANT(value)
    try:
        at = datetime.fromisoformat(written)
    except ValueError as error:
        raise refuse(f"{written!r} is not in the calendar") from error
    return Instant((at - _EPOCH) // timedelta(milliseconds=1))


def write_instant(at: Instant) -> str:
    """Write a UTC time to the millisecond."""
    moment = _EPOCH + timedelta(milliseconds=at)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _decimal_text(value: object) -> str:
    match value:
        case str():
            return value
        case int() if not isinstance(value, bool):
            return str(value) if abs(value) <= AMOUNT_MAX else "an integer beyond any amount"
        case float():
            return _plain_decimal(Decimal(repr(value)))
        case Decimal():
            return _plain_decimal(value)
        case _:
            raise refuse(f"must be a decimal string, not {form(value)}")


def _plain_decimal(value: Decimal) -> str:
    # An exponent such as 1e999999 must not be written out before it is refused.
    return f"{value:f}" if value.is_finite() and abs(value.adjusted()) <= 30 else str(value)


def _number_form(value: object) -> str:
    return "a decimal number" if isinstance(value, float | Decimal) else form(value)


def _looks_integer(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}", value) is not None


_ANY_TEXT: Final = text(TEXT_MAX)
_FORMED_INSTANT: Final = written_as(_INSTANT, "a UTC time like 2026-11-21T15:42:00.000Z")


def _enum(kind: type[StrEnum]) -> Scalar:
    read = word([member.value for member in kind])
    return Scalar(
        form=" ".join(kind), read=lambda value: kind(read(value)), write=lambda member: member.value
    )


def _words(known: Iterable[str]) -> Scalar:
    listed = [str(one) for one in known]
    return Scalar(form=" ".join(listed), read=word(listed))


def _integer(least: int, most: int, form: str) -> Scalar:
    return Scalar(form=form, read=integer(least, most))


_MODEL_ID: Final = Scalar(form="vendor/name", read=written_as(_MODEL, "a model id, vendor/name"))
_ENUMS: Final[tuple[type[StrEnum], ...]] = (
    Capability,
    CostMode,
    DataPolicy,
    DataRule,
    FallbackMode,
    Modality,
    Primary,
    QualityTarget,
    Retention,
    RetentionRule,
    ToolProfile,
    Status,
    Tier,
    Trigger,
    VerificationMode,
    VersionStatus,
)
SCALARS: Final[Mapping[object, Scalar]] = {
    bool: Scalar(form="true or false", read=read_bool),
    str: Scalar(form="text", read=_ANY_TEXT),
    int: _integer(0, COUNT_MAX, "integer"),
    Tokens: _integer(0, COUNT_MAX, "tokens"),
    Millis: _integer(1, COUNT_MAX, "milliseconds"),
    Bps: _integer(0, FULL_BPS, "basis points"),
    Percent: _integer(1, PERCENT_MAX, "percent"),
    Ordinal: _integer(1, COUNT_MAX, "number from 1"),
    Minute: _integer(0, 1_440, "minute of the UTC day"),
    Share: Scalar(form="share from 0 to 1", read=read_share, write=write_share),
    NanoUsd: Scalar(form="USD, decimal string", read=read_usd, write=usd_text),
    AttoUsd: Scalar(form="USD for one unit, decimal string", read=read_price, write=price_text),
    Instant: Scalar(form="UTC time", read=read_instant, write=write_instant),
    Title: Scalar(form="text", read=text(TITLE_MAX, least=1)),
    Digest: Scalar(form="hash", read=written_as(_DIGEST, "64 lower-case hexadecimal digits")),
    StackSlug: Scalar(
        form="slug", read=written_as(_SLUG, "a slug: at most 64 of a-z, 0-9 and single hyphens")
    ),
    Lane: Scalar(form="lane", read=written_as(_SLUG, "a lane: a-z, 0-9 and single hyphens")),
    ModelId: _MODEL_ID,
    VirtualId: Scalar(
        form=f"{VENDOR}/name",
        read=written_as(re.compile(rf"{VENDOR}/{_SLUG.pattern}"), f"an id {VENDOR}/name"),
    ),
    Pattern: Scalar(form="vendor/name or vendor/*", read=read_pattern),
    ProviderId: Scalar(form="vendor", read=read_provider),
    Override: _words(sorted(LOCKABLE)),
    CategoryWord: _words(Category),
    ActionWord: _words(ActionClass),
    ComplexityWord: _words(Complexity),
    ModifierWord: _words(Modifier),
    **{kind: _enum(kind) for kind in _ENUMS},
}
"""Every kind of single value that any document holds."""
