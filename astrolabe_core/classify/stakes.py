"""Is much at stake?

Never because of one word. It takes what the request is about **and** what is to be done about
it, from two lists or from a word and a fact (an amount of money, a tool that pays). More is
asked where the words stand in a frame that makes them talk, a story, a letter or a program:
"what is a wire transfer protocol", a novel about a diagnosis, a `transfer()` to be written.
Deleting counts in production only, and only of something that is kept there.
"""

from collections.abc import Mapping
from typing import Final

from attrs import frozen

from astrolabe_core.classify.features import Features
from astrolabe_core.classify.reading import Reading
from astrolabe_core.classify.senses import Sense
from astrolabe_core.classify.toolkit import Trait

SIGNALS_MIN: Final = 2
SIGNALS_MIN_FRAMED: Final = 4


@frozen(kw_only=True)
class Stakes:
    """What is at stake. `grave` is an act that cannot be undone, rather than advice."""

    subject: Sense
    grave: bool
    evidence: tuple[str, ...]


@frozen(kw_only=True)
class _Peril:
    acts: tuple[Sense, ...]
    trait: Trait | None
    grave: bool


_PERILS: Final[Mapping[Sense, _Peril]] = {
    Sense.DANGER: _Peril(acts=(Sense.DECIDE, Sense.PERSON, Sense.DOSE), trait=None, grave=True),
    Sense.MEDICINE: _Peril(
        acts=(Sense.DECIDE, Sense.PERSON, Sense.DOSE), trait=Trait.TREAT, grave=False
    ),
    Sense.MONEY: _Peril(acts=(Sense.DECIDE, Sense.PAY), trait=Trait.PAY, grave=True),
    Sense.LAW: _Peril(acts=(Sense.DECIDE, Sense.LITIGATE), trait=None, grave=False),
}
"""In order of precedence, after deletions in production."""

_FRAMES: Final = frozenset({Sense.CREATIVE, Sense.MESSAGE, Sense.SUMMARY})


def find_stakes(features: Features) -> Stakes | None:
    """Say what is at stake in the work, or `None`."""
    work = features.work
    deletion = _deletion(features)
    if deletion is not None:
        return deletion
    needed = SIGNALS_MIN_FRAMED if _framed(work) else SIGNALS_MIN
    for subject, peril in _PERILS.items():
        about = work.senses.get(subject, ())
        evidence = [f"word:{entry}" for entry in about[:2]]
        if subject is Sense.MONEY and work.amount:
            evidence.append("amount")
        acts = [
            f"word:{entry}"
            for act in peril.acts
            for entry in work.senses.get(act, ())[:2]
            if entry not in about
        ]
        if peril.trait in features.offered:
            acts.append(f"tools:{peril.trait}")
        if evidence and acts and len(evidence) + len(acts) >= needed:
            decided = Sense.DECIDE in work.senses and peril.trait not in features.offered
            grave = peril.grave and not (decided and subject is Sense.MONEY)
            return Stakes(subject=subject, grave=grave, evidence=(*evidence, *acts)[:4])
    return None


def _deletion(features: Features) -> Stakes | None:
    senses = features.work.senses
    acts = senses.get(Sense.DESTROY, ())
    places = senses.get(Sense.PRODUCTION, ())
    targets = senses.get(Sense.TARGET, ())
    armed = Trait.DESTROY in features.offered or Trait.RUN in features.offered
    if not (acts and places and (targets or armed)) or features.work.talk:
        return None
    found = (f"word:{acts[0]}", f"word:{places[0]}", *[f"word:{one}" for one in targets[:1]])
    return Stakes(subject=Sense.PRODUCTION, grave=True, evidence=found)


def _framed(work: Reading) -> bool:
    """Do the words stand in talk, in a story, in a letter or in a program?"""
    return (
        work.talk
        or work.code_bytes > 0
        or work.diff
        or len(work.senses.get(Sense.CODE, ())) >= 2
        or not _FRAMES.isdisjoint(work.senses)
    )
