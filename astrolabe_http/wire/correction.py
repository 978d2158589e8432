"""What is a model told of an answer of its own that misses its schema?

Its answer stands behind the conversation as its own turn, as text whatever it was, and behind that
a turn of the user's that lists what is wrong. Both are added to what is sent and to nothing that is
kept. The words have a version, so that a trace of them can be read later.
"""

from typing import Final

from astrolabe_core.messages import Correction

VERSION: Final = 1
TEXT_CHARS_MAX: Final = 8_000
"""How much of a failed answer is shown; the errors name places, and most of them are in it."""
_CUT: Final = "…"
_OPENING: Final = (
    "Your last answer cannot be used. It does not have the JSON schema that it must have:"
)
_CLOSING: Final = (
    "Answer again with the whole answer, corrected. Send the JSON alone: no explanation, no "
    "apology, no code fence. Where the answer was a tool call, make the call again with corrected "
    "arguments."
)


def failed_text(correction: Correction) -> str:
    """Give the assistant's turn."""
    text = correction.text
    return text if len(text) <= TEXT_CHARS_MAX else text[:TEXT_CHARS_MAX] + _CUT


def asked_again(correction: Correction) -> str:
    """Give the user's turn."""
    flaws = "\n".join(f"- {flaw}" for flaw in correction.flaws)
    return f"{_OPENING}\n{flaws}\n{_CLOSING}"
