"""Models and lanes as clients list them."""

from __future__ import annotations

from openai.types import Model as OpenAIModel

from astrolabe_core import shipped
from astrolabe_http.wire.models import lane_object, list_object, model_object, virtual_object


def test_a_serving_model_has_every_key_of_the_contract() -> None:
    model = shipped.catalog().model("deepseek/deepseek-v4-pro")
    assert model is not None
    shown = model_object(model)
    OpenAIModel.model_validate(shown, strict=True)
    assert shown["owned_by"] == "deepseek"
    assert shown["type"] == "serving"
    assert shown["status"] == "active"
    assert shown["context_window"] == 1_048_576
    pricing = shown["pricing"]
    assert isinstance(pricing, dict)
    assert (pricing["input"], pricing["output"]) == ("0.435", "0.87")
    assert set(shown) >= {
        *("id", "object", "created", "name", "description", "lane", "max_output_tokens"),
        *("modalities", "capabilities", "data_policy"),
    }


def test_every_shipped_model_is_openai_s_and_prices_are_text() -> None:
    for model in shipped.catalog().models:
        shown = model_object(model)
        OpenAIModel.model_validate(shown, strict=True)
        pricing = shown["pricing"]
        assert isinstance(pricing, dict)
        assert isinstance(pricing["input"], str)
        prices = {key: value for key, value in pricing.items() if key != "overrides"}
        assert all(value is None or isinstance(value, str) for value in prices.values())


def test_a_virtual_model_names_its_lane_and_candidates() -> None:
    for virtual in shipped.virtual_models():
        shown = virtual_object(virtual)
        OpenAIModel.model_validate(shown, strict=True)
        assert shown["type"] == "virtual"
        assert shown["owned_by"] == "astrolabe"
        assert shown["candidates"] == list(virtual.candidates)
        assert shown["lane"] == virtual.lane


def test_a_lane_has_every_key_of_the_contract() -> None:
    (auto,) = (each for each in shipped.virtual_models() if each.id == "astrolabe/auto")
    shown = lane_object(auto)
    assert set(shown) == {
        *("id", "object", "lane", "virtual_model", "description", "trigger_rules"),
        *("default_candidates", "fallback_candidates"),
    }
    assert shown["virtual_model"] == "astrolabe/auto"
    assert list_object([shown]) == {"object": "list", "data": [shown]}
