-- Passkeys (WebAuthn), and what belongs to them.

-- Passkeys.
CREATE TABLE ng_webauthn_credential (
    -- The base64url of the SHA-256 of credential_id, which is too long for an index.
    id                      VARCHAR(64)  NOT NULL PRIMARY KEY,
    credential_id           BLOB         NOT NULL,
    -- "user".id. No foreign key: that table is Python Keystone's.
    user_id                 VARCHAR(64)  NOT NULL,
    user_handle             BLOB         NOT NULL,
    rp_id                   VARCHAR(255) NOT NULL,
    -- COSE_Key, RFC 9052 section 7, in CBOR.
    public_key              BLOB         NOT NULL,
    -- Of COSE, as in public_key.
    alg                     INTEGER      NOT NULL,
    sign_count              BIGINT       NOT NULL,
    -- A list in JSON, in the words of WebAuthn.
    transports              VARCHAR(255),
    aaguid                  VARCHAR(36),
    attestation_format      VARCHAR(32),
    -- Kept where attestation was asked for, with the client data.
    attestation_object      BLOB,
    attestation_client_data BLOB,
    uv_initialized          BOOLEAN      NOT NULL,
    backup_eligible         BOOLEAN      NOT NULL,
    backup_state            BOOLEAN      NOT NULL,
    discoverable            BOOLEAN,
    description             VARCHAR(255),
    -- active, suspect, disabled
    state                   VARCHAR(16)  NOT NULL,
    -- Times in microseconds since 1970, UTC.
    created_at              BIGINT       NOT NULL,
    last_used_at            BIGINT,
    updated_at              BIGINT,
    created_by              VARCHAR(64),
    -- Counts changes by users and administrators.
    revision                BIGINT       NOT NULL
);
CREATE INDEX ix_ng_webauthn_credential_user_id ON ng_webauthn_credential (user_id);

-- What authenticators know users by: random, so that no ID is told.
CREATE TABLE ng_webauthn_user (
    user_id     VARCHAR(64) NOT NULL PRIMARY KEY,
    user_handle BLOB        NOT NULL
);
CREATE UNIQUE INDEX ix_ng_webauthn_user_user_handle ON ng_webauthn_user (user_handle);

-- The challenges that have been answered, until they are over: each is answered once.
CREATE TABLE ng_webauthn_consumed (
    -- The base64url of the SHA-256.
    challenge_hash VARCHAR(64) NOT NULL PRIMARY KEY,
    -- Here and below: seconds since 1970, UTC.
    expires_at     BIGINT      NOT NULL
);
CREATE INDEX ix_ng_webauthn_consumed_expires_at ON ng_webauthn_consumed (expires_at);

-- The tokens that were made with a passkey, to be revoked with it.
CREATE TABLE ng_webauthn_token (
    passkey_id VARCHAR(64) NOT NULL,
    audit_id   VARCHAR(32) NOT NULL,
    expires_at BIGINT      NOT NULL,
    PRIMARY KEY (passkey_id, audit_id)
);
CREATE INDEX ix_ng_webauthn_token_audit_id ON ng_webauthn_token (audit_id);
CREATE INDEX ix_ng_webauthn_token_expires_at ON ng_webauthn_token (expires_at);

-- Recovery codes that have not been used.
CREATE TABLE ng_webauthn_recovery (
    user_id   VARCHAR(64) NOT NULL,
    -- The base64url of an HMAC-SHA256 with the secret below.
    code_hash VARCHAR(64) NOT NULL,
    PRIMARY KEY (user_id, code_hash)
);

-- Who has been given recovery codes, and how often wrong ones were tried of late.
CREATE TABLE ng_webauthn_recovery_limit (
    user_id       VARCHAR(64) NOT NULL PRIMARY KEY,
    failures      INTEGER     NOT NULL,
    failing_since BIGINT      NOT NULL
);

-- Links that let a user register a passkey.
CREATE TABLE ng_webauthn_invitation (
    -- The base64url of the SHA-256.
    secret_hash VARCHAR(64) NOT NULL PRIMARY KEY,
    user_id     VARCHAR(64) NOT NULL,
    created_by  VARCHAR(64) NOT NULL,
    expires_at  BIGINT      NOT NULL
);
CREATE INDEX ix_ng_webauthn_invitation_user_id ON ng_webauthn_invitation (user_id);
CREATE INDEX ix_ng_webauthn_invitation_expires_at ON ng_webauthn_invitation (expires_at);

-- Logins of command lines that go on in a browser (RFC 8628).
CREATE TABLE ng_webauthn_device (
    -- The base64url of the SHA-256 of the device code.
    device_hash VARCHAR(64)  NOT NULL PRIMARY KEY,
    -- The base64url of an HMAC-SHA256 of the user code.
    user_hash   VARCHAR(64)  NOT NULL,
    -- As it calls itself.
    client      VARCHAR(255) NOT NULL,
    -- pending, allowed, denied
    state       VARCHAR(16)  NOT NULL,
    user_id     VARCHAR(64),
    passkey_id  VARCHAR(64),
    -- 0: never.
    polled_at   BIGINT       NOT NULL,
    expires_at  BIGINT       NOT NULL
);
CREATE UNIQUE INDEX ix_ng_webauthn_device_user_hash ON ng_webauthn_device (user_hash);
CREATE INDEX ix_ng_webauthn_device_user_id ON ng_webauthn_device (user_id);
CREATE INDEX ix_ng_webauthn_device_expires_at ON ng_webauthn_device (expires_at);

-- One row: 32 random bytes, drawn once, that decoys and hashes of recovery codes are made with. Unlike key files
-- it never changes, for neither may they.
CREATE TABLE ng_webauthn_secret (
    -- 1
    id     INTEGER NOT NULL PRIMARY KEY,
    secret BLOB    NOT NULL
);
