"""What does the simulated provider keep, and how does it come to an answer?

`Provider` holds the models, the journal, the plan of faults and the prefix cache of one simulator.
`prepare` turns the bytes of a call into an `Exchange` (everything needed to deliver) or a
`Refusal`; it awaits nothing.
"""

import hashlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from email.utils import formatdate

import orjson

from astrolabe_http.simulator import chat, responses
from astrolabe_http.simulator.answers import Answer, Circumstances, answer
from astrolabe_http.simulator.asks import Ask
from astrolabe_http.simulator.chat_request import read_chat
from astrolabe_http.simulator.delivery import Holds
from astrolabe_http.simulator.errors import Refusal, refuse_request
from astrolabe_http.simulator.faults import FAULTS, Faults, UnknownFault, parse, split_model
from astrolabe_http.simulator.frames import Frame
from astrolabe_http.simulator.journal import CallRecord, Generation, Journal
from astrolabe_http.simulator.models import Bill, SimulatedModel, Tokens, bill, utc_clock
from astrolabe_http.simulator.plan import NO_FAULTS, Plan
from astrolabe_http.simulator.preferences import UNHONOURED, choose_host
from astrolabe_http.simulator.prefixes import PrefixCache
from astrolabe_http.simulator.responses_request import read_responses
from astrolabe_http.simulator.settings import SimulatorSettings
from astrolabe_http.simulator.text import TOKEN_BYTES


@dataclass(frozen=True, slots=True)
class Dialect:
    """One of the two APIs: how it reads, renders and complains."""

    read: Callable[[Mapping[str, object]], Ask | Refusal]
    body: Callable[[Ask, Answer, Faults], dict[str, object]]
    failure_body: Callable[[Ask, Answer, Refusal], dict[str, object]]
    frames: Callable[[Ask, Answer, Faults, int], list[Frame]]
    failure_frames: Callable[[Ask, Answer, Refusal, int], list[Frame]]
    complain: Callable[[Refusal], bytes] = Refusal.body


CHAT = Dialect(read_chat, chat.body, chat.failure_body, chat.frames, chat.failure_frames)
RESPONSES = Dialect(
    read_responses,
    responses.body,
    responses.failure_body,
    responses.frames,
    responses.failure_frames,
)


@dataclass(frozen=True, slots=True)
class Exchange:
    """A call that will be answered."""

    ask: Ask
    model: SimulatedModel
    answer: Answer
    faults: Faults


class Provider:
    """The state of one simulator."""

    def __init__(self, models: Sequence[SimulatedModel], settings: SimulatorSettings) -> None:
        self.settings = settings
        self.models = {model.id: model for model in models}
        self.holds = Holds()
        self.reset()

    def reset(self) -> None:
        """Be as new: forget calls, generations, rules, prefixes and what was spent."""
        self.journal = Journal(self.settings.journal_size)
        self.plan = Plan()
        self.prefixes = PrefixCache(self.settings.cached_tokens_min)
        self._salt = secrets.token_bytes(16)  # ids differ between two runs of the same second
        self.holds.release()

    def prepare(self, dialect: Dialect, record: CallRecord) -> Exchange | tuple[Refusal, Faults]:
        """Read the body, take the faults, compose the answer; a refusal keeps its faults."""
        body = _load(record.raw_body)
        if isinstance(body, Refusal):
            return body, NO_FAULTS
        ask = dialect.read(body)
        if isinstance(ask, Refusal):
            return ask, NO_FAULTS
        name, suffix = split_model(ask.model)
        faults, script = self._ordered(name, suffix, record.raw_body, ask.of)
        record.model, record.stream, record.of = name, ask.stream, ask.of
        if isinstance(faults, UnknownFault):
            known = ", ".join(kind.name for kind in FAULTS)
            return refuse_request(f"unknown fault {faults.text!r}; known: {known}"), NO_FAULTS
        record.fault = str(faults)
        model = self.models.get(name)
        refusal = _refuse_unserved(ask, model, name, faults)
        if refusal is not None or model is None:
            return refusal or _unknown_model(name), faults
        host = choose_host(model, ask.preferences, ask.parameters)
        if isinstance(host, Refusal):
            return host, faults
        record.host, record.generation_id = host, self._new_id()
        # A call that is refused at the door never reaches the prompt cache.
        cached = 0 if faults.refuse else self.prefixes.recall(ask, model.id)
        created = int(self.settings.clock())
        given = Circumstances(record.generation_id, created, host, cached, script)
        return Exchange(ask, model, answer(ask, model, faults, given), faults)

    def settle(
        self, record: CallRecord, exchange: Exchange, *, chunks: int, content_bytes: int
    ) -> None:
        """Bill a call by how it ended: whole, or as far as it got."""
        made = exchange.answer
        tokens, cost = _charged(record.outcome, exchange, chunks, content_bytes)
        record.chunks = chunks
        now = self.settings.clock()
        whole = record.outcome == "completed"
        self.journal.bill(
            record,
            Generation(
                id=made.id,
                model=made.model,
                host=made.host,
                created=made.created,
                ready_at=now + self.settings.generation_delay_ms / 1000,
                tokens=tokens,
                cost=cost,
                streamed=exchange.ask.stream,
                finish=made.finish if whole else None,
                native_finish=made.native_finish if whole else None,
                cancelled=record.outcome == "disconnected",
                latency_ms=int((now - record.at) * 1000),
            ),
        )

    def retry_after(self, faults: Faults) -> str | None:
        """The `retry-after` of a status fault, in the form asked for."""
        fault = faults.status()
        if fault is None or fault.word == "none" or not _retries(fault.name):
            return None
        seconds = fault.number if fault.given else self.settings.retry_after_s
        if fault.word == "date":
            return formatdate(self.settings.clock() + seconds, usegmt=True)
        return str(seconds)

    def _ordered(
        self, name: str, suffix: str, body: bytes, of: str
    ) -> tuple[Faults | UnknownFault, str | None]:
        if suffix:
            return parse(suffix), None
        rule = self.plan.take(name, body, of)
        return (NO_FAULTS, None) if rule is None else (rule.faults, rule.text)

    def _new_id(self) -> str:
        number = self.journal.received.to_bytes(8, "big")
        digest = hashlib.blake2b(number, digest_size=10, key=self._salt)
        return f"gen-{int(self.settings.clock())}-{digest.hexdigest()}"


def _load(raw: bytes) -> dict[str, object] | Refusal:
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return refuse_request("Invalid JSON body")
    return body if isinstance(body, dict) else refuse_request("Invalid input: expected an object")


def _retries(status: str) -> bool:
    return any(kind.name == status and kind.number is not None for kind in FAULTS)


def _unknown_model(name: str) -> Refusal:
    return refuse_request(f"{name} is not a valid model ID")


def _refuse_unserved(
    ask: Ask, model: SimulatedModel | None, name: str, faults: Faults
) -> Refusal | None:
    if model is None:
        return _unknown_model(name)
    asked = ask.prompt_tokens + (ask.output_max or 0)
    if asked > model.context_length or "context" in faults:
        return Refusal(
            400,
            f"This endpoint's maximum context length is {model.context_length} tokens. "
            f"However, you requested about {asked} tokens ({ask.prompt_tokens} of text input, "
            f"{ask.output_max or 0} in the output). Please reduce the length of either one.",
            "context_length_exceeded",
            {"provider_name": model.serving_hosts[0]},
        )
    if "parameters" in faults:
        return Refusal(404, UNHONOURED, "not_found")
    images = any(turn.images for turn in ask.turns)
    if images and "image" not in model.input_modalities:
        return Refusal(404, "No endpoints found that support image input", "not_found")
    if ask.tools and not model.supports_tools:
        return Refusal(404, "No endpoints found that support tool use.", "not_found")
    return None


def _charged(
    outcome: str, exchange: Exchange, chunks: int, content_bytes: int
) -> tuple[Tokens, Bill]:
    """The tokens and the price of what was written until the end; nothing written costs nothing."""
    whole = exchange.answer.tokens
    sent_as_one = not exchange.ask.stream and outcome in ("cut", "ended")
    bills_on = outcome == "disconnected" and "bills-on" in exchange.faults
    if outcome == "completed" or sent_as_one or bills_on:
        return whole, exchange.answer.bill
    if chunks == 0:
        return Tokens(whole.prompt, 0), Bill()
    completion = min(whole.completion, whole.reasoning + -(-content_bytes // TOKEN_BYTES))
    tokens = replace(whole, completion=completion)
    return tokens, bill(exchange.model, tokens, utc_clock(exchange.answer.created))
