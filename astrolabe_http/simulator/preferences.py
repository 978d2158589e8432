"""Which host may serve the call, by the `provider` object of the request?

`read` checks the object as strictly as OpenRouter's schema (unknown keys are refused);
`choose_host` applies it: `only`, `ignore`, `order`, `zdr`, `data_collection`, `max_price`,
`require_parameters`. The rest is checked and kept in the journal. A model that no host may serve is
OpenRouter's 404.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from astrolabe_http.simulator.errors import Refusal, refuse_request
from astrolabe_http.simulator.models import SimulatedModel

UNHONOURED = "No endpoints found that can handle the requested parameters."
_MILLION = Decimal(1_000_000)
_FLAGS = ("allow_fallbacks", "require_parameters", "zdr", "enforce_distillable_text")
_LISTS = ("order", "only", "ignore", "quantizations")
_SORTS = ("price", "throughput", "latency", "exacto")
_PRICES = ("prompt", "completion", "image", "audio", "request")
_QUANTIZATIONS = (
    "int4",
    "int8",
    "fp4",
    "mxfp4",
    "nvfp4",
    "fp6",
    "fp8",
    "mxfp8",
    "fp16",
    "bf16",
    "fp32",
    "unknown",
)
_CUTOFFS = ("preferred_max_latency", "preferred_min_throughput")
_KEYS = {*_FLAGS, *_LISTS, *_CUTOFFS, "sort", "max_price", "data_collection"}


@dataclass(frozen=True, slots=True)
class Preferences:
    """What of the `provider` object changes who serves. Prices: US dollars per million tokens."""

    order: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    zdr: bool = False
    deny_collection: bool = False
    require_parameters: bool = False
    prompt_price_max: Decimal | None = None
    completion_price_max: Decimal | None = None


NO_PREFERENCES = Preferences()


def read(value: object) -> Preferences | Refusal:
    """Check the object and keep what `choose_host` needs."""
    if value is None:
        return NO_PREFERENCES
    if not isinstance(value, Mapping):
        return refuse_request("Invalid input: provider must be an object", path=["provider"])
    problem = _problem(value)
    if problem is not None:
        return refuse_request(f"Invalid input: provider{problem}", path=["provider"])
    prices = value.get("max_price") or {}
    return Preferences(
        order=_slugs(value.get("order")),
        only=_slugs(value.get("only")),
        ignore=_slugs(value.get("ignore")),
        zdr=value.get("zdr") is True,
        deny_collection=value.get("data_collection") == "deny",
        require_parameters=value.get("require_parameters") is True,
        prompt_price_max=_price(prices.get("prompt")),
        completion_price_max=_price(prices.get("completion")),
    )


def choose_host(
    model: SimulatedModel, wanted: Preferences, parameters: frozenset[str]
) -> str | Refusal:
    """The first host the preferences leave."""
    hosts = {slug_of(host): host for host in model.serving_hosts}
    allowed = [
        slug
        for slug in hosts
        if (not wanted.only or slug in wanted.only) and slug not in wanted.ignore
    ]
    if not allowed:
        return _refuse(
            "No allowed providers are available for the selected model.",
            available_providers=list(hosts),
            requested_providers=list(wanted.only),
        )
    if wanted.zdr and not model.zero_retention:
        return _refuse("No endpoints found matching your data policy (Zero data retention).")
    if wanted.deny_collection and model.collects_data:
        return _refuse("No endpoints found matching your data policy (Paid model training).")
    if _dearer(model.input_price, wanted.prompt_price_max) or _dearer(
        model.output_price, wanted.completion_price_max
    ):
        return _refuse("No endpoints found that satisfy the maximum price.")
    if wanted.require_parameters and parameters - supported_parameters(model):
        return _refuse(UNHONOURED)
    first = next((slug for slug in wanted.order if slug in allowed), allowed[0])
    return hosts[first]


def supported_parameters(model: SimulatedModel) -> frozenset[str]:
    """OpenRouter's names of what the model takes."""
    names = {
        "temperature", "top_p", "top_k", "frequency_penalty", "presence_penalty",
        "max_tokens", "max_completion_tokens", "seed", "stop",
        "logit_bias", "logprobs", "top_logprobs", "verbosity",
    }  # fmt: skip
    if model.supports_tools:
        names |= {"tools", "tool_choice", "parallel_tool_calls"}
    if model.supports_json_object:
        names |= {"response_format"}
    if model.supports_structured_outputs:
        names |= {"response_format", "structured_outputs"}
    if model.supports_reasoning:
        names |= {"reasoning", "include_reasoning", "reasoning_effort"}
    return frozenset(names)


def slug_of(host: str) -> str:
    """How a host is written in lists: lower case, without a region."""
    return host.lower().replace(" ", "-").partition("/")[0]


def _problem(value: Mapping[str, object]) -> str | None:
    unknown = [key for key in value if key not in _KEYS]
    if unknown:
        return f": unrecognized keys {', '.join(sorted(unknown))}"
    for key in _FLAGS:
        if not isinstance(value.get(key), bool | None):
            return f".{key} must be a boolean"
    for key in _LISTS:
        items = value.get(key)
        if items is not None and not (
            isinstance(items, list) and all(isinstance(i, str) for i in items)
        ):
            return f".{key} must be an array of strings"
    if any(item not in _QUANTIZATIONS for item in _list(value.get("quantizations"))):
        return f".quantizations must be of {', '.join(_QUANTIZATIONS)}"
    if value.get("data_collection") not in ("allow", "deny", None):
        return ".data_collection must be allow or deny"
    return _problem_of_sort(value.get("sort")) or _problem_of_numbers(value)


def _problem_of_sort(sort: object) -> str | None:
    by = sort.get("by") if isinstance(sort, Mapping) else sort
    return None if by is None or by in _SORTS else f".sort must be one of {', '.join(_SORTS)}"


def _problem_of_numbers(value: Mapping[str, object]) -> str | None:
    prices = value.get("max_price")
    if prices is not None and not isinstance(prices, Mapping):
        return ".max_price must be an object"
    for name, price in (prices or {}).items():
        if name not in _PRICES or not isinstance(price, str) or _price(price) is None:
            return f".max_price.{name} must be a price written as a string"
    for key in _CUTOFFS:
        cutoff = value.get(key)
        numbers = cutoff.values() if isinstance(cutoff, Mapping) else (cutoff,)
        if not all(isinstance(n, int | float | None) and not isinstance(n, bool) for n in numbers):
            return f".{key} must be a number, or numbers by percentile"
    return None


def _price(value: object) -> Decimal | None:
    try:
        price = Decimal(value) if isinstance(value, str) else None
    except InvalidOperation:
        return None
    return price if price is not None and price.is_finite() else None


def _dearer(price: Decimal, price_max: Decimal | None) -> bool:
    return price_max is not None and price * _MILLION > price_max


def _slugs(value: object) -> tuple[str, ...]:
    return tuple(slug_of(str(item)) for item in _list(value))


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _refuse(message: str, **metadata: object) -> Refusal:
    return Refusal(404, message, "not_found", metadata)
