"""Who is asked next, and that nobody is asked once it is over."""

from typing import Any

import pytest
from attrs import evolve

from astrolabe_core.answers import FaultKind
from astrolabe_core.fallback import Cause
from astrolabe_core.pursuit import better, correct, following
from astrolabe_core.requests import Overrides, Request
from astrolabe_core.settlement import add_attempt
from astrolabe_core.snapshot import Snapshot
from astrolabe_core.stacks import Fallback, FallbackMode, Trigger, VerificationMode
from astrolabe_core.states import Draft, Reserving, Route
from astrolabe_core.units import Instant, Millis
from astrolabe_core.verification import Verdict, VerificationStatus
from tests.core.test_flow import load
from tests.flow.scenarios import ASKED, EVERY, IN_ORDER, STRICT, pinned, world
from tests.flow.world import NOW, answer, arrival, fault

DOUBT = Trigger.VERIFIER_LOW_CONFIDENCE
UPWARDS = Fallback(mode=FallbackMode.ESCALATE_QUALITY, triggers=EVERY)
SOUND = Verdict(mode=VerificationMode.LIGHT, status=VerificationStatus.PASSED)
DRAFT = Draft(answer=answer(), verdict=SOUND, since=NOW, until=NOW)


def route(asked: Request = ASKED, **stack: Any) -> Route:
    """A request that is about to be served."""
    now = load(arrival(asked), world(**stack))
    assert isinstance(now.state, Reserving)
    return now.state.route


def ids(found: Route | None) -> list[str] | None:
    return None if found is None else [option.model.id for option in found.plan.options]


@pytest.mark.parametrize(
    ("fallback", "left"),
    [
        (Fallback(triggers=EVERY), ["bolt/2", "acme/3"]),
        (UPWARDS, ["bolt/4", "acme/1"]),  # the best is the first, since an escalation costs too
        (Fallback(mode=FallbackMode.SAME_PROVIDER, triggers=EVERY), ["acme/3"]),
        (Fallback(enabled=False, triggers=EVERY), None),
        (Fallback(max_attempts=1, triggers=EVERY), None),
        (Fallback(triggers=frozenset()), None),
    ],
)
@pytest.mark.parametrize("trigger", Trigger)
def test_each_mode_moves_on_for_each_trigger(
    fallback: Fallback, left: list[str] | None, trigger: Trigger
) -> None:
    begun = route(fallback=fallback)
    moved = following(begun, trigger, NOW)
    assert ids(moved) == left
    if moved is not None:
        assert moved.trace.cause is Cause.FALLBACK


@pytest.mark.parametrize("trigger", Trigger)
def test_a_fixed_order_is_that_of_the_stack(trigger: Trigger) -> None:
    found = following(route(**IN_ORDER), trigger, NOW)
    assert ids(found) == ["acme/1", "acme/3"]  # after bolt/4, whom it names first


@pytest.mark.parametrize(
    ("stack", "left"),
    [
        (world(fallback=Fallback(triggers=EVERY)), None),
        (world(fallback=UPWARDS), None),
        (world(**IN_ORDER), ["bolt/4", "acme/3"]),
    ],
)
def test_a_model_that_the_caller_named_gives_way_only_in_a_fixed_order(
    stack: Snapshot, left: list[str] | None
) -> None:
    now = load(arrival(pinned(ASKED)), stack)
    assert isinstance(now.state, Reserving)
    assert ids(following(now.state.route, Trigger.TIMEOUT, NOW)) == left


@pytest.mark.parametrize("enabled", [True, False])
def test_a_request_may_ask_for_no_fallback(enabled: bool) -> None:
    asked = evolve(ASKED, overrides=Overrides(fallback=enabled))
    assert (following(route(asked), Trigger.TIMEOUT, NOW) is not None) is enabled


@pytest.mark.parametrize(
    ("kept_from", "cause", "left"),
    [
        (frozenset(), Cause.ESCALATION, ["bolt/4", "acme/1"]),
        (frozenset({"coding"}), Cause.ESCALATION, ["bolt/4", "acme/1"]),
        (frozenset({"core_loop"}), Cause.FALLBACK, ["bolt/2", "acme/3"]),
    ],
)
def test_a_doubt_escalates_unless_that_is_not_done_for_such_work(
    kept_from: frozenset[str], cause: Cause, left: list[str]
) -> None:
    rules = evolve(UPWARDS, never_escalate_categories=kept_from)
    begun = route(fallback=rules)
    moved = better(begun, DOUBT, NOW)
    assert moved is not None
    assert (moved.trace.cause, ids(moved), moved.escalated) == (cause, left, True)
    assert better(moved, DOUBT, NOW) is None


def test_the_strict_modes_act_on_a_doubt_whatever_the_stack_says_of_it() -> None:
    rules = Fallback(triggers=frozenset({Trigger.TIMEOUT}))
    assert better(route(fallback=rules, **STRICT), DOUBT, NOW) is not None
    assert better(route(fallback=rules), DOUBT, NOW) is None
    off = Fallback(enabled=False, triggers=EVERY)
    assert better(route(fallback=off, **STRICT), DOUBT, NOW) is None


def test_a_missed_schema_is_shown_to_a_model_that_the_caller_named_and_to_no_other() -> None:
    """And once: the second miss is everybody's."""
    assert correct(route(), DRAFT, ("/by: missing",), NOW) is None
    shown = correct(route(pinned(ASKED)), DRAFT, ("/by: missing",), NOW)
    assert shown is not None
    assert shown.correction is not None
    assert (shown.correction.text, shown.correction.flaws) == ("By the moon.", ("/by: missing",))
    assert ids(shown) == ["acme/1"]
    assert correct(shown, DRAFT, ("/by: missing",), NOW) is None


def test_nobody_is_asked_once_the_time_is_over() -> None:
    begun, late = route(pinned(ASKED), fallback=UPWARDS), Instant(NOW + 60_000)
    free = route(fallback=UPWARDS)
    for at, asked in ((Instant(late - 1), True), (late, False)):
        assert (following(free, Trigger.SCHEMA_FAILURE, at) is not None) is asked
        assert (better(free, DOUBT, at) is not None) is asked
        assert (correct(begun, DRAFT, (), at) is not None) is asked


def test_what_was_found_out_about_the_last_answer_is_no_word_on_the_next() -> None:
    begun = route()
    judged = evolve(begun, waited_ms=Millis(5), trace=evolve(begun.trace, verdict=SOUND))
    moved = following(judged, Trigger.TIMEOUT, NOW)
    assert moved is not None
    assert (moved.trace.verdict, moved.trace.tools, moved.waited_ms) == (None, (), 0)


def test_a_wait_is_the_same_when_the_request_is_played_again() -> None:
    begun = add_attempt(route(), since=NOW, until=NOW, fault=fault(FaultKind.TIMEOUT))
    once = following(begun, Trigger.TIMEOUT, NOW, fault(FaultKind.TIMEOUT))
    again = following(begun, Trigger.TIMEOUT, NOW, fault(FaultKind.TIMEOUT))
    other = evolve(begun, arrival=evolve(begun.arrival, jitter=2**31))
    drawn = following(other, Trigger.TIMEOUT, NOW, fault(FaultKind.TIMEOUT))
    assert once is not None
    assert again is not None
    assert drawn is not None
    assert once.waited_ms == again.waited_ms != drawn.waited_ms
