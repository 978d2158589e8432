"""How many tokens will the input have, probably and at most?

No tokenizer: the serving model is not chosen yet, and each has its own. Text is weighed by
classes of UTF-8 bytes, counted at C speed. The expectation serves ranking, cost estimates and
context checks. The bound serves holds: a byte-level tokenizer never makes more tokens than
bytes, and words of ASCII letters never as many as one for two bytes, except random letters.

All constants are tokens for one of what they name. Sources, looked up in November 2026: image
1,100 is one of about 1 megapixel (Anthropic: width × height / 750; OpenAI: 85 + 170 a tile);
audio is 32 tokens and video about 260 tokens a second (Gemini), a page of a file 1,500 to 3,000.
What is sealed for its provider is taken for base 64 of text that was not compressed.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from attrs import frozen

from astrolabe_core.requests import Request, Role
from astrolabe_core.units import Tokens

MESSAGE: Final = 4
MESSAGE_MAX: Final = 16
TOOL: Final = 8
TOOL_MAX: Final = 32
CALL: Final = 16
"""A tool call in the history: its name and frame."""
CALL_MAX: Final = 64
IMAGE: Final = 1_100
IMAGE_MAX: Final = 4_000
AUDIO: Final = 2_000
"""A minute."""
AUDIO_MAX: Final = 60_000
"""Half an hour: about what a body of 32 MiB holds of good speech."""
VIDEO: Final = 15_000
"""A minute."""
VIDEO_MAX: Final = 100_000
"""Six minutes: more than a body of 32 MiB holds."""
FILE: Final = 6_000
"""Three pages."""
FILE_MAX: Final = 100_000
"""Fifty pages."""

_LETTERS: Final = b" abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ASCII: Final = bytes(range(0x80))
_NOT_LEAD_OF_4: Final = bytes(range(0xF0))
_NODE_BYTES: Final = 6
"""Quotes, colon and comma around a string of a schema; or a whole number, `true`, `null`."""


@frozen(kw_only=True)
class InputSize:
    """Tokens of input: expected, and at most. `expected <= bound`, and both grow with length."""

    expected: Tokens
    bound: Tokens


def measure(request: Request) -> InputSize:
    """Size all that will be sent: turns with their parts, tools and the answer's schema."""
    turns = request.turns
    expected, bound = text_tokens("\n".join([turn.text for turn in turns]))
    expected += MESSAGE * len(turns)
    bound += MESSAGE_MAX * len(turns)
    for turn in turns:
        if turn.tool_calls:
            expected += CALL * len(turn.tool_calls)
            bound += CALL_MAX * len(turn.tool_calls)
        if turn.sealed_bytes:
            expected += turn.sealed_bytes * 3 // 16
            bound += (turn.sealed_bytes * 3 + 3) // 4
        if turn.images or turn.audios or turn.videos or turn.files:
            bound += (
                IMAGE_MAX * turn.images
                + AUDIO_MAX * turn.audios
                + VIDEO_MAX * turn.videos
                + FILE_MAX * turn.files
            )
            # What an assistant once made is not sent back as a picture by every adapter: it
            # counts towards what may be charged, and not towards what is likely.
            if turn.role is not Role.ASSISTANT:
                expected += (
                    IMAGE * turn.images
                    + AUDIO * turn.audios
                    + VIDEO * turn.videos
                    + FILE * turn.files
                )
    if request.tools or request.schema is not None:
        declared = sum([tool.schema_bytes for tool in request.tools])
        declared += schema_bytes(request.schema)
        expected += declared // 4 + TOOL * len(request.tools)
        bound += (declared + 1) // 2 + TOOL_MAX * len(request.tools)
    return InputSize(expected=Tokens(expected), bound=Tokens(bound))


def text_tokens(text: str) -> tuple[int, int]:
    """Count the tokens of a text: expected, and at most.

    Expected: a token for 4 ASCII bytes, for 2 characters of Latin with accents, Greek, Cyrillic,
    Hebrew or Arabic (2 bytes), for 1 character of the scripts of 3 bytes (Chinese, Japanese,
    Korean, Indic, Thai), and 2 for one of 4 bytes (emoji). At most: 1 for 2 ASCII letters or
    spaces and 1 for each other byte.
    """
    # A lone surrogate is legal in a JSON string and must not stop a request here.
    encoded = text.encode("utf-8", "surrogatepass")
    rest = len(encoded.translate(None, _LETTERS))
    bound = (len(encoded) - rest + 1) // 2 + rest
    if text.isascii():
        return (len(encoded) + 3) // 4, bound
    wide = encoded.translate(None, _ASCII)
    plain = len(encoded) - len(wide)
    # Each pass takes 20 ms for 31 MB: what can be reckoned is not counted.
    characters = len(text) - plain
    of_4 = len(wide.translate(None, _NOT_LEAD_OF_4))
    of_3 = len(wide) - 2 * characters - 2 * of_4
    quarters = plain + 2 * (characters - of_3 - of_4) + 4 * of_3 + 8 * of_4
    return (quarters + 3) // 4, bound


def schema_bytes(schema: Mapping[str, object] | None) -> int:
    """Give about how many bytes the schema has as JSON; no recursion, however deep it is."""
    if schema is None:
        return 0
    total = 0
    waiting: list[object] = [schema]
    while waiting:
        node = waiting.pop()
        total += _NODE_BYTES
        if isinstance(node, str):
            total += len(node.encode("utf-8", "surrogatepass"))
        elif isinstance(node, Mapping):
            waiting.extend(_flat(node))
        elif isinstance(node, Sequence):
            waiting.extend(node)
    return total


def _flat(node: Mapping[object, object]) -> Iterator[object]:
    for pair in node.items():
        yield from pair
