"""What was the provider asked, what did it answer, and did the caller stay?

`Journal` keeps the last calls, newest last, for tests to read; bodies stay bytes until somebody
looks. `Generation` is what `GET /generation` tells of a call some time later: true tokens and cost,
and whether it was cancelled.
"""

from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

import orjson

from astrolabe_http.simulator.models import ZERO, Bill, Tokens
from astrolabe_http.simulator.usage import number

_NOT_SIMULATED = (
    "app_id",
    "cache_discount",
    "external_user",
    "http_referer",
    "moderation_latency",
    "num_fetches",
    "num_input_audio_prompt",
    "num_media_completion",
    "num_media_prompt",
    "num_search_results",
    "preset_id",
    "provider_responses",
    "request_id",
    "router",
    "service_tier",
    "session_id",
    "upstream_id",
    "upstream_inference_cost",
    "user_agent",
    "web_search_engine",
    "workspace_id",
)
_SECRET = (b"authorization", b"x-api-key", b"cookie")


@dataclass(slots=True)
class CallRecord:
    """One call received.

    `of`: answer or verdict, None where the body was not read. `outcome`: pending, refused,
    completed, failed, cut, ended, reset or disconnected.
    """

    number: int
    at: float
    method: str
    path: str
    raw_headers: Iterable[tuple[bytes, bytes]]
    authorized: bool = False
    raw_body: bytes = b""
    model: str | None = None
    fault: str = ""
    stream: bool = False
    of: str | None = None
    outcome: str = "pending"
    status: int | None = None
    generation_id: str | None = None
    host: str | None = None
    tokens: Tokens | None = None
    cost: Decimal = ZERO
    chunks: int = 0
    disconnected: bool = False
    disconnected_ms: int | None = None
    ended_ms: int | None = None

    def describe(self) -> dict[str, object]:
        """The record as JSON; credentials never."""
        return {
            "number": self.number,
            "at": self.at,
            "method": self.method,
            "path": self.path,
            "headers": {
                name.decode("latin-1"): value.decode("latin-1")
                for name, value in self.raw_headers
                if name not in _SECRET
            },
            "authorized": self.authorized,
            "body": _decode(self.raw_body),
            "model": self.model,
            "fault": self.fault,
            "stream": self.stream,
            "of": self.of,
            "outcome": self.outcome,
            "status": self.status,
            "generation_id": self.generation_id,
            "provider": self.host,
            "usage": None if self.tokens is None else _tokens(self.tokens),
            "cost": format(self.cost, "f"),
            "chunks": self.chunks,
            "disconnected": self.disconnected,
            "disconnected_ms": self.disconnected_ms,
            "ended_ms": self.ended_ms,
        }


@dataclass(slots=True)
class Generation:
    """What the provider bills for one call."""

    id: str
    model: str
    host: str
    created: int
    ready_at: float
    tokens: Tokens
    cost: Bill
    streamed: bool
    finish: str | None
    native_finish: str | None
    cancelled: bool = False
    latency_ms: int = 0
    api_type: str = "completions"

    def describe(self) -> dict[str, object]:
        """OpenRouter's `data` of `GET /generation`."""
        return {
            **dict.fromkeys(_NOT_SIMULATED),
            "id": self.id,
            "model": self.model,
            "provider_name": self.host,
            "created_at": datetime.fromtimestamp(self.created, UTC).isoformat(),
            "total_cost": number(self.cost.total),
            "usage": number(self.cost.total),
            "is_byok": False,
            "streamed": self.streamed,
            "cancelled": self.cancelled,
            "finish_reason": self.finish,
            "native_finish_reason": self.native_finish,
            "latency": self.latency_ms,
            "generation_time": self.latency_ms,
            "tokens_prompt": self.tokens.prompt,
            "tokens_completion": self.tokens.completion,
            "native_tokens_prompt": self.tokens.prompt,
            "native_tokens_completion": self.tokens.completion,
            "native_tokens_completion_images": 0,
            "native_tokens_reasoning": self.tokens.reasoning,
            "native_tokens_cached": self.tokens.cached,
            "api_type": self.api_type,
            "origin": "",
            "data_region": "global",
        }


@dataclass(slots=True)
class Journal:
    """The last `size` calls and the last `size` generations, and what all of them cost."""

    size: int
    calls: deque[CallRecord] = field(init=False)
    generations: OrderedDict[str, Generation] = field(default_factory=OrderedDict)
    received: int = 0
    spent: Decimal = ZERO

    def __post_init__(self) -> None:
        self.calls = deque(maxlen=self.size)

    def open(
        self, at: float, method: str, path: str, headers: Iterable[tuple[bytes, bytes]]
    ) -> CallRecord:
        """Write down that a call has come in."""
        self.received += 1
        record = CallRecord(self.received, at, method, path, headers)
        self.calls.append(record)
        return record

    def bill(self, record: CallRecord, generation: Generation) -> None:
        """Write down what the provider charges for a call."""
        record.tokens, record.cost = generation.tokens, generation.cost.total
        self.spent += generation.cost.total
        self.generations[generation.id] = generation
        while len(self.generations) > self.size:
            self.generations.popitem(last=False)

    def clear(self) -> None:
        """Forget calls; generations and the sum spent stay, as they would at a provider."""
        self.calls.clear()


def _tokens(tokens: Tokens) -> dict[str, int]:
    return {
        "prompt_tokens": tokens.prompt,
        "completion_tokens": tokens.completion,
        "cached_tokens": tokens.cached,
        "cache_write_tokens": tokens.cache_write,
        "reasoning_tokens": tokens.reasoning,
    }


def _decode(raw: bytes) -> object:
    if not raw:
        return None
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return raw.decode("utf-8", "replace")
