"""What does this request need?

`classify` turns a `Request` into a `Profile`: sizes, needs, and what kind of work it is. Pure,
deterministic and without I/O. The way of a request through this package::

    sizes                 how large is it?
    features              what is in it?            (reading: one text; toolkit: one tool's name)
    needs                 what must a model be able to do?     structure only
    ballot, stakes        for what does each fact speak?       structure and words
    kind, lanes           what kind of work is it, then?
    answers               how long will the answer be?
"""

from astrolabe_core.classify.answers import expect_answer
from astrolabe_core.classify.ballot import cast
from astrolabe_core.classify.features import extract
from astrolabe_core.classify.kind import Subject, judge
from astrolabe_core.classify.needs import find_modalities, find_needs
from astrolabe_core.classify.sizes import measure
from astrolabe_core.classify.stakes import find_stakes
from astrolabe_core.requests import Profile, Request


def classify(request: Request) -> Profile:
    """Say what the request needs, how large it is and what kind of work it is."""
    size = measure(request)
    features = extract(request)
    classification = judge(
        Subject(
            request=request,
            features=features,
            ballot=cast(features),
            stakes=find_stakes(features),
            input_tokens=size.expected,
        )
    )
    return Profile(
        classification=classification,
        needs=find_needs(request, features),
        modalities=find_modalities(features),
        input_tokens=size.expected,
        input_tokens_max=size.bound,
        output_tokens=expect_answer(
            classification.category,
            classification.complexity,
            reasoning=request.reasoning,
            cap=request.output_tokens_max,
        ),
        output_tokens_cap=request.output_tokens_max,
        choices=request.choices,
        images=features.images,
        untrusted=request.overrides.untrusted_content,
    )


__all__ = ["classify"]
