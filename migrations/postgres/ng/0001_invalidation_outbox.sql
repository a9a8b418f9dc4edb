-- How the nodes of a deployment keep each other's caches right.

-- The outbox: each change writes here, in its own transaction, what it makes stale, and notifies the other nodes in
-- that transaction. Ids are drawn before the commit, so a lower id may become visible after a higher one.
CREATE TABLE ng_invalidation (
    id         BIGSERIAL    PRIMARY KEY,
    -- The kind of thing that changed.
    entity     VARCHAR(16)  NOT NULL,
    entity_id  VARCHAR(255) NOT NULL,
    -- Who wrote it: ng_node.id. No foreign key, for a node may be gone before its rows are.
    node       VARCHAR(36)  NOT NULL,
    -- Microseconds since 1970, UTC.
    created_at BIGINT       NOT NULL
);
CREATE INDEX ix_ng_invalidation_created_at ON ng_invalidation (created_at);

-- The nodes that run, or ran of late. Times in microseconds since 1970, UTC.
CREATE TABLE ng_node (
    id         VARCHAR(36)  NOT NULL PRIMARY KEY,
    started_at BIGINT       NOT NULL,
    seen_at    BIGINT       NOT NULL,
    -- The address it serves on.
    listen     VARCHAR(255) NOT NULL,
    version    VARCHAR(32)  NOT NULL
);
