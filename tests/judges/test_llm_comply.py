"""llm-comply judges both APIs: schemas, order of events, sequence numbers, usage, errors."""

from __future__ import annotations

from importlib.resources import files

import pytest
from llm_comply import config, result, runner, schema
from llm_comply.tests import get_tests

from tests.judges.conftest import Target

# Its own use of a part of jsonschema that is on its way out.
pytestmark = pytest.mark.filterwarnings("ignore:jsonschema.RefResolver is:DeprecationWarning")

SPECS = {"open-responses": "openresponses.json", "openai-chat": "openai_chat.json"}
CASES = [(form, case.id) for form in SPECS for case in get_tests(form)]


@pytest.mark.parametrize(("form", "case"), CASES, ids=[f"{form}-{case}" for form, case in CASES])
def test_nothing_fails_and_nothing_is_skipped(target: Target, form: str, case: str) -> None:
    specs = schema.SpecLoader(str(files("llm_comply") / "specs" / SPECS[form]))
    # Named, since the judge looks in the name for whether the model reasons.
    asked = config.ComplianceConfig(target.url, target.key, target.named, filter_ids=[case])
    (said,) = runner.TestRunner(asked, get_tests(form), specs).run_all().results
    assert said.status is result.TestStatus.PASSED, said.errors
