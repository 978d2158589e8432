-- What is kept of conversations, where a stack's memory allows raw prompts and outputs.
--
-- A row names the one that it goes on from. That one may have been deleted since, so it is no
-- foreign key; nor is the request, whose usage is kept by other rules. The sizes come before the
-- texts: a chain is measured without reading them.

CREATE TABLE responses (
    id          TEXT    NOT NULL PRIMARY KEY,
    workspace   TEXT    NOT NULL REFERENCES workspaces (id),
    previous    TEXT,
    item_bytes  INTEGER NOT NULL CHECK (item_bytes >= 0),
    request     TEXT    NOT NULL,
    model       TEXT    NOT NULL,
    provider    TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    input_json  TEXT    NOT NULL,
    output_json TEXT    NOT NULL,
    body_json   TEXT    NOT NULL
) STRICT;
