"""What may a call of a tool do, as far as the tool's name tells?

A name is read in any case style, with the server's name before it (`github__create_issue`,
`gmail.users.messages.send`). Verbs tell most. A name of which nothing is understood, or part of
which is not, is `unknown`: who knows better declares what the tool may do.

What is read here is trusted only as far as it accuses. A verb that changes something counts
wherever it stands; one that only looks clears a name where it belongs to the tool itself.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final

from astrolabe_core.classify.toolkit import words_of
from astrolabe_core.requests import ToolLabel

NAME_CHARACTERS_MAX: Final = 256
"""What of a name is read; the rest of a longer one is unknown."""

_SEGMENTS: Final = re.compile(r"__|[./:]")
_PAIRS: Final[Mapping[tuple[str, str], str]] = {
    ("check", "in"): "commit",
    ("check", "out"): "checkout",
    ("log", "in"): "login",
    ("shut", "down"): "shutdown",
    ("sign", "in"): "signin",
}
_JOINTS: Final = frozenset({"and", "or", "then"})
LOOKS: Final = frozenset({ToolLabel.READ, ToolLabel.SEARCH, ToolLabel.BROWSE})


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _by_word(labels: Mapping[ToolLabel, str]) -> Mapping[str, ToolLabel]:
    return {word: label for label, words in labels.items() for word in words.split()}


_READING: Final = _by_word(
    {
        ToolLabel.READ: "get read view show list describe count inspect retrieve peek preview cat "
        "ls head tail stat status diff compare calculate compute check validate verify parse "
        "summarize summarise analyze analyse estimate explain think screenshot scroll wait watch "
        "monitor fetch",
        ToolLabel.SEARCH: "search find lookup look grep glob query",
        ToolLabel.BROWSE: "browse crawl scrape navigate goto visit download webfetch websearch",
    }
)
_EFFECTS: Final = _by_word(
    {
        ToolLabel.WRITE: "write create update edit insert add save put modify replace append "
        "rename move copy upsert merge commit import restore assign mark cancel close reopen "
        "resolve approve reject subscribe unsubscribe multiedit todowrite",
        ToolLabel.DELETE: "delete remove drop destroy wipe purge truncate erase uninstall clear "
        "unlink rm rmdir trash discard prune expunge",
        ToolLabel.EXECUTE: "exec execute eval invoke start stop restart kill terminate launch "
        "trigger deploy reboot shutdown click press drag fill type install",
        ToolLabel.SEND: "send resend forward reply publish broadcast notify tweet retweet upload "
        "submit announce export",
        ToolLabel.PAY: "pay buy purchase refund withdraw checkout donate sell invest remit",
        ToolLabel.DELEGATE: "delegate handoff dispatch spawn",
        ToolLabel.ADMIN: "grant revoke authorize impersonate rotate login logon signin sudo chmod "
        "chown provision ban unban suspend",
    }
)
_DOUBLES: Final = _by_word(
    {
        ToolLabel.WRITE: "set book reserve schedule record note log tag patch register",
        ToolLabel.EXECUTE: "run build test release",
        ToolLabel.SEND: "post message email mail text comment share push invite call",
        ToolLabel.PAY: "charge order trade tip wire transfer",
        ToolLabel.DELEGATE: "task",
    }
)
"""Verbs that are nouns too: `post_message` sends one, `get_post` only reads it."""
_THINGS: Final = _by_word(
    {
        ToolLabel.EXECUTE: "bash shell terminal command commands cmd powershell sandbox repl "
        "interpreter python javascript script computer subprocess process docker kubectl",
        ToolLabel.SEND: "email emails mail gmail sms slack whatsapp telegram discord twitter "
        "message messages notification notifications webhook",
        ToolLabel.PAY: "payment payments payout payouts invoice funds money stripe paypal bank "
        "charges orders",
        ToolLabel.DELEGATE: "agent agents subagent subagents",
        ToolLabel.ADMIN: "permission permissions role roles acl iam admin oauth",
        ToolLabel.DELETE: "deletion removal",
    }
)
"""Nouns that tell something unless the verbs say that they are only looked at."""
_TELLING: Final = _by_word(
    {
        ToolLabel.BROWSE: "web website internet url page pages site http browser google bing "
        "duckduckgo tavily exa firecrawl perplexity serpapi",
        ToolLabel.ADMIN: "secret secrets credential credentials password passwords passwd vault "
        "apikey",
    }
)
"""Nouns that tell something whatever is done: a page is read over the network, a secret is one."""

_ALONE: Final[Mapping[str, frozenset[ToolLabel]]] = {
    # Offered under these bare names are as often tools that search the web.
    "search": frozenset({ToolLabel.SEARCH, ToolLabel.BROWSE}),
    "fetch": frozenset({ToolLabel.BROWSE}),
}
_SEEKING: Final = _words("search find grep glob lookup look browse google")
_STATING: Final = _words(
    "sql db database postgres postgresql mysql sqlite mongo mongodb bigquery snowflake redshift "
    "clickhouse duckdb graphql table tables"
)


def labels_of_name(name: str) -> frozenset[ToolLabel]:
    """Tell what a tool of this name may do; never empty."""
    told = _told(name[:NAME_CHARACTERS_MAX])
    return told if len(name) <= NAME_CHARACTERS_MAX else told | _UNTOLD


_UNTOLD: Final = frozenset({ToolLabel.UNKNOWN})


@lru_cache(maxsize=1_024)
def _told(name: str) -> frozenset[ToolLabel]:
    """Read a name of bounded length; an agent calls the same few tools again and again."""
    alone = _ALONE.get(name.lower())
    if alone is not None:
        return alone
    found = frozenset(_labels(name))
    return found if found and name.isascii() else found | _UNTOLD


def labels_of_verb(word: str) -> frozenset[ToolLabel]:
    """Tell what a word means where nothing but a verb can stand; empty where it is none."""
    words = words_of(word)
    found = {_EFFECTS[each] for each in words if each in _EFFECTS}
    if words and words[0] in _DOUBLES:
        found.add(_DOUBLES[words[0]])
    if not found:
        found = {_READING[each] for each in words if each in _READING}
    return frozenset(found)


def seeks_words(name: str) -> bool:
    """Whether a query to a tool of this name is words that are looked for, not a statement."""
    return _seeks(name[:NAME_CHARACTERS_MAX])


@lru_cache(maxsize=1_024)
def _seeks(name: str) -> bool:
    words = frozenset(words_of(name))
    return bool(words & _SEEKING) and not words & _STATING


def _labels(name: str) -> Iterator[ToolLabel]:
    *spaces, own = [part for part in _SEGMENTS.split(name) if part] or [""]
    around = [word for space in spaces for word in words_of(space)]
    words = _joined(words_of(own))
    said = [label for clause in _clauses(words) for label in clause]
    said += [_EFFECTS[word] for word in around if word in _EFFECTS]
    yield from said
    things = [*around, *words]
    if not said or not LOOKS.issuperset(said):
        yield from [_THINGS[word] for word in things if word in _THINGS]
    yield from [_TELLING[word] for word in things if word in _TELLING]


def _joined(words: tuple[str, ...]) -> list[str]:
    """Take verbs of two words as one: `check_out` looks at nothing."""
    made: list[str] = []
    for word in words:
        pair = _PAIRS.get((made[-1], word)) if made else None
        if pair is None:
            made.append(word)
        else:
            made[-1] = pair
    return made


def _clauses(words: list[str]) -> Iterator[list[ToolLabel]]:
    """Tell what the verbs of each part of `search_and_post` say; one that says nothing is told."""
    if not _JOINTS.intersection(words):
        yield _said(words)
        return
    clause: list[str] = []
    for word in (*words, "and"):
        if word not in _JOINTS:
            clause.append(word)
        elif clause:
            yield _said(clause) or [ToolLabel.UNKNOWN]
            clause = []


def _said(clause: list[str]) -> list[ToolLabel]:
    effects = [_EFFECTS[word] for word in clause if word in _EFFECTS]
    looks = [_READING[word] for word in clause if word in _READING]
    doubles = [_DOUBLES[word] for word in (clause[:1] if looks else clause) if word in _DOUBLES]
    if "transfer" in clause and {"to", "agent"}.intersection(clause):
        # OpenAI's agents SDK hands over by `transfer_to_<agent>`; a bank moves money.
        doubles.append(ToolLabel.DELEGATE)
    return [*effects, *looks, *doubles]
