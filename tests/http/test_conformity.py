"""Answers are held against their schemas in time, whatever schema and whatever answer."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import orjson
import pytest
import uvloop

from astrolabe_core.conformity import Claim, Conformity
from astrolabe_core.units import Millis
from astrolabe_http import conformity
from astrolabe_http.conformity import MISSED, UNCHECKED, Inspector

pytestmark = pytest.mark.anyio

Json = dict[str, Any]
LONG = Millis(60_000)
TAME: Json = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
# The same for a child: names of properties are no word that is held against an answer here.
GOOD: Json = {**TAME, "propertyNames": True}
# Two alternatives that both fail, at every level: 2^n ways to say what is wrong.
TWICE: Json = {
    "$defs": {
        "A": {
            "anyOf": [
                {"properties": {"x": {"$ref": "#/$defs/A"}}, "required": ["x"]},
                {"properties": {"x": {"$ref": "#/$defs/A"}}, "required": ["x"], "minProperties": 1},
            ]
        }
    },
    "$ref": "#/$defs/A",
}
# Every item is compared with every option, in a schema that is small enough to be taken.
COMPARED: Json = {"items": {"enum": [{"a": number} for number in range(8_000)]}}
COMPARED_TEXT = orjson.dumps([{"a": 7_999}] * 40_000).decode()


def nested(levels: int) -> str:
    value: object = {}
    for _ in range(levels):
        value = {"x": value}
    return orjson.dumps(value).decode()


def claim(schema: Json, *texts: str) -> Claim:
    return Claim(texts=texts, schema=schema, choice=0)


@pytest.fixture
def inspector() -> Iterator[Inspector]:
    made = Inspector()
    yield made
    made.close()


def pids(inspector: Inspector) -> list[int]:
    return [child._process.pid for child in inspector._children]


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{pid}/stat").read_text().split(") ")[1].startswith("Z")


async def until(fact: Callable[[], bool]) -> None:
    with anyio.fail_after(10):
        while not fact():  # noqa: ASYNC110 - a process has no event
            await anyio.sleep(0.01)


# --- what is told ---------------------------------------------------------------------------


async def test_the_first_text_that_has_the_schema_wins(inspector: Inspector) -> None:
    good = '{"a":"b"}'
    for texts, expected in (
        ((good,), Conformity(fitting=0)),
        (("```\n" + good, good), Conformity(fitting=1, flaws=("is not JSON",))),
        (("{}", "[]", good, good), Conformity(fitting=2, flaws=("lacks the property 'a'",))),
        (("{}", "[]"), Conformity(flaws=("lacks the property 'a'",))),
        (("nothing",), Conformity(flaws=("is not JSON",))),
        (('{"a":NaN}',), Conformity(flaws=("is not JSON",))),
    ):
        assert await inspector.hold((claim(GOOD, *texts),), LONG) == (expected,)


async def test_a_tame_answer_that_is_as_it_must_be_needs_no_child(
    inspector: Inspector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert await inspector.hold((claim(TAME, '{"a":"b"}'),), LONG) == (Conformity(fitting=0),)
    assert pids(inspector) == []
    monkeypatch.undo()
    for text, flaw in (("{}", "lacks the property 'a'"), ("{", "is not JSON")):
        found = await inspector.hold((claim(TAME, text),), LONG)
        assert found == (Conformity(flaws=(flaw,)),)
    assert len(pids(inspector)) == 1


async def test_each_claim_is_answered_in_its_place(inspector: Inspector) -> None:
    claims = (claim(GOOD, "{}"), claim({"type": "array"}, "[]"), claim(GOOD, '{"a":""}'))
    found = await inspector.hold(claims, LONG)
    assert [each.fitting for each in found] == [None, 0, 0]
    assert await inspector.hold((), LONG) == ()


async def test_drafts_are_told_apart_as_they_are_before_a_model_is_asked(
    inspector: Inspector,
) -> None:
    tuples: Json = {"items": [{"type": "string"}, {"type": "null"}]}
    old: Json = {"$schema": "http://json-schema.org/draft-07/schema#", **tuples}
    found = await inspector.hold((claim(tuples, '["a",1]'), claim(old, '["a",1]')), LONG)
    assert [each.flaws for each in found] == [("/1: is not null",)] * 2


async def test_what_nobody_can_compile_is_unchecked(inspector: Inspector) -> None:
    for schema in (
        {"$ref": "https://example.com/schema"},
        {"type": "bogus"},
        {"title": "x" * 200_000},
        {"$defs": {"a": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"},
    ):
        assert await inspector.hold((claim(schema, "{}"),), LONG) == (UNCHECKED,)
    assert await inspector.hold((claim(GOOD, '{"a":"\ud800"}'),), LONG) == (UNCHECKED,)


async def test_a_pattern_that_gives_up_is_unchecked(inspector: Inspector) -> None:
    schema: Json = {"pattern": "(?:(?!c)a|(?!c)aa)+$"}
    text = orjson.dumps("a" * 40 + "!").decode()
    assert await inspector.hold((claim(schema, text),), LONG) == (UNCHECKED,)
    found = await inspector.hold((claim(schema, text, '"aa"'),), LONG)
    assert found[0].fitting == 1


# --- what would not end ---------------------------------------------------------------------


async def test_a_check_without_end_is_killed_and_its_schema_left_alone(
    inspector: Inspector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conformity, "DEADLINE_S", 0.2)
    await inspector.hold((claim(GOOD, "{}"),), LONG)
    before = pids(inspector)
    started = time.monotonic()
    assert await inspector.hold((claim(COMPARED, COMPARED_TEXT),), LONG) == (UNCHECKED,)
    assert time.monotonic() - started < 2
    await until(lambda: is_gone(before[0]))
    assert pids(inspector) == []
    assert await inspector.hold((claim(COMPARED, "[]"),), LONG) == (UNCHECKED,)
    assert pids(inspector) == []
    assert (await inspector.hold((claim(GOOD, '{"a":""}'),), LONG))[0].fitting == 0


async def test_a_schema_that_was_left_alone_is_tried_again_later(
    inspector: Inspector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conformity, "DEADLINE_S", 0.2)
    monkeypatch.setattr(conformity, "SHUNNED_S", 0.0)
    assert await inspector.hold((claim(COMPARED, COMPARED_TEXT),), LONG) == (UNCHECKED,)
    monkeypatch.setattr(conformity, "DEADLINE_S", 5.0)
    assert (await inspector.hold((claim(COMPARED, "[]"),), LONG))[0].fitting == 0


async def test_that_something_is_wrong_is_known_where_to_say_what_would_not_end(
    inspector: Inspector,
) -> None:
    found = await inspector.hold((claim(TWICE, nested(60), "{"),), LONG)
    assert found == (Conformity(flaws=(MISSED,)),)
    assert pids(inspector) == []


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        pytest.param(TWICE, nested(200), id="recursion of alternatives"),
        pytest.param(
            {"uniqueItems": True},
            orjson.dumps([{"a": {"b": [number]}} for number in range(50_000)]).decode(),
            id="items all of which differ",
        ),
        pytest.param(
            {"items": {"pattern": "^(a+)+$"}},
            orjson.dumps(["a" * 50_000 + "!"] * 20).decode(),
            id="a pattern",
        ),
        pytest.param({"items": {"$ref": "#"}}, "[" * 20_000 + "]" * 20_000, id="depth"),
        pytest.param({"multipleOf": 1e-300}, "1e300", id="numbers"),
        pytest.param(
            {"anyOf": [{"required": [f"k{number}"]} for number in range(3_000)]},
            "{}",
            id="thousands of alternatives",
        ),
    ],
)
async def test_whatever_comes_the_loop_goes_on_and_an_answer_comes_in_time(
    inspector: Inspector, schema: Json, text: str
) -> None:
    await inspector.hold((claim(GOOD, "{}"),), LONG)
    found: list[Conformity] = []

    async def hold() -> None:
        found.extend(await inspector.hold((claim(schema, text),), LONG))

    worst, before = 0.0, time.process_time()
    with anyio.fail_after(conformity.HOLD_S):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(hold)
            while not found:
                await anyio.lowlevel.checkpoint()
                worst, before = max(worst, time.process_time() - before), time.process_time()
    assert len(found) == 1
    assert worst < 0.1


async def test_memory_without_end_is_the_end_of_the_child_alone(inspector: Inspector) -> None:
    """A child that falls over is one that told nothing; the next check has another."""
    await inspector.hold((claim(GOOD, "{}"),), LONG)
    os.kill(pids(inspector)[0], signal.SIGSTOP)

    async def fall() -> None:
        await anyio.sleep(0.05)
        os.kill(pids(inspector)[0], signal.SIGKILL)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(fall)
        assert await inspector.hold((claim({"not": {}}, "null"),), LONG) == (UNCHECKED,)
    assert (await inspector.hold((claim(GOOD, '{"a":""}'),), LONG))[0].fitting == 0


async def test_a_child_that_died_idle_is_replaced_unseen(inspector: Inspector) -> None:
    await inspector.hold((claim(GOOD, "{}"),), LONG)
    first = pids(inspector)[0]
    os.kill(first, signal.SIGKILL)
    await until(lambda: is_gone(first))
    assert (await inspector.hold((claim(GOOD, '{"a":""}'),), LONG))[0].fitting == 0
    assert pids(inspector) != [first]


async def test_signals_to_the_group_do_not_reach_a_check(inspector: Inspector) -> None:
    """Ctrl-C and a supervisor's SIGTERM come to all; requests under way still end."""
    await inspector.hold((claim(GOOD, "{}"),), LONG)
    for told in (signal.SIGINT, signal.SIGTERM):
        os.kill(pids(inspector)[0], told)
    before = pids(inspector)
    assert (await inspector.hold((claim(GOOD, '{"a":""}'),), LONG))[0].fitting == 0
    assert pids(inspector) == before


# --- how many -------------------------------------------------------------------------------


async def test_there_are_only_so_many_children_and_so_many_who_wait(
    inspector: Inspector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conformity, "WAITING_MAX", 3)
    found: list[Conformity] = []

    async def hold() -> None:
        found.extend(await inspector.hold((claim(GOOD, '{"a":""}'),), LONG))

    async with anyio.create_task_group() as tasks:
        for _ in range(10):
            tasks.start_soon(hold)
    # Two had a child at once, three waited, and the others were told at once.
    assert [each.checked for each in found].count(True) == 5
    assert len(pids(inspector)) == conformity.CHILDREN_MAX


async def test_nobody_waits_for_a_turn_for_ever(
    inspector: Inspector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conformity, "CHILDREN_MAX", 1)
    monkeypatch.setattr(conformity, "QUEUE_S", 0.05)
    monkeypatch.setattr(conformity, "DEADLINE_S", 0.5)
    small = Inspector()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(small.hold, (claim(COMPARED, COMPARED_TEXT),), LONG)
        await until(lambda: bool(pids(small)))
        assert await small.hold((claim(GOOD, '{"a":""}'),), LONG) == (UNCHECKED,)
    small.close()


async def test_the_requests_own_time_is_a_limit_too(inspector: Inspector) -> None:
    started = time.monotonic()
    two = (claim(COMPARED, COMPARED_TEXT), claim(GOOD, "{}"))
    assert await inspector.hold(two, Millis(150)) == (UNCHECKED, UNCHECKED)
    assert time.monotonic() - started < 1
    # It was the request that had no time: the schema is not to blame.
    assert (await inspector.hold((claim(COMPARED, "[]"),), LONG))[0].fitting == 0


async def test_whoever_leaves_takes_the_child_along(inspector: Inspector) -> None:
    await inspector.hold((claim(GOOD, "{}"),), LONG)
    first = pids(inspector)[0]
    with anyio.move_on_after(0.1):
        await inspector.hold((claim(COMPARED, COMPARED_TEXT),), LONG)
    await until(lambda: is_gone(first))
    assert pids(inspector) == []


# --- beginning and end ----------------------------------------------------------------------


async def test_closing_ends_children_at_rest_and_at_work(inspector: Inspector) -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(inspector.hold, (claim(COMPARED, COMPARED_TEXT),), LONG)
        await until(lambda: bool(pids(inspector)))
        assert (await inspector.hold((claim(GOOD, '{"a":""}'),), LONG))[0].fitting == 0
        known = pids(inspector)
        assert len(known) == 2
        inspector.close()
    await until(lambda: all(map(is_gone, known)))
    inspector.close()
    assert await inspector.hold((claim(GOOD, '{"a":""}'),), LONG) == (UNCHECKED,)
    assert pids(inspector) == []


async def test_an_inspector_that_nobody_closed_leaves_nothing_behind() -> None:
    made = Inspector()
    await made.hold((claim(GOOD, "{}"),), LONG)
    known = pids(made)
    assert known
    del made
    gc.collect()
    await until(lambda: all(map(is_gone, known)))


async def test_where_no_process_can_be_started_nothing_is_checked(
    inspector: Inspector, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert await inspector.hold((claim(GOOD, "{}"),), LONG) == (UNCHECKED,)
    assert "cannot be held against schemas" in caplog.text
    monkeypatch.setattr(sys, "executable", "/bin/true")
    assert await inspector.hold((claim(GOOD, "{}"),), LONG) == (UNCHECKED,)
    assert "does not start" in caplog.text


def test_a_child_has_no_secret_of_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", "s3cret")

    async def environment() -> bytes:
        inspector = Inspector()
        await inspector.hold((claim(GOOD, "{}"),), LONG)
        found = await anyio.Path(f"/proc/{pids(inspector)[0]}/environ").read_bytes()
        inspector.close()
        return found

    assert b"s3cret" not in uvloop.run(environment())


HOST = """
import asyncio, sys, threading
from astrolabe_core.conformity import Claim
from astrolabe_http.conformity import Inspector
print("host", flush=True)
async def hold():
    inspector = Inspector()
    found = await inspector.hold((Claim(texts=("[]",), schema={"not": {"type": "null"}}),), 60_000)
    print(found[0].fitting, [child._process.pid for child in inspector._children][0], flush=True)
    if "stay" in sys.argv:
        await asyncio.sleep(60)
    inspector.close()
asked = threading.Thread(target=asyncio.run, args=(hold(),))
asked.start()
asked.join()
"""


def test_a_host_without_a_main_guard_and_a_loop_in_a_thread_is_served(tmp_path: Path) -> None:
    """`anyio.to_process` and `multiprocessing` would run such a host once more in each child."""
    script = tmp_path / "host.py"
    script.write_text(textwrap.dedent(HOST))
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, timeout=60, check=True
    )
    lines = done.stdout.split()
    assert lines[:2] == ["host", "0"]
    assert len(lines) == 3


async def test_a_child_ends_with_a_parent_that_was_killed(tmp_path: Path) -> None:
    script = tmp_path / "host.py"
    script.write_text(textwrap.dedent(HOST))
    host = await asyncio.create_subprocess_exec(
        sys.executable, script, "stay", stdout=asyncio.subprocess.PIPE
    )
    assert host.stdout is not None
    await host.stdout.readline()
    child = int((await host.stdout.readline()).split()[1])
    assert not is_gone(child)
    host.kill()
    await host.wait()
    await until(lambda: is_gone(child))


CHILD = """
import sys
sys.path[:] = sys.argv[1:]
from astrolabe_http import conformity_child
conformity_child.LIFE_S = 0.2
conformity_child.work()
"""


def test_a_child_at_work_without_a_parent_is_ended_by_the_kernel() -> None:
    """Nobody reads its answer and nobody kills it: the validator never looks up."""
    frame = orjson.dumps({"schema": orjson.dumps(COMPARED).decode(), "texts": [COMPARED_TEXT] * 9})
    done = subprocess.run(
        [sys.executable, "-c", CHILD, *sys.path],
        input=len(frame).to_bytes(4, "big") + frame,
        capture_output=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == -signal.SIGALRM


async def test_a_child_is_limited_and_leaves_no_core_behind(inspector: Inspector) -> None:
    """What it holds is what models said: none of it goes to a disk."""
    await inspector.hold((claim(GOOD, "{}"),), LONG)
    limits = await anyio.Path(f"/proc/{pids(inspector)[0]}/limits").read_text()
    found = {line[:26].strip(): line[26:].split()[0] for line in limits.splitlines()}
    assert found["Max core file size"] == "0"
    assert found["Max address space"] == str(1024**3)
