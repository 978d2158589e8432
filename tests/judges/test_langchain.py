"""langchain-tests judges ChatOpenAI over Chat and over Responses through the gateway.

Every property that the gateway can honour is switched on. What the suite fetches from the web
(a picture, a document) is given to it here: the machine has no web.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, ClassVar, Final, Literal

import httpx
import openai
import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_openai import ChatOpenAI
from langchain_tests.integration_tests import ChatModelIntegrationTests, chat_models

from tests.judges.conftest import BREAKS, NAMED, Provider, Target

# Fetched by the suite, opened by nobody: the simulator counts pictures and documents.
Known = Literal[
    "audio_input", "audio_output", "reasoning_output", "cache_read_input", "cache_creation_input"
]
FETCHED: Final = b"\x89PNG\r\n\x1a\n and so on"
AT_ONCE: Final = httpx.Limits(max_keepalive_connections=0)
LONG: Final = "Remember this. " * 400


@pytest.fixture
def benchmark() -> None:
    """Of the suite's own plugins; its one test that asks for it skips itself."""


@pytest.fixture
def vcr() -> None:
    """As `benchmark`."""


@pytest.mark.anyio
# Their own advice to those who write against OpenAI, and a serializer's about their own object.
@pytest.mark.filterwarnings("ignore:OpenAI may require a filename:UserWarning")
@pytest.mark.filterwarnings("ignore:Received a Pydantic BaseModel V1 schema:UserWarning")
@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings:UserWarning")
class Judged(ChatModelIntegrationTests):
    """What both APIs have in common."""

    target: Target
    settings: ClassVar[dict[str, Any]] = {}
    exempt: ClassVar = {
        "test_audio_inputs": "no model of the shipped catalog hears",
        "test_stream_time": "replays recordings of OpenAI's API against a clock",
    }

    @pytest.fixture(autouse=True)
    def point(self, target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
        self.target = target
        fetched = SimpleNamespace(get=lambda *_, **__: SimpleNamespace(content=FETCHED))
        monkeypatch.setattr(chat_models, "httpx", fetched)

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatOpenAI

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {
            "base_url": self.target.url,
            "api_key": self.target.key,
            "model": self.target.model,
            "max_retries": 0,
            # Its own client is kept for the whole process, while each test here has its own loop.
            "http_client": httpx.Client(limits=AT_ONCE),
            "http_async_client": httpx.AsyncClient(limits=AT_ONCE),
            **self.settings,
        }

    @property
    def model_override_value(self) -> str:
        return NAMED

    @property
    def supports_json_mode(self) -> bool:
        return True

    @property
    def supports_image_inputs(self) -> bool:
        return True

    @property
    def supports_image_urls(self) -> bool:
        return True

    @property
    def supports_pdf_inputs(self) -> bool:
        return True

    @property
    def supports_image_tool_message(self) -> bool:
        return True

    @property
    def supports_pdf_tool_message(self) -> bool:
        return True

    @property
    def supports_anthropic_inputs(self) -> bool:
        return True

    @property
    def supported_usage_metadata_details(self) -> dict[Literal["invoke", "stream"], list[Known]]:
        known: list[Known] = ["reasoning_output", "cache_read_input", "cache_creation_input"]
        return {"invoke": known, "stream": known}

    def invoke_with_reasoning_output(self, *, stream: bool = False) -> AIMessage:
        return self.say("Think.", stream=stream, reasoning_effort="low")

    def invoke_with_cache_read_input(self, *, stream: bool = False) -> AIMessage:
        self.say(LONG, stream=False)
        return self.say(LONG, stream=stream)

    def invoke_with_cache_creation_input(self, *, stream: bool = False) -> AIMessage:
        return self.say(LONG, stream=stream)

    def say(self, text: str, *, stream: bool, **settings: Any) -> AIMessage:
        """Ask once, and give the whole answer."""
        model = ChatOpenAI(**{**self.chat_model_params, "stream_usage": True, **settings})
        if not stream:
            return model.invoke(text)
        whole: AIMessageChunk | None = None
        for chunk in model.stream(text):
            whole = chunk if whole is None else whole + chunk
        assert whole is not None
        return whole


class TestChat(Judged):
    """`POST /v1/chat/completions`."""

    settings: ClassVar = {"stream_usage": True}


class TestResponses(Judged):
    """`POST /v1/responses`."""

    settings: ClassVar = {"use_responses_api": True}


@pytest.mark.parametrize("responses", [False, True], ids=["chat", "responses"])
@pytest.mark.parametrize("fault", BREAKS)
def test_a_stream_that_breaks_raises(
    target: Target, provider: Provider, fault: str, responses: bool
) -> None:
    provider.order(fault)
    model = ChatOpenAI(
        base_url=target.url,
        api_key=target.key,  # type: ignore[arg-type]
        model=target.model,
        max_retries=0,
        use_responses_api=responses,
        http_client=httpx.Client(limits=AT_ONCE),
    )
    with pytest.raises(openai.APIError, match="the provider"):
        for _ in model.stream("Hello"):
            pass
