"""`astrolabe models`: what can be asked for, and at what price?"""

from collections.abc import Mapping
from typing import Any

import click

from astrolabe_core.routing import near
from astrolabe_core.virtual import find_virtual
from astrolabe_http.cli.frame import AstrolabeGroup, Common, Exit, Problem
from astrolabe_http.cli.screen import NONE, console, facts, heading, show_json
from astrolabe_http.cli.session import read_settings
from astrolabe_http.cli.sheet import Column, Sheet
from astrolabe_http.roster import Roster, load_roster
from astrolabe_http.wire.models import list_object, model_object, virtual_object


@click.group(cls=AstrolabeGroup)
def models() -> None:
    """Virtual models, which choose, and serving models, which answer."""


@models.command("list")
@click.option("--view", type=click.Choice(["virtual", "serving"]), help="Only these.")
def list_all(common: Common, *, view: str | None) -> None:
    """List models; prices are dollars for a million tokens."""
    roster = load_roster(read_settings(common))
    virtual: list[dict[str, Any]] = []
    serving: list[dict[str, Any]] = []
    if view != "serving":
        virtual = [virtual_object(model) for model in roster.virtual_models]
    if view != "virtual":
        serving = [model_object(model) for model in roster.catalog.models]
    if common.json:
        show_json(list_object([*virtual, *serving]))
        return
    out = console()
    if virtual:
        out.print(heading("Virtual", "choose among candidates"))
        made = Sheet.of("ID", Column("Candidates", right=True), Column("For", prose=True))
        for each in virtual:
            made.add(each["id"], str(len(each["candidates"])), each["description"])
        out.print(made)
    if virtual and serving:
        out.print()
    if serving:
        out.print(heading("Serving", "dollars for a million tokens"))
        made = Sheet.of(
            "ID",
            *(Column(name, right=True) for name in ("In", "Out", "Context")),
            Column("Training", spare=1),
            Column("Retention", spare=2),
            Column("Status", spare=3),
        )
        for each in serving:
            made.add(
                each["id"],
                each["pricing"]["input"] or NONE,
                each["pricing"]["output"] or NONE,
                f"{each['context_window']:,}",
                _training(each["data_policy"]),
                each["retention"],
                each["status"],
            )
        out.print(made)


@models.command("show")
@click.argument("model", metavar="ID")
def show(common: Common, *, model: str) -> None:
    """Show one model, by its id or a virtual one's short form."""
    found = _find(model, load_roster(read_settings(common)))
    if common.json:
        show_json(found)
        return
    console().print(facts({name.replace("_", " "): _said(found[name]) for name in found}))


def _find(name: str, roster: Roster) -> Mapping[str, Any]:
    virtual = find_virtual(roster.virtual_models, name)
    if virtual is not None:
        return virtual_object(virtual)
    model = roster.catalog.model(name)
    if model is not None:
        return model_object(model)
    close = near(name, roster.catalog, roster.virtual_models)
    raise Problem(
        f"there is no model {name[:120]!r}",
        next=f"did you mean {' or '.join(close)}?" if close else "astrolabe models list",
        code=Exit.NOT_FOUND,
    )


def _training(policy: str) -> str:
    return "no" if policy == "no_training" else policy


def _said(value: object) -> str:
    match value:
        case None | [] | {}:
            return NONE
        case dict():
            return "\n".join(f"{name}: {_said(each)}" for name, each in value.items() if each)
        case list() | tuple():
            return ", ".join(map(_said, value))
        case int() if not isinstance(value, bool):
            return f"{value:,}"
        case _:
            return str(value)
