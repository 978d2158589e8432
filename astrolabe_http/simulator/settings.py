"""What can be set about a simulator?"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

APIS = frozenset({"chat", "responses"})


@dataclass(frozen=True, slots=True)
class SimulatorSettings:
    """Everything has a default that answers at once. The clock gives UNIX seconds.

    `key`: the only key accepted (None: any). `generation_delay_ms`: how long `GET /generation`
    says 404. `latency_ms`: before the first byte. `chunk_delay_ms`: before each chunk.
    `chunk_words`: words in a chunk. `retry_after_s`: where a fault names no number.
    `cached_tokens_min`: the shortest prefix that counts as cached. `journal_size`: calls and
    generations kept. `credits`: US dollars granted, for `GET /credits`. `plain`: answer as a plain
    OpenAI-compatible server does, at `/v1`, and ask for no key unless one is set. `apis`: which of
    `chat` and `responses` there are.
    """

    key: str | None = None
    generation_delay_ms: int = 0
    latency_ms: int = 0
    chunk_delay_ms: int = 0
    chunk_words: int = 3
    retry_after_s: int = 1
    cached_tokens_min: int = 1024
    journal_size: int = 2000
    credits: Decimal = Decimal(1000)
    plain: bool = False
    apis: frozenset[str] = APIS
    clock: Callable[[], float] = time.time

    @property
    def base(self) -> str:
        """The path that the URL of the API ends in."""
        return "/v1" if self.plain else "/api/v1"
