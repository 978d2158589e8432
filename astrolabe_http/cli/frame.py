"""What holds for every command: its common options, its exit codes, how it fails?

Each command takes `--database`, `--config` and `-o`. Data goes to stdout, messages to stderr. What
a user can get wrong is a `Problem`: one line that says what is so, one that says what to do next.
"""

from collections.abc import Callable
from enum import IntEnum
from typing import Any, Final, NoReturn, TypeVar

import click
from attrs import frozen
from rich.text import Text

from astrolabe_core.ports import StorageUnavailable
from astrolabe_http.cli.screen import console
from astrolabe_http.roster import RosterError
from astrolabe_http.wiring import OpeningError

T = TypeVar("T")


class Exit(IntEnum):
    """How a command ended, for scripts."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    REFUSED = 4


class Problem(click.ClickException):
    """Something that the user can put right: what is so, and what to do next."""

    def __init__(self, message: str, *, next: str = "", code: Exit = Exit.FAILED) -> None:  # noqa: A002 - reads as what it is
        super().__init__(message)
        self.next = next
        self.exit_code = int(code)  # type: ignore[misc]  # click knows one code a class

    def show(self, _: Any = None) -> None:  # noqa: ANN401 - click's signature
        """Write both lines to stderr."""
        out = console(err=True)
        out.print(Text.assemble(("Error", "bold red"), f": {self.message}"), soft_wrap=True)
        if self.next:
            out.print(Text.assemble(("Next", "cyan"), f": {self.next}"), soft_wrap=True)


@frozen(kw_only=True)
class Common:
    """The options that every command takes."""

    database: str | None = None
    config: str | None = None
    json: bool = False


class AstrolabeCommand(click.Command):
    """A command with the common options, which it is given as `common`."""

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - click's signature
        options["params"] = [*(options.get("params") or ()), *_common_options()]
        super().__init__(*args, **options)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - click's signature
        """Run the command; a store that fails is told like every other problem."""
        ctx.params["common"] = Common(
            database=ctx.params.pop("database"),
            config=ctx.params.pop("config"),
            json=ctx.params.pop("output") == "json",
        )
        try:
            return super().invoke(ctx)
        except RosterError as error:
            remedy = "mend the file that ASTROLABE_CATALOG names; docs/catalog.md describes it"
            raise Problem(str(error), next=remedy) from None
        except OpeningError as error:
            raise Problem(str(error), next="check --database or ASTROLABE_DATABASE_URL") from None
        except StorageUnavailable as error:
            raise Problem(
                f"the database does not answer: {error}",
                next="try again; 'astrolabe doctor' tells more",
            ) from None


class AstrolabeGroup(click.Group):
    """A noun. Its verbs are listed in the order in which they were written."""

    command_class: type[click.Command] | None = AstrolabeCommand

    def list_commands(self, _: click.Context) -> list[str]:
        """Name the commands."""
        return list(self.commands)


AstrolabeGroup.group_class = AstrolabeGroup


def _common_options() -> tuple[click.Option, ...]:
    return (
        click.Option(
            ["--database"],
            metavar="URL",
            help="Where accounts are kept, such as sqlite:///astrolabe.db.",
        ),
        click.Option(["--config"], metavar="FILE", help="Settings; astrolabe.toml if it is there."),
        click.Option(
            ["-o", "--output"],
            type=click.Choice(["table", "json"]),
            default="table",
            help="For a person, or one JSON object for a script.",
        ),
    )


def usage_problem(message: str, *, next: str = "") -> NoReturn:  # noqa: A002 - as in Problem
    """Refuse what was written on the command line."""
    raise Problem(message, next=next, code=Exit.USAGE)


def reading(kind: Callable[[str], T]) -> Callable[[click.Context, click.Parameter, Any], T | None]:
    """Make a click callback of a reader that raises `ValueError`."""

    def read(ctx: click.Context, parameter: click.Parameter, value: Any) -> T | None:  # noqa: ANN401 - click's signature
        if value is None:
            return None
        try:
            return kind(value)
        except ValueError as error:
            raise click.BadParameter(str(error), ctx, parameter) from None

    return read


CONTEXT: Final = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
