"""Encrypted reasoning finds its way back to who made it, whatever lies between.

litellm #29733, CLIProxyAPI #3189: encrypted reasoning was sent to another provider.
"""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astrolabe_core.codes import Code, Refusal
from astrolabe_core.units import ProviderId
from astrolabe_http.wire.sealing import (
    FORMATS,
    TAG,
    Seal,
    read_seal,
    reader_of_input,
    reader_of_messages,
    sealed_bytes,
    unseal,
    write_seal,
)

OPENAI, XAI = ProviderId("openai"), ProviderId("x-ai")
WORDS = st.text(st.characters(codec="utf-8"), max_size=40)


def thought(seal: Seal, **given: Any) -> dict[str, Any]:
    return {"type": "reasoning", "summary": [], "encrypted_content": write_seal(seal), **given}


@given(
    st.builds(
        Seal,
        provider=st.from_regex(r"[A-Za-z0-9_.-]{1,64}", fullmatch=True).map(ProviderId),
        content=WORDS,
        id=WORDS,
        format=WORDS,
        signature=WORDS,
    )
)
def test_what_was_sealed_comes_out_to_the_byte(seal: Seal) -> None:
    assert read_seal(write_seal(seal)) == seal


def test_the_provider_gets_its_own_item_back_though_the_client_lost_most_of_it() -> None:
    seal = Seal(provider=OPENAI, content="gAAAA.b/c+d==", id="rs_1", format="openai-responses-v1")
    assert unseal(thought(seal, id="rs_ours")) == {
        "type": "reasoning",
        "summary": [],
        "id": "rs_1",
        "encrypted_content": "gAAAA.b/c+d==",
        "format": "openai-responses-v1",
    }
    # Codex keeps no id of a reasoning item.
    assert unseal(thought(seal)) == unseal(thought(seal, id="rs_ours"))


def test_a_signature_alone_is_sealed_too() -> None:
    seal = Seal(provider=ProviderId("anthropic"), signature="EvcB", format="anthropic-claude-v1")
    assert unseal(thought(seal, id="rs_ours")) == {
        "type": "reasoning",
        "summary": [],
        "id": "rs_ours",
        "signature": "EvcB",
        "format": "anthropic-claude-v1",
    }


def _tag(head: bytes, rest: str = ".content") -> str:
    return f"{TAG}.{base64.urlsafe_b64encode(head).decode().rstrip('=')}{rest}"


@pytest.mark.parametrize(
    "text",
    [
        None,
        7,
        "",
        "gAAAAABm",
        TAG,
        f"{TAG}.",
        f"{TAG}..",
        f"{TAG}.a.b",
        f"{TAG}.é.b",
        _tag(b"[]"),
        _tag(b"{}"),
        _tag(b'{"provider": 7}'),
        _tag(b'{"provider": "\xff"}'),
        _tag(b'{"provider": "open ai"}'),
        _tag(b'{"provider": "openai\\n"}'),
        _tag(b'{"provider": "' + b"x" * 65 + b'"}'),
        _tag(b'{"provider": "openai"}', rest=""),
        "astrolabe2." + _tag(b'{"provider": "openai"}'),
    ],
)
def test_what_is_no_tag_of_ours_passes_and_pins_nobody(text: object) -> None:
    item = {"type": "reasoning", "id": "rs_1", "encrypted_content": text}
    assert read_seal(text) is None
    assert unseal(item) is item
    assert reader_of_input([item]) is None


@pytest.mark.parametrize("item", [None, "words", 7, [], {"type": "message"}])
def test_items_of_any_other_kind_are_left_alone(item: object) -> None:
    assert unseal(item) is item
    assert reader_of_input([item]) is None


def test_an_input_is_read_by_whoever_made_its_reasoning() -> None:
    first, again = Seal(provider=OPENAI, content="a"), Seal(provider=OPENAI, content="b")
    items = [{"role": "user", "content": "hi"}, thought(first), thought(again)]
    assert reader_of_input(items) == "openai"
    assert reader_of_input("hello") is None


def test_reasoning_of_two_providers_is_refused_by_name() -> None:
    mixed = [thought(Seal(provider=OPENAI, content="a")), thought(Seal(provider=XAI, content="b"))]
    refusal = reader_of_input(mixed)
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.param) == (Code.INVALID_REQUEST, "input[1].encrypted_content")
    assert "only openai can read" in refusal.message
    assert "only x-ai can read" in refusal.message


@pytest.mark.parametrize(("name", "provider"), FORMATS.items())
def test_a_format_tells_the_provider_of_what_is_sealed(name: str, provider: str) -> None:
    for key in ("data", "signature"):
        detail = {"type": "reasoning.text", "format": name, key: "abc"}
        message = {"role": "assistant", "content": "", "reasoning_details": [detail]}
        assert reader_of_messages([{"role": "user", "content": "hi"}, message]) == provider
    item = {"type": "reasoning", "format": name, "encrypted_content": "abc"}
    assert reader_of_input([item]) == provider


@pytest.mark.parametrize(
    "detail",
    [
        {"type": "reasoning.text", "text": "in the open", "format": "openai-responses-v1"},
        {"type": "reasoning.text", "signature": "", "format": "openai-responses-v1"},
        {"type": "reasoning.encrypted", "data": "abc", "format": "unknown"},
        {"type": "reasoning.encrypted", "data": "abc", "format": None},
        {"type": "reasoning.encrypted", "data": "abc"},
        "words",
    ],
)
def test_what_anybody_can_read_or_nobody_knows_pins_nobody(detail: object) -> None:
    assert reader_of_messages([{"role": "assistant", "reasoning_details": [detail]}]) is None
    assert reader_of_messages([{"role": "assistant", "reasoning_details": None}, None]) is None


def test_a_chat_of_two_providers_is_refused_by_name() -> None:
    claude = {"type": "reasoning.text", "signature": "a", "format": "anthropic-claude-v1"}
    gemini = {"type": "reasoning.encrypted", "data": "b", "format": "google-gemini-v1"}
    refusal = reader_of_messages([{"reasoning_details": [claude, gemini]}])
    assert isinstance(refusal, Refusal)
    assert refusal.param == "messages[0].reasoning_details[1]"


def test_what_is_sealed_has_a_size_in_bytes() -> None:
    assert sealed_bytes({"encrypted_content": "abcd", "signature": "é", "data": None}) == 6
    assert sealed_bytes({"data": "ab"}) == 2
    assert sealed_bytes({"summary": []}) == 0
