"""How are the documents on a command line read: JSON or TOML, from a file or from stdin?"""

import json
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from astrolabe_core.codec import Invalid
from astrolabe_http.cli.frame import usage_problem

T = TypeVar("T")

STDIN: Final = "-"


def read_text(path: str) -> str:
    """Read a file, or stdin for `-`."""
    try:
        if path == STDIN:
            return sys.stdin.read()
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        usage_problem(f"{path} cannot be read: {error.strerror}")
    except UnicodeDecodeError:
        usage_problem(f"{path} is not text in UTF-8")


def read_object(path: str) -> dict[str, object]:
    """Read one JSON object."""
    text = read_text(path)
    try:
        found = json.loads(text)
    except ValueError as error:
        usage_problem(f"{_named(path)} is not JSON: {error}")
    if not isinstance(found, dict):
        usage_problem(f"{_named(path)} holds no JSON object")
    return found


def read_document(
    path: str,
    from_json: Callable[[str], T | Invalid],
    from_object: Callable[[object], T | Invalid],
) -> T:
    """Read a document by its reader: TOML where the name ends so, JSON otherwise."""
    text = read_text(path)
    if path.lower().endswith(".toml"):
        try:
            found = from_object(tomllib.loads(text))
        except tomllib.TOMLDecodeError as error:
            usage_problem(f"{path} is not TOML: {error}")
    else:
        found = from_json(text)
    if isinstance(found, Invalid):
        usage_problem(f"{_named(path)}: {found}", next="docs/stacks.md lists every field")
    return found


def _named(path: str) -> str:
    return "stdin" if path == STDIN else path
