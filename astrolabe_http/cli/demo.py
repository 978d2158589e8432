"""`astrolabe demo`: what does it look like when it works?"""

import contextlib
import os
import secrets
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click
from attrs import evolve
from rich.padding import Padding
from rich.text import Text

from astrolabe_core.requests import Surface
from astrolabe_http.cli.demonstration import Demonstration, Exchange, demonstrate
from astrolabe_http.cli.frame import AstrolabeCommand, Common
from astrolabe_http.cli.screen import console, dollars, facts, heading, say, show_json
from astrolabe_http.cli.session import read_settings, taken
from astrolabe_http.cli.stopping import until_stopped
from astrolabe_http.cli.story import money, saved, tell
from astrolabe_http.server import RunningGateway, log_line
from astrolabe_http.settings import LogFormat, Settings, UpstreamKind

# A prompt and a stack whose decision shows both: models kept, and models dropped for a reason.
PROMPT: Final = (
    "Draft a kind reply to Mrs. Lindqvist: her refund of $40 for order 1183 was sent twice, "
    "and she asks what happened."
)
STACK: Final = "customer-data"
MODEL: Final = "astrolabe/auto"


@click.command(
    "demo",
    cls=AstrolabeCommand,
    short_help="See it work: simulated provider, gateway, one explained request.",
)
@click.option("--once", is_flag=True, help="End after the one request.")
@click.option("--port", type=click.IntRange(0, 65_535), help="Port of the gateway; 8080.")
@click.option("--stack", default=STACK, metavar="SLUG", help="Stack of the request.")
@click.option("--model", default=MODEL, metavar="ID", help="Model of the request.")
@click.option("--prompt", default=PROMPT, metavar="TEXT", help="What is asked.")
def demo(
    common: Common, *, once: bool, port: int | None, stack: str, model: str, prompt: str
) -> None:
    """Start a simulated provider and a gateway, and send one request through both.

    Nothing is needed and nothing is kept: no provider key, no database but one in a temporary
    folder (unless --database names another), no money but play credit. Afterwards the gateway
    serves until Ctrl-C, for requests of your own.
    """
    with until_stopped(), contextlib.ExitStack() as stack_of_parts:
        settings = _settings(common, port, stack_of_parts)
        log = _Log()
        run, gateway = stack_of_parts.enter_context(_started(settings, port, log))
        if not common.json:
            _welcome(run, settings)
        exchange = run.ask(prompt, model=model, stack=stack)
        balance = run.balance_usd()
        if common.json:
            show_json(_object(run, exchange, balance, settings.database_url))
        else:
            _show(exchange, balance)
        sys.stdout.flush()
        if not once:
            say(f"Serving at {run.url}/v1 until Ctrl-C. In another terminal:")
            told = exchange.trace["request_id"]
            say(f"  astrolabe traces show {told} --database {settings.database_url}")
            say(f"  astrolabe usage --database {settings.database_url}")
            log.begin()
            gateway.wait()


class _Log:
    """Writes a line a request, once the first picture is complete."""

    def __init__(self) -> None:
        self._begun = False

    def begin(self) -> None:
        self._begun = True

    def __call__(self, line: bytes) -> None:
        if self._begun:
            log_line(line)


def _settings(common: Common, port: int | None, parts: contextlib.ExitStack) -> Settings:
    settings = read_settings(common, port=port)
    if common.database is None:
        # Whatever the environment names may be somebody's real accounts.
        folder = parts.enter_context(tempfile.TemporaryDirectory(prefix="astrolabe-demo-"))
        settings = evolve(settings, database_url=f"sqlite:///{Path(folder) / 'demo.db'}")
    if settings.log_format is LogFormat.JSON:
        settings = evolve(settings, log_format=LogFormat.TEXT)
    return evolve(
        settings,
        simulated=True,
        upstream_key="",
        # Whatever upstream the environment describes, this one is the simulator.
        upstream_kind=UpstreamKind.OPENROUTER,
        upstream_apis=frozenset(Surface),
        catalog_file="",
        secret_key=settings.secret_key or secrets.token_hex(32),
    )


@contextlib.contextmanager
def _started(
    settings: Settings, port: int | None, log: _Log
) -> Iterator[tuple[Demonstration, RunningGateway]]:
    """Start on the port that was asked for; where none was and 8080 is taken, on a free one."""
    asked = port is not None or settings.port != Settings().port or "ASTROLABE_PORT" in os.environ

    def settings_for(upstream_url: str) -> Settings:
        return evolve(settings, upstream_url=upstream_url)

    with contextlib.ExitStack() as parts:
        try:
            started = parts.enter_context(
                demonstrate(settings_for, host=settings.host, port=settings.port, log=log)
            )
        except OSError as error:
            if asked:
                raise taken(settings.host, settings.port, error) from None
            say(f"Port {settings.port} is taken; choosing a free one.")
            started = parts.enter_context(
                demonstrate(settings_for, host=settings.host, port=0, log=log)
            )
        yield started


def _welcome(run: Demonstration, settings: Settings) -> None:
    out = console()
    out.print(heading("Astrolabe", "a gateway, a simulated provider, and an account to play with"))
    out.print()
    out.print(
        facts(
            {
                "API": f"{run.url}/v1",
                "key": run.key,
                "balance": dollars(run.balance_usd()),
                "workspace": run.workspace.id,
                "database": settings.database_url,
                "provider": f"{run.upstream_url} (simulated)",
            }
        )
    )
    out.print()
    out.print(heading("Try it"))
    # Not through the console: it would break the lines that are to be pasted.
    click.echo(_curl(run))
    click.echo()


def _curl(run: Demonstration) -> str:
    return (
        f"curl {run.url}/v1/chat/completions \\\n"
        f"  -H 'authorization: Bearer {run.key}' \\\n"
        "  -H 'content-type: application/json' \\\n"
        '  -d \'{"model": "astrolabe/auto", '
        '"messages": [{"role": "user", "content": "Explain binary search."}]}\''
    )


def _show(exchange: Exchange, balance: str) -> None:
    out = console()
    out.print(heading("One request", "sent just now, over HTTP"))
    out.print(Padding(Text(f"“{exchange.prompt}”", "italic"), (0, 0, 1, 2)))
    tell(out, exchange.trace, with_money=False)
    out.print(heading("The answer", "simulated"))
    out.print(Padding(Text(_shortened(exchange.text)), (0, 0, 1, 2)))
    out.print(heading("The money"))
    out.print(
        Padding(
            facts(
                {
                    **money(exchange.trace),
                    "saved": saved(
                        exchange.usage["savings_usd"],
                        exchange.usage["baseline_cost_usd"],
                        exchange.trace["decision"]["baseline_model"],
                    ),
                    "balance": Text(dollars(balance), "bold"),
                }
            ),
            (0, 0, 1, 2),
        )
    )


def _shortened(text: str, characters: int = 320) -> str:
    words = " ".join(text.split())
    return words if len(words) <= characters else f"{words[:characters].rsplit(' ', 1)[0]} …"


def _object(
    run: Demonstration, exchange: Exchange, balance: str, database: str
) -> dict[str, object]:
    """Give all of it as one JSON object."""
    trace, usage = exchange.trace, exchange.usage
    return {
        "request_id": trace["request_id"],
        "model": usage["model"],
        "stack": trace["stack"],
        "classification": trace["classification"],
        "decision": trace["decision"],
        "rejected": trace["decision"]["rejected"],
        "usage": trace["ledger"]["usage"],
        "hold_usd": trace["ledger"]["hold_usd"],
        "debit_usd": trace["ledger"]["debit_usd"],
        "savings_usd": usage["savings_usd"],
        "balance_usd": balance,
        "text": exchange.text,
        "url": f"{run.url}/v1",
        "database": database,
        "key": run.key,
        "workspace": run.workspace.id,
    }
