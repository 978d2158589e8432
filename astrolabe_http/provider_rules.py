"""How are a request's boundaries told to OpenRouter, so that the policy holds there too?

A pure function from the layers of boundaries to the `provider` object of OpenRouter's API. The
gateway has chosen a model that every layer admits; what only the upstream knows is which host
serves it. Vendors are not hosts (one vendor's model runs with several), so `only` and `ignore`
are not derived from them. Source: OpenRouter's schema of August 2026, `ProviderPreferences`.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from attrs import evolve

from astrolabe_core.answers import Fault, FaultKind
from astrolabe_core.requests import OutputFormat, Request, Surface
from astrolabe_core.stacks import Boundaries, DataRule, RetentionRule
from astrolabe_http.wire.chat_fields import CHAT_FIELDS
from astrolabe_http.wire.fields import Object
from astrolabe_http.wire.responses_fields import RESPONSES_FIELDS
from astrolabe_http.wire.rulings import Rulings, demanded_in

_RULINGS: Final[Mapping[Surface, Rulings]] = {
    Surface.CHAT: CHAT_FIELDS,
    Surface.RESPONSES: RESPONSES_FIELDS,
}
PARAMETERS: Final = frozenset(
    {
        "temperature",
        "top_p",
        "top_k",
        "min_p",
        "top_a",
        "frequency_penalty",
        "presence_penalty",
        "repetition_penalty",
        "logit_bias",
        "logprobs",
        "top_logprobs",
        "prediction",
        "seed",
        "response_format",
        "text",
        "stop",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "reasoning",
        "reasoning_effort",
        "verbosity",
    }
)
"""What OpenRouter asks of a host, where it is sent at all."""


def provider_rules(layers: Iterable[Boundaries], request: Request) -> dict[str, object]:
    """Give the `provider` object, empty where nothing is to be ruled.

    Any layer suffices: they only narrow. `require_parameters` keeps away hosts that would drop
    in silence what the answer means something else without; the tables of fields name those.
    """
    rules: dict[str, object] = {}
    for boundaries in layers:
        if boundaries.data_policy is DataRule.NO_TRAINING:
            rules["data_collection"] = "deny"
        # OpenRouter has no word for limited retention: that is held by the choice of the model.
        if boundaries.retention_policy is RetentionRule.ZERO:
            rules["zdr"] = True
    if (
        request.tools
        or request.output_format is not OutputFormat.TEXT
        or demanded_in(request.body, _RULINGS[request.surface])
    ):
        rules["require_parameters"] = True
    return rules


def name_parameters(fault: Fault, sent: Object) -> Fault:
    """Name in a fault what was sent of which a host may honour no more than a part."""
    if fault.kind is not FaultKind.UNSUPPORTED:
        return fault
    names = ", ".join(name for name in sent if name in PARAMETERS)
    advice = f"leave out one of {names}, or choose another model"
    return evolve(fault, message=f"{fault.message}: {advice}" if names else fault.message)
