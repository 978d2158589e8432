"""The tables hang together: whatever they name can be reached, and ends."""

from __future__ import annotations

import pytest

from astrolabe_http.wire.grammar import Rule, chat_table, responses_table
from astrolabe_http.wire.grammar.states import Kind, Row, State, States, misfits, named

TABLES = pytest.mark.parametrize("rows", [responses_table.ROWS, chat_table.ROWS])


@TABLES
def test_every_state_of_a_table_is_reached_from_the_beginning(rows: tuple[Row, ...]) -> None:
    for of in {row.of for row in rows}:
        own = [row for row in rows if row.of == of]
        # A call's arguments are opened with the call.
        reached = {State.OPEN if of == "arguments" else State.NEW}
        for _ in own:
            reached |= {row.after for row in own if reached & {*row.before}}
        assert {state for row in own for state in (*row.before, row.after)} <= reached


@TABLES
def test_an_event_has_one_row_for_each_state(rows: tuple[Row, ...]) -> None:
    found = [(row.event, state) for row in rows for state in row.before]
    assert len(found) == len({*found})


@TABLES
def test_a_counter_is_a_field_of_its_row(rows: tuple[Row, ...]) -> None:
    assert all(row.counter in row.fields for row in rows if row.counter is not None)


def test_every_part_has_its_events() -> None:
    events = {row.event for row in responses_table.ROWS}
    for part in responses_table.PARTS.values():
        assert {f"{part.stem}.delta", f"{part.stem}.done"} <= events
        assert part.item in responses_table.ITEMS
        assert part.axis in responses_table.AXES


ROWS = (
    Row(event="begin", of="stream", before=(State.NEW,), after=State.RUNNING),
    Row(event="open", of="item", before=(State.NEW,), after=State.OPEN, counter="index"),
    Row(event="fill", of="item", before=(State.OPEN,), after=State.FILLED),
    Row(event="close", of="item", before=(State.FILLED,), after=State.CLOSED),
    Row(event="end", of="stream", before=(State.RUNNING,), after=State.OVER, within=State.CLOSED),
)
ITEM = ("item", 0)


def broken(*moves: tuple[str, tuple[str | int, ...]]) -> list[tuple[Rule, str]]:
    states = States(ROWS)
    return [found for event, path in moves for found in states.move(event, path)]


def test_a_whole_life_breaks_nothing() -> None:
    life = (("begin", ()), ("open", ITEM), ("fill", ITEM), ("close", ITEM), ("end", ()))
    assert broken(*life) == []


@pytest.mark.parametrize(
    ("moves", "rule", "said"),
    [
        ((("end", ()),), Rule.ORDER, "the stream is new"),
        ((("begin", ()), ("end", ()), ("end", ())), Rule.ONE_END, "the stream is over"),
        ((("open", ITEM),), Rule.ORDER, "the stream is new"),
        ((("begin", ()), ("fill", ITEM)), Rule.OPENED_FIRST, "item 0 is new"),
        ((("begin", ()), ("open", ITEM), ("close", ITEM)), Rule.OPENED_FIRST, "item 0 is open"),
        ((("begin", ()), ("open", ITEM), ("open", ITEM)), Rule.OPENED_ONCE, "item 0 is open"),
        (
            (("begin", ()), ("open", ITEM), ("fill", ITEM), ("fill", ITEM)),
            Rule.CLOSED_LAST,
            "item 0 is filled",
        ),
        ((("begin", ()), ("open", ("item", 1))), Rule.INDEX_ORDER, "index is 1 where 0 is next"),
        ((("begin", ()), ("open", ITEM), ("end", ())), Rule.ALL_CLOSED, "item 0 is open"),
        ((("other", ()),), Rule.KNOWN_EVENT, "there is no such event"),
    ],
)
def test_a_move_that_is_not_in_the_table_names_its_rule(
    moves: tuple[tuple[str, tuple[str | int, ...]], ...], rule: Rule, said: str
) -> None:
    assert broken(*moves) == [(rule, said)]


def test_a_field_is_there_and_of_its_kind() -> None:
    assert [*misfits({"a": "x", "b": 1}, {"a": Kind.TEXT, "b": Kind.INDEX}, "it")] == []
    assert [
        *misfits({"a": 1, "b": True}, {"a": Kind.TEXT, "b": Kind.INDEX, "c": Kind.ANY}, "it")
    ] == [
        (Rule.FIELDS, "a of it is no text"),
        (Rule.FIELDS, "b of it is no index"),
        (Rule.FIELDS, "it has no c"),
    ]


def test_a_thing_is_named_by_the_way_to_it() -> None:
    assert named(()) == "the stream"
    assert named(("item", 0, "content_index", 1)) == "item 0, content_index 1"
