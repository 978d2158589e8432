"""How much of a prompt has the provider seen before?

A bounded memory of prompt prefixes, one entry a turn boundary, for each model. A prompt whose long
prefix was seen reports it as cached, in steps of 128 tokens, as prompt caches do.
"""

import hashlib
from collections import OrderedDict

from astrolabe_http.simulator.asks import Ask

_STEP = 128


class PrefixCache:
    """Remembers the last `size` prefixes of at least `tokens_min` tokens."""

    def __init__(self, tokens_min: int, size: int = 4096) -> None:
        self._tokens_min = tokens_min
        self._size = size
        self._seen: OrderedDict[bytes, int] = OrderedDict()

    def recall(self, ask: Ask, model: str) -> int:
        """The cached tokens of this prompt; remembers its prefixes for the next."""
        if ask.prompt_tokens < self._tokens_min:
            return 0
        digest = hashlib.blake2b(model.encode(), digest_size=16)
        tokens = sum(tool.tokens for tool in ask.tools)
        best = 0
        for turn in ask.turns:
            digest.update(
                f"\0{turn.role}\0{turn.text}\0{turn.images}".encode("utf-8", "surrogatepass")
            )
            tokens += turn.tokens
            if tokens < self._tokens_min:
                continue
            key = digest.digest()
            if key in self._seen:
                best = tokens
                self._seen.move_to_end(key)
            self._seen[key] = tokens
        while len(self._seen) > self._size:
            self._seen.popitem(last=False)
        return best // _STEP * _STEP

    def clear(self) -> None:
        """Forget everything."""
        self._seen.clear()
