"""What was promised as JSON has the schema that it was promised in."""

from attrs import evolve

from astrolabe_core.conformity import claims
from astrolabe_core.requests import OutputFormat
from tests.flow.world import answer, request


def test_a_promised_schema_is_a_claim_for_each_choice() -> None:
    asked = evolve(request(), output_format=OutputFormat.JSON_SCHEMA, schema={"type": "object"})
    (claim,) = claims(answer(text="{}"), asked, mendable=True)
    assert (claim.texts, claim.choice) == (("{}",), 0)
    assert claims(answer(), request(), mendable=True) == ()
