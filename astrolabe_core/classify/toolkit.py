"""What may a tool be for, as far as its name tells?

`traits` reads a name in any case style. It only informs the classification: what a call may do is
judged by `astrolabe_core.tool_names`, which reads a name in the same words and trusts it less.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Trait(StrEnum):
    """Something that a tool is for."""

    BROWSE = "browse"
    EDIT = "edit"
    RUN = "run"
    READ = "read"
    LOOKUP = "lookup"
    DELEGATE = "delegate"
    PLAN = "plan"
    MESSAGE = "message"
    PAY = "pay"
    DESTROY = "destroy"
    TREAT = "treat"


NAME_CHARACTERS_MAX: Final = 64

_PARTS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_NOTHING: Final[frozenset[Trait]] = frozenset()


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ALONE: Final[Mapping[str, Trait]] = {
    "agent": Trait.DELEGATE,
    "edit": Trait.EDIT,
    "fetch": Trait.BROWSE,
    "glob": Trait.READ,
    "grep": Trait.READ,
    "read": Trait.READ,
    "search": Trait.BROWSE,
    "task": Trait.DELEGATE,
    "write": Trait.EDIT,
}
"""Names of one word that would say nothing as a part of a longer one."""

_TELLING: Final[Mapping[str, Trait]] = {
    word: trait
    for trait, words in {
        Trait.BROWSE: "browse browser web webfetch websearch internet google bing crawl scrape",
        Trait.EDIT: "patch multiedit diff",
        Trait.RUN: "bash shell terminal exec command commands powershell sandbox repl interpreter",
        Trait.LOOKUP: "knowledge vector retrieve retrieval kb faq embeddings",
        Trait.DELEGATE: "subagent subagents delegate handoff spawn dispatch",
        Trait.PLAN: "plan planner todo todos todowrite todoread",
        Trait.MESSAGE: "email mail sms slack message whatsapp tweet",
        Trait.PAY: "pay payment payments payout refund charge withdraw invoice funds money trade",
        Trait.DESTROY: "delete drop destroy terminate wipe purge truncate uninstall erase",
        Trait.TREAT: "prescribe prescription medication dosage diagnose diagnosis",
    }.items()
    for word in words.split()
}
_SEEK: Final = _words("search fetch find query get read list open view")
_CHANGE: Final = _words("edit write create replace insert update modify str")
_CODE: Final = _words("file files code repo repository codebase symbol symbols editor directory")
_PAGES: Final = _words("url page pages site http website")
_DOCUMENTS: Final = _words("doc docs document documents index memory memories")


def traits(name: str) -> frozenset[Trait]:
    """Tell what a tool of this name is for; empty when the name does not say."""
    parts = frozenset(words_of(name[:NAME_CHARACTERS_MAX]))
    if len(parts) == 1:
        word = next(iter(parts))
        trait = _ALONE.get(word) or _TELLING.get(word)
        return _NOTHING if trait is None else frozenset({trait})
    found = {_TELLING[part] for part in parts if part in _TELLING}
    if "transfer" in parts:
        # OpenAI's agents SDK hands over by `transfer_to_<agent>`; a bank moves money.
        found.add(Trait.DELEGATE if "to" in parts or "agent" in parts else Trait.PAY)
    elif "agent" in parts:
        found.add(Trait.DELEGATE)
    if parts & _CODE:
        if parts & _CHANGE:
            found.add(Trait.EDIT)
        elif parts & _SEEK:
            found.add(Trait.READ)
    elif parts & _SEEK:
        if parts & _PAGES:
            found.add(Trait.BROWSE)
        elif parts & _DOCUMENTS:
            found.add(Trait.LOOKUP)
    return frozenset(found)


def words_of(name: str) -> tuple[str, ...]:
    """Split a name of any case style into its words, in lower case and in order."""
    if name.isalpha() and name.islower():
        return (name,)
    return tuple([part.lower() for part in _PARTS.findall(name)])
