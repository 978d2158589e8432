"""What becomes of each thing that a caller may write, and where is that written down?

A `Ruling` is the decision about one field, content part, item or tool. The tables of them
(`chat_fields`, `responses_fields`, `parts`, `items`, `tools`) are what readers and writers go by,
what `docs/wire.md` shows, and what tests hold against the types of OpenAI's SDK: a field that is
new there fails a test until somebody has ruled on it. What no table names is let go.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final, TypeAlias

from attrs import frozen

from astrolabe_core.codes import Refusal
from astrolabe_http.wire.fields import Check, Object, described, invalid, unsupported


class Fate(StrEnum):
    """What becomes of it."""

    CARRIED = "carried"
    RESHAPED = "reshaped"
    READ = "read"
    REFUSED = "refused"
    DROPPED = "dropped"


FATES: Final[Mapping[Fate, str]] = {
    Fate.CARRIED: "goes to the provider as it came",
    Fate.RESHAPED: "goes to the provider in another form",
    Fate.READ: "the gateway itself acts on it; the provider does not see it",
    Fate.REFUSED: "400 `unsupported_parameter`, where it asks for anything",
    Fate.DROPPED: "stays here: the answer means the same without it",
}


def asks(value: object) -> bool:
    """Whether a value asks for anything: null, false and what is empty do not."""
    return value is not None and value is not False and value not in ("", [], {})


def above(bound: int) -> Callable[[object], bool]:
    """Whether a number is above a bound."""
    return lambda value: isinstance(value, int | float) and value > bound


@frozen(kw_only=True)
class Ruling:
    """One decision. `note` says why, or what to do instead of what is refused.

    `demands` tells of a value whether the answer would mean something else without it, so that
    only hosts which honour it may serve. `told_back` fields come back with the answer. `inner`
    rules on the fields of an object.
    """

    fate: Fate
    note: str = ""
    check: Check | None = None
    asks: Callable[[object], bool] = asks
    demands: Callable[[object], bool] | None = None
    told_back: bool = False
    inner: "Rulings | None" = None


Rulings: TypeAlias = Mapping[str, Ruling]


def carried(
    check: Check,
    note: str = "",
    *,
    asks: Callable[[object], bool] = asks,
    demands: Callable[[object], bool] | None = None,
    told_back: bool = False,
    inner: Rulings | None = None,
) -> Ruling:
    """Rule that it goes to the provider as it came, where it asks for anything."""
    return Ruling(
        fate=Fate.CARRIED,
        note=note,
        check=check,
        asks=asks,
        demands=demands,
        told_back=told_back,
        inner=inner,
    )


def reshaped(
    note: str,
    check: Check | None = None,
    *,
    demands: Callable[[object], bool] | None = None,
    told_back: bool = False,
    inner: Rulings | None = None,
) -> Ruling:
    """Rule that what it says goes to the provider in another form."""
    return Ruling(
        fate=Fate.RESHAPED,
        note=note,
        check=check,
        demands=demands,
        told_back=told_back,
        inner=inner,
    )


def read(
    note: str,
    check: Check | None = None,
    *,
    told_back: bool = False,
    inner: Rulings | None = None,
) -> Ruling:
    """Rule that the gateway acts on it itself."""
    return Ruling(fate=Fate.READ, note=note, check=check, told_back=told_back, inner=inner)


def refused(note: str, asks: Callable[[object], bool] = asks) -> Ruling:
    """Rule that it cannot be honoured; `note` says what to do instead."""
    return Ruling(fate=Fate.REFUSED, note=note, asks=asks)


def dropped(note: str, check: Check | None = None, *, told_back: bool = False) -> Ruling:
    """Rule that it may stay here, and why that is harmless."""
    return Ruling(fate=Fate.DROPPED, note=note, check=check, told_back=told_back)


def checks_of(rulings: Rulings) -> dict[str, Check]:
    """Give the check of each field that has one."""
    return {name: ruling.check for name, ruling in rulings.items() if ruling.check is not None}


def refusals_of(rulings: Rulings) -> dict[str, str]:
    """Give what is said of each field that is refused."""
    return {name: ruling.note for name, ruling in rulings.items() if ruling.fate is Fate.REFUSED}


def carry(body: Object, rulings: Rulings) -> dict[str, object]:
    """Give what goes to the provider as it came: only what asks for anything, without nulls.

    OpenRouter counts every parameter that is there when it looks for a host that honours all.
    """
    made: dict[str, object] = {}
    for name, value in body.items():
        ruling = rulings.get(name)
        if ruling is None or ruling.fate is not Fate.CARRIED or not ruling.asks(value):
            continue
        if ruling.demands is not None and not ruling.demands(value):
            continue
        if not isinstance(value, Mapping):
            made[name] = value
        elif kept := {key: each for key, each in value.items() if each is not None}:
            made[name] = kept
    return made


def first_against(body: Object, rulings: Rulings, prefix: str = "") -> Refusal | None:
    """Refuse the first field whose value is not what it takes, or asks for what cannot be had."""
    for name, value in body.items():
        ruling = rulings.get(name)
        if ruling is None or value is None:
            continue
        wrong = _against(ruling, value, f"{prefix}{name}")
        if wrong is not None:
            return wrong
    return None


def _against(ruling: Ruling, value: object, param: str) -> Refusal | None:
    if ruling.check is not None and not ruling.check.passes(value):
        return invalid(param, f"{param} must be {ruling.check.expected}, not {described(value)}")
    if ruling.fate is Fate.REFUSED and ruling.asks(value):
        return unsupported(param, f"{param} is not supported: {ruling.note}")
    if ruling.inner is not None and isinstance(value, Mapping):
        return first_against(value, ruling.inner, f"{param}.")
    return None


def demanded_in(body: Object, rulings: Rulings) -> list[str]:
    """Name the fields that a host must honour, lest the answer mean something else."""
    return [
        name
        for name, value in body.items()
        if value is not None
        and (ruling := rulings.get(name)) is not None
        and ruling.demands is not None
        and ruling.demands(value)
    ]
