"""Does a store keep the promises of `astrolabe_core.ports`?

The suite that every backend of Astrolabe passes, and that one of your own should. It needs no
test framework; with pytest, a subclass whose name begins with `Test` is collected:

    class TestMine(ConformanceSuite):
        async def open_store(self) -> AuditedStore:
            return await MyStore.open(fresh_database())

`open_store` is asked for an empty store by each test, in the event loop that the test runs in.
"""

from astrolabe_storage.books import Audited, AuditedStore, Books
from astrolabe_storage.conformance.accounts import AccountsSuite
from astrolabe_storage.conformance.concurrency import ConcurrencySuite
from astrolabe_storage.conformance.conversations import ConversationsSuite
from astrolabe_storage.conformance.money import MoneySuite
from astrolabe_storage.conformance.records import RecordsSuite

__all__ = ["Audited", "AuditedStore", "Books", "ConformanceSuite"]


class ConformanceSuite(
    AccountsSuite, MoneySuite, ConcurrencySuite, RecordsSuite, ConversationsSuite
):
    """Every fact about a store."""
