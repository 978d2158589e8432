from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from openai.types.chat.chat_completion import ChoiceLogprobs
from openai.types.responses.response_output_text import Logprob

from astrolabe_http.wire.logprobs import chat_logprobs, responses_logprobs
from tests.http.wire.test_requests import JSON

TOKEN: dict[str, Any] = {"token": "ä", "logprob": -0.25}
SPELT = {**TOKEN, "bytes": [195, 164]}
FULL = {**SPELT, "top_logprobs": []}


@pytest.mark.parametrize("found", [None, {}, {"content": None}, {"content": []}, "no", [TOKEN]])
def test_where_there_are_none_chat_says_null(found: object) -> None:
    assert chat_logprobs(found) is None


def test_every_token_is_told_whole() -> None:
    assert chat_logprobs({"content": [TOKEN]}) == {"content": [FULL], "refusal": None}
    assert chat_logprobs({"refusal": [FULL], "content": None}) == {
        "content": None,
        "refusal": [FULL],
    }
    with_others = {**TOKEN, "top_logprobs": [TOKEN, {"token": "b"}, "c"]}
    assert responses_logprobs([with_others]) == [{**FULL, "top_logprobs": [SPELT]}]
    assert responses_logprobs([{**TOKEN, "bytes": [1]}, {"token": 7}, None]) == [
        {**FULL, "bytes": [1]}
    ]


@given(JSON)
def test_typed_clients_can_read_whatever_is_told(found: Any) -> None:
    chat = chat_logprobs({"content": [found, TOKEN], "refusal": found})
    assert ChoiceLogprobs.model_validate(chat).content
    for token in responses_logprobs([TOKEN, {**TOKEN, "top_logprobs": [found]}]):
        Logprob.model_validate(token)
