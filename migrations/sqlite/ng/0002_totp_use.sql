-- One-time passwords are good for one time (RFC 6238 section 5.2), whichever node sees them.

-- The last time step of each credential whose passcode has been used. Rows go when their step is long past.
CREATE TABLE ng_totp_use (
    -- credential.id. No foreign key: that table is Python Keystone's.
    credential_id VARCHAR(64) NOT NULL PRIMARY KEY,
    -- Seconds since 1970, divided by 30.
    step          BIGINT      NOT NULL
);
CREATE INDEX ix_ng_totp_use_step ON ng_totp_use (step);
