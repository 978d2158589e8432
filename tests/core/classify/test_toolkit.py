from __future__ import annotations

import pytest

from astrolabe_core.classify.toolkit import NAME_CHARACTERS_MAX, Trait, traits


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("web_search", {Trait.BROWSE}),
        ("webSearch", {Trait.BROWSE}),
        ("WebFetch", {Trait.BROWSE}),
        ("search", {Trait.BROWSE}),
        ("open_url", {Trait.BROWSE}),
        ("search_files", {Trait.READ}),
        ("Grep", {Trait.READ}),
        ("search_documents", {Trait.LOOKUP}),
        ("query_knowledge_base", {Trait.LOOKUP}),
        ("apply_patch", {Trait.EDIT}),
        ("str_replace_editor", {Trait.EDIT}),
        ("mcp__fs__write_file", {Trait.EDIT}),
        ("Edit", {Trait.EDIT}),
        ("bash", {Trait.RUN}),
        ("run_shell_command", {Trait.RUN}),
        ("Task", {Trait.DELEGATE}),
        ("create_task", set()),
        ("transfer_to_billing_agent", {Trait.DELEGATE}),
        ("transferFunds", {Trait.PAY}),
        ("ask_agent", {Trait.DELEGATE}),
        ("sendEmail", {Trait.MESSAGE}),
        ("DELETE_ROW", {Trait.DESTROY}),
        ("TodoWrite", {Trait.PLAN}),
        ("update_plan", {Trait.PLAN}),
        ("prescribe_medication", {Trait.TREAT}),
        ("get_weather", set()),
        ("edit_event", set()),
        ("create_invoice_file", {Trait.PAY, Trait.EDIT}),
        ("file_size", set()),
        ("", set()),
        ("天气", set()),
        ("1234", set()),
    ],
)
def test_a_name_tells_what_a_tool_is_for_in_any_case_style(name: str, expected: set[Trait]) -> None:
    assert traits(name) == expected


def test_an_endless_name_is_cut() -> None:
    assert traits("x" * NAME_CHARACTERS_MAX + "_bash") == frozenset()
