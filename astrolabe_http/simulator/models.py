"""What does the simulated provider sell, and what does a call of it cost?

`SimulatedModel` is one row of its list; prices are exact `Decimal` US dollars **per token** (per
image, per request), the unit of OpenRouter's `/models`. `Tokens` is what one answer consumed:
cached and cache-write tokens are parts of the prompt, reasoning tokens are a part of the
completion. `bill` multiplies the two and never rounds. Overrides follow OpenRouter's
`pricing.overrides`: each applies where its conditions all hold, the last one wins.
"""

from dataclasses import dataclass
from decimal import Decimal

ZERO = Decimal(0)

_OVERRIDABLE = (
    "input_price",
    "output_price",
    "cached_input_price",
    "cache_write_price",
    "reasoning_price",
)
_HOST_NAMES = {
    "deepseek": "DeepSeek",
    "google": "Google",
    "minimax": "MiniMax",
    "mistralai": "Mistral",
    "moonshotai": "Moonshot AI",
    "openai": "OpenAI",
    "qwen": "Alibaba",
    "x-ai": "xAI",
    "z-ai": "Z.AI",
}


@dataclass(frozen=True, slots=True)
class PriceOverride:
    """Prices that replace the base ones above a prompt length or in a daily UTC window (HHMM)."""

    prompt_tokens_min: int = 0
    utc_start: int | None = None
    utc_end: int | None = None
    input_price: Decimal | None = None
    output_price: Decimal | None = None
    cached_input_price: Decimal | None = None
    cache_write_price: Decimal | None = None
    reasoning_price: Decimal | None = None

    def applies(self, prompt_tokens: int, utc_hhmm: int) -> bool:
        """Whether a prompt of this length at this UTC clock time pays these prices."""
        if prompt_tokens < self.prompt_tokens_min:
            return False
        if self.utc_start is None or self.utc_end is None:
            return True
        if self.utc_start <= self.utc_end:
            return self.utc_start <= utc_hhmm < self.utc_end
        return utc_hhmm >= self.utc_start or utc_hhmm < self.utc_end


@dataclass(frozen=True, slots=True)
class SimulatedModel:
    """One model on the list. `hosts` serve it; none means one named after the vendor."""

    id: str
    context_length: int
    max_output: int
    input_price: Decimal
    output_price: Decimal
    cached_input_price: Decimal | None = None
    cache_write_price: Decimal | None = None
    reasoning_price: Decimal | None = None
    image_price: Decimal | None = None
    request_price: Decimal | None = None
    overrides: tuple[PriceOverride, ...] = ()
    name: str = ""
    input_modalities: tuple[str, ...] = ("text",)
    supports_tools: bool = True
    supports_json_object: bool = True
    supports_structured_outputs: bool = True
    supports_reasoning: bool = True
    hosts: tuple[str, ...] = ()
    collects_data: bool = False
    zero_retention: bool = True

    @property
    def vendor(self) -> str:
        """The part of the id before the slash."""
        return self.id.partition("/")[0]

    @property
    def serving_hosts(self) -> tuple[str, ...]:
        """The names `provider` may take in an answer."""
        return self.hosts or (_HOST_NAMES.get(self.vendor, self.vendor.title()),)


@dataclass(frozen=True, slots=True)
class Tokens:
    """What one answer consumed: cached, cache_write are in prompt, reasoning in completion."""

    prompt: int
    completion: int
    cached: int = 0
    cache_write: int = 0
    reasoning: int = 0
    images: int = 0

    @property
    def total(self) -> int:
        """Prompt and completion."""
        return self.prompt + self.completion


@dataclass(frozen=True, slots=True)
class Bill:
    """Exact US dollars of one answer."""

    prompt: Decimal = ZERO
    completion: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        """What `usage.cost` says."""
        return self.prompt + self.completion


def utc_clock(unix_seconds: int) -> int:
    """The UTC time of day as price windows write it: 1030 is 10:30."""
    minutes = unix_seconds % 86_400 // 60
    return minutes // 60 * 100 + minutes % 60


def bill(model: SimulatedModel, tokens: Tokens, utc_hhmm: int = 0) -> Bill:
    """Price `tokens` exactly. A kind without its own price costs what its parent kind costs."""
    prices = {name: getattr(model, name) for name in _OVERRIDABLE}
    for override in model.overrides:
        if override.applies(tokens.prompt, utc_hhmm):
            found = ((name, getattr(override, name)) for name in _OVERRIDABLE)
            prices |= {name: price for name, price in found if price is not None}
    input_price, output_price, cached_price, write_price, reasoning_price = prices.values()
    plain = tokens.prompt - tokens.cached - tokens.cache_write
    prompt = (
        plain * input_price
        + tokens.cached * (input_price if cached_price is None else cached_price)
        + tokens.cache_write * (input_price if write_price is None else write_price)
        + tokens.images * (model.image_price or ZERO)
        + (model.request_price or ZERO)
    )
    completion = (tokens.completion - tokens.reasoning) * output_price + tokens.reasoning * (
        output_price if reasoning_price is None else reasoning_price
    )
    return Bill(prompt, completion)
