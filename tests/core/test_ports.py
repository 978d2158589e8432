"""The promises of a host: what is a plain call, what is awaited, and what a store is made of."""

from __future__ import annotations

import inspect

import pytest

from astrolabe_core import ports

PARTS = (
    ports.Callers,
    ports.Ledger,
    ports.Accounts,
    ports.Journal,
    ports.Records,
    ports.Conversations,
)


def promises(port: type) -> dict[str, object]:
    return {
        name: promise
        for name, promise in vars(port).items()
        if not name.startswith("_") and inspect.isfunction(promise)
    }


def test_a_command_is_submitted_by_a_plain_call_so_that_a_finally_can_always_end_a_hold() -> None:
    assert not inspect.iscoroutinefunction(ports.Ledger.submit)


def test_a_clock_is_read_by_a_plain_call() -> None:
    assert not inspect.iscoroutinefunction(ports.Clock.now)


@pytest.mark.parametrize(
    "port",
    [ports.Callers, ports.Accounts, ports.Journal, ports.Records, ports.Conversations],
)
def test_every_other_promise_is_awaited(port: type) -> None:
    assert promises(port)
    assert all(inspect.iscoroutinefunction(promise) for promise in promises(port).values())


def test_a_store_is_its_six_parts_and_can_be_asked_and_closed() -> None:
    assert set(PARTS) <= set(ports.Store.__mro__)
    assert set(promises(ports.Store)) == {"ready", "close"}


def test_no_two_parts_promise_the_same_name() -> None:
    names = [name for port in PARTS for name in promises(port)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("port", [*PARTS, ports.Clock, ports.Store])
def test_every_promise_says_what_it_is(port: type) -> None:
    assert all(inspect.getdoc(promise) for promise in promises(port).values())


def test_a_store_out_of_reach_is_never_mistaken_for_not_found() -> None:
    assert not issubclass(ports.StorageUnavailable, LookupError)
