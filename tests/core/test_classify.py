# ruff: noqa: RUF001 - prompts in other scripts
from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path
from time import perf_counter_ns

import attrs
import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from astrolabe_core.catalog import Modality
from astrolabe_core.classify import classify
from astrolabe_core.requests import (
    ActionClass,
    Category,
    Complexity,
    OutputFormat,
    Overrides,
    Profile,
    Request,
    Role,
    Tool,
    ToolChoice,
    Turn,
)
from astrolabe_core.units import Tokens
from tests.core.classify.labelled import LABELLED, NATURAL, Row, ask, said, user

ROOT = Path(__file__).parents[2]
TEXTS = st.one_of(
    st.text(st.characters(codec=None), max_size=300),
    st.sampled_from([str(row.turns[-1].text) for row in LABELLED]),
    st.builds(lambda text, times: text * times, st.text(max_size=20), st.integers(0, 2_000)),
)
COUNTS = st.integers(0, 3)
TURNS = st.builds(
    Turn,
    role=st.sampled_from(Role),
    text=TEXTS,
    images=COUNTS,
    audios=COUNTS,
    videos=COUNTS,
    files=COUNTS,
    tool_calls=st.lists(st.sampled_from(["bash", "web_search", "pay", "Task", "天気"])).map(tuple),
)
REQUESTS = st.builds(
    lambda turns, tools, choice, form, cap, reasoning, parallel: attrs.evolve(
        ask(*turns),
        tools=tuple(tools),
        tool_choice=choice,
        output_format=form,
        output_tokens_max=cap,
        reasoning=reasoning,
        parallel_tools=parallel,
    ),
    st.lists(TURNS, max_size=6),
    st.lists(st.builds(Tool, name=st.text(max_size=30), schema_bytes=st.integers(0, 10_000))),
    st.sampled_from(ToolChoice),
    st.sampled_from(OutputFormat),
    st.none() | st.integers(1, 100_000).map(Tokens),
    st.booleans(),
    st.booleans(),
)


@given(REQUESTS)
def test_every_request_has_a_profile_within_its_bounds(request_: Request) -> None:
    profile = classify(request_)
    kind = profile.classification
    event(kind.category)
    event(kind.complexity)
    assert 0 <= profile.input_tokens <= profile.input_tokens_max
    assert profile.output_tokens > 0
    assert profile.output_tokens_cap is None or profile.output_tokens <= profile.output_tokens_cap
    assert 0 < kind.confidence <= 10_000
    assert profile == classify(request_)


@given(REQUESTS, st.lists(TEXTS, min_size=6, max_size=6))
def test_no_word_of_a_prompt_changes_what_is_needed(request_: Request, texts: list[str]) -> None:
    """Nothing a prompt says can widen, or narrow, the set of candidates."""
    turned = tuple(
        attrs.evolve(turn, text=text) for turn, text in zip(request_.turns, texts, strict=False)
    )
    before, after = classify(request_), classify(attrs.evolve(request_, turns=turned))
    assert before.needs == after.needs
    assert before.modalities == after.modalities
    assert before.images == after.images


@given(REQUESTS, TURNS)
def test_a_longer_conversation_is_never_smaller(request_: Request, turn: Turn) -> None:
    before = classify(request_)
    after = classify(attrs.evolve(request_, turns=(*request_.turns, turn)))
    assert before.input_tokens <= after.input_tokens
    assert before.input_tokens_max <= after.input_tokens_max


def test_equal_requests_are_judged_alike_in_every_process() -> None:
    code = (
        "from astrolabe_core.classify import classify\n"
        "from tests.core.classify.labelled import LABELLED, NATURAL\n"
        "for row in LABELLED + NATURAL:\n"
        "    kind = classify(row.request).classification\n"
        "    print(kind.category, kind.lane, kind.complexity, kind.confidence, kind.evidence,\n"
        "        sorted(kind.modifiers))\n"
    )
    said_by = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"},
            cwd=ROOT,
            capture_output=True,
            check=True,
            timeout=60,
        ).stdout
        for seed in ("0", "1", "4242")
    }
    assert len(said_by) == 1
    assert said_by != {b""}


def judged(row: Row) -> Category:
    return classify(row.request).classification.category


def confusion(rows: tuple[Row, ...]) -> str:
    """Write the table of the docs: per label how many, how many agreed, and where the rest went."""
    lines = ["| Label | Rows | Agree | Otherwise |", "| --- | --- | --- | --- |"]
    for label in Category:
        counts = Counter(judged(row) for row in rows if row.category == label)
        if counts:
            others = ", ".join(
                f"{other} {counts[other]}" for other in Category if counts[other] and other != label
            )
            agreed = counts[label]
            lines.append(f"| {label} | {counts.total()} | {agreed} | {others or '–'} |")
    return "\n".join(lines)


@pytest.mark.parametrize("rows", [LABELLED, NATURAL], ids=["labelled", "natural"])
def test_the_confusion_table_of_the_docs_is_true(rows: tuple[Row, ...]) -> None:
    """litellm PR #39226, librefang #7757: nobody had counted."""
    table = confusion(rows)
    sys.stdout.write(table)
    assert table in (ROOT / "docs/classification.md").read_text("utf-8")


def test_the_labelled_set_is_judged_as_labelled_in_every_language() -> None:
    """librefang #7757: a classifier whose features are words of English fails on Russian."""
    wrong = [str(row) for row in LABELLED if judged(row) != row.category]
    assert len(wrong) <= len(LABELLED) // 20, wrong
    for language in {row.language for row in LABELLED}:
        rows = [row for row in LABELLED if row.language == language]
        assert sum(judged(row) == row.category for row in rows) * 10 >= 9 * len(rows), language


def test_what_is_not_recognised_is_left_open_and_never_called_high_stakes() -> None:
    for row in NATURAL:
        if judged(row) != row.category:
            kind = classify(row.request).classification
            assert kind.category is Category.CORE_LOOP, row
            assert kind.confidence == 3_000


@pytest.mark.parametrize(
    ("text", "category", "action_class", "complexity", "lane"),
    [
        ("how do I delete a line in vim", "coding", "casual_chat", "simple", "coding"),
        ("data transfer object", "core_loop", "casual_chat", "simple", "cheap"),
        ("explain JSON", "core_loop", "casual_chat", "simple", "cheap"),
        ("what is a wire transfer protocol", "core_loop", "casual_chat", "simple", "cheap"),
        ("kill a process in linux", "coding", "casual_chat", "simple", "coding"),
        ("the word diagnosis in a novel title", "creative", "casual_chat", "simple", "cheap"),
        (
            "Refactor the setup function: rename the variable name",
            "coding",
            "code_edit",
            "standard",
            "coding",
        ),
    ],
)
def test_the_known_misroutes_do_not_come_back(
    text: str, category: str, action_class: str, complexity: str, lane: str
) -> None:
    """The self-hosted ancestor, contract section 7: each of these went astray once."""
    kind = classify(ask(text)).classification
    assert kind.category is Category(category)
    assert kind.action_class is ActionClass(action_class)
    assert kind.complexity is Complexity(complexity)
    assert kind.lane == lane


@pytest.mark.parametrize("reply", ["yes", "ok", "go ahead", "ja", "oui", "да", "好"])
def test_a_bare_yes_has_the_class_of_the_work_it_approves(reply: str) -> None:
    """litellm PR #35471: "yes" to a complex plan goes to the cheapest model."""
    work = user("Refactor the billing module into three classes and migrate the database code")
    asked = classify(ask(work)).classification
    approved = classify(ask(work, said("I would do it in five steps. Shall I?"), reply))
    kind = approved.classification
    assert (kind.category, kind.action_class, kind.complexity, kind.lane) == (
        asked.category,
        asked.action_class,
        asked.complexity,
        asked.lane,
    )


def test_a_profile_repeats_what_was_asked_for() -> None:
    request = attrs.evolve(
        ask(Turn(role=Role.USER, text="look", images=2)),
        choices=3,
        output_tokens_max=Tokens(7),
        overrides=Overrides(untrusted_content=True),
    )
    profile = classify(request)
    assert profile.choices == 3
    assert profile.images == 2
    assert profile.output_tokens_cap == profile.output_tokens == 7
    assert profile.untrusted
    assert profile.modalities == {Modality.TEXT, Modality.IMAGE}


@pytest.mark.parametrize(
    "text",
    ["word and another ", "x = f(y);\n", "привет мир ", "好", "😀", '"', "'a ", "```",
     "\n- ", "\n", "a_", "$"],
)  # fmt: skip
def test_a_megabyte_of_anything_is_classified_at_once(text: str) -> None:
    request = ask(text * (1_000_000 // len(text.encode())))
    took_ms = min(_timed(request) for _ in range(3)) // 1_000_000
    assert took_ms < 100  # 2 to 12 ms where measured; the margin is for shared machines


def test_ten_thousand_turns_of_yes_are_classified_at_once() -> None:
    turns = [turn for _ in range(5_000) for turn in (user("yes"), said("ok"))]
    assert min(_timed(ask(*turns)) for _ in range(3)) // 1_000_000 < 100


def _timed(request: Request) -> int:
    begin = perf_counter_ns()
    assert isinstance(classify(request), Profile)
    return perf_counter_ns() - begin
