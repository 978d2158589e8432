"""Does a policy keep its promise, whatever anybody asks?

The promise: no request of this workspace ever reaches x-ai, not even when all else fails. Three
policies are meant to keep it, and Hypothesis looks for a request that gets through. The same check
belongs in a test suite: `test_the_envelope_keeps_the_promise` is how it stands there.
"""

from hypothesis import find, given, settings
from hypothesis.errors import NoSuchExample

from astrolabe_core import shipped
from astrolabe_core.requests import Request
from astrolabe_core.routing import Routed, route
from astrolabe_core.snapshot import Snapshot
from astrolabe_core.stacks import Boundaries, Stack
from astrolabe_core.testing import LAWS, Case
from astrolabe_core.testing.cases import publish
from astrolabe_core.testing.strategies import requests
from astrolabe_core.units import StackSlug

VENDOR = "x-ai"
SEARCH = settings(max_examples=200, database=None, derandomize=True, deadline=None)
ANY_REQUEST = requests(shipped.catalog())

SLUG = StackSlug("without-x")


def governed_by(boundaries: Boundaries) -> Snapshot:
    """Give the shipped world with a stack of these boundaries assigned to the workspace."""
    stack = Stack(slug=SLUG, name="Without x-ai", boundaries=boundaries)
    return shipped.snapshot(stack=SLUG, stacks=(publish(stack),))


BY_NAME = governed_by(Boundaries(blocked_models=frozenset({"x-ai/grok-4.1-fast"})))
BY_STACK = governed_by(Boundaries(blocked_providers=frozenset({VENDOR})))
BY_ENVELOPE = shipped.snapshot(envelope=Boundaries(blocked_providers=frozenset({VENDOR})))


def reached(request: Request, world: Snapshot) -> tuple[str, ...]:
    """Name every model that may be asked for this request: the first choice and all fallbacks."""
    routing = route(request, world)
    return (
        tuple(option.model.id for option in routing.plan.options)
        if isinstance(routing, Routed)
        else ()
    )


def breaks(request: Request, world: Snapshot) -> bool:
    """Say whether a request gets through to the vendor."""
    return any(model.startswith(f"{VENDOR}/") for model in reached(request, world))


def counterexample(world: Snapshot) -> Request | None:
    """Search for the smallest request that gets through."""
    try:
        return find(ANY_REQUEST, lambda request: breaks(request, world), settings=SEARCH)
    except NoSuchExample:
        return None


@settings(SEARCH, max_examples=40)
@given(request=ANY_REQUEST)
def test_the_envelope_keeps_the_promise(request: Request) -> None:
    """As it stands in a test suite, beside the laws that hold of every decision."""
    assert not breaks(request, BY_ENVELOPE)
    for law in LAWS:
        law(Case(request=request, snapshot=BY_ENVELOPE))


def tell(title: str, world: Snapshot) -> None:
    """Print how a policy fares."""
    request = counterexample(world)
    if request is None:
        print(f"{title}: holds for every request tried")
        return
    stack = f", naming the stack {request.overrides.stack}" if request.overrides.stack else ""
    print(f"{title}: broken")
    print(f"  by a request for {request.model}{stack}")
    print(f"  which may ask {', then '.join(reached(request, world))}")


def main() -> None:
    """Try the three policies, and run the test."""
    print(f"No request may reach {VENDOR}.\n")
    tell("A stack that blocks its model by name", BY_NAME)
    tell("A stack that blocks the vendor", BY_STACK)
    tell("An envelope that blocks the vendor", BY_ENVELOPE)
    test_the_envelope_keeps_the_promise()
    print(f"\nAnd under the envelope {len(LAWS)} laws of every decision hold.")


if __name__ == "__main__":
    main()
