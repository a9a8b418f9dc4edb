-- Recovery codes and invitations are of a user, not of whoever has the ID after that one.

-- When a user was last given some.
CREATE TABLE ng_webauthn_given (
    -- "user".id. No foreign key: that table is Python Keystone's.
    user_id  VARCHAR(64) NOT NULL PRIMARY KEY,
    -- Microseconds since 1970, UTC.
    given_at BIGINT      NOT NULL
);

-- Who has some already.
INSERT INTO ng_webauthn_given (user_id, given_at)
SELECT user_id, CAST(strftime('%s', 'now') AS INTEGER) * 1000000 FROM ng_webauthn_recovery
UNION
SELECT user_id, CAST(strftime('%s', 'now') AS INTEGER) * 1000000 FROM ng_webauthn_invitation;
