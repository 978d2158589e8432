"""What could a call cost at most, and what did it cost?

One set of rates for one call: base prices with the overrides that apply at its time and
length. A hold takes the dearest rate that any part could be charged at and rounds up; a charge
takes the usage as reported, each token once, and rounds half to even. `None` is the answer
wherever a needed price is not known: no price, no call.
"""

from attrs import fields, frozen

from astrolabe_core.catalog import PriceList, PriceOverride, Prices
from astrolabe_core.money import AttoUsd, NanoUsd, round_half_even, round_up
from astrolabe_core.units import DAY_MS, MINUTE_MS, Instant, Tokens
from astrolabe_core.usage import Usage


@frozen(kw_only=True)
class Rates:
    """Attos of a dollar for one unit of each part; every one of them known."""

    input: int
    output: int
    cached_input: int
    cache_write: int
    reasoning: int
    image: int
    request: int


def rates(listed: PriceList, input_tokens: Tokens, at: Instant) -> Rates | None:
    """Give the rates for a call of this length at this instant, or `None` if one is unknown."""
    if not listed.overrides:
        return _complete(listed.base)
    merged = listed.base
    for override in listed.overrides:
        if _applies(override, input_tokens, at):
            merged = _merged(merged, override.prices)
    return _complete(merged)


def charge(usage: Usage, listed: PriceList, at: Instant) -> NanoUsd | None:
    """Price a usage exactly, each token once: the amount to capture."""
    rate = rates(listed, usage.input_tokens, at)
    if rate is None:
        return None
    plain_input = usage.input_tokens - usage.cached_input_tokens - usage.cache_write_tokens
    plain_output = usage.output_tokens - usage.reasoning_tokens
    exact = (
        plain_input * rate.input
        + usage.cached_input_tokens * rate.cached_input
        + usage.cache_write_tokens * rate.cache_write
        + plain_output * rate.output
        + usage.reasoning_tokens * rate.reasoning
        + usage.images * rate.image
        + rate.request
    )
    return round_half_even(AttoUsd(exact))


def dearest_rates(listed: PriceList) -> Rates | None:
    """Give, for each part, the dearest rate that any call could be charged at.

    Overrides may apply together and replace different parts; the dearest of each part over all
    of them bounds any mixture. `None` if a needed price is unknown.
    """
    base = _complete(listed.base)
    if base is None or not listed.overrides:
        return base
    merged = (_complete(_merged(listed.base, each.prices)) for each in listed.overrides)
    reachable = [base, *(rate for rate in merged if rate is not None)]
    return Rates(
        **{
            attribute.name: max(getattr(rate, attribute.name) for rate in reachable)
            for attribute in fields(Rates)
        }
    )


def hold_bound(
    dearest: Rates, *, input_tokens_max: int, output_tokens_max: int, images: int
) -> NanoUsd:
    """Bound what a call can be charged, whenever it runs: dearest rates, rounded up."""
    exact = (
        input_tokens_max * max(dearest.input, dearest.cached_input, dearest.cache_write)
        + output_tokens_max * max(dearest.output, dearest.reasoning)
        + images * dearest.image
        + dearest.request
    )
    return round_up(AttoUsd(exact))


def _applies(override: PriceOverride, input_tokens: Tokens, at: Instant) -> bool:
    if input_tokens < override.input_tokens_min:
        return False
    minute = at % DAY_MS // MINUTE_MS
    begin, end = override.utc_minute_from, override.utc_minute_until
    return begin <= minute < end if begin <= end else minute >= begin or minute < end


def _merged(base: Prices, over: Prices) -> Prices:
    return Prices(
        **{
            attribute.name: getattr(
                base if getattr(over, attribute.name) is None else over, attribute.name
            )
            for attribute in fields(Prices)
        }
    )


def _complete(prices: Prices) -> Rates | None:
    if prices.input is None or prices.output is None:
        return None
    return Rates(
        input=prices.input,
        output=prices.output,
        cached_input=_known(prices.cached_input, prices.input),
        cache_write=_known(prices.cache_write, prices.input),
        reasoning=_known(prices.reasoning, prices.output),
        image=_known(prices.image, AttoUsd(0)),
        request=_known(prices.request, AttoUsd(0)),
    )


def _known(own: AttoUsd | None, whole: AttoUsd) -> AttoUsd:
    return whole if own is None else own
