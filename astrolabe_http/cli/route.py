"""`astrolabe route`: what would be decided for this body?

The very function of the live path, in this process: no server, no provider, no money. A workspace
of the database may be named as the caller; else it is a caller without bounds.
"""

from pathlib import Path
from typing import NoReturn

import click
from attrs import evolve

from astrolabe_core import shipped
from astrolabe_core.accounts import Key, Workspace
from astrolabe_core.canonical import digest
from astrolabe_core.codec import read_stack, stack_from_json
from astrolabe_core.codes import Code, Refusal
from astrolabe_core.managed import MANAGED
from astrolabe_core.rendering import render
from astrolabe_core.requests import Malformed, Request, StackRef, Surface
from astrolabe_core.routing import Routed, route
from astrolabe_core.snapshot import Caller, Snapshot
from astrolabe_core.stacks import StackVersion
from astrolabe_core.trace import Trace
from astrolabe_core.units import Instant, KeyId, StackSlug, WorkspaceId
from astrolabe_http.cli.documents import read_document, read_object
from astrolabe_http.cli.frame import AstrolabeCommand, Common, Exit, usage_problem
from astrolabe_http.cli.screen import console, show_json
from astrolabe_http.cli.session import existing, on_accounts, read_settings
from astrolabe_http.cli.story import UNPUBLISHED, tell
from astrolabe_http.clock import SystemClock
from astrolabe_http.ids import Ids
from astrolabe_http.roster import load_roster, upstream_of
from astrolabe_http.service import Missing, Service
from astrolabe_http.wire import WIRES
from astrolabe_http.wire.translation import untranslatable


@click.command(
    "route", cls=AstrolabeCommand, short_help="Decide a request's body without sending it."
)
@click.argument("file", metavar="FILE|-")
@click.option("--stack", metavar="FILE|SLUG", help="Govern by this stack, published or not.")
@click.option("--workspace", metavar="ID", help="As a caller of this workspace.")
@click.option("--key", metavar="ID", help="As the holder of this key.")
@click.pass_context
def decide(
    ctx: click.Context,
    common: Common,
    *,
    file: str,
    stack: str | None,
    workspace: str | None,
    key: str | None,
) -> None:
    """Decide the body of a POST to /v1/responses or /v1/chat/completions, and call nobody.

    Shows the decision as a trace does: candidates kept and dropped, each with every reason. Exit 4
    where policy refuses, 3 where model or stack do not exist.
    """
    clock = SystemClock()
    settings = read_settings(common)
    roster = load_roster(settings)
    request = _request(read_object(file), Ids(clock), clock.now())
    unsayable = untranslatable(request, upstream_of(settings, roster.upstream_ids))
    if unsayable is not None:
        _refuse_body(unsayable)
    version = None if stack is None else _version(stack)
    if stack is not None:
        named = _ref(stack) if version is None else StackRef(slug=version.stack.slug)
        request = evolve(request, overrides=evolve(request.overrides, stack=named))
    caller = shipped.snapshot().caller
    if workspace is not None or key is not None:
        caller = _caller(common, workspace, key, request)
    if version is not None:
        caller = evolve(caller, stacks=(version,))
    snapshot = Snapshot(
        at=request.received_at,
        caller=caller,
        catalog=roster.catalog,
        virtual_models=roster.virtual_models,
    )
    routing = route(request, snapshot)
    refusal = None if isinstance(routing, Routed) else routing.refusal
    told = render(Trace(arrival=request, caller=caller, routing=routing, refusal=refusal))
    if common.json:
        show_json(told)
    else:
        tell(console(), told)
    if refusal is not None:
        ctx.exit(int(_exit(refusal)))


def _exit(refusal: Refusal) -> Exit:
    match refusal.code:
        case Code.UNKNOWN_MODEL | Code.ROUTING_STACK_NOT_FOUND:
            return Exit.NOT_FOUND
        case Code.ROUTING_STACK_RESOLUTION_FAILED:
            return Exit.NOT_FOUND
        case Code.INVALID_ROUTING_OVERRIDE | Code.CONTEXT_LENGTH_EXCEEDED:
            return Exit.FAILED
        case _:
            return Exit.REFUSED


def _request(body: dict[str, object], ids: Ids, at: Instant) -> Request:
    spoken = Surface.CHAT if "messages" in body else Surface.RESPONSES
    found = WIRES[spoken].read_request(body, id=ids.request(), at=at, stack_header=None)
    if isinstance(found, Malformed):
        _refuse_body(found.refusal)
    return found


def _refuse_body(refusal: Refusal) -> NoReturn:
    at_field = f" ({refusal.param})" if refusal.param else ""
    usage_problem(f"{refusal.message}{at_field}")


def _version(stack: str) -> StackVersion | None:
    """Read the stack of a file as if it were published; `None` for a slug."""
    if not Path(stack).is_file() and "/" not in stack and not stack.endswith((".json", ".toml")):
        return None
    found = read_document(stack, stack_from_json, read_stack)
    if found.slug in MANAGED:
        usage_problem(
            f"{stack}: the slug {found.slug} is a managed stack's",
            next="give yours another, or name the managed one: --stack " + found.slug,
        )
    return StackVersion(stack=found, version=UNPUBLISHED, hash=digest(found))


def _ref(text: str) -> StackRef:
    slug, _, version = text.partition("@")
    if version and not version.isdecimal():
        usage_problem(f"{text!r} is no stack", next="write slug, slug@version or a file's name")
    return StackRef(slug=StackSlug(slug), version=int(version) if version else None)


def _caller(common: Common, workspace: str | None, key: str | None, request: Request) -> Caller:
    async def find(service: Service) -> Caller:
        if key is None:
            return await _anybody(service, WorkspaceId(workspace or ""), request)
        found = await service.store.key(KeyId(key))
        if found is None or workspace not in {None, found.workspace}:
            return existing(Missing(f"there is no key {key}"))
        return await _holder(service, found, request)

    return on_accounts(common, find)


async def _anybody(service: Service, workspace: WorkspaceId, request: Request) -> Caller:
    """Be a caller of a workspace whose key adds nothing of its own."""
    owner: Workspace = existing(await service.workspace(workspace))
    plain = evolve(shipped.snapshot().caller.key, workspace=owner.id)
    keys = await service.store.keys(owner.id)
    if not keys:
        return Caller(key=plain, workspace=owner)
    return evolve(await _holder(service, keys[0], request), key=plain)


async def _holder(service: Service, key: Key, request: Request) -> Caller:
    at, named = request.received_at, request.overrides.stack
    found = await service.store.caller(key.hash, at, named)
    return existing(found or Missing(f"there is no key {key.id}"))
