from __future__ import annotations

from decimal import Decimal

import pytest

from astrolabe_http.simulator.errors import Refusal
from astrolabe_http.simulator.models import SimulatedModel
from astrolabe_http.simulator.preferences import Preferences, choose_host, read

MODEL = SimulatedModel(
    id="acme/small",
    context_length=1000,
    max_output=100,
    input_price=Decimal("0.000001"),
    output_price=Decimal("0.000002"),
    hosts=("Acme", "Big Cloud"),
    supports_structured_outputs=False,
    collects_data=True,
    zero_retention=False,
)


@pytest.mark.parametrize(
    "value",
    [
        [],
        "openai",
        {"zdr": "true"},
        {"only": "openai"},
        {"only": [1]},
        {"data_collection": "never"},
        {"sort": "cheap"},
        {"max_price": {"prompt": 1}},
        {"max_price": {"prompt": "many"}},
        {"max_price": {"tokens": "1"}},
        {"max_price": "1"},
        {"quantizations": ["fp7"]},
        {"preferred_max_latency": "1s"},
        {"nonsense": 1},
        {"allow_fallbacks": 1},
    ],
)
def test_what_the_schema_forbids_is_refused(value: object) -> None:
    refusal = read(value)
    assert isinstance(refusal, Refusal)
    assert refusal.status == 400


def test_what_the_schema_allows_is_read() -> None:
    whole = {
        "order": ["Acme"], "only": ["acme"], "ignore": None, "zdr": True, "data_collection": "deny",
        "allow_fallbacks": False, "require_parameters": True, "quantizations": ["fp8"],
        "sort": {"by": "price", "partition": "model"}, "preferred_max_latency": {"p50": 1.5},
        "preferred_min_throughput": 20, "max_price": {"prompt": "1.5", "completion": "3"},
        "enforce_distillable_text": None,
    }  # fmt: skip
    assert read(whole) == Preferences(
        order=("acme",),
        only=("acme",),
        zdr=True,
        deny_collection=True,
        require_parameters=True,
        prompt_price_max=Decimal("1.5"),
        completion_price_max=Decimal(3),
    )


def host(value: dict[str, object], asked: frozenset[str] = frozenset()) -> str | Refusal:
    wanted = read(value)
    assert isinstance(wanted, Preferences)
    return choose_host(MODEL, wanted, asked)


def test_hosts_are_chosen_by_order_only_and_ignore() -> None:
    assert host({}) == "Acme"
    assert host({"order": ["nobody", "big-cloud"]}) == "Big Cloud"
    assert host({"ignore": ["acme"]}) == "Big Cloud"
    assert host({"only": ["big-cloud/eu"]}) == "Big Cloud"


@pytest.mark.parametrize(
    ("value", "asked"),
    [
        ({"only": ["openai"]}, ()),
        ({"only": ["acme"], "ignore": ["acme"]}, ()),
        ({"zdr": True}, ()),
        ({"data_collection": "deny"}, ()),
        ({"max_price": {"prompt": "0.99"}}, ()),
        ({"max_price": {"completion": "1.99"}}, ()),
        ({"require_parameters": True}, ("structured_outputs",)),
    ],
)
def test_a_model_nobody_may_serve_is_404(value: dict[str, object], asked: tuple[str, ...]) -> None:
    refusal = host(value, frozenset(asked))
    assert isinstance(refusal, Refusal)
    assert refusal.status == 404


def test_bounds_that_are_just_met_admit() -> None:
    assert host({"max_price": {"prompt": "1", "completion": "2"}}) == "Acme"
    assert host({"require_parameters": True}, frozenset({"tools"})) == "Acme"
