from __future__ import annotations

import os
import re

from astrolabe_core.units import Instant
from astrolabe_http.ids import REQUEST_ID_PATTERN, Ids
from tests.http.gateways import MovedClock


def test_an_id_says_what_it_names_and_is_26_characters_of_lower_case() -> None:
    ids = Ids(MovedClock())
    for made, prefix in (
        (ids.request(), "req"),
        (ids.workspace(), "ws"),
        (ids.key(), "key"),
        (ids.grant(), "grant"),
        (ids.node(), "node"),
    ):
        assert re.fullmatch(rf"{prefix}_[0-9a-hjkmnp-tv-z]{{26}}", made)


def test_ids_sort_as_they_were_made_within_a_millisecond_and_across() -> None:
    clock = MovedClock()
    ids = Ids(clock)
    made = []
    for step in range(2_000):
        clock.at = Instant(clock.at + (step % 3 == 0))
        made.append(ids.request())
    assert made == sorted(set(made))


def test_ids_never_go_back_with_a_clock_that_does() -> None:
    clock = MovedClock()
    ids = Ids(clock)
    before = ids.request()
    clock.at = Instant(clock.at - 60_000)
    assert ids.request() > before


def test_counting_on_from_the_largest_chance_keeps_the_millisecond() -> None:
    ids = Ids(MovedClock(), random=lambda size: b"\xff" * size)
    made = [ids.request() for _ in range(3)]
    assert made == sorted(made)
    assert len({each[4:14] for each in made}) == 1


def test_two_processes_at_the_same_moment_differ() -> None:
    assert Ids(MovedClock()).request() != Ids(MovedClock()).request()


def test_chance_is_drawn_in_batches() -> None:
    drawn = []

    def random(size: int) -> bytes:
        drawn.append(size)
        return os.urandom(size)

    clock = MovedClock()
    ids = Ids(clock, random)
    for _ in range(256):
        clock.at = Instant(clock.at + 1)
        ids.request()
    assert drawn == [2_560]


def test_each_request_draws_its_own_jitter_of_32_bits() -> None:
    ids = Ids(MovedClock())
    assert len({ids.jitter() for _ in range(2_000)}) > 1_990
    assert Ids(MovedClock(), random=bytes).jitter() == 0
    assert Ids(MovedClock(), random=lambda size: b"\xff" * size).jitter() == 2**32 - 1


def test_the_pattern_is_that_of_every_id() -> None:
    ids = Ids(MovedClock())
    assert all(re.fullmatch(REQUEST_ID_PATTERN, ids.request()) for _ in range(300))
    assert re.fullmatch(REQUEST_ID_PATTERN, ids.request().upper()) is None
