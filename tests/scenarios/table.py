"""What is expected of the gateway for each fault of the simulator, as faults.toml has it?

A row is one fault, named as the simulator is told it: `does` says what it is, `ask` what is asked
for where that is not text. The rest are situations. What is expected in one is a text, or several
by what they are for: `streamed`, `whole`, `chat`, `responses`, or two of these words.

    ok fallback, passed: rate_limited, answered; paid
    provider_error: 3 x rate_limited; provider_error
    cut provider_error: provider_error; streaming_provider_error

The outcome comes first: `ok`, the decision's kind and how verification ended, or the code of the
error, after `cut` where it came in a stream that had begun. Then the attempts: how the call failed
or, of an answer, the checks that it failed, `answered` where it failed none; why the model was
asked stands before it, unless it was the first or followed by fallback. Last is the money: `paid`,
or why not, and after a + what is flagged about it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from attrs import frozen

DATA: Final = Path(__file__).with_name("faults.toml")
SITUATIONS: Final = ("first", "each", "named", "strict", "judge", "strong", "doubted", "left")
WAYS: Final = ("whole", "streamed")
FORMATS: Final = ("chat", "responses")
_FORM: Final = re.compile(
    r"(?P<outcome>[a-z_ ]+?)(?:, (?P<verified>[a-z_]+))?: (?P<attempts>[^;]*); (?P<money>[a-z_+ ]+)"
)


@frozen
class Expected:
    """What is expected of one request."""

    outcome: str
    verified: str
    attempts: tuple[str, ...]
    money: str

    def __str__(self) -> str:
        verified = f", {self.verified}" if self.verified else ""
        return f"{self.outcome}{verified}: {_joined(self.attempts)}; {self.money}"


@frozen
class Row:
    """One fault, and what is expected by situation."""

    name: str
    does: str
    ask: str
    situations: Mapping[str, object]

    def expected(self, situation: str, spoken: str, way: str) -> Expected | None:
        """Give what is expected of a request; the most particular word decides."""
        told = self.situations.get(situation)
        if isinstance(told, dict):
            named = (f"{way} {spoken}", spoken, way)
            told = next((told[name] for name in named if name in told), None)
        return None if told is None else read(str(told))


def rows() -> tuple[Row, ...]:
    """Give every row of the data."""
    data = tomllib.loads(DATA.read_text(encoding="utf-8"))
    return tuple(_row(name, row) for name, row in data["faults"].items())


def retried() -> Mapping[str, tuple[int, bool]]:
    """Give the status of each code, and whether a client may try again."""
    data = tomllib.loads(DATA.read_text(encoding="utf-8"))
    return {code: (told["status"], told["again"]) for code, told in data["codes"].items()}


def read(text: str) -> Expected:
    """Read what is expected."""
    found = _FORM.fullmatch(text)
    assert found is not None, text
    attempts: list[str] = []
    for part in filter(None, found["attempts"].split(", ")):
        times, _, each = part.rpartition(" x ")
        attempts += [each] * int(times or 1)
    return Expected(found["outcome"], found["verified"] or "", tuple(attempts), found["money"])


def _row(name: str, row: dict[str, object]) -> Row:
    plain = {"does", "ask"}
    assert set(row) <= plain.union(SITUATIONS), f"{name}: {sorted(row)}"
    for told in row.values():
        if isinstance(told, dict):
            for words in told:
                assert set(words.split()) <= {*WAYS, *FORMATS}, f"{name}: {words}"
    return Row(
        name=name,
        does=str(row["does"]),
        ask=str(row.get("ask", "text")),
        situations={key: row[key] for key in row if key not in plain},
    )


def _joined(attempts: tuple[str, ...]) -> str:
    if len(attempts) > 1 and len(set(attempts)) == 1:
        return f"{len(attempts)} x {attempts[0]}"
    return ", ".join(attempts)
