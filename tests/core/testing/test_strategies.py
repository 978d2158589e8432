"""What is drawn is sound: catalogs without flaws and stacks without contradictions."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from astrolabe_core.catalog import Catalog, flaws
from astrolabe_core.managed import RESERVED_SLUGS
from astrolabe_core.stacks import Stack, contradictions
from astrolabe_core.testing import Case
from astrolabe_core.testing.catalogs import catalogs
from astrolabe_core.testing.strategies import stacks, worlds


@settings(max_examples=40)
@given(catalogs().flatmap(lambda of: st.tuples(st.just(of), stacks(of))))
def test_what_governs_and_whom_is_sound(drawn: tuple[Catalog, Stack]) -> None:
    catalog, stack = drawn
    assert contradictions(stack) == ()
    assert stack.slug not in RESERVED_SLUGS
    # A price may be missing, which keeps its model from serving; nothing else is wrong.
    assert all("a price is missing" in flaw.message for flaw in flaws(catalog))


@settings(max_examples=40)
@given(worlds())
def test_a_world_hangs_together(case: Case) -> None:
    snapshot = case.snapshot
    ids = {model.id for model in snapshot.catalog.models}
    assert case.request.model.removeprefix("astrolabe/") in {*ids, "auto", "coding"}
    assert snapshot.caller.key.workspace == snapshot.caller.workspace.id
    for lane in snapshot.virtual_models:
        assert {*lane.candidates, *lane.fallback_candidates} == ids
    assert snapshot.circuits_open.keys() <= ids
