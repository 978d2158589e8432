"""What does the provider say, given what it was asked?

Pure functions of a seed and the prompt: the same request always gets the same words. Lengths are in
tokens, and a token is four UTF-8 bytes, begun or whole: `count_tokens`. Texts are plausible, short
and echo the prompt.
"""

from collections.abc import Iterator

TOKEN_BYTES = 4

_OPENINGS = (
    "Here is what I can say about “{echo}”.",
    "You asked: “{echo}”. In short:",
    "Thanks for asking about “{echo}”.",
    "On “{echo}”, the main points are these.",
)
_SENTENCES = (
    "The shortest answer is usually the one that holds up best.",
    "It depends on a few assumptions, which are worth stating first.",
    "Start with the simplest case and check it by hand.",
    "Most of the difficulty lies in the second step, not in the first.",
    "A small example makes the difference visible.",
    "If the numbers are close, prefer the option that is easier to undo.",
    "The usual mistake is to confuse the cause with its symptom.",
    "Write down what would change your mind before you look at the result.",
    "There are exceptions, but they rarely matter in practice.",
    "Taken together, this points to a clear next step.",
    "I would measure it once before deciding anything.",
    "Nothing here needs special tools or much time.",
)
_ECHO_BYTES = 96
ODD_CHARACTERS = "a\u2028b\u0085c\u0000d🛰️e\r\nf"


def count_tokens(text: str) -> int:
    """ceil(UTF-8 bytes / 4)."""
    size = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
    return -(-size // TOKEN_BYTES)


def compose(seed: int, prompt: str) -> str:
    """An opening that echoes the prompt and two to nine sentences."""
    words = [_OPENINGS[seed % len(_OPENINGS)].format(echo=_echo(prompt))]
    state = seed // 7
    for _ in range(2 + state % 8):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        words.append(_SENTENCES[(state >> 33) % len(_SENTENCES)])
    return " ".join(words)


def _echo(prompt: str) -> str:
    """The beginning of a prompt on one line, cut between words where there are any."""
    line = " ".join(prompt[: _ECHO_BYTES * 2].split())
    cut = clip(line, _ECHO_BYTES // TOKEN_BYTES)
    if cut == line:
        return cut or "…"
    return f"{cut.rpartition(' ')[0] or cut} …"


def reflect(seed: int) -> str:
    """One sentence of visible reasoning."""
    return f"Let me think. {_SENTENCES[seed % len(_SENTENCES)]}"


def clip(text: str, tokens_max: int) -> str:
    """The longest beginning that costs at most `tokens_max`, cut between characters."""
    size_max = tokens_max * TOKEN_BYTES
    if len(text) * 4 <= size_max:
        return text
    encoded = text.encode("utf-8", "surrogatepass")
    if len(encoded) <= size_max:
        return text
    return encoded[:size_max].decode("utf-8", "ignore")


def stop_at(text: str, stops: tuple[str, ...]) -> str:
    """The text before the first stop sequence."""
    ends = [at for at in (text.find(stop) for stop in stops if stop) if at >= 0]
    return text[: min(ends)] if ends else text


def pieces(text: str, words: int) -> Iterator[str]:
    """The text in chunks of so many words; joined they give it back unchanged."""
    start = at = 0
    while at >= 0:
        for _ in range(words):
            at = text.find(" ", at + 1)
            if at < 0:
                break
        else:
            yield text[start:at]
            start = at
    if start < len(text):
        yield text[start:]


def fragments(text: str, size: int = 12) -> Iterator[str]:
    """The text in chunks of so many characters, for tool arguments."""
    for start in range(0, len(text), size):
        yield text[start : start + size]
