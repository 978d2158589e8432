"""What is a routing stack?

A `Stack` is a policy in seven parts: boundaries (hard), objective (how to rank what is left),
fallback, verification, budget, memory, observability. A `StackVersion` is one published,
immutable, content-hashed state of it. `Boundaries` alone, on a workspace or a key, are an
envelope. Only the codec knows the camelCase names under which these travel.
"""

from enum import StrEnum
from typing import Final, TypeAlias

from attrs import frozen

from astrolabe_core.catalog import Capability
from astrolabe_core.money import NanoUsd
from astrolabe_core.units import Bps, Digest, Instant, Millis, StackSlug


class DataRule(StrEnum):
    """Which data policies may serve."""

    ANY = "any"
    NO_TRAINING = "no_training"


class RetentionRule(StrEnum):
    """How long, at most, a provider may keep prompts."""

    ANY = "any"
    LIMITED = "limited"
    ZERO = "zero"


class ToolProfile(StrEnum):
    """How far the tool calls of an answer may go, widest first."""

    DEFAULT = "default"
    READ_ONLY = "read_only"
    BLOCKED = "blocked"


@frozen(kw_only=True, cache_hash=True)
class Boundaries:
    """Hard limits on which models may serve, and on what they may call. No request loosens them.

    Providers are vendor ids; models are ids or `vendor/*`. `None` for an allow-list allows
    all; an empty one allows nothing. Preview models serve only where `allow_preview`. Every attempt
    stays inside them, whatever `fallback_must_stay_in_policy` says: no list leads outside.
    """

    allowed_providers: frozenset[str] | None = None
    blocked_providers: frozenset[str] = frozenset()
    allowed_models: frozenset[str] | None = None
    blocked_models: frozenset[str] = frozenset()
    required_capabilities: frozenset[Capability] = frozenset()
    data_policy: DataRule = DataRule.ANY
    retention_policy: RetentionRule = RetentionRule.ANY
    allow_preview: bool = True
    fallback_must_stay_in_policy: bool = True
    tool_profile: ToolProfile = ToolProfile.DEFAULT


class Primary(StrEnum):
    """What a stack optimises for."""

    LOWEST_COST_PASSABLE = "lowest_cost_passable"
    FASTEST_PASSABLE = "fastest_passable"
    HIGHEST_QUALITY_WITHIN_BUDGET = "highest_quality_within_budget"
    FIXED_PRIORITY = "fixed_priority"
    CUSTOM_RULES = "custom_rules"


class CostMode(StrEnum):
    """How models that pass are ranked against one another."""

    LOWEST_PASSABLE = "lowest_passable"
    BALANCED = "balanced"
    FASTEST_PASSABLE = "fastest_passable"
    PREMIUM = "premium"
    FIXED = "fixed"


class QualityTarget(StrEnum):
    """How good an answer must be expected to be."""

    DRAFT = "draft"
    STANDARD = "standard"
    HIGH = "high"
    CRITICAL = "critical"


class RuleVerb(StrEnum):
    """What a custom rule does with the models that it names."""

    USE = "use"
    PREFER = "prefer"
    REFUSE = "refuse"


@frozen(kw_only=True)
class When:
    """A condition on the classification and size of a request; every part given must hold.

    `None` and an empty set ask nothing. `modifiers` must all be present.
    """

    categories: frozenset[str] = frozenset()
    action_classes: frozenset[str] = frozenset()
    complexities: frozenset[str] = frozenset()
    lanes: frozenset[str] = frozenset()
    modifiers: frozenset[str] = frozenset()
    input_tokens_min: int | None = None
    input_tokens_max: int | None = None


ANYTIME: Final = When()


@frozen(kw_only=True)
class Rule:
    """When this holds: use only these models, prefer them, or refuse them. In order."""

    when: When = ANYTIME
    verb: RuleVerb
    models: tuple[str, ...]


@frozen(kw_only=True, cache_hash=True)
class Objective:
    """How admitted models are ranked. Quality, latency and reliability are soft targets.

    `cost_mode` defaults to the one that `primary` implies. `cost_expected_max` is hard.
    """

    primary: Primary = Primary.LOWEST_COST_PASSABLE
    quality_target: QualityTarget = QualityTarget.STANDARD
    cost_mode: CostMode | None = None
    latency_slo_ms: Millis | None = None
    reliability_target: Bps | None = None
    cost_expected_max: NanoUsd | None = None
    priority: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()


class FallbackMode(StrEnum):
    """Where to turn when an attempt fails."""

    NEXT_BEST = "next_best"
    ESCALATE_QUALITY = "escalate_quality"
    SAME_PROVIDER = "same_provider"
    FIXED_ORDER = "fixed_order"


class Trigger(StrEnum):
    """What may make a request move on to its next candidate."""

    PROVIDER_ERROR = "provider_error"
    TIMEOUT = "timeout"
    RATE_LIMITED = "rate_limited"
    SCHEMA_FAILURE = "schema_failure"
    VERIFIER_LOW_CONFIDENCE = "verifier_low_confidence"
    CONTEXT_LENGTH = "context_length"
    REFUSAL = "refusal"


DEFAULT_TRIGGERS: Final = frozenset(
    {
        Trigger.PROVIDER_ERROR,
        Trigger.TIMEOUT,
        Trigger.RATE_LIMITED,
        Trigger.SCHEMA_FAILURE,
        Trigger.CONTEXT_LENGTH,
    }
)
ATTEMPTS_LIMIT: Final = 8
"""No stack asks for more attempts than this."""


@frozen(kw_only=True)
class Fallback:
    """What to try when an attempt fails, and how often in all."""

    enabled: bool = True
    max_attempts: int = 3
    mode: FallbackMode = FallbackMode.NEXT_BEST
    triggers: frozenset[Trigger] = DEFAULT_TRIGGERS
    never_escalate_categories: frozenset[str] = frozenset()


class VerificationMode(StrEnum):
    """How thoroughly an answer is checked before it counts."""

    OFF = "off"
    AUTO = "auto"
    LIGHT = "light"
    STRICT = "strict"
    STRONG = "strong"


@frozen(kw_only=True)
class Verification:
    """The mode in general, and in place of it where a schema is asked for or much is at stake."""

    mode: VerificationMode = VerificationMode.AUTO
    schema_mode: VerificationMode | None = None
    high_stakes_mode: VerificationMode | None = None
    confidence_threshold: Bps = Bps(7_000)


@frozen(kw_only=True)
class Budget:
    """Spending limits in UTC windows, and for a single request. `None` sets no limit.

    Warned once a window at `warn_percent` of a cap; refused above `hard_stop_percent` of it.
    """

    monthly_usd: NanoUsd | None = None
    daily_usd: NanoUsd | None = None
    per_request_max_usd: NanoUsd | None = None
    warn_percent: int = 80
    hard_stop_percent: int = 100


@frozen(kw_only=True)
class Memory:
    """What may be kept of a request, and whether outcomes teach the router."""

    workspace_outcome_learning: bool = False
    user_feedback_learning: bool = False
    raw_prompt_storage: bool = False
    raw_output_storage: bool = False
    fingerprint_only: bool = False

    @property
    def keeps_conversations(self) -> bool:
        """Whether a request and its answer may be kept word for word, to be gone on from."""
        return self.raw_prompt_storage and self.raw_output_storage and not self.fingerprint_only


@frozen(kw_only=True)
class Observability:
    """Where a caller may see how the request was routed."""

    response_headers: bool = True
    inline_metadata: bool = True
    trace_storage: bool = True


@frozen(kw_only=True, cache_hash=True)
class Stack:
    """A routing policy, without version: what a draft, a file or a managed stack says."""

    slug: StackSlug
    name: str
    description: str = ""
    boundaries: Boundaries = Boundaries()
    objective: Objective = Objective()
    fallback: Fallback = Fallback()
    verification: Verification = Verification()
    budget: Budget = Budget()
    memory: Memory = Memory()
    observability: Observability = Observability()
    locked_overrides: frozenset[str] = frozenset()


class VersionStatus(StrEnum):
    """Whether a published version may still govern requests."""

    ACTIVE = "active"
    ARCHIVED = "archived"


@frozen(kw_only=True, cache_hash=True)
class StackVersion:
    """One published state of a stack: immutable, numbered, content-hashed."""

    stack: Stack
    version: int
    hash: Digest
    status: VersionStatus = VersionStatus.ACTIVE
    published_at: Instant = Instant(0)
    published_by: str = "astrolabe"
    note: str = ""


@frozen(kw_only=True)
class Contradiction:
    """Two parts of a stack that cannot both hold: where, what, and how to mend it."""

    path: str
    message: str
    remedy: str


Contradictions: TypeAlias = tuple[Contradiction, ...]


def contradictions(stack: Stack) -> Contradictions:
    """Find what no publication can mend and so is refused at once; empty when sound."""
    found: list[Contradiction] = []

    def refuse(path: str, message: str, remedy: str) -> None:
        found.append(Contradiction(path=path, message=message, remedy=remedy))

    objective, fallback, budget, memory = (
        stack.objective,
        stack.fallback,
        stack.budget,
        stack.memory,
    )
    if objective.primary is Primary.FIXED_PRIORITY and not objective.priority:
        refuse("objective.priority", "fixed_priority needs a list", "name at least one model")
    if objective.primary is Primary.CUSTOM_RULES and not objective.rules:
        refuse("objective.rules", "custom_rules needs rules", "add at least one rule")
    if not 1 <= fallback.max_attempts <= ATTEMPTS_LIMIT:
        refuse(
            "fallback.maxAttempts",
            f"must be between 1 and {ATTEMPTS_LIMIT}",
            "count the first attempt too",
        )
    if memory.fingerprint_only and (memory.raw_prompt_storage or memory.raw_output_storage):
        refuse(
            "memory.fingerprintOnly",
            "excludes rawPromptStorage and rawOutputStorage",
            "turn one of them off",
        )
    if not 0 < budget.warn_percent <= budget.hard_stop_percent:
        refuse(
            "budget.warnPercent",
            "must be above 0 and at most hardStopPercent",
            "lower warnPercent or raise hardStopPercent",
        )
    return tuple(found)
