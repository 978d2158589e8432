"""What do the readers refuse that no JSON schema of ours can say?

Mostly how one field agrees with another. Each line is a refusal that a valid body may meet; the
tests that hold schema and readers together except these, and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

UNSAID = (
    # A choice among tools is held against the tools.
    "which is not among tools",
    "tool_choice is required and tools offers no function",
    # Routing may be steered from four places, and they must agree.
    "another place of the same request says",
    # The same effort has two names in Chat.
    ": say it once",
    # Log probabilities are asked for by two fields in Chat.
    "takes logprobs: true beside it",
    # Text that is JSON, or else is not: no validator looks into a string.
    "or a string that holds one as JSON",
    "must be an object of tool names",
    "must be an array of at most 16 confirmations",
    # A JSON schema of the caller's own: one, by its draft, within bounds.
    r"^[^ ]+ is not taken(?: at [^:]+)?: ",
    "the JSON schemas of one request are at most",
    # JSON knows any number; a reader in another language does not.
    "is a number out of range",
    # To JSON Schema 838.0 is an integer, to OpenAI's API it is none.
    r"must be an integer .*, not -?[0-9]+\.0$",
    r"must be an integer .*, not -?[0-9.]+e\+[0-9]+$",
    # Whether a conversation was kept is known to its stack and to the store.
    "keeps no conversations",
    # A page begins behind an item that there is.
    "after names no item of this response",
    # Two headers that each carry a key.
    "two different credentials were sent",
)

_UNSAID = re.compile("|".join(UNSAID))


def is_unsaid(error: Mapping[str, Any]) -> bool:
    """Whether an error object tells of such a refusal."""
    return _UNSAID.search(error["message"]) is not None
