from __future__ import annotations

import json
from typing import Any

import pytest

from tests.http import catalogs
from tests.http.cli.running import Shell

CHAT = {"model": "astrolabe/auto", "messages": [{"role": "user", "content": "Why tides?"}]}
RESPONSES = {"model": "astrolabe/auto", "input": "Why tides?"}
ONLY_XAI = {"slug": "mine", "name": "Mine", "boundaries": {"allowedProviders": ["x-ai"]}}


def written(shell: Shell, name: str, value: Any) -> str:
    (shell.folder / name).write_text(json.dumps(value))
    return name


@pytest.mark.parametrize("body", [CHAT, RESPONSES])
def test_either_body_is_decided_without_a_database(shell: Shell, body: Any) -> None:
    found = shell.told("route", written(shell, "body.json", body))
    assert found["stack"]["slug"] == "default-optimizer"
    assert found["classification"].keys() >= {
        "category",
        "action_class",
        "complexity",
        "modifiers",
        "lane",
        "confidence",
    }
    decision = found["decision"]
    assert decision["selected"]["model"] == decision["accepted"][0]["model"]
    assert len(decision["accepted"]) + len(decision["rejected"]) == 17
    assert not (shell.folder / "accounts.db").exists()


def test_a_body_may_come_from_stdin(shell: Shell) -> None:
    assert shell.told("route", "-", stdin=json.dumps(CHAT))["decision"]["kind"] == "selected"


def test_the_same_body_gives_the_same_decision(shell: Shell) -> None:
    body = written(shell, "body.json", CHAT)
    assert (
        shell.told("route", body)["decision"]["fingerprint"]
        == shell.told("route", body)["decision"]["fingerprint"]
    )


def test_an_unpublished_stack_governs(shell: Shell) -> None:
    body, stack = written(shell, "body.json", CHAT), written(shell, "stack.json", ONLY_XAI)
    found = shell.told("route", body, "--stack", stack)
    assert found["decision"]["selected"]["provider"] == "x-ai"
    assert found["stack"]["slug"] == "mine"
    assert "mine@unpublished" in shell.run("route", body, "--stack", stack).stdout


def test_an_unpublished_stack_may_be_toml(shell: Shell) -> None:
    text = 'slug = "mine"\nname = "Mine"\n[boundaries]\nallowedProviders = ["x-ai"]\n'
    (shell.folder / "stack.toml").write_text(text)
    body = written(shell, "body.json", CHAT)
    found = shell.told("route", body, "--stack", "stack.toml")
    assert found["decision"]["selected"]["provider"] == "x-ai"


def test_a_managed_stack_governs_by_its_slug(shell: Shell) -> None:
    found = shell.told("route", written(shell, "body.json", CHAT), "--stack", "high-stakes")
    assert found["stack"]["slug"] == "high-stakes"


def test_a_managed_slug_in_a_file_is_refused(shell: Shell) -> None:
    stack = written(shell, "stack.json", {**ONLY_XAI, "slug": "low-cost"})
    ran = shell.run("route", written(shell, "body.json", CHAT), "--stack", stack)
    assert ran.exit_code == 2
    assert "managed" in ran.stderr


def test_a_block_is_four_and_says_what_would_admit_one(shell: Shell) -> None:
    body = written(shell, "body.json", {**CHAT, "model": "openai/gpt-5.4"})
    stack = written(shell, "stack.json", ONLY_XAI)
    ran = shell.run("route", body, "--stack", stack, "-o", "json")
    assert ran.exit_code == 4
    found = json.loads(ran.stdout)
    assert found["decision"]["kind"] == "blocked"
    assert found["refusal"]["code"] == "routing_policy_blocked"
    shown = shell.run("route", body, "--stack", stack)
    assert shown.exit_code == 4
    assert "provider_not_allowed" in shown.stdout
    assert "What would admit one" in shown.stdout


@pytest.mark.parametrize(
    ("change", "words", "code", "said"),
    [
        ({"model": "openai/none"}, (), 3, "unknown_model"),
        ({}, ("--stack", "none"), 3, "routing_stack_not_found"),
        ({"metadata": {"astrolabe": {"stack": "none"}}}, (), 3, "routing_stack_not_found"),
    ],
)
def test_what_does_not_exist_is_three(
    shell: Shell, change: Any, words: tuple[str, ...], code: int, said: str
) -> None:
    ran = shell.run("route", written(shell, "body.json", {**CHAT, **change}), *words, "-o", "json")
    assert ran.exit_code == code
    assert json.loads(ran.stdout)["refusal"]["code"] == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not JSON"),
        ("[]", "no JSON object"),
        ('{"model": "astrolabe/auto"}', "input"),
        (
            '{"model": "auto", "input": "x", "metadata": {"astrolabe": {"qality": "high"}}}',
            "quality",
        ),
    ],
)
def test_a_body_that_cannot_be_read_is_two(shell: Shell, text: str, said: str) -> None:
    ran = shell.run("route", "-", stdin=text)
    assert ran.exit_code == 2
    assert ran.stdout == ""
    assert said in ran.stderr


def test_a_file_that_is_not_there_is_two(shell: Shell) -> None:
    assert shell.run("route", "none.json").exit_code == 2
    body = written(shell, "body.json", CHAT)
    assert shell.run("route", body, "--stack", "none.json").exit_code == 2


def test_the_envelope_of_a_key_narrows(shell: Shell, workspace: str) -> None:
    written(shell, "bounds.json", {"allowedProviders": ["mistralai"]})
    key = shell.told("keys", "create", "--envelope", "bounds.json")["id"]
    body = written(shell, "body.json", CHAT)
    held = shell.told("route", body, "--key", key)
    assert held["decision"]["selected"]["provider"] == "mistralai"
    assert held["stack"]["layers"] == ["stack", "key"]
    # The workspace itself has no envelope, whatever its keys have.
    assert shell.told("route", body, "--workspace", workspace)["stack"]["layers"] == ["stack"]


@pytest.mark.parametrize("words", [("--workspace", "ws_none"), ("--key", "key_none")])
def test_a_caller_who_does_not_exist_is_three(
    shell: Shell, workspace: str, words: tuple[str, ...]
) -> None:
    assert shell.run("route", written(shell, "body.json", CHAT), *words).exit_code == 3


def test_a_catalog_of_one_s_own_decides_among_its_models(shell: Shell) -> None:
    body = written(shell, "body.json", {**CHAT, "model": "astrolabe/auto"})
    catalog = catalogs.written(shell.folder)
    told = shell.told("route", body, ASTROLABE_CATALOG=catalog)
    assert told["decision"]["selected"]["model"] in {"local/llama", "local/qwen"}


def test_what_the_upstream_has_no_words_for_is_two(shell: Shell) -> None:
    body = written(shell, "body.json", {**CHAT, "seed": 7})
    ran = shell.run("route", body, ASTROLABE_UPSTREAM_APIS="responses")
    assert ran.exit_code == 2
    assert "(seed)" in ran.stderr
