"""What is reasoning that only its provider can read, and who hands it to the wrong one?

The content says for which vendor's models and for which item it was made. Given back to another
vendor, or under another id, it is 400, as it is with OpenAI. Content of other hands passes: a test
may have made it up.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping

import orjson

from astrolabe_http.simulator.errors import Refusal, refuse_request

_MARK = "simulated"


def seal(model: str, id: str, said: str) -> str:  # noqa: A002
    """Write reasoning so that only the model's vendor can read it."""
    made = {"by": _MARK, "vendor": _vendor(model), "id": id, "said": said}
    return urlsafe_b64encode(orjson.dumps(made)).decode()


def refuse_foreign(body: Mapping[str, object], model: str) -> Refusal | None:
    """Refuse reasoning of another vendor, or under another id, among the items of an input."""
    items = body.get("input")
    for place, item in enumerate(items if isinstance(items, list) else ()):
        made = _opened(item)
        if made is not None and (made["vendor"], made["id"]) != (_vendor(model), item.get("id")):
            return refuse_request(
                f"The encrypted content for item {item.get('id')} could not be verified. Reason: "
                "Encrypted content could not be decrypted or parsed.",
                path=["input", place, "encrypted_content"],
            )
    return None


def _vendor(model: str) -> str:
    return model.partition("/")[0]


def _opened(item: object) -> dict[str, object] | None:
    content = item.get("encrypted_content") if isinstance(item, Mapping) else None
    try:
        made = orjson.loads(urlsafe_b64decode(content)) if isinstance(content, str) else None
    except ValueError:
        return None
    return made if isinstance(made, dict) and made.get("by") == _MARK else None
