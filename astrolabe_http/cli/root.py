"""Which commands are there?"""

import click

from astrolabe_http.cli.demo import demo
from astrolabe_http.cli.frame import CONTEXT, AstrolabeGroup


@click.group("astrolabe", cls=AstrolabeGroup, context_settings=CONTEXT)
@click.version_option(package_name="astrolabe", message="astrolabe %(version)s")
def astrolabe() -> None:
    """A gateway in front of many models: routed by policy, paid in advance, explained.

    Exit codes: 0 done, 1 failed, 2 usage, 3 not found, 4 refused by policy.
    """


astrolabe.add_command(demo)
