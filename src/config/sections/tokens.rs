//! Tokens, receipts, and what ends or passes on their power.

use std::path::PathBuf;
use std::time::Duration;

use super::super::options::{choices, section};
use super::{Driver, FernetOnly};

choices! {
    /// Format of tokens that are issued.
    pub enum TokenProvider {
        /// Encrypted with a shared key: small, and opaque to clients.
        Fernet = "fernet",
        /// Signed: anyone can read what is in it.
        Jws = "jws",
    }
}

choices! {
    /// Signature algorithm of JWS tokens (RFC 7518 section 3.1, RFC 8037).
    pub enum JwsAlgorithm {
        /// ECDSA on P-256 with SHA-256.
        Es256 = "ES256",
        /// ECDSA on P-384 with SHA-384.
        Es384 = "ES384",
        /// ECDSA on P-521 with SHA-512.
        Es512 = "ES512",
        /// Edwards curve signatures.
        EdDsa = "EdDSA",
    }
}

section! {
    /// Tokens.
    pub struct Token in "token", ours = false {
        /// How long a token lives, in seconds. A bearer token is worth stealing for that long.
        pub expiration: Duration = Duration::from_secs(3600);
        /// Format of the tokens that are issued. Fernet needs the keys of [fernet_tokens], jws
        /// those of [jwt_tokens].
        pub provider: TokenProvider = TokenProvider::Fernet;
        /// How long after its end a token is still told to a service that asks with allow_expired,
        /// in seconds, so that long operations can finish.
        pub allow_expired_window: Duration = Duration::from_secs(172_800);
        /// Let a token that has a scope be exchanged for one of another scope.
        pub allow_rescope_scoped_token: bool = true;
        /// A single token can always be revoked; this decides only whether the list of revoked tokens
        /// at /v3/auth/tokens/OS-PKI/revoked is forbidden (403), or gone (410).
        pub revoke_by_id: bool = true;
        /// Cache of Python Keystone; here see [cache_coherence].
        pub caching: bool = true, inert = true;
        /// How long Python Keystone caches a token, in seconds; here see [cache_coherence].
        pub cache_time: Option<Duration> = None, inert = true;
        /// Cache a token when it is issued, in Python Keystone.
        pub cache_on_issue: bool = true, inert = true;
    }
}

section! {
    /// Keys of fernet tokens.
    pub struct FernetTokens in "fernet_tokens", ours = false {
        /// Directory of the keys, shared by all nodes and with Python Keystone.
        pub key_repository: PathBuf = PathBuf::from("/etc/keystone/fernet-keys/");
        /// How many keys a rotation keeps. Tokens of a dropped key are invalid, so keep enough for
        /// [token] expiration plus allow_expired_window.
        pub max_active_keys: u32 = 3, min = Some(1.0);
    }
}

section! {
    /// Keys of receipts, which an unfinished multi-factor login gets.
    pub struct FernetReceipts in "fernet_receipts", ours = false {
        /// Directory of the keys; it may be that of [fernet_tokens].
        pub key_repository: PathBuf = PathBuf::from("/etc/keystone/fernet-keys/");
        /// How many keys a rotation keeps.
        pub max_active_keys: u32 = 3, min = Some(1.0);
    }
}

section! {
    /// Receipts of unfinished multi-factor logins.
    pub struct Receipt in "receipt", ours = false {
        /// How long a receipt is valid, in seconds.
        pub expiration: Duration = Duration::from_secs(300), max = Some(86_400.0);
        /// Format of receipts.
        pub provider: FernetOnly = FernetOnly::Fernet;
        /// Cache of Python Keystone; receipts are not cached here.
        pub caching: bool = true, inert = true;
        /// How long Python Keystone caches a receipt, in seconds.
        pub cache_time: Option<Duration> = Some(Duration::from_secs(300)), inert = true;
        /// Cache a receipt when it is issued, in Python Keystone.
        pub cache_on_issue: bool = true, inert = true;
    }
}

section! {
    /// Keys of JWS tokens ([token] provider = jws).
    pub struct JwtTokens in "jwt_tokens", ours = false {
        /// Algorithm of new tokens.
        pub jws_algorithm: JwsAlgorithm = JwsAlgorithm::Es256;
        /// Algorithms that tokens shown to us may have. While changing over, list both.
        pub jws_accepted_algorithms: Vec<JwsAlgorithm> = vec![JwsAlgorithm::Es256];
        /// Directory of the public keys of all nodes.
        pub jws_public_key_repository: PathBuf = PathBuf::from("/etc/keystone/jws-keys/public");
        /// Directory of this node's private key, private.pem.
        pub jws_private_key_repository: PathBuf = PathBuf::from("/etc/keystone/jws-keys/private");
    }
}

section! {
    /// Revocation events.
    pub struct Revoke in "revoke", ours = false {
        /// Where the events are kept.
        pub driver: Driver = Driver::Sql;
        /// How long an event outlives the last token that it can concern, in seconds.
        pub expiration_buffer: Duration = Duration::from_secs(1800);
        /// Cache of Python Keystone; here the events are always in memory.
        pub caching: bool = true, inert = true;
        /// How long Python Keystone caches the events, in seconds; here they are followed.
        pub cache_time: Option<Duration> = Some(Duration::from_secs(3600)), inert = true,
            deprecated_names = &[("token", "revocation_cache_time")];
    }
}

section! {
    /// Trusts: power that one user hands to another.
    pub struct Trust in "trust", ours = false {
        /// Let a trustee hand on what was handed to them. No Keystone reads this: each trust says it.
        pub allow_redelegation: bool = false, inert = true;
        /// How often at most, in one chain.
        pub max_redelegation_count: u32 = 3;
        /// Where trusts are kept.
        pub driver: Driver = Driver::Sql;
    }
}

section! {
    /// Delegation by OAuth 1.0a: what users let programs do in their name.
    pub struct Oauth1 in "oauth1", ours = false {
        /// Where it is kept.
        pub driver: Driver = Driver::Sql;
        /// How long a user can authorise what a consumer asks for, and the consumer fetch it, in
        /// seconds. 0: for ever.
        pub request_token_duration: Duration = Duration::from_secs(28_800);
        /// How long a consumer can use what it was given, in seconds. 0: for ever.
        pub access_token_duration: Duration = Duration::from_secs(86_400);
    }
}

section! {
    /// Time-based one-time passwords (RFC 6238).
    pub struct Totp in "totp", ours = false {
        /// How many time steps before the present one are accepted, for clocks that are late.
        pub included_previous_windows: u32 = 1, max = Some(10.0);
    }
}
