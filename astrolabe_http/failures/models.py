"""Does a provider have the model, here, for what was asked?

What is in the catalog may be gone from a server, be kept from a place, or have no host that takes
the request as it is. Another model may be there, whatever the status that this is told with.
"""

from typing import Final

from astrolabe_core.answers import FaultKind
from astrolabe_http.complaints import Recorded, Said
from astrolabe_http.failures.rule import (
    Rule,
    all_of,
    any_of,
    deep_type,
    of_status,
    of_type,
    openai_error,
    openrouter_error,
    says,
)

UNSERVED: Final = (
    Rule(
        # Before the accounts, whose status it shares: another vendor may serve this place.
        when=any_of(
            of_status(451),
            deep_type("unsupported_country_region_territory", "RegionError"),
            says(
                "country, region, or territory",
                "not available in your country",
                "not available in your region",
                "user location is not supported",
                "data residency",
                among=(400, 403, None),
            ),
            of_type("data_residency_mismatch"),
        ),
        kind=FaultKind.PROVIDER_ERROR,
        message="the provider does not serve the place where the gateway is",
        recorded=(
            openrouter_error(
                403,
                "Provider returned error",
                "OpenRouter; openrouter-examples #18",
                raw={
                    "__kind": "OK",
                    "data": '{"error":{"code":"unsupported_country_region_territory",'
                    '"message":"Country, region, or territory not supported","param":null,'
                    '"type":"request_forbidden"}}',
                },
                provider_name="OpenAI",
            ),
            Recorded(
                status=400,
                body=[
                    {
                        "error": {
                            "code": 400,
                            "message": "User location is not supported for the API use.",
                            "status": "FAILED_PRECONDITION",
                        }
                    }
                ],
                source="Google",
            ),
            Recorded(
                status=403,
                body={
                    "type": "error",
                    "error": {
                        "type": "RegionError",
                        "message": "This model is not available in your country.",
                    },
                },
                source="opencode #8796",
            ),
        ),
    ),
)


def _no_host(said: Said) -> bool:
    nobody = ("no endpoints", "no allowed providers", "no instances available")
    return said.status in {404, 503} and any(words in said.message for words in nobody)


MISSING: Final = (
    Rule(
        # Every parameter that is sent counts, whoever asked for it: another model may do.
        when=all_of(_no_host, says("requested parameters", "that support", among=(404,))),
        kind=FaultKind.UNSUPPORTED,
        message="no host that serves the model honours every field of the request",
        recorded=(
            openrouter_error(
                404,
                "No endpoints found that can handle the requested parameters.",
                "OpenRouter under require_parameters; block/buzz #3018",
            ),
            openrouter_error(
                404,
                'No endpoints found that support tool use. Try disabling "question".',
                "OpenRouter; kilocode #9006",
            ),
        ),
    ),
    Rule(
        # Nobody serves the model at the moment, or under our rules: another one may.
        when=_no_host,
        kind=FaultKind.PROVIDER_ERROR,
        message="no host of the provider serves the model now",
        recorded=(
            openrouter_error(
                404,
                "No endpoints found matching your data policy (Zero data retention). Configure: "
                "https://openrouter.ai/settings/privacy",
                "oh-my-pi, sai #115",
            ),
            openrouter_error(
                404,
                "No allowed providers are available for the selected model.",
                "OpenRouter; Kilo-Org/cloud #4080",
            ),
        ),
    ),
    Rule(
        # In the catalog and not on the server, whatever the status it is told with.
        when=any_of(
            of_type(
                "model_not_found",
                "ModelNotFound",
                "model_not_supported",
                "model_decommissioned",
                "invalid_model",
                "DeploymentNotFound",
            ),
            all_of(
                says("model", among=(400, 403, 404)),
                says(
                    "not found",
                    "does not exist",
                    "not exist",
                    "is not a valid model",
                    "invalid model name",
                    "does not have access to model",
                    among=(400, 403, 404),
                ),
            ),
            all_of(of_status(404), of_type("NotFoundError", "not_found_error")),
        ),
        kind=FaultKind.PROVIDER_ERROR,
        message="the provider does not have the model",
        recorded=(
            openai_error(
                404,
                'model "llama3" not found, try pulling it first',
                "api_error",
                None,
                "Ollama, /v1; QAnything #555",
            ),
            Recorded(
                status=404,
                body={
                    "object": "error",
                    "message": "The model `local/model` does not exist.",
                    "type": "NotFoundError",
                    "param": None,
                    "code": 404,
                },
                source="vLLM before 0.10",
            ),
            openrouter_error(400, "foo/bar is not a valid model ID", "OpenRouter"),
            openai_error(
                403,
                "Project `proj_1` does not have access to model `gpt-5.5`",
                "invalid_request_error",
                "model_not_found",
                "OpenAI",
            ),
            openai_error(
                400,
                "/chat/completions: Invalid model name passed in model=foo. Call `/v1/models` to "
                "view available models for your key.",
                "invalid_request_error",
                "400",
                "LiteLLM proxy",
            ),
            Recorded(
                status=404,
                body={
                    "error": {
                        "code": "DeploymentNotFound",
                        "message": "The API deployment for this resource does not exist.",
                    }
                },
                source="Azure OpenAI",
            ),
        ),
    ),
)
