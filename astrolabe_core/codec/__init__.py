"""How do records travel as JSON?

Records of the core become camelCase documents and back, strictly: what is not understood is
refused as a value, `Invalid`, that holds every finding with its path in wire names.
"""

from astrolabe_core.codec.documents import (
    Document,
    boundaries_from_json,
    boundaries_to_json,
    budget_from_json,
    budget_to_json,
    catalog_from_json,
    catalog_to_json,
    read_boundaries,
    read_budget,
    read_catalog,
    read_stack,
    read_stack_version,
    read_virtual_models,
    stack_from_json,
    stack_to_json,
    stack_version_from_json,
    stack_version_to_json,
    virtual_models_from_json,
    virtual_models_to_json,
    write_boundaries,
    write_budget,
    write_catalog,
    write_stack,
    write_stack_version,
    write_virtual_models,
)
from astrolabe_core.codec.findings import Finding, Invalid

__all__ = [
    "Document",
    "Finding",
    "Invalid",
    "boundaries_from_json",
    "boundaries_to_json",
    "budget_from_json",
    "budget_to_json",
    "catalog_from_json",
    "catalog_to_json",
    "read_boundaries",
    "read_budget",
    "read_catalog",
    "read_stack",
    "read_stack_version",
    "read_virtual_models",
    "stack_from_json",
    "stack_to_json",
    "stack_version_from_json",
    "stack_version_to_json",
    "virtual_models_from_json",
    "virtual_models_to_json",
    "write_boundaries",
    "write_budget",
    "write_catalog",
    "write_stack",
    "write_stack_version",
    "write_virtual_models",
]
