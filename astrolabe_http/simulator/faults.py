"""Which faults can be asked for, and how is one written?

A fault is a word after the model, `vendor/model#429`, or in a rule of the control endpoint. Some
take a number or a word after a last hyphen: `cut-3`, `429-7`, `false-usage-text`. Several are
joined by `+`: `drip-50+cut-3`. `FAULTS` is the whole table: the page docs/simulator.md is checked
against it. "Chunk" means one frame that carries content: a piece of text, or of a tool call's
arguments. On JSON answers a fault of streams acts as its row says.
"""

from dataclasses import dataclass

from astrolabe_http.simulator.errors import STATUS_ERRORS


@dataclass(frozen=True, slots=True)
class FaultKind:
    """A row of the table. `number` is the default amount, or None where no number is taken."""

    name: str
    meaning: str
    wire: str
    number: int | None = None
    words: tuple[str, ...] = ()

    @property
    def forms(self) -> tuple[str, ...]:
        """Every way to write it; N stands for a number."""
        parameters = (*(() if self.number is None else ("N",)), *self.words)
        return (self.name, *(f"{self.name}-{parameter}" for parameter in parameters))


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault asked for. `number` is the row's default unless `given`."""

    name: str
    number: int = 0
    word: str = ""
    given: bool = False

    def __str__(self) -> str:
        parameter = self.word or (str(self.number) if self.given else "")
        return f"{self.name}-{parameter}" if parameter else self.name


@dataclass(frozen=True, slots=True)
class UnknownFault:
    """The text names no fault of the table."""

    text: str


@dataclass(frozen=True, slots=True)
class Faults:
    """All faults of one call."""

    items: tuple[Fault, ...] = ()

    def __contains__(self, name: str) -> bool:
        return any(fault.name == name for fault in self.items)

    def get(self, name: str) -> Fault | None:
        """The fault of that name, if it was asked for."""
        return next((fault for fault in self.items if fault.name == name), None)

    @property
    def refuse(self) -> bool:
        """Whether no answer is begun at all."""
        return any(fault.name in REFUSING_FAULTS for fault in self.items)

    def status(self) -> Fault | None:
        """The first fault that is a bare status."""
        return next((fault for fault in self.items if fault.name in STATUS_FAULTS), None)

    def __str__(self) -> str:
        return "+".join(str(fault) for fault in self.items)


def _status_kinds() -> tuple[FaultKind, ...]:
    return tuple(
        FaultKind(
            str(status),
            f"the provider refuses with {status}: {known.error_type}",
            f"status {status}, OpenRouter error body"
            + (
                ", `retry-after` (N seconds, an HTTP date, or left out)"
                if known.retry_after
                else ""
            ),
            *((1, ("date", "none")) if known.retry_after else ()),
        )
        for status, known in STATUS_ERRORS.items()
    )


STATUS_FAULTS = frozenset(str(status) for status in STATUS_ERRORS)
REFUSING_FAULTS = STATUS_FAULTS | {"context", "parameters", "no-code", "html", "reset"}
USAGE_LIES = ("negative", "absurd", "text", "null", "fraction", "sum", "cached")

FAULTS: tuple[FaultKind, ...] = (
    *_status_kinds(),
    FaultKind(
        "context",
        "the prompt is too long for the model",
        "status 400, `error_type` context_length_exceeded",
    ),
    FaultKind(
        "parameters",
        "no host honours all that the request asks for",
        "status 404, OpenRouter's words under `require_parameters`",
    ),
    FaultKind(
        "no-code", "an error without a code", 'status 500, body `{"error": {"message"}}` only'
    ),
    FaultKind("html", "a proxy in between answers", "status 502, an HTML page, `text/html`"),
    FaultKind(
        "reset", "the connection dies at once", "socket aborted before any byte of the answer"
    ),
    FaultKind(
        "error-200",
        "failure after the status was sent",
        "200, then the error: as body (Responses: `status` failed), or as the stream's first frame",
    ),
    FaultKind(
        "error-mid",
        "failure in the middle of the answer",
        "after N chunks an error frame (chat `error`, `response.failed`); JSON: as error-200",
        number=2,
    ),
    FaultKind(
        "cut",
        "the connection breaks in the middle",
        "socket closed after N chunks, body not ended; JSON: half of the announced body",
        number=2,
    ),
    FaultKind(
        "end",
        "the answer stops but looks orderly",
        "closed cleanly after N chunks: no finish, usage, `[DONE]`; JSON: half a body, well framed",
        number=2,
    ),
    FaultKind("no-done", "the last line is missing", "everything but `[DONE]`; JSON: no effect"),
    FaultKind(
        "stall",
        "silence",
        "nothing more after N chunks (0: not even headers), until released",
        number=0,
    ),
    FaultKind(
        "hold",
        "waits to be let go",
        "as stall, and after `POST /_control/release` the rest follows",
        number=0,
    ),
    FaultKind(
        "processing",
        "alive, but without content",
        "headers, only comments for N ms (0: until released), then the answer; JSON: silence",
        number=0,
    ),
    FaultKind("delay", "slow to begin", "N ms without a byte, then the answer", number=100),
    FaultKind(
        "drip", "slow to finish", "N ms before every chunk; JSON: N ms before the body", number=50
    ),
    FaultKind("no-usage", "usage is missing", "no `usage` anywhere in the answer"),
    FaultKind(
        "double-usage",
        "usage is sent twice",
        "a running count on an early frame, the true one on the last; JSON: no effect",
    ),
    FaultKind(
        "false-usage",
        "usage cannot be true",
        "token counts negative (also without a word), 10^15, text, null or 1.5; "
        "a total that is not the sum; more cached than prompt",
        words=USAGE_LIES,
    ),
    FaultKind(
        "zero-cost", "the provider says it was free", "`usage.cost` 0 beside true token counts"
    ),
    FaultKind("no-cost", "the provider names no cost", "`usage` without `cost` and `cost_details`"),
    FaultKind(
        "bills-on",
        "leaving does not stop the meter",
        "`/generation` bills the whole answer after a cancel",
    ),
    FaultKind(
        "garbage",
        "frames that are no JSON",
        "a `data:` line of broken JSON after N chunks, then the rest; JSON: does not parse",
        number=1,
    ),
    FaultKind(
        "split",
        "packets end anywhere",
        "the stream's bytes in pieces of N, across lines and characters",
        number=7,
    ),
    FaultKind("crlf", "other line ends", "the stream's lines end in CRLF"),
    FaultKind(
        "separators",
        "odd characters",
        "the text holds U+2028, U+0085, a NUL escape, an emoji and CR LF",
    ),
    FaultKind(
        "unknown-events",
        "things nobody documented",
        "extra fields, frames and event types among the rest",
    ),
    FaultKind("refusal", "the model declines", "`message.refusal` / a refusal part, no content"),
    FaultKind("filtered", "a filter stops the answer", "half of the text, then content_filter"),
    FaultKind("empty", "nothing is said", "no content, zero completion tokens, cost 0"),
    FaultKind(
        "truncated", "the answer ends early", "half of the text or JSON, then length / incomplete"
    ),
    FaultKind(
        "bad-json", "JSON that does not parse", "the answer's JSON loses its end, finish stop"
    ),
    FaultKind("fenced-json", "JSON in a code fence", "```json … ``` around the JSON"),
    FaultKind("trailing-comma", "JSON with a comma too many", "a comma before the last bracket"),
    FaultKind("wrapped-json", "JSON inside a larger object", '`{"result": …}` around the value'),
    FaultKind("chatty-json", "JSON with words around it", "a sentence before and after the JSON"),
    FaultKind(
        "wrong-schema", "JSON of another shape", '`{"unexpected": true}`: parses, does not validate'
    ),
    FaultKind(
        "verdict",
        "a verifier's grade",
        "asked for an `astrolabe_verdict`: the score N, below 4 with `incorrect`; 5 with "
        "`manipulated`; one key more; in prose. Any other answer: no effect",
        number=1,
        words=("manipulated", "extra", "unreadable"),
    ),
    FaultKind("bad-arguments", "tool arguments that do not parse", "the arguments lose their end"),
    FaultKind("wrong-arguments", "tool arguments of another shape", '`{"unexpected": true}`'),
    FaultKind("unknown-tool", "a tool nobody offered", "the call names `not_a_tool`"),
    FaultKind(
        "many-calls", "the provider knows no `parallel_tool_calls`", "two calls where two fit"
    ),
    FaultKind("one-choice", "the provider knows no `n`", "one choice, however many were asked for"),
    FaultKind("no-tools", "the model talks instead of calling", "text although tools are offered"),
)

_KINDS = {kind.name: kind for kind in FAULTS}


def parse(text: str) -> Faults | UnknownFault:
    """Read `a+b-3`. An unknown name, or a parameter its row does not take, is an `UnknownFault`."""
    found: list[Fault] = []
    for part in text.split("+"):
        fault = _parse_one(part)
        if fault is None:
            return UnknownFault(part)
        found.append(fault)
    return Faults(tuple(found))


def split_model(model: str) -> tuple[str, str]:
    """Divide `vendor/model#fault` into the model's id and the fault's text (may be empty)."""
    name, _, fault = model.partition("#")
    return name, fault


def _parse_one(text: str) -> Fault | None:
    kind = _KINDS.get(text)
    if kind is not None:
        return Fault(kind.name, kind.number or 0)
    name, _, parameter = text.rpartition("-")
    kind = _KINDS.get(name)
    if kind is None:
        return None
    if parameter in kind.words:
        return Fault(name, kind.number or 0, parameter)
    if kind.number is not None and parameter.isascii() and parameter.isdigit():
        return Fault(name, int(parameter), given=True)
    return None
