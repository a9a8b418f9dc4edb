//! How long things may be that others send. Whoever reads them before this provider does goes by the
//! same.

/// Characters of what a user calls a passkey.
pub const DESCRIPTION: usize = 255;

/// Characters of what a login that goes on in a browser calls itself.
pub const CLIENT: usize = 255;

/// Bytes of a credential ID: WebAuthn level 3 section 4, "credential ID".
pub const CREDENTIAL_ID: usize = 1023;

/// Bytes of a user handle: WebAuthn level 3 section 4, "user handle".
pub const USER_HANDLE: usize = 64;

/// Bytes of any other part of an answer: attestation objects have certificates in them.
pub const PART: usize = 64 * 1024;

/// Transports of a passkey that are kept.
pub const TRANSPORTS: usize = 8;

/// Characters of a transport.
pub const TRANSPORT: usize = 20;

/// Certificates of an attestation statement.
pub(super) const CERTIFICATES: usize = 8;
