"""Every error that the gateway writes is one that the document tells."""

from __future__ import annotations

from pathlib import Path

import pytest

from astrolabe_core.codes import Code, Refusal
from astrolabe_core.units import RequestId
from astrolabe_http.errors import FORMS, error_body
from astrolabe_http.openapi.errors import MEANINGS, ErrorAnswers, Refusals
from tests.http.openapi.validating import DOCUMENT, validator

PAGE = Path(__file__).parents[3] / "docs" / "errors.md"
ID = RequestId("req_01kahm4jm0g5q2x9w7d3n8b1cv")


def test_the_docs_say_of_each_code_what_the_document_says() -> None:
    sections = PAGE.read_text(encoding="utf-8").split("### ")
    page = {section.partition("`\n")[0].strip("`"): section for section in sections[1:]}
    assert set(MEANINGS) == set(Code)
    for code, meaning in MEANINGS.items():
        assert meaning in " ".join(page[code].split()), code


@pytest.mark.parametrize("code", Code)
def test_every_error_is_valid(code: Code) -> None:
    refusal = Refusal(code=code, message="no", param="model", details={"limit": 1})
    assert validator("Error").is_valid(error_body(refusal, ID))
    assert not validator("Error").is_valid({"error": {"code": code.value}})


def test_an_answer_holds_the_codes_of_its_status_and_an_example_of_one() -> None:
    for name, answer in DOCUMENT["components"]["responses"].items():
        content = answer["content"]["application/json"]
        codes = content["schema"]["properties"]["error"]["properties"]["code"]["enum"]
        if name == "InternalServerError":
            continue
        assert len({FORMS[Code(code)].status for code in codes}) == 1, name
        assert content["example"]["error"]["code"] in codes
        assert validator("Error").is_valid(content["example"])
        assert all(f"`{code}`" in answer["description"] for code in codes)


def test_the_same_codes_are_one_answer_and_others_of_the_same_status_another() -> None:
    small = Refusals("Small", frozenset({Code.INVALID_REQUEST, Code.UNAUTHORIZED}))
    large = Refusals("Large", small.codes | {Code.UNSUPPORTED_PARAMETER})
    answers = ErrorAnswers((small, large))
    assert set(answers.components()) == {
        "BadRequest",
        "BadRequestLarge",
        "Unauthorized",
        "InternalServerError",
    }
    pointed = answers.of(large)
    assert pointed["400"] == {"$ref": "#/components/responses/BadRequestLarge"}
    assert pointed["401"] == answers.of(small)["401"]
