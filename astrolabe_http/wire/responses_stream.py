"""What does a stream of Responses events amount to, and how is it handed on?

The reader folds the provider's events into an answer; the writer gives OpenAI's events with ids
and numbers of our own: created, in_progress, items in order, one terminal event. That one waits
for `finish`, since only then is the answer verified and paid for. A stream that broke ends in
an `error` event, flat and nested, and `response.failed`: each is the only one that some client
understands.
"""

from typing import Final

from attrs import evolve

from astrolabe_core.answers import NO_RECEIPT, Answer, Fault, FaultKind, Receipt
from astrolabe_core.codes import Refusal
from astrolabe_core.messages import Served
from astrolabe_core.requests import Request
from astrolabe_core.units import ModelId, RequestId
from astrolabe_http.errors import error_object
from astrolabe_http.failures import classify
from astrolabe_http.sse import event_frame
from astrolabe_http.wire.fields import Object, object_of, text_of
from astrolabe_http.wire.responses_answer import (
    CROWDED,
    REASONS,
    ended_body,
    failed_body,
    items_of,
    read_fault,
    read_receipt,
    response_body,
    summed_up,
)
from astrolabe_http.wire.responses_items import DELTAS, ENDINGS, Emitted, Items

BROKEN_OFF: Final = Fault(
    kind=FaultKind.PROVIDER_ERROR, message="the provider's answer broke off before its end"
)


class StreamReader:
    """Folds events into an answer."""

    def __init__(self, *, choices: int = 1) -> None:
        # Responses knows one choice; the argument is there so that both readers are made alike.
        self.choices = choices
        self.receipt: Receipt = NO_RECEIPT
        self._items = Items("0")
        self._ended: Object | None = None

    @property
    def content(self) -> bool:
        """Whether anything was said: text, reasoning, a refusal, a call."""
        return self._items.spoken

    @property
    def called(self) -> bool:
        """Whether a call was begun."""
        return self._items.called

    @property
    def over(self) -> bool:
        """Whether there was a terminal event."""
        return self._ended is not None

    def feed(self, event: Object) -> Fault | None:
        """Take one event; an error, or a response that failed, is a fault."""
        kind = text_of(event.get("type"))
        if kind in DELTAS:
            # Of most streams nearly all is this.
            self._items.feed(event)
            return evolve(CROWDED, receipt=self.receipt) if self._items.crowded else None
        response = object_of(event.get("response"))
        if response:
            self.receipt = read_receipt(self.receipt, response)
        if kind in {"error", "response.error"} or (not kind and event.get("error")):
            return evolve(_read_error(event), receipt=self.receipt)
        if kind == "response.failed":
            failed = read_fault({**response, "status": "failed"})
            return evolve(failed or BROKEN_OFF, receipt=self.receipt)
        if kind in ENDINGS:
            fault = read_fault(response)
            if fault is not None:
                return evolve(fault, receipt=self.receipt)
            if self._ended is None:
                self._ended = {**response, "status": kind.removeprefix("response.")}
        self._items.feed(event)
        return evolve(CROWDED, receipt=self.receipt) if self._items.crowded else None

    def answer(self) -> Answer | Fault:
        """Give the whole, once the stream has ended; one that was cut short is a fault."""
        if self._ended is None:
            return evolve(BROKEN_OFF, receipt=self.receipt)
        return summed_up(self._items.made, self._ended, self.receipt, None)


def _read_error(event: Object) -> Fault:
    """Read an error event in either form: nested, or flat with an `error_type` as its code."""
    nested = object_of(event.get("error"))
    if nested:
        return classify(None, {"error": dict(nested)})
    flat: dict[str, object] = {"code": event.get("code"), "message": event.get("message")}
    if isinstance(event.get("code"), str):
        flat["metadata"] = {"error_type": event["code"]}
    return classify(None, {"error": flat})


class StreamWriter:
    """Turns the provider's events into frames for the caller."""

    def __init__(self, request: Request, model: ModelId, id: RequestId) -> None:  # noqa: A002
        self._id = id
        self._request = request
        self._model = model
        self._items = items_of(request, model)
        self._number = 0
        self._closing = b""
        self.stored = False

    def feed(self, event: Object) -> bytes:
        """Give the frames of one event, all but the terminal ones."""
        told = self._items.feed(event)
        if self._number and len(told) == 1:
            return self._frame(*told[0])
        begun = self._begin() if told or event.get("type") == "response.created" else b""
        return begun + self._frames(told)

    def conclude(self, served: Served) -> dict[str, object]:
        """Close what is open, and give the response as `finish` tells it."""
        completed = served.answer.finish not in REASONS
        self._closing += self._begin() + self._frames(self._items.close(completed=completed))
        return {
            **ended_body(self._request, self._model, self._output(), served),
            "store": self.stored,
        }

    def finish(self, served: Served) -> bytes:
        """End: completed, or incomplete and why."""
        response = self.conclude(served)
        ended = self._frame(f"response.{response['status']}", {"response": response})
        return self._closing + ended

    def fail(self, refusal: Refusal) -> bytes:
        """Say that the answer is lost, in both ways that clients understand."""
        error = error_object(refusal, self._id)
        flat = {key: error[key] for key in ("code", "message", "param")}
        response = failed_body(self._request, self._model, self._output(), refusal)
        return (
            self._begin()
            + self._frame("error", {**flat, "error": error})
            + self._frame("response.failed", {"response": response})
        )

    def _output(self) -> list[dict[str, object]]:
        return [item.json() for item in self._items.made]

    def _begin(self) -> bytes:
        if self._number:
            return b""
        response = {
            **response_body(self._request, self._model, "in_progress", []),
            "store": self.stored,
        }
        return self._frame("response.created", {"response": response}) + self._frame(
            "response.in_progress", {"response": response}
        )

    def _frames(self, told: list[Emitted]) -> bytes:
        return b"".join([self._frame(kind, fields) for kind, fields in told])

    def _frame(self, kind: str, fields: dict[str, object]) -> bytes:
        number = self._number
        self._number += 1
        return event_frame(kind, number, fields)
