"""What can be set about a simulator?"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class SimulatorSettings:
    """Everything has a default that answers at once. The clock gives UNIX seconds.

    `key`: the only key accepted (None: any). `generation_delay_ms`: how long `GET /generation`
    says 404. `latency_ms`: before the first byte. `chunk_delay_ms`: before each chunk.
    `chunk_words`: words in a chunk. `retry_after_s`: where a fault names no number.
    `cached_tokens_min`: the shortest prefix that counts as cached. `journal_size`: calls and
    generations kept. `credits`: US dollars granted, for `GET /credits`.
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
    clock: Callable[[], float] = time.time
