"""What does it cost to decide among 300 candidates, beside reading the request's JSON?"""

import json
import random

from attrs import evolve

from astrolabe_core import shipped
from astrolabe_core.catalog import Catalog, Model, PriceList
from astrolabe_core.decide import decide
from astrolabe_core.money import AttoUsd
from astrolabe_core.requests import Request, ask
from astrolabe_core.routing import Routed, route
from astrolabe_core.snapshot import Snapshot
from astrolabe_core.units import ModelId
from tests.bench.report import Measured, median_ratio, micros, ratios

CANDIDATES = 300
BAR = 5.0


def run() -> list[Measured]:
    """Measure the decision alone, on a prepared stack."""
    request, world = _request(), _world()
    routed = route(request, world)
    if not isinstance(routed, Routed):
        message = f"nothing was decided: {routed.refusal.message}"
        raise TypeError(message)
    body = json.dumps(BODY)
    deciding, reading = ratios(
        lambda: decide(routed.shortlist, routed.profile, routed.circumstances),
        lambda: json.loads(body),
        rounds=41,
        each=200,
    )
    return [
        Measured(
            name="decide",
            claim=f"deciding among {CANDIDATES} candidates costs at most {BAR:g} x json.loads of "
            f"a chat body of {len(body)} bytes",
            ratio=median_ratio(deciding, reading),
            bar=BAR,
            at_most=True,
            figures=(("decide", micros(deciding)), ("json.loads", micros(reading))),
        )
    ]


BODY = {
    "model": "astrolabe/auto",
    "messages": [
        {"role": "system", "content": "You are a careful assistant. " * 12},
        {"role": "user", "content": 'Explain "tail recursion" to me.\nBriefly, please. ' * 8},
        {"role": "assistant", "content": "A call in tail position needs no frame. " * 12},
        {"role": "user", "content": "And in Python? Show me how one would rewrite it. " * 9},
    ],
    "temperature": 0.7,
    "max_tokens": 500,
    "stream": False,
}


def _request() -> Request:
    text = "\n".join(str(message["content"]) for message in BODY["messages"])  # type: ignore[attr-defined]
    return ask(text, output_tokens_max=500)


def _world() -> Snapshot:
    """The shipped roster many times over, each copy at a price of its own."""
    world = shipped.snapshot()
    dice = random.Random(7)
    models = tuple(
        _priced(world.catalog.models[number % len(world.catalog.models)], number, dice)
        for number in range(CANDIDATES)
    )
    catalog = Catalog(version="bench", models=models, priors=world.catalog.priors)
    auto = evolve(
        world.virtual_models[0],
        candidates=tuple(model.id for model in models),
        fallback_candidates=(),
        reference=models[0].id,
    )
    return evolve(world, catalog=catalog, virtual_models=(auto,))


def _priced(model: Model, number: int, dice: random.Random) -> Model:
    base = model.retail_price.base
    prices = evolve(
        base,
        input=AttoUsd((base.input or 0) * dice.randint(50, 200) // 100),
        output=AttoUsd((base.output or 0) * dice.randint(50, 200) // 100),
    )
    listed = PriceList(base=prices)
    return evolve(model, id=ModelId(f"{model.provider}/copy-{number}"), retail_price=listed)
