"""How does the end of a request become a row, and a record again?

As `rows`, whose companion this is. The columns of the provider's count are null together.
"""

from typing import Any, Final

from astrolabe_core.codes import Code, Kind, Unbillable
from astrolabe_core.usage import Usage, UsageRecord, UsageTotals
from astrolabe_storage.rows import Row, optional

USAGE_COLUMNS: Final = (
    "workspace, request, key, at, surface, stream, model, stack, stack_version, category, kind,"
    " selected, served, refusal, unbillable, attempts, input_tokens, output_tokens,"
    " cached_tokens, cache_write_tokens, reasoning_tokens, images, hold, debit, provider_cost,"
    " estimated, baseline, latency_ms, first_token_ms"
)


def usage_row(record: UsageRecord) -> Row:
    """Write how a request ended."""
    usage = record.usage
    return (
        record.workspace,
        record.request,
        record.key,
        record.at,
        record.surface,
        int(record.stream),
        record.model,
        record.stack,
        record.stack_version,
        record.category,
        None if record.kind is None else record.kind.value,
        record.selected,
        record.served,
        None if record.refusal is None else record.refusal.value,
        None if record.unbillable is None else record.unbillable.value,
        record.attempts,
        *(_NO_USAGE if usage is None else _usage_columns(usage)),
        record.hold,
        record.debit,
        record.provider_cost,
        record.estimated,
        record.baseline,
        record.latency_ms,
        record.first_token_ms,
    )


_NO_USAGE: Final[Row] = (None,) * 6


def _usage_columns(usage: Usage) -> Row:
    return (
        usage.input_tokens,
        usage.output_tokens,
        usage.cached_input_tokens,
        usage.cache_write_tokens,
        usage.reasoning_tokens,
        usage.images,
    )


def read_usage(row: Row) -> UsageRecord:
    """Read how a request ended."""
    (workspace, request, key, at, surface, stream, model, stack, version, *rest) = row
    (category, kind, selected, served, refusal, unbillable, attempts, *counts) = rest[:13]
    hold, debit, provider_cost, estimated, baseline, latency_ms, first_token_ms = rest[13:]
    return UsageRecord(
        request=request,
        workspace=workspace,
        key=key,
        at=at,
        surface=surface,
        stream=bool(stream),
        model=model,
        stack=stack,
        stack_version=version,
        category=category,
        kind=optional(Kind, kind),
        selected=selected,
        served=served,
        refusal=optional(Code, refusal),
        unbillable=optional(Unbillable, unbillable),
        attempts=attempts,
        usage=None if counts[0] is None else _read_counts(counts),
        hold=hold,
        debit=debit,
        provider_cost=provider_cost,
        estimated=estimated,
        baseline=baseline,
        latency_ms=latency_ms,
        first_token_ms=first_token_ms,
    )


def _read_counts(counts: list[Any]) -> Usage:
    input_tokens, output_tokens, cached, cache_write, reasoning, images = counts
    return Usage(
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cached_input_tokens=cached,
        cache_write_tokens=cache_write,
        reasoning_tokens=reasoning,
        images=images,
    )


def read_totals(row: Row) -> UsageTotals:
    """Read the sums of a group."""
    group, requests, billable, input_tokens, output_tokens, debit, provider_cost, savings = row
    return UsageTotals(
        group=group,
        requests=requests,
        billable=billable,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        debit=debit,
        provider_cost=provider_cost,
        savings=savings,
    )
