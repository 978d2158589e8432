"""How is `POST /v1/responses` read and written, on both sides of the gateway?

The one door to the Responses wire format; what is behind it is divided by direction.
"""

from astrolabe_http.wire.responses_answer import answer_body, read_answer
from astrolabe_http.wire.responses_mending import held_events
from astrolabe_http.wire.responses_request import read_request, upstream_body
from astrolabe_http.wire.responses_stream import StreamReader, StreamWriter

__all__ = [
    "StreamReader",
    "StreamWriter",
    "answer_body",
    "held_events",
    "read_answer",
    "read_request",
    "upstream_body",
]
