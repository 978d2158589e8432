"""What does the process do that holds texts against schemas, and that anybody may kill?

Once it is ready it says so with an empty line. It reads frames, each a length and JSON: `schema` as
JSON text and `texts`. It answers with a line of JSON: the place of the first text that has the
schema, `null` for none, `false` where that cannot be told. Unless that is the first text or nothing
is told, a second line has the flaws of the first text, `null` where it cannot be told after all
that it has any; it may take long where the first line did not. A line that never comes is a process
that was killed: by its parent, or by the kernel after `LIFE_S`, should there be no parent any more.
It ends with its input.

The bounds are its own: the schema is measured again, memory is limited, no core is dumped. It
imports little: 60 ms to start, 23 MB of which 10 are its own.
"""

import contextlib
import resource
import signal
from collections import OrderedDict
from collections.abc import Iterator
from typing import BinaryIO, Final

import orjson
from attrs import frozen

from astrolabe_http.mismatches import flaws_of
from astrolabe_http.schema_bounds import BYTES_MAX, Flaw, Schema, measure
from astrolabe_http.schema_drafts import Validator, compiled, draft_of

LENGTH_BYTES: Final = 4
LIFE_S: Final = 5.0
"""How long one frame may take before the kernel ends the process; its parent is quicker."""
MEMORY_BYTES_MAX: Final = 1024 * 1024 * 1024
COMPILED_MAX: Final = 256
COMPILED_BYTES_MAX: Final = 4 * 1024 * 1024
"""Text of the schemas that are kept compiled: each takes some ten times its size."""
NOT_JSON: Final = "is not JSON"
_WELL: Final = b"0\n"
_UNTOLD: Final = b"false\n"


@frozen
class Ready:
    """A schema that can be held against a value."""

    schema: Schema
    validator: Validator


class Bookshelf:
    """The schemas that were compiled last, by their text; `None` is one that cannot be."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, Ready | None] = OrderedDict()
        self._bytes = 0

    def take(self, text: str) -> Ready | None:
        """Give a compiled schema."""
        if text not in self._known:
            self._known[text] = _prepared(text)
            self._bytes += len(text)
            while len(self._known) > COMPILED_MAX or self._bytes > COMPILED_BYTES_MAX:
                oldest, _ = self._known.popitem(last=False)
                self._bytes -= len(oldest)
        else:
            self._known.move_to_end(text)
        return self._known.get(text)


def _prepared(text: str) -> Ready | None:
    schema = orjson.loads(text)
    sized = measure(schema) if len(text) <= BYTES_MAX else None
    if sized is None or isinstance(sized, Flaw):
        return None
    draft = draft_of(schema, sized.plain)
    validator = None if draft is None else compiled(sized.plain, draft)
    return None if validator is None else Ready(sized.plain, validator)


def work() -> None:
    """Answer frames until there are none."""
    _limit()
    shelf = Bookshelf()
    with open(0, "rb", closefd=False) as frames, open(1, "wb", closefd=False) as lines:
        lines.write(b"\n")
        lines.flush()
        while (frame := _frame(frames)) is not None:
            signal.setitimer(signal.ITIMER_REAL, LIFE_S)
            for line in answered(frame, shelf):
                lines.write(line)
                lines.flush()
            signal.setitimer(signal.ITIMER_REAL, 0)


def answered(frame: bytes, shelf: Bookshelf) -> Iterator[bytes]:
    """Give the one or two lines of a frame, the first as soon as it is known."""
    asked = orjson.loads(frame)
    ready, texts = shelf.take(asked["schema"]), asked["texts"]
    if ready is None:
        yield _UNTOLD
        return
    try:
        fitting = next(
            (place for place, text in enumerate(texts) if _fits(text, ready.validator)), None
        )
        if fitting == 0:
            yield _WELL
            return
        yield orjson.dumps(fitting, option=orjson.OPT_APPEND_NEWLINE)
        yield orjson.dumps(_flaws(texts[0], ready), option=orjson.OPT_APPEND_NEWLINE)
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException:  # noqa: BLE001 - a panic below is no Exception, and tells nothing either
        # For a second line as for a first one.
        yield _UNTOLD


def _fits(text: str, validator: Validator) -> bool:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return validator.is_valid(value)


def _flaws(text: str, ready: Ready) -> tuple[str, ...] | None:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return (NOT_JSON,)
    return flaws_of(ready.validator, ready.schema, value)


def _frame(frames: BinaryIO) -> bytes | None:
    head = frames.read(LENGTH_BYTES)
    if len(head) < LENGTH_BYTES:
        return None
    size = int.from_bytes(head, "big")
    frame = frames.read(size)
    return frame if len(frame) == size else None


def _limit() -> None:
    """Leave stopping to the parent and the kernel, and keep answers out of core dumps."""
    for told in (signal.SIGINT, signal.SIGTERM):
        # These come to a whole group, and the parent goes on for a while.
        signal.signal(told, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    for what, most in ((resource.RLIMIT_AS, MEMORY_BYTES_MAX), (resource.RLIMIT_CORE, 0)):
        # Not every system keeps all of these limits, and a host may have set lower ones.
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(what, (most, most))
