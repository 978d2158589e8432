from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from astrolabe_core.requests import OutputFormat, Request, Surface, Tool
from astrolabe_core.stacks import Boundaries, DataRule, RetentionRule
from astrolabe_core.units import Instant, RequestId
from astrolabe_http.provider_rules import provider_rules

PLAIN = Request(
    id=RequestId("req_1"), received_at=Instant(0), surface=Surface.CHAT, model="m", turns=()
)
ANY = Boundaries()
NO_TRAINING = Boundaries(data_policy=DataRule.NO_TRAINING)
ZERO = Boundaries(retention_policy=RetentionRule.ZERO)
LIMITED = Boundaries(retention_policy=RetentionRule.LIMITED)


@pytest.mark.parametrize(
    ("layers", "rules"),
    [
        ([], {}),
        ([ANY], {}),
        ([LIMITED], {}),
        ([NO_TRAINING], {"data_collection": "deny"}),
        ([ANY, NO_TRAINING], {"data_collection": "deny"}),
        ([NO_TRAINING, ANY], {"data_collection": "deny"}),
        ([ZERO], {"zdr": True}),
        ([LIMITED, ZERO, ANY], {"zdr": True}),
        ([ZERO, NO_TRAINING], {"zdr": True, "data_collection": "deny"}),
    ],
)
def test_any_layer_suffices_to_rule(layers: list[Boundaries], rules: dict[str, Any]) -> None:
    assert provider_rules(layers, PLAIN) == rules


@pytest.mark.parametrize(
    "request_",
    [
        evolve(PLAIN, tools=(Tool(name="f"),)),
        evolve(PLAIN, output_format=OutputFormat.JSON_SCHEMA),
        evolve(PLAIN, output_format=OutputFormat.JSON_OBJECT),
    ],
)
def test_tools_and_schemas_need_a_host_that_honours_them(request_: Request) -> None:
    assert provider_rules([ANY], request_) == {"require_parameters": True}
