"""Routing metadata: all forms say the same, contradictions and unknown words are refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from astrolabe_core.codes import Code, Refusal
from astrolabe_core.requests import NO_OVERRIDES, Overrides, StackRef, ToolLabel
from astrolabe_core.stacks import CostMode, QualityTarget, ToolProfile, VerificationMode
from astrolabe_core.units import Millis, StackSlug
from astrolabe_http.wire.metadata import FIELDS, Steering, read_steering

TOKEN = "tool_" + "aZ0-_" * 20
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "stack": st.sampled_from(["fast", "my-stack", "my-stack@3", "low-cost@12"]),
    "quality": st.sampled_from(["draft", "standard", "high", "critical"]),
    "cost_mode": st.sampled_from(
        ["lowest_passable", "balanced", "fastest_passable", "premium", "fixed"]
    ),
    "latency_slo_ms": st.integers(1, 86_400_000) | st.floats(0.1, 9_999),
    "verification": st.sampled_from(["off", "auto", "light", "strict", "strong"]),
    "fallback": st.booleans(),
    "explain": st.booleans(),
    "tool_profile": st.sampled_from(["default", "read_only", "blocked"]),
    "tool_capabilities": st.dictionaries(
        st.text(min_size=1, max_size=9),
        st.lists(st.sampled_from(["read", "write"]), min_size=1),
        max_size=3,
    ),
    "tool_confirmations": st.lists(st.sampled_from([TOKEN, f"{TOKEN}0"]), max_size=3),
    "untrusted_content": st.booleans(),
    "approval_required": st.booleans(),
    "session_id": st.text(min_size=1, max_size=256),
}
ASKED = st.fixed_dictionaries({}, optional=VALUES)
# What is as good as unsaid. Not so `fallback`: false switches off what a stack has on.
UNSAID: dict[str, object] = {
    "explain": False,
    "tool_profile": "default",
    "tool_capabilities": {},
    "tool_confirmations": [],
    "untrusted_content": False,
    "approval_required": False,
}


def read(
    metadata: object = None, *, model: str = "auto", header: str | None = None
) -> Steering | Refusal:
    return read_steering(model, metadata, header)


def overrides(metadata: object = None, **forms: Any) -> Overrides:
    found = read(metadata, **forms)
    assert isinstance(found, Steering), found
    return found.overrides


def refusal(metadata: object = None, **forms: Any) -> Refusal:
    found = read(metadata, **forms)
    assert isinstance(found, Refusal)
    return found


def flat(asked: dict[str, Any]) -> dict[str, str]:
    return {
        f"astrolabe.{name}": value if isinstance(value, str) else json.dumps(value)
        for name, value in asked.items()
    }


def test_the_fields_are_those_of_the_contract() -> None:
    assert set(FIELDS) == set(VALUES)


@given(ASKED)
@example({"fallback": False})
def test_object_string_and_flat_keys_say_the_same(asked: dict[str, Any]) -> None:
    whole = overrides({"astrolabe": asked})
    assert overrides({"astrolabe": json.dumps(asked)}) == whole
    assert overrides(flat(asked)) == whole
    assert overrides({"astrolabe": asked, **flat(asked)}) == whole
    assert (whole == NO_OVERRIDES) == (asked.items() <= UNSAID.items())


@given(ASKED, st.data())
def test_forms_may_be_mixed(asked: dict[str, Any], data: st.DataObject) -> None:
    names = data.draw(st.sets(st.sampled_from(sorted(asked)))) if asked else set()
    inner = {name: value for name, value in asked.items() if name in names}
    rest = {name: value for name, value in asked.items() if name not in names}
    assert overrides({"astrolabe": inner, **flat(rest)}) == overrides({"astrolabe": asked})


def test_every_field_arrives_where_it_belongs() -> None:
    found = overrides(
        {
            "astrolabe": {
                "stack": "my-stack@3",
                "quality": "high",
                "cost_mode": "balanced",
                "latency_slo_ms": 1500.2,
                "verification": "strict",
                "fallback": False,
                "explain": True,
                "tool_profile": "read_only",
                "tool_capabilities": {"b": ["write", "read", "write"], "a": "read"},
                "tool_confirmations": [TOKEN, f"{TOKEN}0", TOKEN],
                "untrusted_content": True,
                "approval_required": True,
                "session_id": "s-1",
            }
        }
    )
    assert found == Overrides(
        stack=StackRef(slug=StackSlug("my-stack"), version=3),
        quality=QualityTarget.HIGH,
        cost_mode=CostMode.BALANCED,
        latency_slo_ms=Millis(1501),
        verification=VerificationMode.STRICT,
        fallback=False,
        explain=True,
        tool_profile=ToolProfile.READ_ONLY,
        tool_capabilities=(
            ("a", (ToolLabel.READ,)),
            ("b", (ToolLabel.READ, ToolLabel.WRITE)),
        ),
        tool_confirmations=(TOKEN, f"{TOKEN}0"),
        untrusted_content=True,
        approval_required=True,
        session_id="s-1",
    )


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("auto@fast", "auto"),
        ("astrolabe/auto@fast", "astrolabe/auto"),
        ("openai/gpt-5.4@fast", "openai/gpt-5.4"),
    ],
)
def test_a_model_may_name_its_stack(model: str, name: str) -> None:
    found = read(model=model)
    assert isinstance(found, Steering)
    assert found.model == name
    assert found.overrides.stack == StackRef(slug=StackSlug("fast"))


def test_a_model_may_pin_a_version_of_its_stack() -> None:
    pinned = overrides(model="auto@fast@2").stack
    assert pinned == StackRef(slug=StackSlug("fast"), version=2)
    assert overrides(header="fast@2").stack == pinned
    thrice = overrides({"astrolabe.stack": "fast@2"}, model="auto@fast@2", header="fast@2")
    assert thrice.stack == pinned


@pytest.mark.parametrize(
    "forms",
    [
        {"metadata": {"astrolabe": {"stack": "fast"}}, "header": "low-cost"},
        {"metadata": {"astrolabe": {"stack": "fast"}}, "model": "auto@low-cost"},
        {"metadata": {"astrolabe": {"stack": "fast"}, "astrolabe.stack": "low-cost"}},
        {"header": "fast", "model": "auto@low-cost"},
        {"header": "fast@1", "model": "auto@fast"},
    ],
)
def test_two_places_that_name_different_stacks_are_refused(forms: dict[str, Any]) -> None:
    found = refusal(**forms)
    assert found.code is Code.INVALID_ROUTING_OVERRIDE
    assert "another place" in found.message


def test_a_label_that_nobody_knows_is_refused_with_the_one_that_may_be_meant() -> None:
    """A rule that matches nothing, accepted in silence: envoy QuotaPolicy, litellm PR #37226."""
    found = refusal({"astrolabe": {"tool_capabilities": {"fetch": ["read", "brwose"]}}})
    assert found.details["near"] == ("browse",)
    assert refusal({"astrolabe": {"tool_capabilities": {"f": "zzz"}}}).details["near"] == ()


def test_one_confirmation_needs_no_array() -> None:
    assert overrides({"astrolabe.tool_confirmations": TOKEN}).tool_confirmations == (TOKEN,)


def test_confirmations_stay_out_of_sight() -> None:
    assert TOKEN not in repr(overrides({"astrolabe": {"tool_confirmations": [TOKEN]}}))


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("stack", "Not A Slug", "slug or slug@version"),
        ("stack", "fast@0", "slug or slug@version"),
        ("stack", "fast@", "slug or slug@version"),
        ("stack", ["fast"], "slug or slug@version"),
        ("quality", "best", "draft, standard, high, critical"),
        ("cost_mode", "cheap", "lowest_passable, balanced, fastest_passable, premium, fixed"),
        ("latency_slo_ms", 0, "above 0"),
        ("latency_slo_ms", True, "above 0"),
        ("latency_slo_ms", 10**20, "at most"),
        ("latency_slo_ms", "soon", "a number"),
        ("verification", True, "off, auto, light, strict, strong"),
        ("fallback", "yes", "true or false"),
        ("fallback", 1, "true or false"),
        ("explain", [], "true or false"),
        ("tool_profile", "none", "default, read_only, blocked"),
        ("tool_capabilities", ["x"], "an object of tool names"),
        ("tool_capabilities", {"x": [1]}, "an object of tool names"),
        ("tool_capabilities", {"x": []}, "one or more capability labels"),
        ("tool_capabilities", {"x": ["READ"]}, "read, search, browse, write"),
        ("tool_capabilities", {"x": ["read", "admin "]}, "not 'admin '; did you mean admin?"),
        ("tool_capabilities", {"x": "sned"}, "not 'sned'; did you mean send?"),
        ("tool_confirmations", 7, "an array of at most 16 confirmations"),
        ("tool_confirmations", {"a": TOKEN}, "an array of at most 16 confirmations"),
        ("tool_confirmations", [TOKEN, 7], "an array of at most 16 confirmations"),
        ("tool_confirmations", ["yes"], "each as a refusal gave it"),
        ("tool_confirmations", f"{TOKEN} ", "each as a refusal gave it"),
        ("tool_confirmations", [f"{TOKEN}\n"], "each as a refusal gave it"),
        ("tool_confirmations", [TOKEN] * 17, "an array of at most 16 confirmations"),
        ("session_id", "", "1 to 256 characters"),
    ],
)
def test_a_bad_value_is_refused_by_field_and_allowed_values(
    name: str, value: object, allowed: str
) -> None:
    found = refusal({"astrolabe": {name: value}})
    assert found.code is Code.INVALID_ROUTING_OVERRIDE
    assert found.param == f"metadata.astrolabe.{name}"
    assert allowed in found.message
    assert found.details["field"] == name
    # The flat form is the same for each that can be written so.
    again = refusal({f"astrolabe.{name}": value if isinstance(value, str) else json.dumps(value)})
    assert again.param == f"metadata.astrolabe.{name}"


@pytest.mark.parametrize(
    ("name", "near"),
    [("stak", "stack"), ("latency_slo", "latency_slo_ms"), ("costMode", "cost_mode")],
)
def test_an_unknown_field_is_refused_with_the_one_that_was_meant(name: str, near: str) -> None:
    for metadata in ({"astrolabe": {name: "x"}}, {f"astrolabe.{name}": "x"}):
        found = refusal(metadata)
        assert found.code is Code.INVALID_ROUTING_OVERRIDE
        assert f"did you mean {near}?" in found.message


@pytest.mark.parametrize(
    ("forms", "param"),
    [
        ({"header": ""}, "x-astrolabe-stack"),
        ({"header": "fast, low-cost"}, "x-astrolabe-stack"),
        ({"model": "auto@"}, "model"),
        ({"model": "auto@Fast"}, "model"),
    ],
)
def test_an_empty_or_a_double_name_is_no_stack(forms: dict[str, Any], param: str) -> None:
    found = refusal(**forms)
    assert (found.code, found.param) == (Code.INVALID_ROUTING_OVERRIDE, param)


@pytest.mark.parametrize(
    "metadata",
    [
        {"astrolabe": '{"stack": "fast", "stack": "low-cost"}'},
        {"astrolabe.tool_capabilities": '{"a": "read", "a": "write"}'},
    ],
)
def test_a_string_that_names_a_field_twice_has_no_one_meaning(metadata: dict[str, str]) -> None:
    assert refusal(metadata).code is Code.INVALID_ROUTING_OVERRIDE


@pytest.mark.parametrize("whole", ["not json", "[1]", 7, ["stack"], True])
def test_what_holds_no_fields_at_all_is_refused(whole: object) -> None:
    found = refusal({"astrolabe": whole})
    assert found.code is Code.INVALID_ROUTING_OVERRIDE
    assert found.param == "metadata.astrolabe"


def test_null_is_as_good_as_absent() -> None:
    assert overrides(None) == NO_OVERRIDES
    assert overrides({"astrolabe": None, "astrolabe.stack": None}) == NO_OVERRIDES
    assert overrides({"astrolabe": {"stack": None, "fallback": None}}) == NO_OVERRIDES


def test_the_rest_of_the_metadata_passes_and_nothing_of_ours_does() -> None:
    found = read({"astrolabe": {"explain": True}, "astrolabe.quality": "high", "a": "b", "c": None})
    assert isinstance(found, Steering)
    assert found.metadata == {"a": "b"}


@pytest.mark.parametrize(
    ("metadata", "param"),
    [
        ("text", "metadata"),
        ([], "metadata"),
        ({"a": 1}, "metadata.a"),
        ({"a": {"b": "c"}}, "metadata.a"),
        ({"a": "x" * 513}, "metadata.a"),
        ({f"k{i}": "v" for i in range(17)}, "metadata"),
    ],
)
def test_metadata_that_no_provider_takes_is_refused(metadata: object, param: str) -> None:
    found = refusal(metadata)
    assert found.code is Code.INVALID_REQUEST
    assert found.param == param
