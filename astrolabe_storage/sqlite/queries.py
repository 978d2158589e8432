"""How are callers and usage asked for in SQL?"""

from typing import Final

from astrolabe_core.usage import PAGE_MAX, UsageGrouping, UsageQuery
from astrolabe_storage.rows import KEY_COLUMNS, WORKSPACE_COLUMNS, Row
from astrolabe_storage.usage_rows import USAGE_COLUMNS


def _of(table: str, columns: str) -> str:
    return ", ".join(f"{table}.{column}" for column in columns.replace(" ", "").split(","))


CALLER: Final = f"""
    SELECT {_of("keys", KEY_COLUMNS)}, {_of("workspaces", WORKSPACE_COLUMNS)},
           wallets.available, ifnull(counters.used, 0), stacks.document_json
    FROM keys
    JOIN workspaces ON workspaces.id = keys.workspace
    JOIN wallets ON wallets.workspace = keys.workspace
    LEFT JOIN counters
           ON counters.owner = keys.id AND counters.scope = 'key'
          AND counters.measure = 'requests' AND counters.span = 'minute'
          AND counters.start = :minute
    LEFT JOIN stacks
           ON stacks.workspace = keys.workspace
          AND ((stacks.slug = :slug AND stacks.version = :version)
            OR (stacks.slug IN (iif(:version IS NULL, :slug, NULL), keys.stack, workspaces.stack)
                AND stacks.version = (
                    SELECT version FROM stacks AS own
                    WHERE own.workspace = keys.workspace AND own.slug = stacks.slug
                    ORDER BY own.status = 'active' DESC, own.version DESC
                    LIMIT 1)))
    WHERE keys.hash = :hash
"""  # noqa: S608 - columns are constants
"""One row for each stack version that the caller's request could resolve to, or one without."""

CHAIN: Final = """
    WITH RECURSIVE chain (id, previous, length, bytes) AS (
        SELECT id, previous, 1, item_bytes FROM responses
        WHERE id = :response AND workspace = :workspace
        UNION ALL
        SELECT responses.id, responses.previous, length + 1, bytes + item_bytes
        FROM chain JOIN responses ON responses.id = chain.previous
        WHERE responses.workspace = :workspace
          AND length <= :length_max AND bytes <= :bytes_max)
    SELECT id, previous, length, bytes FROM chain ORDER BY length
"""
"""A response and what it goes on from, newest first, up to the first that is too much."""

_BILLABLE: Final = "(refusal IS NULL AND unbillable IS NULL)"

_GROUPS: Final = {
    UsageGrouping.MODEL: "served",
    UsageGrouping.KEY: "key",
    UsageGrouping.STACK: "stack",
    UsageGrouping.CATEGORY: "category",
    UsageGrouping.DAY: "date(at / 1000, 'unixepoch')",
}


def usage_page(query: UsageQuery) -> tuple[str, Row]:
    """Ask for the matching rows of one page, newest first."""
    where, values = _filters(query)
    if query.before is not None:
        where += " AND request < ?"
        values = (*values, query.before)
    limit = max(0, min(query.limit, PAGE_MAX))
    sql = f"SELECT {USAGE_COLUMNS} FROM usage WHERE {where} ORDER BY request DESC LIMIT ?"  # noqa: S608
    return sql, (*values, limit)


def usage_sums(query: UsageQuery, grouping: UsageGrouping) -> tuple[str, Row]:
    """Ask for the sums of the matching rows by group, largest debit first."""
    where, values = _filters(query)
    sql = f"""
        SELECT {_GROUPS[grouping]} AS grouped, count(*), ifnull(sum({_BILLABLE}), 0),
               ifnull(sum(input_tokens), 0), ifnull(sum(output_tokens), 0), sum(debit) AS debited,
               ifnull(sum(provider_cost), 0), ifnull(sum(iif({_BILLABLE}, baseline - debit, 0)), 0)
        FROM usage WHERE {where}
        GROUP BY grouped ORDER BY debited DESC, grouped
    """  # noqa: S608 - only values come from outside, and they are parameters
    return sql, values


def _filters(query: UsageQuery) -> tuple[str, Row]:
    given = {
        "workspace = ?": query.workspace,
        "at >= ?": query.since,
        "at < ?": query.until,
        "key = ?": query.key,
        "served = ?": query.model,
        "stack = ?": query.stack,
        f"{_BILLABLE} = ?": None if query.billable is None else int(query.billable),
    }
    filters = {sql: value for sql, value in given.items() if value is not None}
    return " AND ".join(filters), tuple(filters.values())
