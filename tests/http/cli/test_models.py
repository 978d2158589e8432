from __future__ import annotations

import pytest

from astrolabe_core import shipped
from tests.http.catalogs import written
from tests.http.cli.running import Shell


def test_virtual_and_serving_models_are_one_list(shell: Shell) -> None:
    found = shell.told("models", "list")["data"]
    virtual = [each["id"] for each in found if each["type"] == "virtual"]
    serving = [each["id"] for each in found if each["type"] == "serving"]
    assert virtual == [model.id for model in shipped.virtual_models()]
    assert serving == [model.id for model in shipped.catalog().models]


@pytest.mark.parametrize("view", ["virtual", "serving"])
def test_a_view_narrows(shell: Shell, view: str) -> None:
    found = shell.told("models", "list", "--view", view)["data"]
    assert {each["type"] for each in found} == {view}
    shown = shell.run("models", "list", "--view", view).stdout
    assert all(each["id"] in shown for each in found)


def test_the_listed_prices_are_those_of_the_roster(shell: Shell) -> None:
    pricing = shell.told("models", "show", "anthropic/claude-opus-4.7")["pricing"]
    assert (pricing["input"], pricing["output"]) == ("5", "25")


def test_a_virtual_model_has_a_short_form(shell: Shell) -> None:
    assert shell.told("models", "show", "cheap") == shell.told("models", "show", "astrolabe/cheap")


def test_a_near_miss_is_named(shell: Shell) -> None:
    ran = shell.run("models", "show", "gpt-5.4")
    assert ran.exit_code == 3
    assert "did you mean openai/gpt-5.4" in ran.stderr


def test_a_catalog_of_one_s_own_is_listed_in_its_place(shell: Shell) -> None:
    path = written(shell.folder)
    found = shell.told("models", "list", ASTROLABE_CATALOG=path)["data"]
    assert [each["id"] for each in found] == ["astrolabe/auto", "local/llama", "local/qwen"]
    assert shell.told("models", "show", "local/llama", ASTROLABE_CATALOG=path)["type"] == "serving"
    ran = shell.run("models", "show", "openai/gpt-5.4", ASTROLABE_CATALOG=path)
    assert ran.exit_code == 3


def test_a_catalog_that_cannot_be_served_is_told(shell: Shell) -> None:
    ran = shell.run("models", "list", ASTROLABE_CATALOG=str(shell.folder / "nowhere.json"))
    assert ran.exit_code == 1
    assert "nowhere.json cannot be read" in ran.stderr
    assert "docs/catalog.md" in ran.stderr
