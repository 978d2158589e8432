"""Are the JSON schemas that a caller sends sound, before a model is asked?

Those of the answer's format and of every function: within bounds, valid by their metaschema, with
patterns that end. Nothing is fetched. The work is done in one thread beside the event loop and
under a deadline, once for each schema: an agent's tools cost a digest the second time. The
compiler holds the interpreter's lock while it runs, so that the bounds, and not the thread, keep
the loop free: at all of them it holds it for less than 0.3 s.

A schema that nobody has checked is looked at only for callers who may act: the check costs more
than it costs to invent a key.
"""

import asyncio
import threading
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b
from typing import Final

import anyio
import orjson
from attrs import field, frozen

from astrolabe_core.codes import Code, Refusal
from astrolabe_core.requests import Malformed, Request
from astrolabe_core.requests import Surface as Format
from astrolabe_http.schema_bounds import BYTES_MAX, Flaw, Schema, escaped, measure, within
from astrolabe_http.schema_drafts import compiled, draft_of, drafts_for, is_valid
from astrolabe_http.wire.fields import array_of, object_of

REQUEST_BYTES_MAX: Final = 1024 * 1024
REQUEST_SCHEMAS_MAX: Final = 1_024
KNOWN_MAX: Final = 4_096
DEADLINE_S: Final = 2.0
PATTERNS_CPU_S: Final = 0.1
_STACK_BYTES: Final = 16 * 1024 * 1024
"""The compiler recurses; some systems give a thread 128 KiB."""

_LATE: Final = Refusal(
    code=Code.OVERLOADED,
    message="the request's JSON schemas could not be checked in time; send it again shortly",
    retry_after_s=1,
)


@frozen(kw_only=True)
class Declared:
    """A schema of a request: where the caller wrote it, and its text."""

    param: str
    text: bytes = field(repr=False)
    schema: Schema = field(repr=False)
    digest: bytes


class SchemaInspector:
    """Checks schemas once each. Belongs to one event loop."""

    def __init__(self) -> None:
        self._known: OrderedDict[bytes, Flaw | None] = OrderedDict()
        self._underway: dict[bytes, asyncio.Future[Flaw | None]] = {}
        self._thread: ThreadPoolExecutor | None = None

    async def inspect(
        self, request: Request, may_act: Callable[[], Awaitable[bool]]
    ) -> Request | Malformed:
        """Give the request back, or why one of its schemas is not taken."""
        declared = _declared(request)
        if isinstance(declared, Refusal):
            return _refused(request, declared)
        if not await self._all_known(declared, may_act):
            return _refused(request, _LATE)
        for each in declared:
            flaw = self._recall(each.digest)
            if flaw is not None:
                return _refused(request, _unsound(each.param, flaw))
        return request

    def close(self) -> None:
        """Let the thread go once it has ended what it does."""
        if self._thread is not None:
            self._thread.shutdown(wait=False, cancel_futures=True)
            self._thread = None

    async def _all_known(
        self, declared: list[Declared], may_act: Callable[[], Awaitable[bool]]
    ) -> bool:
        """Check what is not known, one after the other; `False` where the time is over.

        Also where the caller may not act: the flow tells why, and should it not, nothing goes
        unchecked.
        """
        if all(each.digest in self._known for each in declared):
            return True
        if not await may_act():
            return False
        with anyio.move_on_after(DEADLINE_S):
            for each in declared:
                if each.digest not in self._known:
                    # Whoever leaves lets the check end: its outcome is kept for the next.
                    await asyncio.shield(self._begin(each))
            return True
        return False

    def _recall(self, digest: bytes) -> Flaw | None:
        self._known.move_to_end(digest)
        return self._known[digest]

    def _begin(self, declared: Declared) -> asyncio.Future[Flaw | None]:
        """Start a check, or join the one that is under way."""
        digest = declared.digest
        found = self._underway.get(digest)
        if found is None:
            loop = asyncio.get_running_loop()
            self._thread = self._thread or _one_thread()
            found = loop.run_in_executor(self._thread, check, declared.schema, declared.text)
            self._underway[digest] = found
            found.add_done_callback(lambda done: self._keep(digest, done))
        return found

    def _keep(self, digest: bytes, done: asyncio.Future[Flaw | None]) -> None:
        self._underway.pop(digest, None)
        if done.cancelled() or done.exception() is not None:
            return
        self._known[digest] = done.result()
        while len(self._known) > KNOWN_MAX:
            self._known.popitem(last=False)


def check(schema: Schema, text: bytes) -> Flaw | None:
    """Check one schema; takes time and holds the interpreter."""
    if len(text) > BYTES_MAX:
        return Flaw(place="", message=f"it has {len(text)} bytes; at most {BYTES_MAX} are taken")
    sized = measure(schema)
    if isinstance(sized, Flaw):
        return sized
    spent_from = time.thread_time()
    for pattern, place in sized.patterns.items():
        if compiled({"pattern": pattern}) is None:
            message = f"the pattern {pattern[:80]!r} is too large, or no regular expression"
            return Flaw(place=place, message=f"{message} that can be checked")
        if time.thread_time() - spent_from > PATTERNS_CPU_S:
            return Flaw(place=place, message="its patterns are too large all together")
    draft = draft_of(schema, sized.plain)
    if draft is None:
        return _flaw_by(drafts_for(schema)[0], sized.plain)
    if compiled(sized.plain, draft) is None:
        return Flaw(place="", message="it is no JSON schema that can be compiled")
    return None


def _flaw_by(draft: str, schema: Schema, place: str = "") -> Flaw:
    """Find the first value that the metaschema does not take, from the outside in."""
    for word, value in schema.items():
        alone = {word: value}
        if not is_valid(alone, draft):
            for step, inner in within(alone):
                if not is_valid(inner, draft):
                    return _flaw_by(draft, inner, f"{place}/{step}")
            message = f"the value of {word[:80]!r} is not what JSON Schema takes there"
            return Flaw(place=f"{place}/{escaped(word)}", message=message)
    return Flaw(place=place, message="it is no JSON schema")


def _declared(request: Request) -> list[Declared] | Refusal:
    """Give every schema that says something, or refuse them for being too many."""
    made: list[Declared] = []
    left = REQUEST_BYTES_MAX
    for param, schema in _places(request):
        text = orjson.dumps(schema)
        left -= len(text)
        if left < 0 or len(made) == REQUEST_SCHEMAS_MAX:
            message = (
                f"the JSON schemas of one request are at most {REQUEST_SCHEMAS_MAX}, "
                f"with at most {REQUEST_BYTES_MAX} bytes in all"
            )
            return Refusal(code=Code.INVALID_REQUEST, message=message, param=param)
        digest = blake2b(text, digest_size=32).digest()
        made.append(Declared(param=param, text=text, schema=schema, digest=digest))
    return made


def _places(request: Request) -> Iterator[tuple[str, Schema]]:
    chat = request.surface is Format.CHAT
    if request.schema:
        param = "response_format.json_schema.schema" if chat else "text.format.schema"
        yield param, request.schema
    for place, tool in enumerate(array_of(request.body.get("tools"))):
        declared = object_of(tool)
        if declared.get("type", "function") != "function":
            continue
        inner = ".function" if chat else ""
        function = object_of(declared.get("function")) if chat else declared
        parameters = object_of(function.get("parameters"))
        if parameters:
            yield f"tools[{place}]{inner}.parameters", parameters


def _refused(request: Request, refusal: Refusal) -> Malformed:
    return Malformed(id=request.id, received_at=request.received_at, refusal=refusal)


def _unsound(param: str, flaw: Flaw) -> Refusal:
    place = flaw.place[:200]
    where = f" at {place}" if place else ""
    return Refusal(
        code=Code.INVALID_REQUEST,
        message=f"{param} is not taken{where}: {flaw.message}",
        param=param,
        details={"place": place},
    )


def _one_thread() -> ThreadPoolExecutor:
    made = ThreadPoolExecutor(1, thread_name_prefix="astrolabe-schemas")
    before = threading.stack_size(_STACK_BYTES)
    try:
        made.submit(int)
    finally:
        threading.stack_size(before)
    return made
