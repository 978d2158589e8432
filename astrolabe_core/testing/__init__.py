"""How does one test a policy: one's own, or ours?

`cases()` draws a request and a world in which it meets a decision, with amounts at, just below
or just above what decides; `strategies` and `catalogs` draw the parts. Of one case `around` and
`turns` give, without drawing, each amount at its edge and each way to be governed. `LAWS` says
what must hold of every decision, each law a named function that raises `AssertionError`. The only
place of the core that imports Hypothesis; install `astrolabe[testing]`.
"""

from astrolabe_core.testing.cases import Case
from astrolabe_core.testing.edges import around, cases
from astrolabe_core.testing.laws import LAWS, Law
from astrolabe_core.testing.turns import turns

__all__ = ["LAWS", "Case", "Law", "around", "cases", "turns"]
