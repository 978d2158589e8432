"""What do the arguments of one tool call say, and what is their one form?

A model wrote them: they may be no JSON, huge, or nested without end. `read_arguments` reads what
is within bounds and never raises; what it could not read is as unknown as what nobody understood.
`labels_of_arguments` finds what plainly shows an effect, whatever the tool is called: an HTTP
method, a statement of SQL, a command, a mode in which a file is opened, an address. It can only
accuse. `canonical_arguments` is the same for texts that any JSON reader takes for the same.
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from json.encoder import encode_basestring_ascii
from typing import Final

from attrs import field, frozen

from astrolabe_core.classify.toolkit import words_of
from astrolabe_core.requests import ToolLabel
from astrolabe_core.tool_names import LOOKS, labels_of_verb

CHARACTERS_MAX: Final = 262_144
"""How much of all calls of one answer is read, and shown to whoever confirms them."""
DEPTH_MAX: Final = 64
VALUES_MAX: Final = 5_000
"""How many objects and texts are looked at: 25 ms of work on a busy core."""
STATEMENT_CHARACTERS_MAX: Final = 16_384
"""What of a command or statement is read; a longer one is unknown."""


class _Number(str):
    """A number as it was written: 0.10 is told apart from 0.1, and neither is rounded."""

    __slots__ = ()


class _Pairs(tuple[tuple[str, object], ...]):
    """An object with all its pairs: which of two equal keys counts, readers differ about."""

    __slots__ = ()


@frozen
class Arguments:
    """Arguments as far as they could be read. `canonical` names them whether or not they could."""

    canonical: str = field(repr=False)
    value: object = field(default=None, repr=False, eq=False)
    understood: bool = True


def read_arguments(text: str, *, characters_max: int = CHARACTERS_MAX) -> Arguments:
    """Read what a model wrote as arguments; nothing at all is the empty object."""
    if len(text) <= characters_max:
        try:
            value = _READER.decode(text) if text.strip() else _Pairs()
            return Arguments(_written(value, DEPTH_MAX), value)
        except (ValueError, RecursionError):
            pass
    # No JSON begins like this: what could not be read is never taken for what could.
    return Arguments(f"text {json.dumps(text)}", understood=False)


def _constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON")


_READER: Final = json.JSONDecoder(
    object_pairs_hook=_Pairs, parse_float=_Number, parse_int=_Number, parse_constant=_constant
)


def _written(value: object, depth: int) -> str:
    if not depth:
        message = "nested too deeply"
        raise ValueError(message)
    match value:
        case _Number():
            return str(value)
        case _Pairs():
            pairs = sorted(value, key=lambda pair: pair[0])
            return f"{{{','.join([_pair(*pair, depth - 1) for pair in pairs])}}}"
        case list():
            return f"[{','.join([_written(each, depth - 1) for each in value])}]"
        case str():
            return encode_basestring_ascii(value)
        case _:
            return json.dumps(value)


def _pair(key: str, value: object, depth: int) -> str:
    return f"{encode_basestring_ascii(key)}:{_written(value, depth)}"


# --- what they show -----------------------------------------------------------------------
def labels_of_arguments(
    arguments: Arguments, known: frozenset[ToolLabel], *, seeks: bool
) -> frozenset[ToolLabel]:
    """Tell what effects arguments plainly show, beside what is `known` of the tool.

    `seeks` says that a query holds words that are looked for. What only looks may be given code
    to look at.
    """
    if not arguments.understood:
        return frozenset({ToolLabel.UNKNOWN})
    found: set[ToolLabel] = set()
    harmless = LOOKS.issuperset(known)
    for number, node in enumerate(_nodes(arguments.value)):
        if number >= VALUES_MAX:
            found.add(ToolLabel.UNKNOWN)
            break
        if isinstance(node, _Pairs):
            found.update(_of_shape(node))
        else:
            found.update(_of_text(*node, seeks=seeks, harmless=harmless))
    return frozenset(found)


def _nodes(value: object) -> Iterator[_Pairs | tuple[str, str]]:
    """Give every object, and every text with the key that it stands under."""
    rest: list[tuple[str, object]] = [("", value)]
    while rest:
        key, node = rest.pop()
        match node:
            case _Number():
                pass
            case str():
                yield key, node
            case _Pairs():
                yield node
                rest.extend(node)
            case list():
                texts = [each for each in node if isinstance(each, str)]
                if texts and len(texts) == len(node):
                    # `["rm", "-rf", "/"]` is one command.
                    yield key, " ".join(texts)
                rest.extend((key, each) for each in node)
            case _:
                pass


_ADDRESS: Final = re.compile(r"\s*(?:https?|ftp|wss?)://\S+\s*")
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z_-]{0,63}")
_FILE_MODE: Final = re.compile(r"[rwax][bt]?\+?[bt]?")
_CODE: Final = re.compile(r"[\s(;=]")
_ADDRESS_WORDS: Final = frozenset({"url", "uri", "href", "link", "endpoint", "host", "hostname"})
_VERB_KEYS: Final = frozenset({"method", "action", "operation", "op", "verb", "mode", "command"})
_COMMAND_KEYS: Final = frozenset({"command", "commands", "cmd", "shell", "bash", "powershell"})
_CODE_KEYS: Final = frozenset({"code", "script", "python", "javascript"})
_STATEMENT_KEYS: Final = frozenset({"sql", "statement", "statements", "mutation"})
_QUERY_KEYS: Final = frozenset({"query", "queries", "q"})
_METHODS: Final[Mapping[str, tuple[ToolLabel, ...]]] = {
    "get": (ToolLabel.BROWSE,),
    "head": (ToolLabel.BROWSE,),
    "options": (ToolLabel.BROWSE,),
    "post": (ToolLabel.SEND, ToolLabel.WRITE),
    "put": (ToolLabel.SEND, ToolLabel.WRITE),
    "patch": (ToolLabel.SEND, ToolLabel.WRITE),
    "delete": (ToolLabel.DELETE,),
}


def _of_text(key: str, text: str, *, seeks: bool, harmless: bool) -> Iterator[ToolLabel]:
    last = _last_word(key[:64])
    addressed = last in _ADDRESS_WORDS and text.strip() and not text.startswith("data:")
    if addressed or _ADDRESS.fullmatch(text, 0, 4_096):
        yield ToolLabel.BROWSE
    if last in _VERB_KEYS and _WORD.fullmatch(text):
        told = _of_verb(last, text)
        yield from told
        if told:
            return
    if last == "mode" and _FILE_MODE.fullmatch(text):
        yield ToolLabel.READ if text[0] == "r" and "+" not in text else ToolLabel.WRITE
    coded = last in _CODE_KEYS and not harmless and _CODE.search(text)
    if coded or (last in _COMMAND_KEYS and text.strip()):
        yield ToolLabel.EXECUTE
        yield from _of_statement(text, _COMMANDS)
    elif last in _STATEMENT_KEYS or (last in _QUERY_KEYS and not seeks and _begins(text)):
        yield from _of_statement(text, _STATEMENTS)


@lru_cache(maxsize=1_024)
def _last_word(key: str) -> str:
    words = words_of(key)
    return words[-1] if words else ""


def _of_verb(key: str, text: str) -> tuple[ToolLabel, ...]:
    if key == "method" and text.lower() in _METHODS:
        return _METHODS[text.lower()]
    return tuple(labels_of_verb(text))


_COMMANDS: Final[tuple[tuple[ToolLabel, re.Pattern[str]], ...]] = tuple(
    (label, re.compile(rf"(?<![\w-])(?:{words})(?![\w-])"))
    for label, words in (
        (ToolLabel.DELETE, "rm|rmdir|shred|unlink|truncate|mkfs|dd|del|rmtree|Remove-Item"),
        (ToolLabel.ADMIN, "sudo|su|chmod|chown|passwd|useradd|userdel|usermod|iptables"),
        (ToolLabel.SEND, "curl|wget|ssh|scp|sftp|rsync|nc|ncat|netcat|telnet|sendmail"),
    )
)
_COMMENT: Final = re.compile(r"/\*.{0,256}?\*/|--[^\n]*", re.DOTALL)
_KINDS: Final = "table|database|schema|view|index|user|role|function|procedure|trigger|column"
_STATEMENTS: Final[tuple[tuple[ToolLabel, re.Pattern[str]], ...]] = tuple(
    (label, re.compile(pattern, re.IGNORECASE))
    for label, pattern in (
        (
            ToolLabel.DELETE,
            rf"\bdelete\s{{1,16}}from\b|\bdrop\s{{1,16}}(?:{_KINDS})\b|\btruncate\s{{1,16}}\w",
        ),
        (
            ToolLabel.WRITE,
            (
                r"\binsert\s{1,16}(?:or\s{1,16}\w{1,16}\s{1,16})?into\b|\bmerge\s{1,16}into\b"
                r"|\breplace\s{1,16}into\b|\bupdate\s{1,16}\S{1,128}\s{1,16}set\b"
                rf"|\b(?:alter|create)\s{{1,16}}(?:or\s{{1,16}}replace\s{{1,16}})?(?:{_KINDS})\b"
                r"|\binto\s{1,16}outfile\b|^\s*mutation\b"
            ),
        ),
        (
            ToolLabel.ADMIN,
            r"^\s*(?:grant|revoke)\s|;\s*(?:grant|revoke)\s|\balter\s{1,16}(?:user|role)\b",
        ),
        (ToolLabel.EXECUTE, r"^\s*(?:exec|execute|call)\s|;\s*(?:exec|execute|call)\s"),
    )
)


_BEGINNING: Final = re.compile(
    r"[\s(;]{0,64}(?:select|with|insert|update|delete|drop|truncate|alter|create|grant|revoke|merge"
    r"|replace|exec|execute|call|begin|start|set|use|do|explain|declare|mutation)\b",
    re.IGNORECASE,
)


def _begins(text: str) -> bool:
    """Whether a query begins as a statement does: a question to a person may quote one."""
    return _BEGINNING.match(_COMMENT.sub(" ", text[:1_024])) is not None


def _of_statement(
    text: str, patterns: tuple[tuple[ToolLabel, re.Pattern[str]], ...]
) -> Iterator[ToolLabel]:
    read = text[:STATEMENT_CHARACTERS_MAX]
    if len(text) > STATEMENT_CHARACTERS_MAX:
        yield ToolLabel.UNKNOWN
    if patterns is _STATEMENTS:
        read = _COMMENT.sub(" ", read)
    for label, pattern in patterns:
        if pattern.search(read):
            yield label


_RECEIVERS: Final = frozenset(
    {"to", "cc", "bcc", "recipient", "recipients", "phone", "channel", "chat_id", "to_email"}
)
_WORDING: Final = frozenset({"subject", "body", "message"})
_PAYEES: Final = frozenset(
    {"iban", "payee", "beneficiary", "recipient", "card_number", "account_number", "to_account"}
)


def _of_shape(pairs: _Pairs) -> Iterator[ToolLabel]:
    """Tell what the keys of an object show together: a message to somebody, money for somebody."""
    keys = {"_".join(words_of(key[:64])) for key, _ in pairs}
    if keys & _RECEIVERS and keys & _WORDING:
        yield ToolLabel.SEND
    if "amount" in keys and keys & _PAYEES:
        yield ToolLabel.PAY
