"""How does a command that serves end: on Ctrl-C, on SIGTERM, and on an impatient second one?"""

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType


class Stopped(BaseException):
    """Somebody asked this process to end. No `Exception`: nothing on the way may swallow it."""


@contextlib.contextmanager
def until_stopped() -> Iterator[None]:
    """Run the block until it is done or a signal comes; either is a clean end.

    The first signal unwinds the block, so that everything is closed. A second one kills.
    """
    former = {one: signal.signal(one, _stop) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except Stopped:
        pass
    finally:
        for one, handler in former.items():
            signal.signal(one, handler)


def _stop(_: int, __: FrameType | None) -> None:
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, signal.SIG_DFL)
    raise Stopped
