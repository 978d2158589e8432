"""What holds of the money of every decision?

A hold is asked to bound what any usage within the request's size and the cap that is sent can be
charged, at any time of day, and not to be more than that.
"""

from collections.abc import Callable, Iterator
from itertools import product
from typing import Final

from astrolabe_core.catalog import Model
from astrolabe_core.decide import OUTPUT_TOKENS_DEFAULT, Option
from astrolabe_core.money import NanoUsd
from astrolabe_core.pricing import charge
from astrolabe_core.requests import Profile
from astrolabe_core.routing import Routed
from astrolabe_core.testing.cases import Case
from astrolabe_core.units import MINUTE_MS, Instant, Tokens
from astrolabe_core.usage import Usage


def hold_bounds_every_charge(case: Case) -> None:
    """No usage within the size of the request and the cap costs more than the plan holds."""
    routed = case.route()
    if not isinstance(routed, Routed):
        return
    for option in routed.plan.options:
        for due in _charges(option, routed.profile, case.snapshot.at):
            assert due <= option.hold <= routed.plan.hold


def hold_is_no_more_than_needed(case: Case) -> None:
    """The plan holds its dearest option, and that what it can cost: not a nano more."""
    routed = case.route()
    if not isinstance(routed, Routed):
        return
    assert routed.plan.hold == max(option.hold for option in routed.plan.options)
    for option in routed.plan.options:
        if not option.model.retail_price.overrides:
            dearest = max(_charges(option, routed.profile, case.snapshot.at))
            assert option.hold - 1 <= dearest


def cap_is_what_was_asked_and_fits(case: Case) -> None:
    """The cap that is sent is the caller's or ours, and never beyond what the model can write."""
    routed = case.route()
    if not isinstance(routed, Routed):
        return
    asked = routed.profile.output_tokens_cap
    wanted = OUTPUT_TOKENS_DEFAULT if asked is None else asked
    for option in routed.plan.options:
        model, cap = option.model, option.output_tokens_max
        room = model.context_window - routed.profile.input_tokens
        assert cap == max(1, min(wanted, model.output_tokens_max, room))


def savings_are_against_the_lanes_reference(case: Case) -> None:
    """Savings are the reference's expected cost above the estimate, and may be negative."""
    routed = case.route()
    if not isinstance(routed, Routed) or routed.decision.baseline is None:
        return
    decision, baseline = routed.decision, routed.decision.baseline
    assert baseline.model == routed.shortlist.roster.pool.reference
    assert decision.savings == baseline.cost - decision.estimate.expected_cost


def _charges(option: Option, profile: Profile, at: Instant) -> Iterator[NanoUsd]:
    """Price the corners of what may be used: all or nothing of each part, at each turn of price."""
    model = option.model
    most = min(profile.input_tokens_max, model.context_window)
    outputs = (0, option.output_tokens_max * profile.choices)
    for size, written, moment in product(_sizes(model, most), outputs, _moments(model, at)):
        for cached, stored in ((0, 0), (size, 0), (0, size)):
            for reasoning in {0, written}:
                usage = Usage(
                    input_tokens=Tokens(size),
                    output_tokens=Tokens(written),
                    cached_input_tokens=Tokens(cached),
                    cache_write_tokens=Tokens(stored),
                    reasoning_tokens=Tokens(reasoning),
                    images=profile.images,
                )
                due = charge(usage, model.retail_price, moment)
                assert due is not None
                yield due


def _sizes(model: Model, most: int) -> list[int]:
    breaks = {override.input_tokens_min for override in model.retail_price.overrides}
    return sorted({0, most, *(each for each in breaks if each <= most)})


def _moments(model: Model, at: Instant) -> list[Instant]:
    minutes = {override.utc_minute_from for override in model.retail_price.overrides}
    midnight = at - at % (1_440 * MINUTE_MS)
    return sorted({at, *(Instant(midnight + minute * MINUTE_MS) for minute in minutes)})


MONEY_LAWS: Final[tuple[Callable[[Case], None], ...]] = (
    hold_bounds_every_charge,
    hold_is_no_more_than_needed,
    cap_is_what_was_asked_and_fits,
    savings_are_against_the_lanes_reference,
)
