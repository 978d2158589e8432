"""The page on tool calls says what the policy does.

`uv run python -m tests.docs.test_tools_page` writes its tables anew.
"""

from __future__ import annotations

from pathlib import Path

from astrolabe_core.requests import ToolLabel
from astrolabe_core.stacks import ToolProfile
from astrolabe_core.tool_arguments import CHARACTERS_MAX, DEPTH_MAX, VALUES_MAX
from astrolabe_core.tool_policy import CONFIRMATION_MS, REACH, TABLE, Reach
from astrolabe_http.wire.metadata import CONFIRMATIONS_MAX
from tests.docs.generated import embedded

PAGE = Path(__file__).parents[2] / "docs/tools.md"
MEANINGS = {
    ToolLabel.READ: "looks at something, or computes",
    ToolLabel.SEARCH: "looks something up by words, or by a query",
    ToolLabel.BROWSE: "looks over the network: what is asked, or the address, leaves the house",
    ToolLabel.WRITE: "makes or changes something",
    ToolLabel.DELETE: "removes something",
    ToolLabel.EXECUTE: "runs code or a command, or acts on a machine",
    ToolLabel.SEND: "tells somebody something, or publishes it",
    ToolLabel.PAY: "moves money, or commits to",
    ToolLabel.DELEGATE: "hands work to another agent",
    ToolLabel.ADMIN: "concerns rights, accounts, secrets",
    ToolLabel.UNKNOWN: "nobody can tell; counts as an effect",
}
REACHES = {
    Reach.INSIDE: "looks",
    Reach.OUTSIDE: "looks, and carries words out",
    Reach.EFFECT: "has an effect",
}


def tables() -> dict[str, str]:
    labels = ["| Label | | |", "| --- | --- | --- |"]
    labels += [
        f"| `{label}` | {MEANINGS[label]} | {REACHES[REACH[label]]} |" for label in ToolLabel
    ]
    rows = [
        "| Profile | Flags | Looks (`read` `search`) | Carries words out (`browse`) | Effects |",
        "| --- | --- | --- | --- | --- |",
    ]
    for (profile, approval, untrusted), row in TABLE.items():
        flags = [
            name
            for name, is_set in (("approval_required", approval), ("untrusted_content", untrusted))
            if is_set
        ]
        told = " | ".join(row[reach].value.replace("_", " ") for reach in Reach)
        rows.append(
            f"| `{profile}` | {' '.join(f'`{flag}`' for flag in flags) or 'none'} | {told} |"
        )
    return {"labels": "\n".join(labels), "table": "\n".join(rows)}


def test_the_tables_are_those_of_the_policy() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert embedded(page, tables()) == page, "run: uv run python -m tests.docs.test_tools_page"


def test_every_label_is_explained() -> None:
    assert tuple(MEANINGS) == tuple(ToolLabel)


def test_the_numbers_are_those_of_the_policy() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert f"{CHARACTERS_MAX:,} characters" in page
    assert f"nested deeper than {DEPTH_MAX}," in page
    assert f"more than {VALUES_MAX:,} objects" in page
    assert f"within {CONFIRMATION_MS // 60_000} minutes" in page
    assert f"At most {CONFIRMATIONS_MAX} tokens" in page
    assert all(f"`{profile}`" in page for profile in ToolProfile)


if __name__ == "__main__":
    PAGE.write_text(embedded(PAGE.read_text(encoding="utf-8"), tables()), encoding="utf-8")
