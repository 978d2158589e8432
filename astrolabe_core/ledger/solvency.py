"""Does the balance cover a hold, and if not, what would?"""

from typing import Final

from astrolabe_core.codes import Code, Refusal
from astrolabe_core.ledger.rows import Wallet
from astrolabe_core.money import NanoUsd, usd_text

RETRY_IN_FLIGHT_S: Final = 2
"""How long to wait before trying again when only running requests hold the money."""


def balance_refusal(wallet: Wallet, amount: NanoUsd, floor: NanoUsd) -> Refusal | None:
    """Refuse a hold that would leave less than `floor` available, or that meets a debt."""
    required = amount + floor
    if wallet.debt == 0 and wallet.available >= required:
        return None
    if wallet.debt > 0:
        reason = "debt_outstanding"
        advice = f"add at least {usd_text(wallet.debt)} USD of credit to settle the debt"
    elif wallet.available + wallet.held >= required:
        reason = "in_flight_holds"
        advice = "running requests hold the rest; try again when they have finished"
    else:
        reason = "insufficient_balance"
        short = NanoUsd(required - wallet.available)
        advice = f"add at least {usd_text(short)} USD of credit, or ask for a shorter answer"
    return Refusal(
        code=Code.PAYMENT_REQUIRED,
        message=(
            f"this request needs {usd_text(NanoUsd(required))} USD and "
            f"{usd_text(wallet.available)} USD is available; {advice}"
        ),
        details={
            "available": usd_text(wallet.available),
            "required": usd_text(NanoUsd(required)),
            "held": usd_text(wallet.held),
            "reason": reason,
        },
        retry_after_s=RETRY_IN_FLIGHT_S if reason == "in_flight_holds" else None,
    )
