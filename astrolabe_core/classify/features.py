"""What is in the request?

One pass over the conversation, no judgement. The work is the last substantial thing that a user
asked for: a bare "yes" is not substantial and stands for what it approves. What the assistant
said and what tools returned is not the user's wish.
"""

from bisect import bisect_left
from collections.abc import Mapping
from itertools import takewhile
from typing import Final

from attrs import frozen

from astrolabe_core.classify.reading import Reading, read
from astrolabe_core.classify.senses import Sense
from astrolabe_core.classify.toolkit import Trait, traits
from astrolabe_core.requests import Request, Role, Tool, ToolChoice, Turn

REPLY_CHARACTERS: Final = 64
"""A reply that is longer says more than yes."""
APPROVAL_WORDS: Final = 6
APPROVAL_TOKENS: Final = 14
BARE_WORDS: Final = 2
BARE_TOKENS: Final = 4
"""A reply this short that asks for nothing approves what was proposed, in any language."""
APPROVALS_MAX: Final = 8
"""How many approvals in a row are looked behind."""
FOLLOW_UP_CHARACTERS: Final = 200
"""A wish this short is read together with what was wished before."""
SYSTEM_CHARACTERS: Final = 800
"""How much of a system prompt is read for words."""
TOOLS_READ: Final = 64
CALLS_READ: Final = 16

_OWN_WORK: Final = frozenset(
    {
        Sense.CODE,
        Sense.SUMMARY,
        Sense.RESEARCH,
        Sense.PLAN,
        Sense.CREATIVE,
        Sense.MESSAGE,
        Sense.REFLECT,
        Sense.PROOF,
    }
)
"""A short reply that names one of these asks for something of its own."""
_COURTESY: Final = frozenset({Sense.GREETING, Sense.THANKS})


@frozen(kw_only=True)
class Features:
    """The facts on which a judgement rests.

    `work` is the user's text that is to be done and `context` what the user had asked for before
    it. `skipped` counts the approvals between work and end; `answered` says that an assistant
    has spoken, `calling` that tools are being called since the user last spoke. `images` and the
    other counts are of user, tool and system turns; `recent_images` of those that came with the
    work or after it.
    """

    work: Reading
    context: Reading | None
    system: Reading | None
    skipped: int
    turns: int
    answered: bool
    called: frozenset[Trait]
    calling: bool
    tool_result_last: bool
    offered: Mapping[Trait, int]
    tools: int
    images: int
    audios: int
    videos: int
    files: int
    recent_images: int
    prefix_bytes: int


def extract(request: Request) -> Features:
    """Read the facts off the request."""
    turns = request.turns
    user_at = [index for index, turn in enumerate(turns) if turn.role is Role.USER]
    answers = [index for index, turn in enumerate(turns) if turn.role is Role.ASSISTANT]
    work_at, skipped = _work(turns, user_at, answers[0] if answers else len(turns))
    since = turns[user_at[-1] + 1 :] if user_at else turns
    # What the assistant once drew does not make a text conversation one about pictures.
    sent = [turn for turn in turns if turn.role is not Role.ASSISTANT]
    tools = () if request.tool_choice is ToolChoice.NONE else request.tools
    system = _prefix(turns)
    work = read(_work_text(turns, user_at, work_at))
    return Features(
        work=work,
        context=_context(turns, user_at, work_at, work),
        system=read(system[:SYSTEM_CHARACTERS]) if system else None,
        skipped=skipped,
        turns=len(turns),
        answered=bool(answers),
        called=_called(since),
        calling=any(turn.role is Role.TOOL or bool(turn.tool_calls) for turn in since),
        tool_result_last=bool(turns) and turns[-1].role is Role.TOOL,
        offered=_offered(tools),
        tools=len(tools),
        images=sum([turn.images for turn in sent]),
        audios=sum([turn.audios for turn in sent]),
        videos=sum([turn.videos for turn in sent]),
        files=sum([turn.files for turn in sent]),
        recent_images=_recent_images(turns, answers, work_at),
        prefix_bytes=len(system) + sum([tool.schema_bytes for tool in tools]),
    )


def _recent_images(turns: tuple[Turn, ...], answers: list[int], work_at: int) -> int:
    """Count pictures since the answer before the work: some clients send them a turn ahead."""
    begin = bisect_left(answers, work_at)
    recent = turns[answers[begin - 1] + 1 if begin else 0 :]
    return sum([turn.images + turn.videos for turn in recent if turn.role is not Role.ASSISTANT])


def _offered(tools: tuple[Tool, ...]) -> dict[Trait, int]:
    found: dict[Trait, int] = {}
    for tool in tools[:TOOLS_READ]:
        for trait in traits(tool.name):
            found[trait] = found.get(trait, 0) + 1
    return found


def _work(turns: tuple[Turn, ...], user_at: list[int], first_answer: int) -> tuple[int, int]:
    """Find the user turn that says what is to be done, and count the approvals after it."""
    for skipped, index in enumerate(reversed(user_at[-APPROVALS_MAX:])):
        if index < first_answer or not _approves(turns[index]):
            return index, skipped
    return (user_at[-1] if user_at else 0), 0


def _approves(turn: Turn) -> bool:
    text = turn.text
    if len(text) > REPLY_CHARACTERS or turn.images or turn.files or turn.audios or turn.videos:
        return False
    reply = read(text)
    if reply.question or reply.code_bytes or not _OWN_WORK.isdisjoint(reply.senses):
        return False
    if reply.assent:
        return reply.words <= APPROVAL_WORDS and reply.tokens <= APPROVAL_TOKENS
    if not _COURTESY.isdisjoint(reply.senses):
        return False
    return reply.words <= BARE_WORDS and reply.tokens <= BARE_TOKENS


def _work_text(turns: tuple[Turn, ...], user_at: list[int], work_at: int) -> str:
    """Give the wish and the approvals that follow it, which may narrow it."""
    if not user_at:
        return ""
    return "\n".join([turns[index].text for index in user_at if index >= work_at])


def _context(
    turns: tuple[Turn, ...], user_at: list[int], work_at: int, work: Reading
) -> Reading | None:
    """Read what was wished before, where the work is too short to stand alone."""
    if work.characters > FOLLOW_UP_CHARACTERS:
        return None
    for index in reversed(user_at[-APPROVALS_MAX:]):
        if index < work_at and len(turns[index].text) > REPLY_CHARACTERS // 2:
            return read(turns[index].text)
    return None


def _prefix(turns: tuple[Turn, ...]) -> str:
    """Join the system turns that open the conversation."""
    opening = list(takewhile(lambda turn: turn.role is Role.SYSTEM, turns))
    return "\n".join([turn.text for turn in opening])


def _called(turns: tuple[Turn, ...]) -> frozenset[Trait]:
    names = {name for turn in turns[-CALLS_READ:] for name in turn.tool_calls[:CALLS_READ]}
    return frozenset(trait for name in names for trait in traits(name))
