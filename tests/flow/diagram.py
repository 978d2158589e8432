"""Draw the flow from its table, for `docs/flow.md`: run `python -m tests.flow.diagram`."""

import sys
from functools import cache

from astrolabe_core.flow import TRANSITIONS, begin, step
from astrolabe_core.messages import Event
from astrolabe_core.states import Done, State
from tests.flow.scenarios import SCENARIOS
from tests.flow.test_histories import ARRIVALS, histories
from tests.flow.walk import walk
from tests.flow.world import worlds

Arrow = tuple[str, str, str]


@cache
def arrows() -> list[Arrow]:
    """Give (state, event, next state) for every transition that some history takes."""
    found: set[Arrow] = set()
    for history in (
        history
        for arrival in ARRIVALS.values()
        for rows in worlds()
        for history in histories(arrival, rows)
    ):
        state: State = begin(history.arrival).state
        for event in history.events:
            following = step(state, event).state
            found.add((_name(state), _name(event), _name(following)))
            state = following
    for scenario in SCENARIOS:
        for walked in walk(scenario):
            places = [*walked.states, Done(walked.reply)]
            events = [event for _, _, event in walked.steps]
            found.update(
                (_name(state), _name(event), _name(following))
                for state, event, following in zip(places, events, places[1:], strict=False)
            )
    return sorted(found, key=_in_order)


def diagram() -> str:
    """Write the arrows as a Mermaid state diagram, one line for each pair of states."""
    joined: dict[tuple[str, str], list[str]] = {}
    for state, event, following in arrows():
        joined.setdefault((state, following), []).append(event)
    lines = [
        f"    {state} --> {following}: {', '.join(events)}"
        for (state, following), events in joined.items()
    ]
    return "\n".join(["stateDiagram-v2", "    [*] --> Loading", *lines, "    Done --> [*]"])


def _name(thing: State | Event) -> str:
    return type(thing).__name__


_STATES = [state.__name__ for state, _ in TRANSITIONS]


def _in_order(arrow: Arrow) -> tuple[int, str, str]:
    return (_STATES.index(arrow[0]), arrow[2], arrow[1])


if __name__ == "__main__":
    sys.stdout.write(f"{diagram()}\n")
