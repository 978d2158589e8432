"""Which models come with the product, and how does a library user decide with them?

The only module of the core that reads files: the two that lie beside it. A shipped file that
cannot be read is a bug of ours and raises. `snapshot` sets up a caller of one's own process, so
that deciding needs neither server nor storage.
"""

from functools import cache
from importlib.resources import files
from typing import Final, TypeVar

from astrolabe_core.accounts import Key, Workspace
from astrolabe_core.catalog import Catalog
from astrolabe_core.codec import Invalid, catalog_from_json, virtual_models_from_json
from astrolabe_core.snapshot import Caller, Snapshot
from astrolabe_core.stacks import Boundaries, StackVersion
from astrolabe_core.units import Instant, KeyId, StackSlug, WorkspaceId
from astrolabe_core.virtual import VirtualModel

T = TypeVar("T")
LOCAL: Final = "local"
"""The name of the workspace and of the key that stand for one's own process."""


class ShippedFileError(Exception):
    """A file that we ship cannot be read."""


@cache
def catalog() -> Catalog:
    """Give the shipped catalog; read once."""
    return _sound("catalog.json", catalog_from_json(_text("catalog.json")))


@cache
def virtual_models() -> tuple[VirtualModel, ...]:
    """Give the seven shipped virtual models; read once."""
    return _sound("virtual_models.json", virtual_models_from_json(_text("virtual_models.json")))


def snapshot(
    at: Instant = Instant(0),
    *,
    stack: StackSlug | None = None,
    stacks: tuple[StackVersion, ...] = (),
    envelope: Boundaries | None = None,
) -> Snapshot:
    """Give the shipped world as a caller of one's own process finds it.

    `stack` governs requests that name none, as if assigned to the workspace; `stacks` are
    versions of one's own beside the managed ones; `envelope` narrows whichever governs.
    """
    workspace = Workspace(
        id=WorkspaceId(LOCAL), name=LOCAL, stack=stack, envelope=envelope, created_at=at
    )
    key = Key(
        id=KeyId(LOCAL),
        workspace=workspace.id,
        hash=LOCAL,
        prefix=LOCAL,
        last_four="",
        name=LOCAL,
        created_at=at,
    )
    return Snapshot(
        at=at,
        caller=Caller(key=key, workspace=workspace, stacks=stacks),
        catalog=catalog(),
        virtual_models=virtual_models(),
    )


def _text(name: str) -> str:
    return (files("astrolabe_core") / "data" / name).read_text(encoding="utf-8")


def _sound(name: str, read: T | Invalid) -> T:
    if isinstance(read, Invalid):
        raise ShippedFileError(f"{name}: {read}")
    return read
