-- Recovery codes and invitations are of a user, not of whoever has the ID after that one.
-- DDL commits by itself here, so each statement may be repeated after an interruption.

-- When a user was last given some.
CREATE TABLE IF NOT EXISTS ng_webauthn_given (
    -- "user".id. No foreign key: that table is Python Keystone's.
    user_id  VARCHAR(64) NOT NULL PRIMARY KEY,
    -- Microseconds since 1970, UTC.
    given_at BIGINT      NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Who has some already.
INSERT IGNORE INTO ng_webauthn_given (user_id, given_at)
SELECT user_id, UNIX_TIMESTAMP() * 1000000 FROM ng_webauthn_recovery
UNION
SELECT user_id, UNIX_TIMESTAMP() * 1000000 FROM ng_webauthn_invitation;
