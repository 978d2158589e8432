"""Which of the items that were streamed is each of those that a response ends with?

At its end a provider tells all items once more, and some tell items there that they never
streamed. Nothing may be lost, and nothing come twice. An id decides, where both have it; a call
is known by its `call_id`; else place and words tell. Pure.
"""

from collections.abc import Sequence
from typing import Final

from astrolabe_http.wire.fields import Object, array_of, object_of, text_of
from astrolabe_http.wire.responses_output import CALL, FAMILIES, Family, Item

_KEYS: Final = {"summary_index": "summary", "content_index": "content"}


def pair(output: Sequence[Object], made: Sequence[Item]) -> list[Item | None]:
    """Give for each whole item the streamed one that it is, or nothing for one that is new."""
    found: list[Item | None] = [None] * len(output)
    free = list(made)
    for test in (_by_id, _by_call, _by_place, _by_words, _by_kind):
        for place, said in enumerate(output):
            if found[place] is None:
                item = next((each for each in free if test(place, said, each)), None)
                if item is not None:
                    found[place] = item
                    free.remove(item)
    return found


def _is_kind(said: Object, item: Item) -> bool:
    return said.get("type") == item.kind


def _by_id(_: int, said: Object, item: Item) -> bool:
    return _is_kind(said, item) and bool(item.own) and said.get("id") == item.own


def _by_call(_: int, said: Object, item: Item) -> bool:
    known = item.kind == CALL and _is_kind(said, item)
    return known and said.get("call_id") == item.call_id


def _by_place(place: int, said: Object, item: Item) -> bool:
    return place == item.place and _by_words(place, said, item)


def _by_words(_: int, said: Object, item: Item) -> bool:
    """Whether what was streamed is how the whole begins."""
    if not _is_kind(said, item) or _is_another_call(said, item):
        return False
    if item.kind == CALL:
        whole, known = text_of(said.get("arguments")), "".join(item.arguments)
        return text_of(said.get("name")) == item.name and whole.startswith(known)
    families = (family for family in FAMILIES.values() if family.owner == item.kind)
    return all(_words(said, family).startswith(item.words(family)) for family in families)


def _by_kind(_: int, said: Object, item: Item) -> bool:
    """Whether it may be the same after all, told in other words: nothing says otherwise."""
    if not _is_kind(said, item) or _is_another_call(said, item):
        return False
    return not (item.own and text_of(said.get("id")))


def _is_another_call(said: Object, item: Item) -> bool:
    named = text_of(said.get("call_id"))
    return item.kind == CALL and bool(named) and named != item.call_id


def _words(said: Object, family: Family) -> str:
    parts = map(object_of, array_of(said.get(_KEYS[family.index])))
    return "".join(
        text_of(part.get(family.key)) for part in parts if part.get("type") == family.part
    )
