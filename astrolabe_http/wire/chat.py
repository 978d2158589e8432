"""How is `POST /v1/chat/completions` read and written, on both sides of the gateway?

The one door to Chat's wire format; what is behind it is divided by direction.
"""

from astrolabe_http.wire.chat_answer import answer_body, read_answer
from astrolabe_http.wire.chat_mending import held_chunks as held_events
from astrolabe_http.wire.chat_request import read_request, upstream_body
from astrolabe_http.wire.chat_stream import StreamReader, StreamWriter

__all__ = [
    "StreamReader",
    "StreamWriter",
    "answer_body",
    "held_events",
    "read_answer",
    "read_request",
    "upstream_body",
]
