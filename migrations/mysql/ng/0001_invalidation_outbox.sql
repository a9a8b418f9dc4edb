-- How the nodes of a deployment keep each other's caches right.
-- DDL commits by itself here, so each statement may be repeated after an interruption.

-- The outbox: each change writes here, in its own transaction, what it makes stale. The other nodes follow it by id.
-- Ids are drawn before the commit, so a lower id may become visible after a higher one.
CREATE TABLE IF NOT EXISTS ng_invalidation (
    id         BIGINT       NOT NULL AUTO_INCREMENT PRIMARY KEY,
    -- The kind of thing that changed.
    entity     VARCHAR(16)  NOT NULL,
    entity_id  VARCHAR(255) NOT NULL,
    -- Who wrote it: ng_node.id. No foreign key, for a node may be gone before its rows are.
    node       VARCHAR(36)  NOT NULL,
    -- Microseconds since 1970, UTC.
    created_at BIGINT       NOT NULL,
    KEY ix_ng_invalidation_created_at (created_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- The nodes that run, or ran of late. Times in microseconds since 1970, UTC.
CREATE TABLE IF NOT EXISTS ng_node (
    id         VARCHAR(36)  NOT NULL PRIMARY KEY,
    started_at BIGINT       NOT NULL,
    seen_at    BIGINT       NOT NULL,
    -- The address it serves on.
    listen     VARCHAR(255) NOT NULL,
    version    VARCHAR(32)  NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
