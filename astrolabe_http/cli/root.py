"""Which commands are there?"""

from typing import Final

import click

from astrolabe_http.cli.credit import credit
from astrolabe_http.cli.demo import demo
from astrolabe_http.cli.doctor import doctor
from astrolabe_http.cli.frame import CONTEXT, AstrolabeGroup
from astrolabe_http.cli.init import init
from astrolabe_http.cli.keys import keys
from astrolabe_http.cli.ledger import ledger
from astrolabe_http.cli.models import models
from astrolabe_http.cli.route import decide
from astrolabe_http.cli.serve import serve, simulator
from astrolabe_http.cli.traces import traces
from astrolabe_http.cli.usage import usage
from astrolabe_http.cli.workspaces import workspaces

COMMANDS: Final = (
    demo,
    init,
    doctor,
    serve,
    workspaces,
    keys,
    credit,
    decide,
    traces,
    usage,
    models,
    ledger,
    simulator,
)


@click.group("astrolabe", cls=AstrolabeGroup, context_settings=CONTEXT)
@click.version_option(package_name="astrolabe", message="astrolabe %(version)s")
def astrolabe() -> None:
    """A gateway in front of many models: routed by policy, paid in advance, explained.

    Exit codes: 0 done, 1 failed, 2 usage, 3 not found, 4 refused by policy.
    """


for command in COMMANDS:
    astrolabe.add_command(command)
