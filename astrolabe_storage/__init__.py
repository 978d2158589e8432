"""Where do balances, keys and traces live?  The backends behind the ports of the core.

`open_store(url)` opens one of them; `memory` is what the ports mean, `sqlite` the embedded
default. Each passes the suite in `astrolabe_storage.conformance`, and so may another's.
"""

from astrolabe_storage.audit import audit_store
from astrolabe_storage.errors import ConstraintViolated, OpeningError
from astrolabe_storage.opening import file_of, open_store
from astrolabe_storage.recovery import expire_orphans

__all__ = [
    "ConstraintViolated",
    "OpeningError",
    "audit_store",
    "expire_orphans",
    "file_of",
    "open_store",
]
