"""Which routing stacks come with the product, ready to use or to be cloned?

Nine, by slug, each as version 1 of an ordinary stack. What the contract promises of one is set
here in plain words; everything left out is the default of `stacks`. Their slugs are reserved:
no workspace publishes a stack of its own under one.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from astrolabe_core.canonical import digest
from astrolabe_core.catalog import Capability
from astrolabe_core.stacks import (
    DEFAULT_TRIGGERS,
    Boundaries,
    CostMode,
    DataRule,
    Fallback,
    FallbackMode,
    Memory,
    Objective,
    Primary,
    QualityTarget,
    RetentionRule,
    Stack,
    StackVersion,
    Trigger,
    Verification,
    VerificationMode,
)
from astrolabe_core.units import Bps, Millis, StackSlug

DEFAULT_STACK: Final = StackSlug("default-optimizer")
"""The stack of a request for which neither request, key nor workspace names one."""

FAST_SLO_MS: Final = Millis(12_000)
"""What `fast` asks of a whole answer: the 700 tokens of ordinary code work take a model of the
standard tier 10.8 s by its prior. At 5 s every such request was `relaxed`, which tells nothing."""

_ON_DOUBT: Final = DEFAULT_TRIGGERS | {Trigger.VERIFIER_LOW_CONFIDENCE}
"""Also move on when the verifier doubts the answer: without it, strict modes only refuse."""

_DEFAULT_OPTIMIZER: Final = Stack(
    slug=DEFAULT_STACK,
    name="Default optimizer",
    description="The cheapest model that is expected to do ordinary work well.",
    objective=Objective(
        primary=Primary.LOWEST_COST_PASSABLE, quality_target=QualityTarget.STANDARD
    ),
    verification=Verification(mode=VerificationMode.AUTO),
)

_LOW_COST: Final = Stack(
    slug=StackSlug("low-cost"),
    name="Low cost",
    description="The lowest price for drafts and bulk work, with the deterministic checks only.",
    objective=Objective(primary=Primary.LOWEST_COST_PASSABLE, quality_target=QualityTarget.DRAFT),
    verification=Verification(mode=VerificationMode.LIGHT),
)

_HIGH_QUALITY: Final = Stack(
    slug=StackSlug("high-quality"),
    name="High quality",
    description="The best answer that the budget allows.",
    objective=Objective(
        primary=Primary.HIGHEST_QUALITY_WITHIN_BUDGET, quality_target=QualityTarget.HIGH
    ),
    fallback=Fallback(mode=FallbackMode.ESCALATE_QUALITY, triggers=_ON_DOUBT),
    verification=Verification(mode=VerificationMode.AUTO),
)

_FAST: Final = Stack(
    slug=StackSlug("fast"),
    name="Fast",
    description="The quickest whole answer of ordinary quality.",
    objective=Objective(
        primary=Primary.FASTEST_PASSABLE,
        quality_target=QualityTarget.STANDARD,
        latency_slo_ms=FAST_SLO_MS,
    ),
    # A verifier model before the first byte would cost what this stack is there to save.
    verification=Verification(mode=VerificationMode.LIGHT),
)

_STRICT_JSON: Final = Stack(
    slug=StackSlug("strict-json"),
    name="Strict JSON",
    description="Models with structured output only; an answer that misses its schema is retried.",
    boundaries=Boundaries(required_capabilities=frozenset({Capability.STRUCTURED_OUTPUT})),
    fallback=Fallback(triggers=_ON_DOUBT),
    verification=Verification(mode=VerificationMode.STRICT, schema_mode=VerificationMode.STRICT),
)

_CUSTOMER_DATA: Final = Stack(
    slug=StackSlug("customer-data"),
    name="Customer data",
    description="No training, no retention, nothing raw kept; answers are checked, then delivered.",
    boundaries=Boundaries(
        data_policy=DataRule.NO_TRAINING,
        retention_policy=RetentionRule.ZERO,
        allow_preview=False,
        fallback_must_stay_in_policy=True,
    ),
    fallback=Fallback(triggers=_ON_DOUBT),
    verification=Verification(mode=VerificationMode.STRONG),
    memory=Memory(fingerprint_only=True, raw_prompt_storage=False, raw_output_storage=False),
    locked_overrides=frozenset({"verification"}),
)

_HIGH_STAKES: Final = Stack(
    slug=StackSlug("high-stakes"),
    name="High stakes",
    description="The strongest models for work where a wrong answer costs more than the call.",
    boundaries=Boundaries(allow_preview=False),
    objective=Objective(
        primary=Primary.HIGHEST_QUALITY_WITHIN_BUDGET,
        quality_target=QualityTarget.CRITICAL,
        cost_mode=CostMode.PREMIUM,
    ),
    fallback=Fallback(mode=FallbackMode.ESCALATE_QUALITY, triggers=_ON_DOUBT),
    verification=Verification(mode=VerificationMode.STRONG, confidence_threshold=Bps(8_500)),
    locked_overrides=frozenset({"quality", "verification"}),
)

_CODE_AGENT: Final = Stack(
    slug=StackSlug("code-agent"),
    name="Code agent",
    description="Models that call tools and write code well, relayed without delay.",
    boundaries=Boundaries(required_capabilities=frozenset({Capability.TOOLS})),
    objective=Objective(primary=Primary.LOWEST_COST_PASSABLE, quality_target=QualityTarget.HIGH),
    # An agent's turns are many and each is followed by another: a liveness check is never worth
    # a dearer model, and only high stakes are worth holding the stream back.
    fallback=Fallback(
        mode=FallbackMode.ESCALATE_QUALITY, never_escalate_categories=frozenset({"heartbeat"})
    ),
    verification=Verification(
        mode=VerificationMode.LIGHT, high_stakes_mode=VerificationMode.STRICT
    ),
)

_RESEARCH: Final = Stack(
    slug=StackSlug("research"),
    name="Research",
    description="Long-context models that weigh many sources, with quality traded against cost.",
    boundaries=Boundaries(required_capabilities=frozenset({Capability.LONG_CONTEXT})),
    objective=Objective(
        primary=Primary.HIGHEST_QUALITY_WITHIN_BUDGET,
        quality_target=QualityTarget.HIGH,
        cost_mode=CostMode.BALANCED,
    ),
    verification=Verification(mode=VerificationMode.AUTO),
)


def _published(stacks: Iterable[Stack]) -> Mapping[StackSlug, StackVersion]:
    return MappingProxyType(
        {
            stack.slug: StackVersion(
                stack=stack, version=1, hash=digest(stack), note="comes with the product"
            )
            for stack in stacks
        }
    )


MANAGED: Final = _published(
    (
        _DEFAULT_OPTIMIZER,
        _LOW_COST,
        _HIGH_QUALITY,
        _FAST,
        _STRICT_JSON,
        _CUSTOMER_DATA,
        _HIGH_STAKES,
        _CODE_AGENT,
        _RESEARCH,
    )
)
"""The nine, by slug, in the order of the contract."""

RESERVED_SLUGS: Final = frozenset(MANAGED)
