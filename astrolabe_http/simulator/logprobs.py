"""How sure was the model of each token, where that was asked for?

A token is a word with the space before it. The numbers are made up of the token and its place, fall
with every alternative, and are the same for the same text, streamed or not.
"""

from astrolabe_http.simulator.asks import Ask, is_whole
from astrolabe_http.simulator.text import pieces

Entry = dict[str, object]
WORD = "message.output_text.logprobs"


def chat_wants(ask: Ask) -> bool:
    """Whether a Chat body asks for them."""
    return ask.body.get("logprobs") is True


def responses_wants(ask: Ask) -> bool:
    """Whether a Responses body asks for them: by word, or by a number of alternatives."""
    included = ask.body.get("include")
    return _top(ask) > 0 or (isinstance(included, list) and WORD in included)


def logprobs(ask: Ask, said: str) -> list[Entry]:
    """An entry for each token of a text."""
    made: list[Entry] = []
    for token in pieces(said, 1):
        others = [_entry(f"{token}{'?' * place}", place) for place in range(_top(ask))]
        made.append({**_entry(token, 0), "top_logprobs": others})
    return made


def _entry(token: str, place: int) -> Entry:
    logprob = -(len(token) + 16 * place) / 64
    return {"token": token, "logprob": logprob, "bytes": list(token.encode())}


def _top(ask: Ask) -> int:
    top = ask.body.get("top_logprobs")
    return top if isinstance(top, int) and is_whole(top) else 0
