"""How does a request reach an upstream that speaks otherwise than the caller does?

Pure: JSON objects in, JSON objects out, streams without I/O. The existing readers and writers of
the caller's format stay as they are; what is here stands between them and the transport.
"""

from astrolabe_http.wire.translation.passage import (
    OPENROUTER,
    Passage,
    Translator,
    Upstream,
    passage_for,
    untranslatable,
)

__all__ = ["OPENROUTER", "Passage", "Translator", "Upstream", "passage_for", "untranslatable"]
