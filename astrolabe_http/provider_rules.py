"""How are a request's boundaries told to OpenRouter, so that the policy holds there too?

A pure function from the layers of boundaries to the `provider` object of OpenRouter's API. The
gateway has chosen a model that every layer admits; what only the upstream knows is which host
serves it. Vendors are not hosts (one vendor's model runs with several), so `only` and `ignore`
are not derived from them. Source: OpenRouter's schema of August 2026, `ProviderPreferences`.
"""

from collections.abc import Iterable

from astrolabe_core.requests import OutputFormat, Request
from astrolabe_core.stacks import Boundaries, DataRule, RetentionRule


def provider_rules(layers: Iterable[Boundaries], request: Request) -> dict[str, object]:
    """Give the `provider` object, empty where nothing is to be ruled.

    Any layer suffices: they only narrow. `require_parameters` keeps away hosts that would drop
    the tools or the schema in silence.
    """
    rules: dict[str, object] = {}
    for boundaries in layers:
        if boundaries.data_policy is DataRule.NO_TRAINING:
            rules["data_collection"] = "deny"
        # OpenRouter has no word for limited retention: that is held by the choice of the model.
        if boundaries.retention_policy is RetentionRule.ZERO:
            rules["zdr"] = True
    if request.tools or request.output_format is not OutputFormat.TEXT:
        rules["require_parameters"] = True
    return rules
