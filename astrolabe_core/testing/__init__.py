"""How does one test a policy: one's own, or ours?

`cases()` draws a request and a world in which it meets a decision, with amounts at, just below
or just above what decides; `strategies` and `catalogs` draw the parts. `LAWS` says what must
hold of every decision in any of them, each law a named function that raises `AssertionError`.
The only place of the core that imports Hypothesis; install `astrolabe[testing]`.
"""

from astrolabe_core.testing.cases import Case
from astrolabe_core.testing.edges import cases
from astrolabe_core.testing.laws import LAWS, Law

__all__ = ["LAWS", "Case", "Law", "cases"]
