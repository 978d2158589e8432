"""`astrolabe serve` and `astrolabe simulator`: the two commands that stay."""

import contextlib
import socket
import sys
import threading

import click

from astrolabe_http.cli.frame import AstrolabeCommand, Common, usage_problem
from astrolabe_http.cli.screen import say, show_json
from astrolabe_http.cli.session import read_settings, taken
from astrolabe_http.cli.stopping import until_stopped
from astrolabe_http.gateway import Gateway
from astrolabe_http.roster import load_roster
from astrolabe_http.server import bind
from astrolabe_http.server import serve as serve_gateway
from astrolabe_http.settings import Settings, UpstreamKind
from astrolabe_http.simulator import RunningSimulator, SimulatorSettings
from astrolabe_http.simulator.catalog import from_catalog
from astrolabe_http.simulator.settings import APIS
from astrolabe_http.wiring import open_gateway

PORT = click.IntRange(0, 65_535)


@click.command("serve", cls=AstrolabeCommand, short_help="Run the gateway.")
@click.option("--host", metavar="HOST", help="Address to listen on; 127.0.0.1.")
@click.option("--port", type=PORT, help="Port; 8080, and 0 for any free one.")
@click.option("--workers", type=click.IntRange(1), metavar="N", help="Processes; 1.")
@click.option("--upstream-url", metavar="URL", help="OpenRouter, or another that speaks its API.")
def serve(
    common: Common,
    *,
    host: str | None,
    port: int | None,
    workers: int | None,
    upstream_url: str | None,
) -> None:
    """Serve until Ctrl-C or SIGTERM; then let running requests end, and settle them."""
    settings = read_settings(
        common, secret=True, host=host, port=port, workers=workers, upstream_url=upstream_url
    )
    if settings.workers > 1:
        usage_problem(
            f"this version serves with one worker, not {settings.workers}",
            next="leave --workers and ASTROLABE_WORKERS out",
        )
    bound = _bind(settings)

    async def opener() -> Gateway:
        return await open_gateway(settings)

    with contextlib.suppress(KeyboardInterrupt):
        serve_gateway(opener, bound, lambda url: _started(common, settings, url))


@click.command("simulator", cls=AstrolabeCommand, short_help="Run a simulated provider.")
@click.option("--host", default="127.0.0.1", metavar="HOST", help="Address; 127.0.0.1.")
@click.option("--port", type=PORT, default=8090, help="Port; 8090, and 0 for any free one.")
@click.option("--plain", is_flag=True, help="Be a plain OpenAI-compatible server, at /v1.")
@click.option("--api", type=click.Choice(sorted(APIS)), help="Have this one alone.")
def simulator(common: Common, *, host: str, port: int, plain: bool, api: str | None) -> None:
    """Serve OpenRouter's API at /api/v1, from nowhere: the catalog's models, and faults on demand.

    docs/simulator.md tells what it answers and how to make it fail.
    """
    models = from_catalog(load_roster(read_settings(common)).catalog)
    settings = SimulatorSettings(plain=plain, apis=APIS if api is None else frozenset({api}))
    with until_stopped():
        try:
            made = RunningSimulator(models, settings, host=host, port=port)
        except OSError as error:
            raise taken(host, port, error) from None
        with made as running:
            _tell(common, running.url, f"Simulated provider at {running.url}, until Ctrl-C.")
            threading.Event().wait()


def _bind(settings: Settings) -> socket.socket:
    try:
        return bind(settings.host, settings.port)
    except OSError as error:
        raise taken(settings.host, settings.port, error) from None


def _started(common: Common, settings: Settings, url: str) -> None:
    _tell(common, url, f"Serving at {url}/v1, until Ctrl-C; upstream {settings.upstream_url}.")
    if not settings.upstream_key and settings.upstream_kind is UpstreamKind.OPENROUTER:
        say("OPENROUTER_API_KEY is not set: /ready says so, and the provider may refuse.")


def _tell(common: Common, url: str, message: str) -> None:
    if common.json:
        show_json({"url": url})
        sys.stdout.flush()
    say(message)
