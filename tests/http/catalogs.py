"""A catalog of two models that stand for servers of one's own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def local_model(model: str, **changes: Any) -> dict[str, Any]:
    """A model as an operator writes it: no more than has to be said."""
    return {
        "id": model,
        "name": model.partition("/")[2] or model,
        "tier": "economy",
        "contextWindow": 32_768,
        "maxOutputTokens": 4_096,
        "capabilities": ["tools", "parallel_tools", "structured_output", "reasoning", "streaming"],
        "dataPolicy": "no_training",
        "retention": "zero",
        "retailPrice": {"input": "0.0000001", "output": "0.0000002"},
        "providerPrice": {"input": "0", "output": "0"},
        **changes,
    }


LOCAL: dict[str, Any] = {
    "version": "house-1",
    "models": [local_model("local/llama"), local_model("local/qwen")],
}


def written(folder: Path, **changes: Any) -> str:
    """Write a catalog file, and give its path."""
    path = folder / "models.json"
    path.write_text(json.dumps({**LOCAL, **changes}), encoding="utf-8")
    return str(path)
