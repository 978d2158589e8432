"""Which cases do the slower questions look at? The same ones each time.

They are drawn by a process of their own (`python -m tests.laws.corpus` writes them): Hypothesis
takes constants from all loaded code, so that here they would change with whatever tests ran before.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from functools import cache
from itertools import chain, islice
from pathlib import Path
from typing import cast

from attrs import evolve
from hypothesis import HealthCheck, Phase, given, settings

from astrolabe_core.catalog import Modality, PriceOverride
from astrolabe_core.requests import Role, Turn
from astrolabe_core.stacks import Fallback, Objective, Primary
from astrolabe_core.testing import Case, around, turns
from astrolabe_core.testing.strategies import worlds
from astrolabe_core.units import DAY_MS, MINUTE_MS, Instant, ModelId
from tests.core.market import NOW, good, model, price_list, prices, request, snapshot, stack

WORLDS = 300
MINUTE_OF_DAY = NOW % DAY_MS // MINUTE_MS
EACH = 11
"""Of each world so many of its neighbours are left out before the next is taken."""


def staged() -> tuple[Case, ...]:
    """Give cases that are drawn too seldom to rely on: what Hypothesis draws hangs on all code
    that is loaded, since it takes constants from there.
    """
    soon = PriceOverride(prices=prices(200, 800), utc_minute_from=MINUTE_OF_DAY + 1)
    world = snapshot(
        model("acme/one"),
        model("acme/dear", price=price_list(soon)),
        reserves=("acme/dear",),
        reference="acme/dear",
    )
    lane = evolve(world.virtual_models[0], fallback_candidates=())
    seeing = snapshot(
        model("acme/blind", input_modalities=frozenset({Modality.TEXT})), model("acme/sighted")
    )
    asked = Turn(role=Role.USER, text="What is this?", images=1)
    shown = evolve(request(), turns=(asked,))
    # Preferred, and short of what is asked for.
    liked = stack(objective=Objective(primary=Primary.FIXED_PRIORITY, priority=("zen/*",)))
    wanting = snapshot(
        model("acme/good", quality=good(9_000)),
        model("zen/weak", quality=good(1_000)),
        governing=liked,
    )
    # Alike in all but their ids, whose order is another one from behind.
    tied = snapshot(model("acme/xa"), model("acme/ab"))
    # The only place is the cheaper one's, which may not be called: it hid the other.
    hiding = snapshot(
        model("acme/near"),
        model("bolt/far", price=price_list(input_nanos=900, output_nanos=900)),
        governing=stack(fallback=Fallback(enabled=False)),
        circuits_open={ModelId("acme/near"): Instant(NOW + MINUTE_MS)},
    )
    # Much is at stake, and what is relayed no verifier is asked about.
    risky = evolve(request("Wire 40,000 dollars to this supplier now"), stream=True)
    return (
        Case(request=risky, snapshot=tied),
        Case(request=request(), snapshot=hiding),
        Case(request=request(), snapshot=evolve(world, virtual_models=(lane,))),
        Case(request=shown, snapshot=seeing),
        Case(request=request(), snapshot=wanting),
        Case(request=request(), snapshot=tied),
    )


@cache
def corpus() -> tuple[Case, ...]:
    """Give the staged cases and those that a process of their own has drawn."""
    drawing = [sys.executable, "-m", __name__]
    root = Path(__file__).parents[2]
    drawn = subprocess.run(drawing, cwd=root, stdout=subprocess.PIPE, check=True).stdout
    return cast("tuple[Case, ...]", pickle.loads(drawn))


def draw() -> tuple[Case, ...]:
    """Draw worlds, without shrinking and without chance, and of each some of its neighbours."""
    found: list[Case] = [*staged()]

    @settings(
        max_examples=WORLDS,
        database=None,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(worlds())
    def collect(case: Case) -> None:
        found.extend(
            (case, *islice(chain(around(case), turns(case)), len(found) % EACH, None, EACH))
        )

    collect()
    return tuple(found)


if __name__ == "__main__":
    sys.stdout.buffer.write(pickle.dumps(draw()))
