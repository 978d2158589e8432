"""Which model should serve this, why, and what would have to change for another?

Needs attrs and cattrs and nothing else: no server, no clock, no network.
"""

from astrolabe_core import shipped
from astrolabe_core.money import usd_text
from astrolabe_core.requests import Overrides, StackRef, ask
from astrolabe_core.routing import Routed, Routing, route
from astrolabe_core.stacks import Boundaries
from astrolabe_core.units import StackSlug


def tell(title: str, routing: Routing) -> None:
    """Print what was decided, and why."""
    print(f"\n{title}")
    if isinstance(routing, Routed):
        decision = routing.decision
        print(f"  {decision.kind}: {decision.selected.model.id}: {decision.reason}")
        print(f"  expected {usd_text(decision.estimate.expected_cost)} USD", end="")
        print(f", at most {usd_text(routing.plan.hold)} USD")
        others = [option.model.id for option in routing.plan.options[1:]]
        print(f"  if that fails: {', '.join(others) or 'nothing else may serve'}")
    else:
        print(f"  {routing.refusal.code}: {routing.refusal.message}")


def main() -> None:
    """Decide the same request under three policies."""
    world = shipped.snapshot()
    prompt = "Refactor this module so that every function is pure, and explain each step."
    tell("The default stack", route(ask(prompt), world))

    careful = Overrides(stack=StackRef(slug=StackSlug("high-stakes")))
    tell("The managed stack high-stakes", route(ask(prompt, overrides=careful), world))

    only_mistral = Boundaries(allowed_providers=frozenset({"mistralai"}))
    narrowed = shipped.snapshot(envelope=only_mistral)
    tell("An envelope that admits one vendor", route(ask(prompt), narrowed))
    tell(
        "A model outside that envelope",
        route(ask(prompt, model="openai/gpt-5.4"), narrowed),
    )


if __name__ == "__main__":
    main()
