"""What must a model be able to do to serve this request?

From structure only: what is attached, offered and asked for in fields. No word of a prompt adds
a need or takes one away, so that no prompt changes which models may serve.
"""

from collections.abc import Iterator

from astrolabe_core.catalog import Capability, Modality
from astrolabe_core.classify.features import Features
from astrolabe_core.requests import OutputFormat, Request


def find_needs(request: Request, features: Features) -> frozenset[Capability]:
    """Give the capabilities without which a model cannot serve."""
    return frozenset(_needs(request, features))


def _needs(request: Request, features: Features) -> Iterator[Capability]:
    if features.tools:
        yield Capability.TOOLS
        if request.parallel_tools:
            yield Capability.PARALLEL_TOOLS
    # Every model takes `json_object`; a schema has to be enforced.
    if request.output_format is OutputFormat.JSON_SCHEMA:
        yield Capability.STRUCTURED_OUTPUT
    if request.reasoning:
        yield Capability.REASONING
    for count, capability in (
        (features.images, Capability.VISION),
        (features.audios, Capability.AUDIO),
        (features.videos, Capability.VIDEO),
        (features.files, Capability.FILE),
    ):
        if count:
            yield capability


def find_modalities(features: Features) -> frozenset[Modality]:
    """Give the forms of input that a model has to read; always text."""
    forms = (
        (features.images, Modality.IMAGE),
        (features.audios, Modality.AUDIO),
        (features.videos, Modality.VIDEO),
        (features.files, Modality.FILE),
    )
    return frozenset([Modality.TEXT, *[form for count, form in forms if count]])
