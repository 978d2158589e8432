"""By which draft is a JSON schema read, and how is it compiled?

The draft that it names, where that is a known one; else 2020-12 or draft 7, the first by whose
metaschema it is valid. Patterns are compiled so that they end, nothing is fetched, and `format` is
a note and no rule, as 2020-12 has it: models write dates that most readers take and RFC 3339 does
not. Whoever compiles has held the schema against `schema_bounds` before, and gives its plain form.
"""

from collections.abc import Mapping
from typing import Final, TypeAlias

import jsonschema_rs
import orjson

from astrolabe_http.schema_bounds import Schema

Validator: TypeAlias = jsonschema_rs.Validator

REGEX_BYTES_MAX: Final = 8 * 1024 * 1024
BACKTRACKS_MAX: Final = 10_000

_PATTERNS: Final = jsonschema_rs.FancyRegexOptions(
    backtrack_limit=BACKTRACKS_MAX, size_limit=REGEX_BYTES_MAX, dfa_size_limit=REGEX_BYTES_MAX
)
"""Linear for every pattern that can be; those that look around, as zod's e-mail does, give up."""
_LATEST: Final = "https://json-schema.org/draft/2020-12/schema"
_DRAFTS: Final[Mapping[str, type[Validator]]] = {
    _LATEST: jsonschema_rs.Draft202012Validator,
    "https://json-schema.org/draft/2019-09/schema": jsonschema_rs.Draft201909Validator,
    "http://json-schema.org/draft-07/schema": jsonschema_rs.Draft7Validator,
    "http://json-schema.org/draft-06/schema": jsonschema_rs.Draft6Validator,
    "http://json-schema.org/draft-04/schema": jsonschema_rs.Draft4Validator,
}
_UNSAID: Final = (_LATEST, "http://json-schema.org/draft-07/schema")
"""What a schema is held against that names no draft: tuples were written as in draft 7 for long."""


def drafts_for(schema: Schema) -> tuple[str, ...]:
    """Choose by the identifier, which is only read: an unknown one says nothing."""
    named = schema.get("$schema")
    known = named.removesuffix("#") if isinstance(named, str) else ""
    return (known,) if known in _DRAFTS else _UNSAID


def is_valid(schema: Schema, draft: str) -> bool:
    """Whether a schema is valid by its metaschema, and no more: to be told why is dear.

    jsonschema-rs took 4.9 s to say what is wrong with 64,000 numbers in the place of a schema.
    """
    return jsonschema_rs.meta.is_valid({**schema, "$schema": draft})


def draft_of(schema: Schema, plain: Schema) -> str | None:
    """Give the draft by which a schema is valid, or `None`; `plain` is its plain form."""
    return next((draft for draft in drafts_for(schema) if is_valid(plain, draft)), None)


def compiled(plain: Schema, draft: str = _LATEST) -> Validator | None:
    """Compile a schema, or give `None` where that cannot be done."""
    text = orjson.dumps(plain).decode()
    try:
        return _DRAFTS[draft](
            text,
            offline=True,
            pattern_options=_PATTERNS,
            validate_formats=False,
            ignore_unknown_formats=True,
        )
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException:  # noqa: BLE001 - a panic below is no Exception; it must not end us
        return None
