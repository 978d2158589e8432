"""What time is it?  The one clock of the gateway; tests bring their own."""

import time

from astrolabe_core.units import Instant


class SystemClock:
    """The machine's clock, in whole milliseconds."""

    def now(self) -> Instant:
        """Give the current instant."""
        return Instant(time.time_ns() // 1_000_000)
