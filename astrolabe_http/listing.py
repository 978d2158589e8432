"""What do `/v1/models` and `/v1/lanes` answer, ready to be sent?

Written once for each catalog: the bytes of each page and of each model.
"""

from collections.abc import Mapping
from enum import StrEnum

import orjson

from astrolabe_core.catalog import Catalog
from astrolabe_core.virtual import VirtualModel, find_virtual
from astrolabe_http.wire.models import lane_object, list_object, model_object, virtual_object


class View(StrEnum):
    """Which part of the list is wanted."""

    ALL = "all"
    VIRTUAL = "virtual"
    SERVING = "serving"


class Listing:
    """Models and lanes of one catalog, as bytes."""

    def __init__(self, catalog: Catalog, virtual_models: tuple[VirtualModel, ...]) -> None:
        virtual = [virtual_object(model) for model in virtual_models]
        serving = [model_object(model) for model in catalog.models]
        self._virtual_models = virtual_models
        self._one = {str(each["id"]): orjson.dumps(each) for each in (*virtual, *serving)}
        self.pages: Mapping[View, bytes] = {
            View.ALL: orjson.dumps(list_object([*virtual, *serving])),
            View.VIRTUAL: orjson.dumps(list_object(virtual)),
            View.SERVING: orjson.dumps(list_object(serving)),
        }
        self.lanes = orjson.dumps(list_object(lane_object(model) for model in virtual_models))

    def model(self, name: str) -> bytes | None:
        """Give one model by its id; a virtual one by its short form, too."""
        virtual = find_virtual(self._virtual_models, name)
        return self._one.get(name if virtual is None else virtual.id)
