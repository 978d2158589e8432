"""How a trace looks as JSON."""

import json

import pytest
from attrs import evolve

from astrolabe_core.rendering import attempts_json, decision_json, render_text
from astrolabe_core.routing import Unrouted, route
from astrolabe_core.snapshot import Snapshot
from astrolabe_core.trace import Trace
from astrolabe_core.units import Instant, ModelId
from tests.core.market import NOW, model, request, snapshot
from tests.core.test_trace import served


def test_what_was_tried_is_told_in_short() -> None:
    trace, _ = served()
    outcomes = [told["outcome"] for told in attempts_json(trace.attempts)]  # type: ignore[index,call-overload]
    assert outcomes == ["rate_limited", "answered"]


ONE, TWO = model("acme/one"), model("bolt/two")
SOON = Instant(NOW + 5_000)


@pytest.mark.parametrize("shut", [{ONE.id: SOON}, {ONE.id: SOON, TWO.id: SOON}])
def test_a_stored_decision_says_which_circuits_were_open_and_can_be_taken_again(
    shut: dict[ModelId, Instant],
) -> None:
    def decided(world: Snapshot) -> Trace:
        return Trace(arrival=request(), routing=route(request(), world))

    world = snapshot(ONE, TWO)
    trace = decided(evolve(world, circuits_open={**shut, ModelId("gone/away"): SOON}))
    assert isinstance(trace.routing, Unrouted) is (len(shut) == 2)
    stored = json.loads(render_text(trace))["decision"]
    assert stored["circuits_open"] == shut
    replayed = decided(evolve(world, circuits_open=stored["circuits_open"]))
    assert decision_json(replayed, explain=True) == decision_json(trace, explain=True)
    assert replayed.routing == trace.routing
