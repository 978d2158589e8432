"""Every form in which a plain server was seen to complain means what it means."""

from __future__ import annotations

import pytest

from astrolabe_core.answers import FaultKind
from astrolabe_http.complaints import Recorded, Said, plain, read
from astrolabe_http.failures import classify

LLAMA_CPP = "llama.cpp #15780, textgen #7257"

RECORDED: tuple[tuple[FaultKind, Recorded], ...] = (
    (
        FaultKind.CONTEXT_LENGTH,
        Recorded(
            status=400,
            body={
                "object": "error",
                "message": "This model's maximum context length is 16384 tokens. However, you "
                "requested 122946 tokens (112946 in the messages, 10000 in the completion). "
                "Please reduce the length of the messages or completion.",
                "type": "BadRequestError",
                "param": None,
                "code": 400,
            },
            source="vLLM before 0.10; vllm #20409",
        ),
    ),
    (
        FaultKind.CONTEXT_LENGTH,
        Recorded(
            status=400,
            body={
                "error": {
                    "message": "'max_tokens' or 'max_completion_tokens' is too large: 8192. This "
                    "model's maximum context length is 8192 tokens and your request has 1210 "
                    "input tokens (8192 > 8192 - 1210).",
                    "type": "BadRequestError",
                    "param": None,
                    "code": 400,
                }
            },
            source="vLLM 0.11; MinerU #4868",
        ),
    ),
    (
        FaultKind.CONTEXT_LENGTH,
        Recorded(
            status=400,
            body={
                "error": {
                    "code": 400,
                    "message": "request (25837 tokens) exceeds the available context size (25088 "
                    "tokens), try increasing it",
                    "type": "exceed_context_size_error",
                    "n_prompt_tokens": 25837,
                    "n_ctx": 25088,
                }
            },
            source=LLAMA_CPP,
        ),
    ),
    (
        # It was seen with 500 in the body, and with no status but 200 around it.
        FaultKind.CONTEXT_LENGTH,
        Recorded(
            status=200,
            body={
                "error": {
                    "code": 500,
                    "message": "the request exceeds the available context size. try increasing the "
                    "context size or enable context shift",
                    "type": "exceed_context_size_error",
                    "n_prompt_tokens": 1407,
                    "n_ctx": 256,
                }
            },
            source=LLAMA_CPP,
        ),
    ),
    (
        FaultKind.PROVIDER_ERROR,
        Recorded(
            status=503,
            body={"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}},
            source="llama.cpp, while it starts",
        ),
    ),
    (
        FaultKind.AUTH,
        Recorded(
            status=401,
            body={
                "error": {
                    "code": 401,
                    "message": "Invalid API Key",
                    "type": "authentication_error",
                }
            },
            source="llama.cpp --api-key",
        ),
    ),
    (
        FaultKind.PROVIDER_ERROR,
        Recorded(
            status=404,
            body={"error": 'model "claude-3-5-sonnet-latest" not found, try pulling it first'},
            source="Ollama's own form; bolt.diy #434",
        ),
    ),
    (
        FaultKind.PROVIDER_ERROR,
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
    ),
    (
        FaultKind.PROVIDER_ERROR,
        Recorded(status=404, body={"detail": "Not Found"}, source="FastAPI: no such route"),
    ),
    (
        FaultKind.REJECTED,
        Recorded(
            status=422,
            body={"detail": [{"loc": ["body", "n"], "msg": "too many", "type": "value_error"}]},
            source="FastAPI: a body that is not valid",
        ),
    ),
    (
        FaultKind.CONTEXT_LENGTH,
        Recorded(
            status=422,
            body={"error": "prompt is too long", "error_type": "validation"},
            source="a text with its type beside it, as TGI has it",
        ),
    ),
    (
        FaultKind.PROVIDER_ERROR,
        Recorded(
            status=None,
            body={"error": {"message": "internal", "type": "InternalServerError", "code": 500}},
            source="vLLM, in a stream",
        ),
    ),
)


@pytest.mark.parametrize(("kind", "recorded"), RECORDED)
def test_a_recorded_complaint_is_understood(kind: FaultKind, recorded: Recorded) -> None:
    assert classify(recorded.status, recorded.body).kind is kind


def test_an_error_without_its_envelope_is_read_like_one_with() -> None:
    error = {"message": "Too MANY", "type": "BadRequestError", "code": 400}
    within = read(200, {"error": error})
    assert read(200, {"object": "error", **error}) == within
    assert read(200, [{"error": error}]) == within
    assert read(200, {"errors": [error]}) == within
    types = frozenset({"badrequesterror"})
    assert within == Said(status=400, types=types, deep=types, message="too many")


def test_a_text_is_a_message_and_its_type_stands_beside_it() -> None:
    said = read(422, {"error": "No", "error_type": "validation"})
    types = frozenset({"validation"})
    assert said == Said(status=422, types=types, deep=types, message="no")
    assert read(404, {"detail": "Not Found"}).message == "not found"


def test_a_type_is_known_in_any_spelling() -> None:
    spelled = ("rate_limit_error", "RateLimitError", "rate-limit-error", "RATE_LIMIT_ERROR")
    assert {plain(each) for each in spelled} == {"ratelimiterror"}


@pytest.mark.parametrize(
    "raw",
    [
        '{"error": {"code": "slow", "message": "Wait"}}',
        {"error": {"code": "slow", "message": "Wait"}},
        {"__kind": "OK", "data": '{"error": {"code": "slow", "message": "Wait"}}'},
    ],
)
def test_what_a_proxys_host_said_is_heard_and_told_apart(raw: object) -> None:
    said = read(502, {"error": {"message": "Failed", "code": 502, "metadata": {"raw": raw}}})
    assert (said.types, said.deep) == (frozenset(), frozenset({"slow"}))
    assert said.message == "failed wait"


def test_what_a_host_said_in_words_is_heard_as_words() -> None:
    error = {"message": "Failed", "metadata": {"raw": "error code: 1015"}}
    assert read(429, {"error": error}).message == "failed error code: 1015"


def test_no_more_is_heard_than_is_sensible() -> None:
    assert len(read(400, {"error": {"message": "x" * 100_000}}).message) == 4_000


@pytest.mark.parametrize("body", [None, [], "text", 7, [1, 2]])
def test_what_is_no_object_cannot_be_read(body: object) -> None:
    assert read(502, body) == Said(status=502, readable=False)


@pytest.mark.parametrize("body", [{}, {"detail": []}, {"object": "list"}, {"error": None}])
def test_an_object_that_says_nothing_says_nothing(body: object) -> None:
    assert read(502, body) == Said(status=502)
