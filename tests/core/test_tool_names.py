"""A name accuses in any case style; it clears a tool only where nothing in it speaks against."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astrolabe_core.requests import ToolLabel
from astrolabe_core.tool_names import (
    LOOKS,
    NAME_CHARACTERS_MAX,
    labels_of_name,
    labels_of_verb,
    seeks_words,
)

NAMES = {
    # what only looks
    "get_weather": "read",
    "getUserById": "read",
    "list_orders": "read",
    "payments.list": "read",
    "read_email": "read",
    "get_post": "read",
    "get_deleted_files": "read",
    "mcp__github__get_issue": "read",
    "search_files": "search",
    "search_documents": "search",
    "postgres__query": "search",
    "notion__search": "search",
    # over the network
    "search": "search browse",
    "Search": "search browse",
    "fetch": "browse",
    "fetch_orders": "read",
    "fetch_url": "read browse",
    "web_search": "search browse",
    "tavily__search": "search browse",
    "WebFetch": "read browse",
    "browser.navigate": "browse",
    "http_request": "browse",
    # what changes something
    "send_email": "send",
    "sendEmail": "send",
    "SEND-EMAIL": "send",
    "gmail.users.messages.send": "send",
    "slack_post_message": "send",
    "post_message": "send",
    "deleteFile": "delete",
    "DELETE-user": "delete",
    "delete.user": "delete",
    "fs__delete/file": "delete",
    "runSQL": "execute",
    "Bash": "execute",
    "run_shell_command": "execute",
    "create_issue": "write",
    "TodoWrite": "write",
    "apply_patch": "write",
    "search_and_replace": "write search",
    "get_or_create": "read write",
    "transferFunds": "pay",
    "create_payment": "write pay",
    "stripe.charges.create": "write pay",
    "checkOut": "pay",
    "check_out": "pay",
    "order_pizza": "pay",
    "transfer_to_billing_agent": "pay delegate",
    "ask_agent": "delegate",
    "grant_role": "admin",
    "log_in": "admin",
    "email": "send",
    "payment": "pay",
    # a secret that is only read is out all the same
    "get_secret": "read admin",
    # what a server is called clears nothing, and accuses
    "read__frobnicate": "unknown",
    "delete-service.list": "read delete",
    # nobody knows
    "frobnicate": "unknown",
    "weather": "unknown",
    "get_and_frobnicate": "read unknown",
    "sendemail": "unknown",
    "": "unknown",
    "__": "unknown",
    "1234": "unknown",
    "天气": "unknown",
    "get_天气": "read unknown",
    "and_get": "read",
}


def labels(told: str) -> set[ToolLabel]:
    return {ToolLabel(word) for word in told.split()}


@pytest.mark.parametrize(("name", "told"), NAMES.items(), ids=map(str, NAMES))
def test_a_name_tells_what_a_tool_may_do(name: str, told: str) -> None:
    assert labels_of_name(name) == labels(told)


STYLES = {
    "snake": "_".join,
    "kebab": "-".join,
    "camel": lambda words: words[0] + "".join(word.title() for word in words[1:]),
    "pascal": lambda words: "".join(word.title() for word in words),
    "shout": lambda words: "_".join(words).upper(),
    "words": " ".join,
}


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("name", [name for name in NAMES if re.fullmatch("[a-z]+(_[a-z]+)+", name)])
def test_the_style_of_a_name_does_not_matter(name: str, style: str) -> None:
    assert labels_of_name(STYLES[style](name.split("_"))) == labels(NAMES[name])


def test_what_is_not_read_of_a_long_name_is_unknown() -> None:
    name = "get_" + "x" * NAME_CHARACTERS_MAX
    assert labels_of_name(name) == {ToolLabel.READ, ToolLabel.UNKNOWN}


@given(st.text(max_size=300))
def test_every_name_has_labels(name: str) -> None:
    assert labels_of_name(name)
    assert isinstance(seeks_words(name), bool)


@given(st.sampled_from(["get", "list", "view", "search"]), st.sampled_from(["file", "user", "x"]))
def test_an_effect_anywhere_in_a_name_is_no_look(verb: str, thing: str) -> None:
    for effect in ("delete", "send", "pay", "create", "exec", "grant", "delegate"):
        for name in (f"{verb}_{thing}_{effect}", f"{effect}_{verb}_{thing}", f"{effect}.{verb}"):
            assert not labels_of_name(name) <= LOOKS, name


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("delete", "delete"),
        ("str_replace", "write"),
        ("post", "send"),
        ("order", "pay"),
        ("view", "read"),
        ("fast", ""),
        ("express_order", ""),
        ("", ""),
    ],
)
def test_a_verb_by_itself_tells_what_it_means(word: str, told: str) -> None:
    assert labels_of_verb(word) == labels(told)


@pytest.mark.parametrize(
    ("name", "seeks"),
    [("search_docs", True), ("grep", True), ("postgres__query", False), ("search_table", False)],
)
def test_a_query_is_words_or_a_statement(name: str, seeks: bool) -> None:
    assert seeks_words(name) is seeks
