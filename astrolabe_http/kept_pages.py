"""What can be asked about kept responses, and how are they deleted?

`GET` and `DELETE /v1/responses/{id}` and `GET /v1/responses/{id}/input_items`, in OpenAI's shapes,
for any key of the workspace. What another workspace has kept is not there.
"""

from typing import Final
from urllib.parse import parse_qsl

import anyio.to_thread

from astrolabe_core.codes import Code, Refusal
from astrolabe_core.conversations import TooLong
from astrolabe_core.ports import Conversations
from astrolabe_core.snapshot import Caller
from astrolabe_core.trace import Trace
from astrolabe_core.units import ResponseId
from astrolabe_http.surface import Page, Surface, Visit
from astrolabe_http.wire.kept import list_items, read_item_query, show, show_deleted

LIST_BYTES_MAX: Final = 256 * 1024 * 1024
"""More than any conversation that could be kept: each part of it came in one body."""


class KeptPages:
    """The routes of kept responses."""

    def __init__(self, store: Conversations, surface: Surface) -> None:
        self._store = store
        self._surface = surface

    async def show(self, visit: Visit) -> Trace | None:
        """Give a response as it was answered."""
        if _asked(visit).get("stream", "false") not in {"false", "0", ""}:
            return await self._surface.read(visit, _NO_STREAM)

        async def read(caller: Caller) -> Page:
            found = await self._store.kept_response(caller.workspace.id, _named(visit))
            return _MISSING if found is None else show(found)

        return await self._surface.read(visit, read)

    async def forget(self, visit: Visit) -> Trace | None:
        """Delete a response."""

        async def read(caller: Caller) -> Page:
            named = _named(visit)
            gone = await self._store.forget_response(caller.workspace.id, named)
            return show_deleted(named) if gone else _MISSING

        return await self._surface.read(visit, read)

    async def items(self, visit: Visit) -> Trace | None:
        """List what a response was given."""
        query = read_item_query(_asked(visit))
        if isinstance(query, Refusal):
            return await self._surface.read(visit, query)

        async def read(caller: Caller) -> Page:
            found = await self._store.conversation(
                caller.workspace.id, _named(visit), bytes_max=LIST_BYTES_MAX
            )
            if isinstance(found, TooLong):
                return _TOO_LONG
            # Beside the loop: a page is cut out of the whole conversation.
            return await anyio.to_thread.run_sync(list_items, found, query) if found else _MISSING

        return await self._surface.read(visit, read)


def _named(visit: Visit) -> ResponseId:
    return ResponseId(str(visit.scope["path_params"]["response_id"]))


def _asked(visit: Visit) -> dict[str, str]:
    query = visit.scope["query_string"].decode("latin-1")
    return dict(parse_qsl(query, keep_blank_values=True))


_MISSING: Final = Refusal(
    code=Code.NOT_FOUND,
    message="there is no response with this id in your workspace: it was not kept, or was deleted",
    param="response_id",
)
_TOO_LONG: Final = Refusal(
    code=Code.PAYLOAD_TOO_LARGE,
    message="the conversation up to this response is longer than is listed; list an earlier one",
    param="response_id",
)
_NO_STREAM: Final = Refusal(
    code=Code.UNSUPPORTED_PARAMETER,
    message="a kept response is not streamed again; leave stream out",
    param="stream",
)
