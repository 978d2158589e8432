"""A model is shown its failed answer and what is wrong with it, in every format it is asked in."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from astrolabe_core import shipped
from astrolabe_core.messages import CallModel, Correction
from astrolabe_core.requests import Request, Surface
from astrolabe_core.units import Millis, Tokens
from astrolabe_http.simulator import SimulatorSettings
from astrolabe_http.simulator.catalog import from_catalog
from astrolabe_http.simulator.provider import CHAT, RESPONSES, Exchange, Provider
from astrolabe_http.wire import WIRES
from astrolabe_http.wire.correction import TEXT_CHARS_MAX, asked_again
from astrolabe_http.wire.translation import Upstream, passage_for
from tests.flow.world import NOW
from tests.http.wire.play import ID

Body = dict[str, Any]
FAILED = Correction(text='{"price":"9"}', flaws=("/price: is not a number", "lacks 'x'"))
TALK: Body = {
    "model": "openai/gpt-5.4-nano",
    "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Price?"}],
}
ITEMS: Body = {
    "model": "openai/gpt-5.4-nano",
    "instructions": "Be brief.",
    "input": [{"role": "user", "content": "Price?"}],
}


def sent(
    surface: Surface, body: Body, correction: Correction | None, upstream: Upstream | None = None
) -> Body:
    request = WIRES[surface].read_request(body, id=ID, at=NOW, stack_header=None)
    assert isinstance(request, Request)
    model = next(each for each in shipped.catalog().models if each.id == body["model"])
    command = CallModel(
        request=request,
        model=model,
        output_tokens_max=Tokens(100),
        layers=(),
        relayed=False,
        time_left_ms=Millis(1_000),
        correction=correction,
    )
    made = WIRES[surface].upstream_body(command, {})
    return passage_for(request, upstream or Upstream()).request(made, body)


def test_chat_has_the_failed_answer_and_the_flaws_behind_the_conversation() -> None:
    (*before, own, asked) = sent(Surface.CHAT, TALK, FAILED)["messages"]
    assert before == TALK["messages"]
    assert own == {"role": "assistant", "content": FAILED.text}
    assert asked["role"] == "user"
    assert "- /price: is not a number\n- lacks 'x'\n" in asked["content"]


@pytest.mark.parametrize("given", [ITEMS["input"], "Price?"], ids=["items", "a string"])
def test_responses_has_them_as_items(given: Any) -> None:
    (first, own, asked) = sent(Surface.RESPONSES, {**ITEMS, "input": given}, FAILED)["input"]
    assert first == {"type": "message", "role": "user", "content": "Price?"}
    assert own["role"] == "assistant"
    assert own["id"]
    assert own["content"] == [{"type": "output_text", "text": FAILED.text, "annotations": []}]
    assert asked == {"type": "message", "role": "user", "content": asked_again(FAILED)}


@pytest.mark.parametrize("plain", [False, True], ids=["openrouter", "plain"])
@pytest.mark.parametrize("surface", Surface)
def test_both_are_told_in_the_other_format_too(surface: Surface, *, plain: bool) -> None:
    other = Surface.CHAT if surface is Surface.RESPONSES else Surface.RESPONSES
    body = TALK if surface is Surface.CHAT else ITEMS
    upstream = Upstream(apis=frozenset({other}), plain=plain)
    made = sent(surface, body, FAILED, upstream)
    if other is Surface.CHAT:
        (*_, own, asked) = made["messages"]
        assert own == {"role": "assistant", "content": FAILED.text}
        assert asked == {"role": "user", "content": asked_again(FAILED)}
    else:
        (*_, own, asked) = made["input"]
        assert (own["role"], own["content"]) == ("assistant", FAILED.text)
        assert (asked["role"], asked["content"]) == ("user", asked_again(FAILED))


@pytest.mark.parametrize("surface", Surface)
def test_the_simulated_provider_takes_it(surface: Surface) -> None:
    provider = Provider(from_catalog(shipped.catalog()), SimulatorSettings())
    record = provider.journal.open(0.0, "POST", "/", [])
    record.raw_body = orjson.dumps(
        sent(surface, TALK if surface is Surface.CHAT else ITEMS, FAILED)
    )
    dialect = CHAT if surface is Surface.CHAT else RESPONSES
    assert isinstance(provider.prepare(dialect, record), Exchange)


@pytest.mark.parametrize("surface", Surface)
def test_without_a_correction_nothing_is_added(surface: Surface) -> None:
    if surface is Surface.CHAT:
        assert sent(surface, TALK, None)["messages"] == TALK["messages"]
    else:
        assert sent(surface, {**ITEMS, "input": "Price?"}, None)["input"] == "Price?"


def test_a_long_answer_is_shown_in_part() -> None:
    long = Correction(text="x" * 100_000, flaws=("is not JSON",))
    (*_, own, _) = sent(Surface.CHAT, TALK, long)["messages"]
    assert len(own["content"]) == TEXT_CHARS_MAX + 1
