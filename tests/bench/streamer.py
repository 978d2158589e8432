"""An upstream that streams: 2,000 chunks of a usual size, each in a packet of its own, or many.

Plain asyncio, so that it costs little. The path says the format, `PACE_MS` how long is waited after
each chunk; without a pace the chunks come as fast as they are taken, many in one read.
"""

import asyncio
import os
from collections.abc import Iterator
from typing import Final

import orjson
import uvloop

CHUNKS: Final = 2_000
WORDS: Final = (" the", " ledger", " holds", " what", " was", " spent", ",", " and", " no", " more")
HEAD: Final = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
)


def chat_frames() -> Iterator[bytes]:
    """Give a stream of Chat as OpenRouter sends it."""
    head = {
        "id": "gen-1763742113-Jh2mCkqYzZsWkq3ZcP0t",
        "provider": "OpenAI",
        "model": "openai/gpt-5.4-nano",
        "object": "chat.completion.chunk",
        "created": 1_763_742_113,
    }

    def chunk(delta: dict[str, object], finish: str | None = None) -> dict[str, object]:
        choice = {
            "index": 0,
            "delta": delta,
            "finish_reason": finish,
            "native_finish_reason": finish,
            "logprobs": None,
        }
        return {**head, "choices": [choice]}

    for number in range(CHUNKS):
        word = WORDS[number % len(WORDS)]
        yield _data(chunk({"role": "assistant", "content": word}))
    yield _data(chunk({"role": "assistant", "content": ""}, "stop"))
    usage = {"prompt_tokens": 20, "completion_tokens": CHUNKS, "total_tokens": 20 + CHUNKS}
    yield _data({**head, "choices": [], "usage": {**usage, "cost": 0.0001}})
    yield b"data: [DONE]\n\n"


def responses_frames() -> Iterator[bytes]:
    """Give a stream of Responses as OpenRouter sends it."""
    number = 0

    def event(kind: str, **fields: object) -> bytes:
        nonlocal number
        number += 1
        said = {"type": kind, **fields, "sequence_number": number - 1}
        return b"event: " + kind.encode() + b"\n" + _data(said)

    at = {"item_id": "msg_68af4030592c81938ec0a5fbab4a3e9f", "output_index": 0, "content_index": 0}
    words = [WORDS[place % len(WORDS)] for place in range(CHUNKS)]
    part: dict[str, object] = {"type": "output_text", "annotations": [], "text": "".join(words)}
    item = {"type": "message", "id": at["item_id"], "role": "assistant", "content": [part]}
    begun: dict[str, object] = {"id": "gen-1763742113-Jh2mCkqYzZsWkq3ZcP0t", "output": []}
    yield event("response.created", response={**begun, "status": "in_progress"})
    yield event("response.output_item.added", output_index=0, item={**item, "content": []})
    yield event("response.content_part.added", **at, part={**part, "text": ""})
    for word in words:
        yield event("response.output_text.delta", **at, delta=word, logprobs=[])
    yield event("response.output_text.done", **at, text=part["text"], logprobs=[])
    yield event("response.content_part.done", **at, part=part)
    yield event("response.output_item.done", output_index=0, item={**item, "status": "completed"})
    usage = {"input_tokens": 20, "output_tokens": CHUNKS, "total_tokens": 20 + CHUNKS}
    ended = {**begun, "status": "completed", "output": [item], "usage": {**usage, "cost": 0.0001}}
    yield event("response.completed", response=ended)


def _data(event: dict[str, object]) -> bytes:
    return b"data: " + orjson.dumps(event) + b"\n\n"


def _framed(frame: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(frame), frame)


STREAMS: Final = {
    b"chat": [_framed(frame) for frame in chat_frames()],
    b"responses": [_framed(frame) for frame in responses_frames()],
}


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    pace_s = float(os.environ.get("PACE_MS", "0")) / 1_000
    try:
        while head := await _head(reader):
            frames = STREAMS[b"chat" if b"/chat/" in head.split(b"\r\n", 1)[0] else b"responses"]
            writer.write(HEAD)
            for frame in frames:
                writer.write(frame)
                if pace_s:
                    await asyncio.sleep(pace_s)
                else:
                    await writer.drain()
            writer.write(b"0\r\n\r\n")
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


async def _head(reader: asyncio.StreamReader) -> bytes:
    """Read a request; give its head, or nothing at the end."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""
    lower = head.lower()
    if b"content-length:" in lower:
        size = int(lower.split(b"content-length:")[1].split(b"\r\n")[0])
        await reader.readexactly(size)
    return head


async def _serve() -> None:
    port = int(os.environ["STREAMER_PORT"])
    server = await asyncio.start_server(_answer, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve())
