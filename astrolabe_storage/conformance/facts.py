"""How is a fact about a store said and checked, without a test framework?"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from astrolabe_storage.books import AuditedStore

T = TypeVar("T")


class Opens:
    """A suite that opens the store to be judged."""

    async def open_store(self) -> AuditedStore:
        """Give a store with nothing in it; each suite says how."""
        raise NotImplementedError


SuiteT = TypeVar("SuiteT", bound=Opens)


def fact(
    check: Callable[[SuiteT, AuditedStore], Awaitable[None]],
) -> Callable[[SuiteT], None]:
    """Make a plain test method of a check: open a store, check in a loop of its own, close."""

    async def checked(suite: SuiteT) -> None:
        store = await suite.open_store()
        try:
            await check(suite, store)
        finally:
            await store.close()

    def test(suite: SuiteT) -> None:
        asyncio.run(checked(suite))

    # Not functools.wraps: pytest would take the store for a fixture.
    test.__name__ = check.__name__
    test.__doc__ = check.__doc__
    return test


def same(actual: object, expected: object, what: str = "value") -> None:
    """Fail where two values differ."""
    if actual != expected:
        raise AssertionError(f"{what}: expected {expected!r}, got {actual!r}")


def true(condition: object, what: str) -> None:
    """Fail where something does not hold."""
    if not condition:
        raise AssertionError(what)


def is_a(value: object, kind: type[T]) -> T:
    """Fail where a value is of another kind, and give it as what it is."""
    if not isinstance(value, kind):
        raise AssertionError(f"expected a {kind.__name__}, got {value!r}")  # noqa: TRY004
    return value


async def raises(awaitable: Awaitable[object], kind: type[Exception]) -> None:
    """Fail where awaiting does not raise."""
    try:
        value = await awaitable
    except kind:
        return
    raise AssertionError(f"expected {kind.__name__}, got {value!r}")
