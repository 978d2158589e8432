"""What a tool call may do is permitted by one table, which only ever narrows."""

from __future__ import annotations

import json
from itertools import product
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from astrolabe_core.answers import ToolCall
from astrolabe_core.codes import Code, Refusal
from astrolabe_core.requests import Confirmation, Overrides, Request, ToolLabel, ask
from astrolabe_core.resolve import Layer, LayerName
from astrolabe_core.stacks import Boundaries, ToolProfile
from astrolabe_core.tool_arguments import CHARACTERS_MAX, read_arguments
from astrolabe_core.tool_policy import (
    CONFIRMATION_MS,
    EFFECTS,
    REACH,
    TABLE,
    CallRuling,
    Permission,
    Terms,
    digest_call,
    judge_calls,
    label_call,
    may_stop,
    permit,
    refuse_calls,
    terms_for,
)
from astrolabe_core.units import Instant, WorkspaceId

AT = Instant(1_800_000_000_500)
HOME, ELSEWHERE = WorkspaceId("ws_home"), WorkspaceId("ws_elsewhere")
SEND = ToolCall(name="send_email", arguments='{"to": "a@example.com", "body": "Hi"}')
LOOK = ToolCall(name="get_weather", arguments='{"city": "Paris"}')
PAGE = ToolCall(name="read_page", arguments='{"url": "https://example.com/?q=secret"}')

# The rules once more, as a person would write them down: profile, approval, untrusted content,
# and for each label a for allowed, c for confirmation, b for blocked.
LABELS = "read search browse write delete execute send pay delegate admin unknown"
WRITTEN = """
default    -        -          a a a  a a a a a a a a
default    approval -          a a a  c c c c c c c c
default    -        untrusted  a a c  c c c c c c c c
default    approval untrusted  a a c  c c c c c c c c
read_only  -        -          a a a  b b b b b b b b
read_only  approval -          a a a  b b b b b b b b
read_only  -        untrusted  a a b  b b b b b b b b
read_only  approval untrusted  a a b  b b b b b b b b
blocked    -        -          b b b  b b b b b b b b
blocked    approval -          b b b  b b b b b b b b
blocked    -        untrusted  b b b  b b b b b b b b
blocked    approval untrusted  b b b  b b b b b b b b
"""
LETTERS = {
    "a": Permission.ALLOWED,
    "c": Permission.CONFIRMATION_REQUIRED,
    "b": Permission.BLOCKED,
}
RULES = [
    (Terms(
        profile=ToolProfile(profile),
        approval_required=approval != "-",
        untrusted_content=untrusted != "-",
    ), ToolLabel(label), LETTERS[letter])
    for profile, approval, untrusted, *letters in map(str.split, WRITTEN.strip().splitlines())
    for label, letter in zip(LABELS.split(), letters, strict=True)
]  # fmt: skip
TERMS = [
    Terms(profile=profile, approval_required=approval, untrusted_content=untrusted)
    for profile, approval, untrusted in product(ToolProfile, (False, True), (False, True))
]


def request(*given: Confirmation, **overrides: Any) -> Request:
    return evolve(ask("Hi.", overrides=Overrides(**overrides)), confirmations=given)


def layer(profile: ToolProfile, name: LayerName = LayerName.STACK) -> Layer:
    return Layer(name, Boundaries(tool_profile=profile))


def judge(call: ToolCall, asked: Request, *layers: Layer, at: Instant = AT) -> CallRuling:
    (ruling,) = judge_calls([call], asked, layers, HOME, at)
    return ruling


def rank(permission: Permission) -> int:
    return list(Permission).index(permission)


# --- the table ----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("terms", "label", "permission"),
    RULES,
    ids=[f"{place}-{label}" for place, (_, label, _) in enumerate(RULES)],
)
def test_every_cell_of_the_table(terms: Terms, label: ToolLabel, permission: Permission) -> None:
    assert permit([label], terms) is permission


def test_the_written_table_is_whole() -> None:
    assert len(RULES) == len(TERMS) * len(ToolLabel)
    assert len(TABLE) == len(TERMS)
    assert set(REACH) == set(ToolLabel)
    assert set(ToolLabel) - {ToolLabel.READ, ToolLabel.SEARCH, ToolLabel.BROWSE} == EFFECTS


def test_of_several_labels_the_strictest_answer_counts() -> None:
    for terms, one, other in product(TERMS, ToolLabel, ToolLabel):
        alone = max(permit([one], terms), permit([other], terms), key=rank)
        assert permit([one, other], terms) is alone


def test_a_restriction_more_never_allows_more() -> None:
    for terms, label in product(TERMS, ToolLabel):
        before = rank(permit([label], terms))
        narrower = [
            evolve(terms, approval_required=True),
            evolve(terms, untrusted_content=True),
            *(
                evolve(terms, profile=profile)
                for profile in list(ToolProfile)[list(ToolProfile).index(terms.profile) :]
            ),
        ]
        assert all(rank(permit([label], other)) >= before for other in narrower)


# --- what is in force ---------------------------------------------------------------------
@given(st.lists(st.sampled_from(ToolProfile), max_size=4), st.sampled_from(ToolProfile))
def test_the_narrowest_profile_of_request_and_layers_holds(
    profiles: list[ToolProfile], asked: ToolProfile
) -> None:
    layers = [layer(profile) for profile in profiles]
    order = list(ToolProfile)
    expected = order[max(order.index(profile) for profile in [*profiles, asked])]
    assert terms_for(request(tool_profile=asked), layers).profile is expected


@pytest.mark.parametrize("terms", TERMS, ids=range(len(TERMS)))
def test_a_stream_holds_calls_back_only_where_one_could_be_stopped(terms: Terms) -> None:
    asked = request(
        approval_required=terms.approval_required, untrusted_content=terms.untrusted_content
    )
    stops = any(permit([label], terms) is not Permission.ALLOWED for label in ToolLabel)
    assert may_stop(asked, [layer(terms.profile, LayerName.KEY)]) is stops


# --- labels -------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "arguments", "declared", "told"),
    [
        ("get_weather", {"city": "Paris"}, "", "read"),
        ("read_page", {"url": "https://example.com"}, "", "read browse"),
        ("run_sql", {"query": "DROP TABLE users"}, "", "delete execute"),
        # A declaration takes the place of what the name says, be it better or worse.
        ("frobnicate", {}, "read", "read"),
        ("send_email", {}, "read", "read"),
        ("get_weather", {}, "pay", "pay"),
        ("frobnicate", {}, "unknown", "unknown"),
        # It is about the tool; what a call's arguments plainly show counts all the same.
        ("frobnicate", {"method": "DELETE"}, "read", "read delete"),
        ("postgres__query", {"query": "DROP TABLE users"}, "read", "read delete"),
        ("fetch_row", "{", "read", "read unknown"),
        ("search_docs", {"query": "DROP TABLE users"}, "", "search"),
        # What a tool's name does not say, arguments cannot make good.
        ("frobnicate", {"method": "GET"}, "", "browse unknown"),
    ],
)
def test_a_call_is_labelled_by_declaration_or_name_and_by_arguments(
    name: str, arguments: Any, declared: str, told: str
) -> None:
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    given_labels = [ToolLabel(word) for word in declared.split()]
    found = label_call(name, read_arguments(text), given_labels)
    assert found == tuple(ToolLabel(word) for word in told.split())


def test_a_declaration_holds_for_the_tool_of_exactly_that_name() -> None:
    asked = request(
        tool_profile=ToolProfile.READ_ONLY,
        tool_capabilities=(("frobnicate", (ToolLabel.READ,)),),
    )
    assert judge(ToolCall(name="frobnicate"), asked).permission is Permission.ALLOWED
    assert judge(ToolCall(name="Frobnicate"), asked).permission is Permission.BLOCKED


def test_a_page_whose_address_carries_words_out_is_no_quiet_look_beside_untrusted_content() -> None:
    asked = request(untrusted_content=True)
    assert judge(LOOK, asked).permission is Permission.ALLOWED
    assert judge(PAGE, asked).permission is Permission.CONFIRMATION_REQUIRED


def test_a_ruling_holds_no_arguments() -> None:
    ruling = judge(SEND, request(approval_required=True))
    assert "example.com" not in repr(ruling)
    assert len(judge(ToolCall(name="x" * 9_999), request()).tool) == 128


# --- bounds -------------------------------------------------------------------------------
def test_what_is_too_long_to_be_shown_is_unknown_and_nobody_can_vouch_for_it() -> None:
    long = ToolCall(name="write_file", arguments=json.dumps("x" * CHARACTERS_MAX))
    ruling = judge(long, request(approval_required=True))
    assert (ruling.permission, ToolLabel.UNKNOWN in ruling.labels) == (Permission.BLOCKED, True)
    assert judge(long, request()).permission is Permission.ALLOWED
    refusal = refuse([long], request(approval_required=True))
    assert shown(refusal) == [None]


def test_calls_share_the_bound() -> None:
    half = ToolCall(name="get_page", arguments=json.dumps("x" * (CHARACTERS_MAX // 2)))
    read_only = request(tool_profile=ToolProfile.READ_ONLY)
    rulings = judge_calls([half, half, LOOK], read_only, [], HOME, AT)
    permissions = [ruling.permission for ruling in rulings]
    assert permissions == [Permission.ALLOWED, Permission.BLOCKED, Permission.BLOCKED]


@given(st.text(max_size=80), st.text(max_size=80), st.sampled_from(TERMS))
def test_whatever_a_model_calls_is_judged(name: str, arguments: str, terms: Terms) -> None:
    asked = request(
        approval_required=terms.approval_required, untrusted_content=terms.untrusted_content
    )
    call = ToolCall(name=name, arguments=arguments)
    ruling = judge(call, asked, layer(terms.profile))
    assert ruling.permission is permit(ruling.labels, terms)
    assert (refuse_calls([ruling], [call], AT) is None) == (ruling.permission is Permission.ALLOWED)


# --- somebody's word ----------------------------------------------------------------------
def word(
    call: ToolCall, *, workspace: WorkspaceId = HOME, expires_at: int = AT + 1
) -> Confirmation:
    return Confirmation(
        call=digest_call(call.name, read_arguments(call.arguments)),
        workspace=workspace,
        expires_at=Instant(expires_at),
    )


@pytest.mark.parametrize("terms", TERMS, ids=range(len(TERMS)))
@pytest.mark.parametrize("call", [SEND, LOOK, PAGE], ids=lambda call: call.name)
def test_a_word_allows_what_needs_one_and_never_what_is_blocked(
    terms: Terms, call: ToolCall
) -> None:
    flags = {
        "approval_required": terms.approval_required,
        "untrusted_content": terms.untrusted_content,
    }
    before = judge(call, request(**flags), layer(terms.profile))
    after = judge(call, request(word(call), **flags), layer(terms.profile))
    needed = before.permission is Permission.CONFIRMATION_REQUIRED
    assert after.permission is (Permission.ALLOWED if needed else before.permission)
    assert after.confirmed is needed


@pytest.mark.parametrize(
    "given_word",
    [
        word(SEND, workspace=ELSEWHERE),
        word(SEND, expires_at=AT),
        word(SEND, expires_at=0),
        word(evolve(SEND, name="send_mail")),
        word(evolve(SEND, arguments='{"to": "b@example.com", "body": "Hi"}')),
        word(evolve(SEND, arguments="")),
    ],
    ids=["elsewhere", "expired", "long expired", "other tool", "other arguments", "none"],
)
def test_a_word_for_something_else_is_none(given_word: Confirmation) -> None:
    ruling = judge(SEND, request(given_word, approval_required=True))
    assert ruling.permission is Permission.CONFIRMATION_REQUIRED


def test_a_word_holds_however_the_same_arguments_are_laid_out() -> None:
    laid_out = evolve(SEND, arguments='{ "body":"Hi",\n "to" : "a@example.com" }')
    ruling = judge(laid_out, request(word(SEND), approval_required=True))
    assert (ruling.permission, ruling.confirmed) == (Permission.ALLOWED, True)


def test_a_name_and_its_arguments_cannot_trade_places() -> None:
    one = digest_call("a", read_arguments('"b:c"'))
    assert one != digest_call('a:"b', read_arguments('c"'))
    assert len(digest_call("\ud800", read_arguments('"\ud800"'))) == 64


# --- refusing -----------------------------------------------------------------------------
def refuse(calls: list[ToolCall], asked: Request, *layers: Layer) -> Refusal:
    found = refuse_calls(judge_calls(calls, asked, layers, HOME, AT), calls, AT)
    assert found is not None
    return found


def told(refusal: Refusal) -> list[dict[str, Any]]:
    calls: Any = refusal.details["calls"]
    return list(calls)


def shown(refusal: Refusal) -> list[str | None]:
    return [call["arguments"] for call in told(refusal)]


def test_calls_that_need_a_word_are_shown_with_what_it_is_given_for() -> None:
    refusal = refuse([LOOK, SEND], request(approval_required=True))
    assert refusal.code is Code.TOOL_CALL_CONFIRMATION_REQUIRED
    assert told(refusal) == [
        {
            "tool": "send_email",
            "labels": ("send",),
            "permission": "confirmation_required",
            "arguments": SEND.arguments,
            "digest": digest_call(SEND.name, read_arguments(SEND.arguments)),
            "expires_at": (AT + CONFIRMATION_MS) // 1_000,
        }
    ]
    assert "'send_email' (send)" in refusal.message
    assert "metadata.astrolabe.tool_confirmations" in refusal.message
    assert "example.com" not in refusal.message


def test_a_blocked_call_is_told_before_one_that_needs_a_word() -> None:
    """Whoever confirmed would be refused all the same."""
    long = ToolCall(name="write_file", arguments=json.dumps("x" * CHARACTERS_MAX))
    refusal = refuse([SEND, long], request(approval_required=True))
    assert refusal.code is Code.TOOL_CALL_BLOCKED
    permissions = [call["permission"] for call in told(refusal)]
    assert permissions == ["confirmation_required", "blocked"]
    assert {call["expires_at"] for call in told(refusal)} == {None}
    assert "'write_file'" in refusal.message
    assert "'send_email'" not in refusal.message


def test_a_refusal_names_three_calls_and_counts_the_rest() -> None:
    calls = [ToolCall(name=f"send_{place}") for place in range(5)]
    refusal = refuse(calls, request(), layer(ToolProfile.BLOCKED))
    assert "'send_2' (send) and 2 more" in refusal.message
    assert len(told(refusal)) == 5


def test_what_may_pass_is_not_refused() -> None:
    calls = [LOOK, SEND]
    assert refuse_calls(judge_calls(calls, request(), [], HOME, AT), calls, AT) is None
    assert refuse_calls((), (), AT) is None
