"""Which requests are walked: every way that an attempt can go, in as few outcomes as show it."""

from typing import Any

from attrs import evolve

from astrolabe_core.answers import FaultKind, Finish, Receipt
from astrolabe_core.conformity import Conformity
from astrolabe_core.requests import OutputFormat, Overrides, Request, Tool
from astrolabe_core.snapshot import Snapshot
from astrolabe_core.stacks import (
    Boundaries,
    Fallback,
    FallbackMode,
    Objective,
    Primary,
    QualityTarget,
    Stack,
    ToolProfile,
    Trigger,
    Verification,
    VerificationMode,
)
from astrolabe_core.units import Bps, Instant, StackSlug, Tokens
from tests.core import market
from tests.flow.walk import Scenario, fails, grades, late, leaves, says
from tests.flow.world import IMPOSSIBLE, NOW, USAGE, arrival, request
from tests.flow.world import snapshot as shipped

# In order of price; the dearest is not the best. Only `acme/3` may say more than 200 tokens.
MODELS = (
    market.model("acme/1", price=market.price_list(output_nanos=401), quality=market.good(7_000)),
    market.model("bolt/2", price=market.price_list(output_nanos=402), quality=market.good(6_000)),
    market.model("acme/3", price=market.price_list(output_nanos=403), quality=market.good(9_000)),
    market.model("bolt/4", price=market.price_list(output_nanos=404), quality=market.good(8_000)),
)
EVERY = frozenset(Trigger)


def world(**changes: Any) -> Snapshot:
    """Four models of two providers, and a stack of one's own; cheap first."""
    modest = Objective(primary=Primary.LOWEST_COST_PASSABLE, quality_target=QualityTarget.DRAFT)
    stack = Stack(
        slug=StackSlug("house"),
        name="House",
        **{"objective": modest, "fallback": Fallback(triggers=EVERY), **changes},
    )
    base = shipped()
    workspace = evolve(base.caller.workspace, stack=stack.slug)
    models = tuple(
        evolve(one, max_output_tokens=Tokens(400 if one.id == "acme/3" else 200)) for one in MODELS
    )
    return evolve(
        base,
        caller=evolve(base.caller, workspace=workspace, stacks=(market.published(stack),)),
        catalog=market.catalog(*models),
        virtual_models=(market.lane(*(one.id for one in models)),),
    )


def verifying(mode: VerificationMode, threshold: int = 7_000) -> dict[str, Any]:
    """A stack's verification."""
    return {"verification": Verification(mode=mode, confidence_threshold=Bps(threshold))}


ASKED = request()
STREAMED = evolve(ASKED, stream=True)
SCHEMA = evolve(ASKED, output_format=OutputFormat.JSON_SCHEMA, schema={"type": "object"})
OBJECT = evolve(ASKED, output_format=OutputFormat.JSON_OBJECT)
TOOLS = evolve(ASKED, tools=(Tool(name="read_file"), Tool(name="send_email")))
NO_JSON = "no json of {model} at {at}"
JSON = '{"by": "{model}", "at": {at}}'
LATE = Instant(NOW + 60_000)
LOST = Receipt(generation="gen-1")
FITS, MISSES, UNTOLD = Conformity(fitting=0), Conformity(flaws=("/by",)), Conformity(checked=False)


def pinned(asked: Request, to: str = "acme/1") -> Request:
    """Name one model."""
    return evolve(asked, model=to)


def over(asked: Request, **overrides: Any) -> Request:
    """Override something."""
    return evolve(asked, overrides=Overrides(**overrides))


def scene(name: str, asked: Request, snapshot: Snapshot, **changes: Any) -> Scenario:
    """Set up one scenario."""
    begun = evolve(arrival(asked), jitter=2**31)
    return Scenario(name=name, arrival=begun, snapshot=snapshot, **changes)


LIGHT = verifying(VerificationMode.LIGHT)
STRICT, STRONG = verifying(VerificationMode.STRICT), verifying(VerificationMode.STRONG)
UPWARDS = Fallback(mode=FallbackMode.ESCALATE_QUALITY, triggers=EVERY)
IN_ORDER: dict[str, Any] = {
    "fallback": Fallback(mode=FallbackMode.FIXED_ORDER, triggers=EVERY),
    "objective": Objective(
        primary=Primary.FIXED_PRIORITY,
        quality_target=QualityTarget.DRAFT,
        priority=("bolt/4", "acme/*"),
    ),
}
GRADES = (grades(1), grades(3), grades(5), says("no grade"), fails(FaultKind.TIMEOUT), leaves())
FAULTS = (
    fails(FaultKind.UNREACHABLE),
    fails(FaultKind.RATE_LIMITED, retry_after_s=3),
    fails(FaultKind.RATE_LIMITED, retry_after_s=3_600),
    fails(FaultKind.CONTEXT_LENGTH),
    fails(FaultKind.AUTH),
    fails(FaultKind.TIMEOUT, at=LATE),
)
GONE = (leaves(), leaves(Receipt(usage=USAGE)), leaves(LOST))

SCENARIOS = (
    scene("fallback", ASKED, world(**LIGHT), calls=(says(), says(" "), *FAULTS, leaves())),
    scene(
        "fallback within one provider",
        ASKED,
        world(fallback=Fallback(mode=FallbackMode.SAME_PROVIDER, triggers=EVERY), **LIGHT),
        calls=(says(), *FAULTS),
    ),
    scene(
        "no fallback",
        ASKED,
        world(fallback=Fallback(enabled=False, triggers=EVERY), **STRICT),
        calls=(says(), says(" "), says(finish=Finish.LENGTH), *FAULTS),
        grades=GRADES,
    ),
    scene(
        "no verification",
        ASKED,
        world(**verifying(VerificationMode.OFF)),
        calls=(says(), says(" "), fails()),
    ),
    scene(
        "cut short and declined",
        evolve(ASKED, output_tokens_max=None),
        world(fallback=Fallback(max_attempts=4, triggers=EVERY), **LIGHT),
        calls=(
            says(),
            says(finish=Finish.LENGTH),
            says("", refusal="no"),
            says(finish=Finish.UNKNOWN),
            fails(),
            leaves(),
        ),
    ),
    scene(
        "schema recovery",
        SCHEMA,
        world(**LIGHT),
        calls=(says(JSON), says(NO_JSON), says(" "), fails(), leaves()),
        found=(FITS, MISSES, UNTOLD, None),
    ),
    scene(
        "schema recovery, whatever goes wrong on the way",
        SCHEMA,
        world(fallback=Fallback(triggers=frozenset({Trigger.SCHEMA_FAILURE})), **LIGHT),
        calls=(says(JSON), fails(FaultKind.AUTH), fails(FaultKind.REJECTED), says(" ")),
        found=(FITS, MISSES),
    ),
    scene(
        "schema recovery of a pinned model",
        pinned(SCHEMA),
        world(**LIGHT),
        calls=(says(JSON), fails(), fails(FaultKind.AUTH), leaves()),
        found=(FITS, MISSES, None),
    ),
    scene(
        "schema recovery of a pinned model, then in order",
        pinned(SCHEMA),
        world(**IN_ORDER, **LIGHT),
        calls=(says(JSON), fails()),
        found=(FITS, MISSES),
    ),
    scene(
        "schema recovery in strict",
        SCHEMA,
        world(**STRICT),
        calls=(says(JSON), fails()),
        found=(FITS, MISSES, UNTOLD),
        grades=(grades(1), grades(3), grades(5), fails()),
    ),
    scene(
        "loose json",
        OBJECT,
        world(**LIGHT),
        calls=(
            says(JSON),
            says("```json\n" + JSON + "\n```"),
            says(NO_JSON),
            fails(),
        ),
    ),
    scene(
        "automatic verification",
        TOOLS,
        world(fallback=UPWARDS, **verifying(VerificationMode.AUTO)),
        calls=(says("", calls=("send_email",)), says("", calls=("read_file",)), fails(), leaves()),
        grades=GRADES,
    ),
    scene(
        "automatic verification, with few triggers",
        TOOLS,
        world(**verifying(VerificationMode.AUTO), fallback=Fallback()),
        calls=(says("", calls=("send_email",)), fails()),
        grades=GRADES,
    ),
    scene(
        "strict",
        ASKED,
        world(fallback=UPWARDS, **STRICT),
        calls=(says(), says(finish=Finish.LENGTH), fails(), leaves(LOST)),
        grades=GRADES,
        records=(Receipt(usage=USAGE), None),
    ),
    scene(
        "strict, with few triggers, of a category that is never escalated",
        ASKED,
        world(
            fallback=evolve(
                UPWARDS,
                triggers=frozenset({Trigger.PROVIDER_ERROR}),
                never_escalate_categories=frozenset({"research", "retrieval", "communication"}),
            ),
            **STRICT,
        ),
        calls=(says(), fails(), fails(FaultKind.TIMEOUT)),
        grades=GRADES,
    ),
    scene(
        "strict, held back from a stream",
        STREAMED,
        world(fallback=UPWARDS, **STRICT),
        calls=(says(), fails(), leaves()),
        grades=GRADES,
        relays=(says(),),  # none is to be opened
    ),
    scene(
        "strong",
        ASKED,
        world(fallback=UPWARDS, **verifying(VerificationMode.STRONG, 2_500)),
        calls=(says(), fails(), leaves()),
        grades=(*GRADES, grades(4), grades(5, "manipulated")),
    ),
    scene(
        "strong, where nobody may verify",
        ASKED,
        world(boundaries=Boundaries(allowed_providers=frozenset({"acme"})), **STRONG),
        calls=(says(), says("", refusal="no"), fails()),
        grades=GRADES,
    ),
    scene(
        "strict, where nobody can verify in time",
        ASKED,
        world(**STRICT),
        calls=(says(), fails(FaultKind.TIMEOUT, at=Instant(LATE - 200))),
        grades=(*GRADES, fails(at=LATE), late(grades(3), LATE)),
    ),
    scene(
        "a wait that ends too late",
        ASKED,
        world(**LIGHT),
        calls=(says(), fails()),
        overslept_ms=(0, 60_000),
    ),
    scene(
        "tools that only read",
        TOOLS,
        world(boundaries=Boundaries(tool_profile=ToolProfile.READ_ONLY), **LIGHT),
        calls=(
            says("", calls=("read_file",)),
            says("", calls=("read_file", "send_email")),
            says("", calls=("drop_table",)),
            fails(),
        ),
    ),
    scene(
        "tools that need a word",
        over(TOOLS, approval_required=True),
        world(fallback=UPWARDS, **STRICT),
        calls=(says(), says("", calls=("send_email",)), says("", calls=("read_file",)), fails()),
        grades=GRADES,
    ),
    scene(
        "tools in a stream",
        evolve(over(TOOLS, approval_required=True), stream=True),
        world(**LIGHT),
        calls=(fails(), leaves(LOST)),
        relays=(
            says(),
            says(receipt=LOST),
            says("", calls=("send_email",)),
            says("", calls=("read_file",)),
            fails(),
            leaves(),
            leaves(LOST),
        ),
        records=(Receipt(usage=USAGE), Receipt(), None),
    ),
    scene(
        "a schema in a stream",
        evolve(SCHEMA, stream=True),
        world(**LIGHT),
        calls=(says(JSON), says("", refusal="no"), fails()),
        relays=(
            says(JSON),
            says(NO_JSON),
            says(JSON, receipt=LOST),
            fails(),
            leaves(),
        ),
        found=(FITS, MISSES, None),
        records=(Receipt(usage=USAGE), None),
    ),
    scene(
        "a schema in a stream, automatically verified",
        evolve(SCHEMA, stream=True),
        world(fallback=UPWARDS, **verifying(VerificationMode.AUTO)),
        calls=(says("```\n" + JSON + "\n```"), fails()),
        relays=(says(JSON), fails()),
        found=(Conformity(fitting=1), MISSES),
        grades=GRADES,
    ),
    scene(
        "usage on record",
        ASKED,
        world(**LIGHT),
        calls=(
            says(receipt=LOST),
            says(receipt=Receipt()),
            says(receipt=Receipt(usage=IMPOSSIBLE, generation="gen-1")),
            fails(),
            *GONE,
        ),
        records=(Receipt(usage=USAGE), Receipt(usage=IMPOSSIBLE), Receipt(), None),
    ),
    scene(
        "usage on record of what had a schema and a verifier",
        SCHEMA,
        world(fallback=UPWARDS, **STRICT),
        calls=(says(JSON, receipt=LOST), fails()),
        found=(FITS, UNTOLD, None),
        grades=(grades(2), grades(3), grades(5), leaves(), leaves(LOST)),
        records=(Receipt(usage=USAGE), None),
    ),
)
