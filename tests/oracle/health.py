"""May it be called?  The rules of the circuits once more, naively, without a line of the core.

Every name (a model `vendor/name`, or a provider `vendor`) keeps a diary of its calls. Times are
milliseconds, a lease is a number.
"""

from __future__ import annotations

IN_ROW, CALLS, PERCENT = 3, 5, 60
OPEN, OPEN_MAX, LEASE, PROBE = 1_000, 6_000, 100, 20_000


class Name:
    """One circuit, and all that happened since it was last opened or closed."""

    def __init__(self, models_needed: int) -> None:
        self.models_needed = models_needed
        self.shut = False
        self.begun = self.until = 0
        self.holder: int | None = None
        self.at_work = False
        self.openings = self.strikes = 0
        self.strikers: set[str] = set()
        self.diary: list[tuple[int, str, bool]] = []

    def look(self, at: int, number: int) -> None:
        """Somebody with this number would like to try."""
        if at < self.begun:
            self.begun, self.until = at, at + self.until - self.begun
        elif at >= self.until:
            self.holder, self.at_work = number, False
            self.begun, self.until = at, at + LEASE

    def begin(self, at: int) -> None:
        self.at_work = True
        self.begun, self.until = at, at + PROBE

    def free_at(self, at: int) -> int:
        return at + LEASE if self.at_work else self.until

    def end(self, at: int, model: str, how: str, number: int, asked: int) -> None:
        if not self.shut:
            if how in {"answered", "failed"}:
                self._count(at, model, how == "failed", asked)
        elif number == self.holder:
            if how == "neutral":
                self.holder, self.at_work, self.begun, self.until = None, False, at, at
            elif how == "failed":
                self._open(at, asked)
            else:
                self.shut, self.holder, self.at_work, self.diary = False, None, False, []
                self.begun = self.until = 0
                if how == "answered":
                    self.strikes, self.strikers, self.openings = 0, set(), 0
                else:
                    self.strikes = IN_ROW - 1

    def _count(self, at: int, model: str, failed: bool, asked: int) -> None:
        ten = at // 10_000
        self.diary = [each for each in self.diary if ten - 6 < each[0] // 10_000 <= ten]
        self.diary.append((at, model, failed))
        if not failed:
            self.strikes, self.strikers, self.openings = 0, set(), 0
            return
        self.strikes += 1
        self.strikers.add(model)
        bad = [each for _, each, wrong in self.diary if wrong]
        in_row = self.strikes >= IN_ROW and len(self.strikers) >= self.models_needed
        many = len(self.diary) >= CALLS and len(bad) * 100 > len(self.diary) * PERCENT
        if in_row or (many and len(set(bad)) >= self.models_needed):
            self._open(at, asked)

    def _open(self, at: int, asked: int) -> None:
        wait = min(OPEN_MAX, max(asked, OPEN * 2**self.openings))
        self.shut, self.holder, self.at_work, self.diary = True, None, False, []
        self.openings += 1
        self.begun, self.until = at, at + wait


class World:
    """All circuits of these models."""

    def __init__(self, models: list[str]) -> None:
        self.models = models
        self.names = {model: Name(1) for model in models}
        self.names |= {model.split("/")[0]: Name(2) for model in models}
        self.number = 0

    def look(self, at: int) -> tuple[dict[str, int], dict[str, int]]:
        """Give who is not to be called until when, and the leases that the looker has got."""
        if not any(name.shut for name in self.names.values()):
            return {}, {}
        self.number += 1
        got, shut = dict[str, int](), dict[str, int]()
        for each in sorted(self.names, key=lambda name: "/" in name):
            name, above = self.names[each], shut.get(each.split("/")[0])
            if name.shut and above is None:
                name.look(at, self.number)
                if name.holder == self.number:
                    got[each] = self.number
                else:
                    shut[each] = name.free_at(at)
            elif above is not None:
                shut[each] = max(above, name.free_at(at)) if name.shut else above
        return {name: until for name, until in shut.items() if "/" in name}, got

    def begin(self, model: str, at: int, held: dict[str, int]) -> dict[str, int] | None:
        """Give the leases that a call uses, or nothing where it may not begin."""
        names = [each for each in (model.split("/", maxsplit=1)[0], model) if self.names[each].shut]
        if not names:
            return {}
        before = [dict(vars(self.names[each])) for each in names]
        used = dict[str, int]()
        for each in names:
            name, number = self.names[each], held.get(each)
            if number is None or number != name.holder:
                number = self.number + 1
                name.look(at, number)
            if name.holder != number or name.at_work:
                for undone, was in zip(names, before, strict=True):
                    vars(self.names[undone]).update(was)
                return None
            name.begin(at)
            used[each] = number
        self.number += 1
        return used

    def end(self, model: str, at: int, how: str, used: dict[str, int], asked: int = 0) -> None:
        for each in (model.split("/", maxsplit=1)[0], model):
            self.names[each].end(at, model, how, used.get(each, 0), asked)

    def drop(self, at: int, held: dict[str, int]) -> None:
        for each, number in held.items():
            if self.names[each].shut:
                self.names[each].end(at, each, "neutral", number, 0)
