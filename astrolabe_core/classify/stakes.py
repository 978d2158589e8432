"""Is much at stake?

Never because of one word. It takes what the request is about **and** what is to be done about
it, from two lists or from a word and a fact (an amount of money, a tool that pays). More is
asked where the words stand in talk, in a letter or in a story, and no word is enough in a
program: "what is a wire transfer protocol", a novel about a diagnosis, a `transfer()` to write.
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
SIGNALS_MIN_IN_TALK: Final = 3
SIGNALS_MIN_IN_FICTION: Final = 4
EVIDENCE_MAX: Final = 4


@frozen(kw_only=True)
class Stakes:
    """What is at stake. `grave` is an act that cannot be undone, rather than advice."""

    subject: Sense
    grave: bool
    evidence: tuple[str, ...]


@frozen(kw_only=True)
class _Peril:
    """What makes a subject perilous. `advice` holds within talk too; `deeds` do not."""

    advice: tuple[Sense, ...]
    deeds: tuple[Sense, ...] = ()
    weight: tuple[Sense, ...] = ()
    trait: Trait | None = None
    grave: bool = False


_PERILS: Final[Mapping[Sense, _Peril]] = {
    Sense.DANGER: _Peril(
        advice=(Sense.DECIDE, Sense.PERSON, Sense.SELF),
        grave=True,
    ),
    Sense.MEDICINE: _Peril(
        advice=(Sense.DECIDE, Sense.DOSE, Sense.PERSON),
        weight=(Sense.SELF,),
        trait=Trait.TREAT,
    ),
    # Whether to sell is advice and no transfer; but it takes a verb of payment all the same.
    Sense.MONEY: _Peril(advice=(), deeds=(Sense.PAY,), trait=Trait.PAY, grave=True),
    Sense.LAW: _Peril(advice=(Sense.DECIDE,), deeds=(Sense.LITIGATE,)),
}
"""In order of precedence, after deletions in production."""


def find_stakes(features: Features) -> Stakes | None:
    """Say what is at stake in the work, or `None`."""
    deletion = _deletion(features)
    if deletion is not None:
        return deletion
    needed = _signals_needed(features.work)
    for subject, peril in _PERILS.items():
        found = _signals(features, subject, peril, framed=needed != SIGNALS_MIN)
        # A tool that was called is a deed, in whatever frame the words stand.
        enough = SIGNALS_MIN if peril.trait in features.called else needed
        if enough is not None and len(found) >= enough:
            return Stakes(
                subject=subject,
                grave=peril.grave and not _asks_advice(features, subject),
                evidence=found[:EVIDENCE_MAX],
            )
    return None


def _signals(features: Features, subject: Sense, peril: _Peril, *, framed: bool) -> tuple[str, ...]:
    """List what it is about and what is to be done; nothing where either is missing."""
    work = features.work
    about = list(work.senses.get(subject, ())[:2])
    if subject is Sense.MONEY and work.amount:
        about.append("amount")
    if peril.trait in features.offered:
        about.append(f"tools:{peril.trait}")
    deeds = peril.advice if framed else (*peril.advice, *peril.deeds)
    if subject is Sense.MONEY and work.amount and not framed:
        deeds = (*deeds, Sense.SEND)
    acts = _entries(work, deeds, but=about)
    if peril.trait in features.called:
        acts.append(f"called:{peril.trait}")
    if not (about and acts):
        return ()
    return (*about, *acts, *_entries(work, peril.weight, but=about))


def _asks_advice(features: Features, subject: Sense) -> bool:
    """Is money only spoken of, to decide?  Whoever is in danger asks and needs help at once."""
    return subject is Sense.MONEY and Sense.DECIDE in features.work.senses


def _entries(work: Reading, senses: tuple[Sense, ...], *, but: list[str]) -> list[str]:
    return [
        entry for sense in senses for entry in work.senses.get(sense, ())[:2] if entry not in but
    ]


def _deletion(features: Features) -> Stakes | None:
    senses = features.work.senses
    acts = senses.get(Sense.DESTROY, ())
    places = senses.get(Sense.PRODUCTION, ())
    targets = senses.get(Sense.TARGET, ())
    armed = Trait.DESTROY in features.offered or Trait.RUN in features.offered
    if not (acts and places and (targets or armed)) or features.work.talk:
        return None
    found = (acts[0], places[0], *targets[:1])
    return Stakes(subject=Sense.PRODUCTION, grave=True, evidence=found)


def _signals_needed(work: Reading) -> int | None:
    """Count what is asked for where the words stand; `None` where no word is enough."""
    if work.code_bytes or work.diff or work.identifiers or _programs(work):
        return None
    if Sense.CREATIVE in work.senses:
        return SIGNALS_MIN_IN_FICTION
    # "Перевести" is to translate and to transfer: a word that pays is no sign of a letter.
    letters = set(work.senses.get(Sense.MESSAGE, ())) - set(work.senses.get(Sense.PAY, ()))
    if work.talk or letters or Sense.SUMMARY in work.senses:
        return SIGNALS_MIN_IN_TALK
    return SIGNALS_MIN


def _programs(work: Reading) -> bool:
    code = len(work.senses.get(Sense.CODE, ()))
    return code >= 2 or (code == 1 and Sense.CHANGE in work.senses)
