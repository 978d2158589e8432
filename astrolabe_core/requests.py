"""What came in, what does it need, and what did the caller ask to have decided otherwise?

`Request` is one call after the wire has been read: the conversation as turns, the tools, the
answer's format and limits, and the body itself, which the core carries but never reads.
`Profile` is what that call needs from a model. `Overrides` is the caller's `metadata.astrolabe`.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeAlias

from attrs import field, frozen

from astrolabe_core.catalog import Capability, Modality
from astrolabe_core.codes import Refusal
from astrolabe_core.stacks import CostMode, QualityTarget, ToolProfile, VerificationMode
from astrolabe_core.units import (
    Bps,
    Digest,
    Instant,
    Millis,
    ProviderId,
    RequestId,
    StackSlug,
    Tokens,
    WorkspaceId,
)


class Surface(StrEnum):
    """Which of the two wire formats the caller speaks."""

    RESPONSES = "responses"
    CHAT = "chat"


class Role(StrEnum):
    """Who is speaking in a turn."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


@frozen(kw_only=True)
class Turn:
    """One message of the conversation, reduced to what policy may look at.

    `text` is every text part joined by newlines and never appears in a `repr`; the counts are
    of parts; `tool_calls` names the tools that an assistant turn called. `sealed_bytes` is the
    size of what only its provider can read: encrypted reasoning, which is sent and priced.
    """

    role: Role
    text: str = field(default="", repr=False)
    images: int = 0
    audios: int = 0
    videos: int = 0
    files: int = 0
    tool_calls: tuple[str, ...] = ()
    sealed_bytes: int = 0


@frozen(kw_only=True)
class Tool:
    """A function that the caller offers. `schema_bytes` is the size of its declaration.

    `parameters` is the JSON schema of its arguments, where the caller declared one.
    """

    name: str
    schema_bytes: int = 0
    parameters: Mapping[str, object] | None = field(default=None, repr=False, eq=False)
    strict: bool = False


class ToolChoice(StrEnum):
    """What the caller asks of the model about tools."""

    AUTO = "auto"
    NONE = "none"
    REQUIRED = "required"
    NAMED = "named"


class OutputFormat(StrEnum):
    """The form in which the answer is wanted."""

    TEXT = "text"
    JSON_OBJECT = "json_object"
    JSON_SCHEMA = "json_schema"


class ToolLabel(StrEnum):
    """What a call of a tool may do. The first three only look; the others have an effect.

    `browse` looks over the network, so that what is asked leaves the house; `unknown` is what
    nobody can tell, and counts as an effect.
    """

    READ = "read"
    SEARCH = "search"
    BROWSE = "browse"
    WRITE = "write"
    DELETE = "delete"
    EXECUTE = "execute"
    SEND = "send"
    PAY = "pay"
    DELEGATE = "delegate"
    ADMIN = "admin"
    UNKNOWN = "unknown"


@frozen(kw_only=True)
class StackRef:
    """A stack by slug, and by version where one is pinned: `slug` or `slug@3`."""

    slug: StackSlug
    version: int | None = None

    def __str__(self) -> str:
        """Write it as a caller would."""
        return self.slug if self.version is None else f"{self.slug}@{self.version}"


@frozen(kw_only=True)
class Overrides:
    """What one request asks to have decided otherwise. `None` leaves the stack's word.

    `tool_confirmations` are as the caller sent them; the host makes `Confirmation`s of those that
    it signed, and leaves none of them here.
    """

    stack: StackRef | None = None
    quality: QualityTarget | None = None
    cost_mode: CostMode | None = None
    latency_slo_ms: Millis | None = None
    verification: VerificationMode | None = None
    fallback: bool | None = None
    explain: bool = False
    tool_profile: ToolProfile = ToolProfile.DEFAULT
    tool_capabilities: tuple[tuple[str, tuple[ToolLabel, ...]], ...] = ()
    tool_confirmations: tuple[str, ...] = field(default=(), repr=False)
    untrusted_content: bool = False
    approval_required: bool = False
    session_id: str | None = None


NO_OVERRIDES = Overrides()


@frozen(kw_only=True)
class Continuation:
    """What was kept of earlier calls and this one goes on from, and whether it was found.

    Where it was, the call's turns hold it already. `id` is a response's, or that of an item
    that the call only points at; `param` is where the caller wrote it.
    """

    id: str
    found: bool = False
    param: str = "previous_response_id"


@frozen(kw_only=True)
class Confirmation:
    """Somebody's word that one tool call may be carried out, as the host found it signed.

    `call` is the digest of the call's name and arguments. It holds for one workspace and a time.
    """

    call: Digest
    workspace: WorkspaceId
    expires_at: Instant


@frozen(kw_only=True)
class Request:
    """One call to be routed.

    `model` is as the caller wrote it. `output_tokens_max` is the caller's cap, if any, and
    `choices` how many answers were asked for (Chat's `n`). `storable` says that the answer may be
    kept to be gone on from, as far as the caller is concerned. `pinned_provider` is the only one
    that can read reasoning which the conversation holds encrypted. `confirmations` are the tool
    calls that somebody has allowed. `body` is the caller's JSON object without routing metadata;
    only the upstream adapter reads it.
    """

    id: RequestId
    received_at: Instant
    surface: Surface
    model: str
    turns: tuple[Turn, ...]
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice = ToolChoice.AUTO
    parallel_tools: bool = False
    output_format: OutputFormat = OutputFormat.TEXT
    schema: Mapping[str, object] | None = field(default=None, repr=False, eq=False)
    output_tokens_max: Tokens | None = None
    choices: int = 1
    stream: bool = False
    reasoning: bool = False
    overrides: Overrides = NO_OVERRIDES
    continues: Continuation | None = None
    storable: bool = False
    confirmations: tuple[Confirmation, ...] = ()
    pinned_provider: ProviderId | None = None
    body: Mapping[str, object] = field(factory=dict, repr=False, eq=False)


def ask(
    text: str,
    *,
    model: str = "astrolabe/auto",
    overrides: Overrides = NO_OVERRIDES,
    output_tokens_max: int | None = None,
    at: Instant = Instant(0),
    id: str = "req_local",  # noqa: A002 - the field's own name
) -> Request:
    """Make the smallest request: one user turn. For deciding in one's own process."""
    return Request(
        id=RequestId(id),
        received_at=at,
        surface=Surface.CHAT,
        model=model,
        turns=(Turn(role=Role.USER, text=text),),
        output_tokens_max=None if output_tokens_max is None else Tokens(output_tokens_max),
        overrides=overrides,
        body={"model": model, "messages": [{"role": "user", "content": text}]},
    )


@frozen(kw_only=True)
class Malformed:
    """A call that could not be read. Its refusal is given once the caller is known."""

    id: RequestId
    received_at: Instant
    refusal: Refusal


@frozen(kw_only=True)
class Reading:
    """A call that has nothing to be routed: admitted, counted, and answered elsewhere."""

    id: RequestId
    received_at: Instant


Incoming: TypeAlias = Request | Malformed | Reading
"""Whatever may come in with a key."""


class Category(StrEnum):
    """The kind of work."""

    HEARTBEAT = "heartbeat"
    CORE_LOOP = "core_loop"
    RETRIEVAL = "retrieval"
    SUMMARIZATION = "summarization"
    PLANNING = "planning"
    ORCHESTRATION = "orchestration"
    CODING = "coding"
    RESEARCH = "research"
    CREATIVE = "creative"
    COMMUNICATION = "communication"
    HIGH_STAKES = "high_stakes"
    REFLECTION = "reflection"


class ActionClass(StrEnum):
    """What the answer will be used to do, most consequential first."""

    HIGH_STAKES = "high_stakes"
    VISION_ANALYSIS = "vision_analysis"
    STRICT_JSON = "strict_json"
    SUBAGENT_COORDINATION = "subagent_coordination"
    BROWSER_RESEARCH = "browser_research"
    EXEC_LOOP = "exec_loop"
    CODE_EDIT = "code_edit"
    RESEARCH_SYNTHESIS = "research_synthesis"
    MESSAGE_DRAFTING = "message_drafting"
    ACTIVE_SESSION = "active_session"
    CASUAL_CHAT = "casual_chat"


class Complexity(StrEnum):
    """How hard the work is."""

    SIMPLE = "simple"
    STANDARD = "standard"
    COMPLEX = "complex"
    CRITICAL = "critical"


class Modifier(StrEnum):
    """A fact about the request that holds beside its category."""

    MULTIMODAL = "multimodal"
    TOOL_PRESENT = "tool_present"
    NEEDS_STRICT_SCHEMA = "needs_strict_schema"
    EXEC_LOOP = "exec_loop"
    BROWSER_RESEARCH = "browser_research"
    CODE_EDIT = "code_edit"
    SUBAGENT_COORDINATION = "subagent_coordination"
    LONG_CONTEXT = "long_context"
    CACHEABLE = "cacheable"
    APPROVAL_REQUIRED = "approval_required"
    PRICE_SENSITIVE = "price_sensitive"
    UNTRUSTED_CONTENT = "untrusted_content"
    HIGH_STAKES = "high_stakes"


@frozen(kw_only=True)
class Classification:
    """What kind of work a request is. `evidence` names the facts and words that decided."""

    category: Category
    action_class: ActionClass
    complexity: Complexity
    modifiers: frozenset[Modifier]
    lane: str
    confidence: Bps
    evidence: tuple[str, ...] = ()


@frozen(kw_only=True)
class Profile:
    """What a request needs from a model, and how large it is.

    `input_tokens` is the expectation and `input_tokens_max` a bound used for holds;
    `output_tokens` is the expected answer and `output_tokens_cap` the cap that the caller
    set, or `None`. All token counts of output are for one choice; `choices` multiplies them.
    """

    classification: Classification
    needs: frozenset[Capability]
    modalities: frozenset[Modality]
    input_tokens: Tokens
    input_tokens_max: Tokens
    output_tokens: Tokens
    output_tokens_cap: Tokens | None
    choices: int = 1
    images: int = 0
    untrusted: bool = False
