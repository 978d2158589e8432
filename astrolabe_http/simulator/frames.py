"""What goes over the wire of a stream, frame by frame, and what do faults do to it?

A renderer gives the frames of a sound answer; `disturb` applies the faults that change the frames
themselves. Faults of time and of the socket are left to `delivery`, which asks `place_after` where
to act. Everything here is pure.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from astrolabe_http.simulator.faults import Faults

COMMENT = b": OPENROUTER PROCESSING\n\n"


@dataclass(frozen=True, slots=True)
class Frame:
    """One SSE event. `content` counts the answer bytes it carries; above 0 makes it a chunk."""

    data: bytes
    content: int = 0


DONE = Frame(b"data: [DONE]\n\n")
_GARBAGE = Frame(b'data: {"id":"gen-broken","choices":[{"delta":{"content":"\n\n')
_UNKNOWN = (
    Frame(b'event: response.debug\ndata: {"type":"response.debug","debug":{"note":"new"}}\n\n'),
    Frame(b": a comment of another kind\nid: 7\nretry: 1000\n\n"),
)


def data_frame(payload: bytes, content: int = 0) -> Frame:
    """A frame without an event name."""
    return Frame(b"data: " + payload + b"\n\n", content)


def event_frame(event: str, payload: bytes, content: int = 0) -> Frame:
    """A frame with an event name."""
    return Frame(b"event: " + event.encode() + b"\ndata: " + payload + b"\n\n", content)


def place_after(frames: Sequence[Frame], chunks: int) -> int:
    """The index behind that many chunks (0: the very beginning), at most behind the last chunk."""
    if chunks == 0:
        return 0
    seen = place = 0
    for index, frame in enumerate(frames):
        if frame.content:
            seen, place = seen + 1, index + 1
            if seen == chunks:
                break
    return place


def disturb(frames: list[Frame], faults: Faults, fail: Callable[[int], list[Frame]]) -> list[Frame]:
    """The frames as the faults leave them. `fail(n)` renders a failure after n frames were sent."""
    if not faults.items:
        return frames
    if "error-200" in faults:
        frames = fail(0)
    middle = faults.get("error-mid")
    if middle is not None:
        place = place_after(frames, middle.number)
        frames = frames[:place] + fail(place)
    ending = faults.get("end")
    if ending is not None:
        frames = frames[: place_after(frames, ending.number)]
    if "no-done" in faults:
        frames = [frame for frame in frames if frame is not DONE]
    garbage = faults.get("garbage")
    if garbage is not None:
        place = place_after(frames, garbage.number)
        frames = [*frames[:place], _GARBAGE, *frames[place:]]
    if "unknown-events" in faults:
        place = place_after(frames, 1)
        frames = [*frames[:place], *_UNKNOWN, *frames[place:]]
    if "crlf" in faults:
        frames = [Frame(frame.data.replace(b"\n", b"\r\n"), frame.content) for frame in frames]
    return frames
