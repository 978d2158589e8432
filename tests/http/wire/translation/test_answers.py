"""An answer is the same answer in the other format: read there it says what it said here."""

from __future__ import annotations

import pytest
from attrs import evolve
from hypothesis import event, given, settings

from astrolabe_core.answers import Answer, Fault, FaultKind, Finish
from astrolabe_core.requests import Surface
from astrolabe_http.wire import WIRES
from astrolabe_http.wire.translation.answers import chat_answer, responses_answer
from tests.http.wire.translation.any_answer import (
    CITED,
    USAGE,
    chat_answers,
    responses_answers,
    token,
)
from tests.http.wire.translation.any_said import Body

CHAT, RESPONSES = WIRES[Surface.CHAT], WIRES[Surface.RESPONSES]


def only(made: Body, key: str) -> Body:
    """Give the one choice or item of an answer."""
    (one,) = made[key]
    found: Body = one
    return found


def read(surface: Surface, payload: object) -> Answer | Fault:
    assert isinstance(payload, dict)
    return WIRES[surface].read_answer(payload)


def known(answer: Answer | Fault) -> Answer:
    """Put the texts of choices and items together: one format counts them, the other does not."""
    assert isinstance(answer, Answer)
    # Who calls tools has stopped for that, whatever the provider says.
    finish = answer.finish
    if answer.tool_calls and finish is Finish.STOP:
        finish = Finish.TOOL_CALLS
    if not answer.tool_calls and finish is Finish.TOOL_CALLS:
        finish = Finish.STOP
    return evolve(answer, finish=finish, texts=(answer.text,), payload=None)


@settings(max_examples=200)
@given(chat_answers())
def test_a_chat_answer_reads_the_same_as_a_response(answer: Body) -> None:
    event(answer["choices"][0]["finish_reason"])
    there = responses_answer(answer)
    assert known(read(Surface.RESPONSES, there)) == known(read(Surface.CHAT, answer))


@settings(max_examples=200)
@given(responses_answers())
def test_a_response_reads_the_same_as_a_chat_answer(answer: Body) -> None:
    event(f"{len(answer['output'])} items")
    there = chat_answer(answer)
    assert known(read(Surface.CHAT, there)) == known(read(Surface.RESPONSES, answer))


@settings(max_examples=200)
@given(chat_answers())
def test_a_chat_answer_comes_back_as_it_went(answer: Body) -> None:
    (choice,) = answer["choices"]
    back = only(chat_answer(responses_answer(answer)), "choices")
    assert back.get("logprobs") == choice.get("logprobs")
    said, again = choice["message"], back["message"]
    if not said.get("reasoning"):
        said.pop("reasoning", None)
    assert again == said


@given(responses_answers())
def test_a_response_comes_back_with_all_that_it_said(answer: Body) -> None:
    def told(output: list[Body]) -> Body:
        parts = [part for item in output for part in item.get("content", [])]
        return {
            "words": "".join(part["text"] for part in parts if part["type"] == "output_text"),
            "refused": "".join(part.get("refusal", "") for part in parts),
            "cited": [each for part in parts for each in part.get("annotations", [])],
            "tokens": [each for part in parts for each in part.get("logprobs", [])],
            "thoughts": [part["text"] for part in parts if part["type"] == "reasoning_text"],
            "summaries": [part["text"] for item in output for part in item.get("summary", [])],
            "sealed": [
                (item["id"], item["encrypted_content"])
                for item in output
                if "encrypted_content" in item
            ],
            "calls": [
                (item["call_id"], item["name"], item["arguments"])
                for item in output
                if item["type"] == "function_call"
            ],
        }

    back = responses_answer(chat_answer(answer))
    assert isinstance(back["output"], list)
    assert told(back["output"]) == told(answer["output"])


# --- examples --------------------------------------------------------------------------------


def chat_body(message: Body, finish: object = "stop", **more: object) -> Body:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
    return {"id": "gen-1", "model": "a/b", "choices": [choice], "usage": USAGE, **more}


def test_everything_at_once_has_its_item() -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    sealed = {"type": "reasoning.encrypted", "data": "xyz", "id": "rs_1", "index": 1}
    thought = {"type": "reasoning.summary", "summary": "hm", "id": "rs_1", "index": 0}
    message = {
        "content": "Here.",
        "reasoning": "hm",
        "reasoning_details": [thought, sealed],
        "annotations": [{"type": "url_citation", "url_citation": CITED}],
        "tool_calls": [call],
    }
    made = responses_answer(chat_body(message, "tool_calls"))
    assert made["status"] == "completed"
    assert made["output"] == [
        {
            "id": "rs_1",
            "type": "reasoning",
            "summary": [{"type": "summary_text", "text": "hm"}],
            "encrypted_content": "xyz",
        },
        {
            "id": "msg_0_1",
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [
                {
                    "type": "output_text",
                    "text": "Here.",
                    "annotations": [{"type": "url_citation", **CITED}],
                    "logprobs": [],
                }
            ],
        },
        {
            "id": "fc_0_2",
            "type": "function_call",
            "call_id": "call_1",
            "name": "f",
            "arguments": "{}",
            "status": "completed",
        },
    ]
    assert made["usage"] == {
        "input_tokens": 10,
        "output_tokens": 4,
        "total_tokens": 14,
        "input_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 1},
        "output_tokens_details": {"reasoning_tokens": 2},
        "cost": 0.000007,
    }


@pytest.mark.parametrize(
    ("finish", "status", "reason"),
    [
        ("stop", "completed", None),
        ("tool_calls", "completed", None),
        ("function_call", "completed", None),
        ("length", "incomplete", "max_output_tokens"),
        ("content_filter", "incomplete", "content_filter"),
        ("new", "incomplete", None),
    ],
)
def test_a_finish_reason_is_a_status(finish: str, status: str, reason: str | None) -> None:
    made = responses_answer(chat_body({"content": "a"}, finish))
    assert made["status"] == status
    details = None if status == "completed" else {"reason": reason}
    assert made["incomplete_details"] == details
    answer, direct = read(Surface.RESPONSES, made), read(Surface.CHAT, chat_body({}, finish))
    assert isinstance(answer, Answer)
    assert isinstance(direct, Answer)
    if finish not in {"tool_calls", "function_call"}:
        assert answer.finish is direct.finish


@pytest.mark.parametrize("finish", [None, ""])
def test_an_answer_that_does_not_say_that_it_ended_has_not(finish: object) -> None:
    answer = read(Surface.RESPONSES, responses_answer(chat_body({"content": "a"}, finish)))
    assert isinstance(answer, Answer)
    assert answer.finish is Finish.UNKNOWN
    assert answer.text == "a"
    for status in ("in_progress", "new", None):
        body: Body = {"status": status, "output": [], "usage": None}
        answer = read(Surface.CHAT, chat_answer(body))
        assert isinstance(answer, Answer)
        assert answer.finish is Finish.UNKNOWN


def test_an_incomplete_response_nobody_knows_why_has_no_known_finish() -> None:
    choice = only(chat_answer({"status": "incomplete", "output": []}), "choices")
    assert choice["finish_reason"] == "incomplete"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"code": 429, "message": "x"}, FaultKind.RATE_LIMITED),
        ({"code": "429", "message": "x"}, FaultKind.RATE_LIMITED),
        (
            {"code": 400, "message": "x", "metadata": {"error_type": "context_length_exceeded"}},
            FaultKind.CONTEXT_LENGTH,
        ),
        ({"code": 502, "message": "x"}, FaultKind.PROVIDER_ERROR),
        ("a text", FaultKind.PROVIDER_ERROR),
    ],
)
def test_an_error_of_chat_is_the_same_fault_as_a_response(error: object, kind: FaultKind) -> None:
    for body in (
        {"error": error},
        {"choices": [{"index": 0, "error": error}]},
        {"choices": [{"index": 0, "finish_reason": "error"}], "error": error},
    ):
        fault = read(Surface.RESPONSES, responses_answer({**body, "usage": USAGE}))
        assert isinstance(fault, Fault)
        assert fault.kind is kind


def test_a_choice_that_broke_off_is_a_fault() -> None:
    fault = read(Surface.RESPONSES, responses_answer(chat_body({"content": "a"}, "error")))
    assert isinstance(fault, Fault)


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        ({"status": "failed", "error": {"code": "rate_limit_exceeded"}}, FaultKind.RATE_LIMITED),
        (
            {"status": "failed", "error": {"code": "server_error"}, "error_type": "timeout"},
            FaultKind.TIMEOUT,
        ),
        ({"status": "failed", "error": None}, FaultKind.PROVIDER_ERROR),
        ({"status": "cancelled"}, FaultKind.PROVIDER_ERROR),
        ({"status": "completed", "error": {"code": "invalid_prompt"}}, FaultKind.REJECTED),
    ],
)
def test_a_failed_response_is_the_same_fault_as_chat(response: Body, kind: FaultKind) -> None:
    fault = read(Surface.CHAT, chat_answer({**response, "output": []}))
    assert isinstance(fault, Fault)
    assert fault.kind is kind
    direct = read(Surface.RESPONSES, {**response, "output": []})
    assert isinstance(direct, Fault)
    assert direct.kind is kind


@pytest.mark.parametrize("body", [{}, {"choices": []}, {"choices": [None]}, {"output": None}])
def test_what_is_no_answer_is_none_in_the_other_format(body: Body) -> None:
    assert isinstance(read(Surface.RESPONSES, responses_answer(body)), Fault)
    assert isinstance(read(Surface.CHAT, chat_answer(body)), Fault)


def test_of_several_choices_the_first_is_the_response() -> None:
    body = chat_body({"content": "a"})
    body["choices"].append({**body["choices"][0], "index": 1, "message": {"content": "b"}})
    answer = read(Surface.RESPONSES, responses_answer(body))
    assert isinstance(answer, Answer)
    assert answer.text == "a"


def test_a_token_without_bytes_has_those_of_its_text() -> None:
    """Typed clients want the list in Responses; in Chat it may be null."""
    body = chat_body({"content": "é"})
    bare = {"token": "é", "logprob": -1.0, "bytes": None}
    body["choices"][0]["logprobs"] = {"content": [{**bare, "top_logprobs": [bare]}]}
    item = only(responses_answer(body), "output")
    (found,) = item["content"][0]["logprobs"]
    assert found["bytes"] == found["top_logprobs"][0]["bytes"] == [195, 169]


def test_a_usage_that_is_none_is_none_in_the_other_format() -> None:
    """litellm #9812: what cannot be a count must not become one."""
    for wrong in ({"prompt_tokens": "10", "completion_tokens": 4}, {"prompt_tokens": 1.5}, None):
        body = chat_body({"content": "a"}, usage=wrong)
        answer = read(Surface.RESPONSES, responses_answer(body))
        assert isinstance(answer, Answer)
        assert answer.receipt.usage is None


def test_a_sealed_thought_is_signed_as_it_was() -> None:
    thought = {"type": "reasoning_text", "text": "a"}
    item = {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [],
        "content": [thought],
        "signature": "s",
        "format": "anthropic-claude-v1",
        "encrypted_content": "x",
    }
    choice = only(chat_answer({"status": "completed", "output": [item]}), "choices")
    marks = {"id": "rs_1", "format": "anthropic-claude-v1"}
    assert choice["message"]["reasoning_details"] == [
        {"type": "reasoning.text", "text": "a", "index": 0, **marks, "signature": "s"},
        {"type": "reasoning.encrypted", "data": "x", "index": 1, **marks},
    ]
    assert token("a")["bytes"] == [97]
