-- The foundation: accounts, money, and how requests ended.
--
-- Amounts are nano-USD, instants are milliseconds since 1970 in UTC. A column that holds JSON
-- ends in _json. The CHECKs say again what the pure ledger guarantees: a row that breaks one
-- never existed, whatever wrote it.

CREATE TABLE workspaces (
    id            TEXT    NOT NULL PRIMARY KEY,
    name          TEXT    NOT NULL,
    status        TEXT    NOT NULL CHECK (status IN ('pending', 'active', 'suspended')),
    stack         TEXT,
    envelope_json TEXT,
    budget_json   TEXT,
    created_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE keys (
    id                  TEXT    NOT NULL PRIMARY KEY,
    workspace           TEXT    NOT NULL REFERENCES workspaces (id),
    hash                TEXT    NOT NULL UNIQUE,
    prefix              TEXT    NOT NULL,
    last_four           TEXT    NOT NULL,
    name                TEXT    NOT NULL,
    status              TEXT    NOT NULL CHECK (status IN ('active', 'revoked')),
    stack               TEXT,
    allowed_stacks_json TEXT,
    envelope_json       TEXT,
    budget_json         TEXT,
    rate_limit          INTEGER NOT NULL,
    created_at          INTEGER NOT NULL,
    expires_at          INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX keys_by_workspace ON keys (workspace, created_at, id);

CREATE TABLE stacks (
    workspace     TEXT    NOT NULL REFERENCES workspaces (id),
    slug          TEXT    NOT NULL,
    version       INTEGER NOT NULL,
    status        TEXT    NOT NULL CHECK (status IN ('active', 'archived')),
    document_json TEXT    NOT NULL,
    PRIMARY KEY (workspace, slug, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE wallets (
    workspace TEXT    NOT NULL PRIMARY KEY REFERENCES workspaces (id),
    available INTEGER NOT NULL CHECK (available >= 0),
    held      INTEGER NOT NULL CHECK (held >= 0),
    debt      INTEGER NOT NULL CHECK (debt >= 0),
    sequence  INTEGER NOT NULL CHECK (sequence >= 0)
) STRICT, WITHOUT ROWID;

CREATE TABLE holds (
    id            TEXT    NOT NULL PRIMARY KEY,
    workspace     TEXT    NOT NULL REFERENCES wallets (workspace),
    key           TEXT    NOT NULL REFERENCES keys (id),
    request       TEXT    NOT NULL,
    amount        INTEGER NOT NULL CHECK (amount BETWEEN 0 AND 1000000000000000000),
    opened_at     INTEGER NOT NULL,
    node          TEXT    NOT NULL,
    counters_json TEXT    NOT NULL,
    state         TEXT    NOT NULL CHECK (state IN ('open', 'captured', 'voided', 'expired')),
    charged       INTEGER NOT NULL CHECK (charged BETWEEN 0 AND 1000000000000000000),
    reason        TEXT,
    closed_at     INTEGER,
    CHECK ((state = 'open') = (closed_at IS NULL)),
    CHECK ((state IN ('voided', 'expired')) = (reason IS NOT NULL)),
    CHECK (state = 'captured' OR charged = 0)
) STRICT, WITHOUT ROWID;

CREATE INDEX holds_by_workspace ON holds (workspace, opened_at, id);
CREATE INDEX holds_open ON holds (opened_at, id) WHERE state = 'open';

-- One posting a row, its entries as columns, so that the database itself sees that they sum to
-- zero. The house accounts have entries here and no balance row.
CREATE TABLE journal (
    workspace     TEXT    NOT NULL REFERENCES wallets (workspace),
    sequence      INTEGER NOT NULL CHECK (sequence > 0),
    kind          TEXT    NOT NULL
                  CHECK (kind IN ('grant', 'reserve', 'capture', 'void', 'expire')),
    reference     TEXT    NOT NULL,
    at            INTEGER NOT NULL,
    available     INTEGER NOT NULL,
    held          INTEGER NOT NULL,
    debt          INTEGER NOT NULL,
    house         INTEGER NOT NULL
                  CHECK (house BETWEEN -1000000000000000000 AND 1000000000000000000),
    house_account TEXT    NOT NULL CHECK (house_account IN ('funding', 'revenue', 'none')),
    note          TEXT    NOT NULL,
    PRIMARY KEY (workspace, sequence),
    CHECK (available + held - debt + house = 0),
    CHECK ((house_account = 'none') = (house = 0))
) STRICT, WITHOUT ROWID;

CREATE TRIGGER journal_is_not_rewritten BEFORE UPDATE ON journal
BEGIN SELECT RAISE(ABORT, 'the journal is only appended to'); END;

CREATE TRIGGER journal_is_not_shortened BEFORE DELETE ON journal
BEGIN SELECT RAISE(ABORT, 'the journal is only appended to'); END;

CREATE TABLE grants (
    id        TEXT    NOT NULL PRIMARY KEY,
    workspace TEXT    NOT NULL REFERENCES wallets (workspace),
    amount    INTEGER NOT NULL CHECK (amount BETWEEN 1 AND 1000000000000000000)
) STRICT, WITHOUT ROWID;

-- The owner comes first: a caller's minute and an auditor's owner are both found by it.
CREATE TABLE counters (
    owner   TEXT    NOT NULL,
    scope   TEXT    NOT NULL CHECK (scope IN ('stack', 'key', 'workspace')),
    measure TEXT    NOT NULL CHECK (measure IN ('requests', 'spend')),
    span    TEXT    NOT NULL CHECK (span IN ('minute', 'day', 'month')),
    start   INTEGER NOT NULL,
    used    INTEGER NOT NULL CHECK (used >= 0),
    held    INTEGER NOT NULL CHECK (held >= 0),
    warned  INTEGER NOT NULL CHECK (warned IN (0, 1)),
    PRIMARY KEY (owner, scope, measure, span, start)
) STRICT, WITHOUT ROWID;

-- Written with the command that ends a request. Request ids sort by time.
CREATE TABLE usage (
    workspace          TEXT    NOT NULL REFERENCES workspaces (id),
    request            TEXT    NOT NULL,
    key                TEXT    NOT NULL,
    at                 INTEGER NOT NULL,
    surface            TEXT    NOT NULL,
    stream             INTEGER NOT NULL CHECK (stream IN (0, 1)),
    model              TEXT    NOT NULL,
    stack              TEXT,
    stack_version      INTEGER,
    category           TEXT,
    kind               TEXT,
    selected           TEXT,
    served             TEXT,
    refusal            TEXT,
    unbillable         TEXT,
    attempts           INTEGER NOT NULL CHECK (attempts >= 0),
    input_tokens       INTEGER CHECK (input_tokens >= 0),
    output_tokens      INTEGER CHECK (output_tokens >= 0),
    cached_tokens      INTEGER CHECK (cached_tokens >= 0),
    cache_write_tokens INTEGER CHECK (cache_write_tokens >= 0),
    reasoning_tokens   INTEGER CHECK (reasoning_tokens >= 0),
    images             INTEGER CHECK (images >= 0),
    hold               INTEGER NOT NULL CHECK (hold BETWEEN 0 AND 1000000000000000000),
    debit              INTEGER NOT NULL CHECK (debit BETWEEN 0 AND 1000000000000000000),
    provider_cost      INTEGER,
    estimated          INTEGER,
    baseline           INTEGER,
    latency_ms         INTEGER NOT NULL CHECK (latency_ms >= 0),
    first_token_ms     INTEGER CHECK (first_token_ms >= 0),
    PRIMARY KEY (workspace, request)
) STRICT, WITHOUT ROWID;

CREATE INDEX usage_by_time ON usage (workspace, at);
CREATE INDEX usage_by_key ON usage (workspace, key, request);
CREATE INDEX usage_by_model ON usage (workspace, served, request);
CREATE INDEX usage_by_stack ON usage (workspace, stack, request);

-- Beside usage and not in it: a trace is some kilobytes, and usage is read by the thousand.
CREATE TABLE traces (
    workspace  TEXT NOT NULL,
    request    TEXT NOT NULL,
    trace_json TEXT NOT NULL,
    PRIMARY KEY (workspace, request),
    FOREIGN KEY (workspace, request) REFERENCES usage (workspace, request)
) STRICT;

-- The number of the last batch that each writer committed: after a commit whose answer was
-- lost, this says whether it happened.
CREATE TABLE writers (
    writer TEXT    NOT NULL PRIMARY KEY,
    batch  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
