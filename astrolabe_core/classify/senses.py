"""What may a word tell about a request?

`Sense` is closed: the vocabularies sort words of many languages into it, and the judgement
knows nothing but senses, so that a new language is data and not code.
"""

from enum import StrEnum


class Sense(StrEnum):
    """What a word tells."""

    # how the caller speaks
    GREETING = "greeting"
    APPROVAL = "approval"
    THANKS = "thanks"
    TALK = "talk"
    DECIDE = "decide"
    PERSON = "person"
    SELF = "self"
    CHEAP = "cheap"
    # the kind of work
    CODE = "code"
    CHANGE = "change"
    SUMMARY = "summary"
    RESEARCH = "research"
    PLAN = "plan"
    CREATIVE = "creative"
    MESSAGE = "message"
    REFLECT = "reflect"
    DELEGATE = "delegate"
    SOURCE = "source"
    PROOF = "proof"
    # where a mistake costs much: what it is about, and what is to be done
    MEDICINE = "medicine"
    LAW = "law"
    MONEY = "money"
    CURRENCY = "currency"
    PRODUCTION = "production"
    TARGET = "target"
    DANGER = "danger"
    DOSE = "dose"
    LITIGATE = "litigate"
    PAY = "pay"
    SEND = "send"
    DESTROY = "destroy"
