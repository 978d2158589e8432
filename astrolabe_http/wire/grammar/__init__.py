"""What is a sound stream, said once for tests, for debugging and for the docs?

The grammar of both formats as tables (`responses_table`, `chat_table`), one interpreter of them
(`states`), and named rules for what a table cannot say. Written from what clients need and not
from the writers, with which it shares no code: two statements of the same thing, held together
by every stream that a test sees.
"""

from astrolabe_http.wire.grammar.checker import Checker
from astrolabe_http.wire.grammar.rules import SAYS, Rule, Violation

__all__ = ["SAYS", "Checker", "Rule", "Violation"]
