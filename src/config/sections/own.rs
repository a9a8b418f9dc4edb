//! Sections that Python Keystone does not have. It ignores them, so they can stand in a shared
//! file. Times may have fractions here.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

use super::super::network::Network;
use super::super::options::{choices, section};
use super::super::values::Uri;

choices! {
    /// Notation of the log.
    pub enum LogFormat {
        /// For people, an event a line.
        Text = "text",
        /// For programs, a JSON object a line.
        Json = "json",
    }
}

section! {
    /// The HTTP server.
    pub struct ApiServer in "api_server", ours = true {
        /// Addresses to listen on.
        pub listen: Vec<SocketAddr> = vec![SocketAddr::from(([127, 0, 0, 1], 5000))];
        /// Threads that serve requests. Unset: one a core.
        pub workers: Option<u32> = None, min = Some(1.0), max = Some(1024.0);
        /// PEM file of the server's certificate and those between it and the authority. Unset:
        /// plain HTTP.
        pub tls_certificate: Option<PathBuf> = None;
        /// PEM file of the key to tls_certificate.
        pub tls_key: Option<PathBuf> = None;
        /// Proxies whose word on client, scheme and host is believed: addresses or ranges such as
        /// 10.0.0.0/8. See also [oslo_middleware] enable_proxy_headers_parsing.
        pub trusted_proxies: Vec<Network> = Vec::new();
        /// How long an idle connection is kept, in seconds.
        pub keep_alive: Duration = Duration::from_secs(75), max = Some(86_400.0);
        /// How long the head of a request may take to arrive, in seconds.
        pub client_request_timeout: Duration = Duration::from_secs(10),
            min = Some(0.001), max = Some(86_400.0);
        /// How long a request may take altogether, in seconds; then the answer is 503.
        pub request_timeout: Duration = Duration::from_secs(30),
            min = Some(0.001), max = Some(86_400.0);
        /// Connections of one worker at the same time; further ones wait.
        pub max_connections: usize = 25_000, min = Some(1.0), max = Some(10_000_000.0);
        /// How long after SIGTERM connections are still taken while /readyz says 503, so that
        /// whoever spreads the load notices, in seconds. Part of drain_timeout. Sockets of systemd
        /// need it not: there connections wait for the next process.
        pub drain_delay: Duration = Duration::from_secs(2), max = Some(86_400.0);
        /// How long requests under way may go on after the signal to stop, in seconds.
        pub drain_timeout: Duration = Duration::from_secs(30), max = Some(86_400.0);
        /// Address for metrics alone, which may be one that clients can't reach. Unset: no metrics.
        pub metrics_listen: Option<SocketAddr> = None;
    }
}

section! {
    /// The providers: actors that hold identity, resources, tokens and so on.
    pub struct Providers in "providers", ours = true {
        /// Requests that one provider may have under way; further ones are answered with 503.
        pub mailbox: usize = 4096, min = Some(1.0), max = Some(1_000_000.0);
        /// How long a provider may take for one of them, in seconds; then the answer is 503.
        pub request_timeout: Duration = Duration::from_secs(10),
            min = Some(0.001), max = Some(86_400.0);
        /// How often a provider is started again within restart_window before it is given up and
        /// reported as down.
        pub restart_limit: u32 = 10, max = Some(100_000.0);
        /// The time in which restarts are counted, in seconds.
        pub restart_window: Duration = Duration::from_secs(60),
            min = Some(0.001), max = Some(86_400.0);
    }
}

section! {
    /// Password hashing, which is slow on purpose and has threads of its own.
    pub struct Hashing in "hashing", ours = true {
        /// Threads that hash. 0: one a core.
        pub threads: usize = 0, max = Some(1024.0);
        /// Passwords that may wait for a thread; further logins are answered with 503.
        pub queue: usize = 64, min = Some(1.0), max = Some(1_000_000.0);
        /// How far these threads stand back behind those that serve requests (nice, 0 to 19).
        pub nice: u8 = 10, max = Some(19.0);
    }
}

section! {
    /// Connections to the database. Where it is stands in [database].
    pub struct Storage in "storage", ours = true {
        /// Connections of all providers together.
        pub connections: usize = 50, min = Some(1.0), max = Some(100_000.0);
        /// How long a query waits for a free connection, in seconds.
        pub acquire_timeout: Duration = Duration::from_secs(5),
            min = Some(0.001), max = Some(86_400.0);
        /// How long a query, or a transaction as a whole, may take, in seconds.
        pub statement_timeout: Duration = Duration::from_secs(10),
            min = Some(0.001), max = Some(86_400.0);
        /// How long making a connection may take, in seconds.
        pub connect_timeout: Duration = Duration::from_secs(5),
            min = Some(0.001), max = Some(86_400.0);
    }
}

section! {
    /// How caches stay true to the database.
    pub struct CacheCoherence in "cache_coherence", ours = true {
        /// Another program, such as Python Keystone, writes the same tables. What is cached of them
        /// is then read again after foreign_ttl.
        pub foreign_writers: bool = true;
        /// How old an entry may be that such a program may have changed, in seconds.
        pub foreign_ttl: Duration = Duration::from_secs(2), max = Some(3600.0);
        /// Time between two looks for the changes of other nodes, in seconds. PostgreSQL tells us
        /// by itself in between.
        pub poll_interval: Duration = Duration::from_millis(200),
            min = Some(0.01), max = Some(60.0);
        /// A node that could not look for so long, in seconds, stops using what it has cached.
        pub trust_window: Duration = Duration::from_secs(1), min = Some(0.01), max = Some(3600.0);
        /// How many validated tokens are kept in memory. 0: none.
        pub entries: usize = 20_000, max = Some(100_000_000.0);
        /// How long the record of a change is kept for nodes that were away, in seconds.
        pub outbox_retention: Duration = Duration::from_secs(3600),
            min = Some(60.0), max = Some(2_592_000.0);
    }
}

section! {
    /// Credentials.
    pub struct CredentialNg in "credential_ng", ours = true {
        /// Read credentials that Python Keystone encrypted with its null key, for want of any
        /// other, until `keystone-ng credential migrate` has encrypted them with a real one.
        pub insecure_allow_null_key: bool = false;
    }
}

section! {
    /// Tokens, beyond what [token] says.
    pub struct TokenNg in "token_ng", ours = true {
        /// How far in the future a token may have been issued, for clocks of nodes that differ, in
        /// seconds.
        pub max_clock_skew: Duration = Duration::from_secs(300), max = Some(3600.0);
    }
}

section! {
    /// How often logins may be tried. Each node counts for itself, in its memory; with n nodes up to
    /// n times as many are let in. An address is the client's (see [api_server] trusted_proxies), of
    /// IPv6 the /64 that it is in.
    pub struct LoginLimits in "login_limits", ours = true {
        /// Time that the numbers below are for, in seconds: so many at once, and then as many in each
        /// such time.
        pub window: Duration = Duration::from_secs(60), min = Some(1.0), max = Some(86_400.0);
        /// Steps of logins by passkey that are taken from one address: to begin one, to end one, a
        /// recovery code, an invitation, the login of a command line, a password at the page. Beyond
        /// it the answer is 429. 0: no limit.
        pub passkey_per_address: u32 = 1200, max = Some(1_000_000.0);
        /// The same for each user who is named, or each passkey that is shown where nobody is, from one
        /// address: nobody is locked out by another address. 0: no limit.
        pub passkey_per_user: u32 = 300, max = Some(1_000_000.0);
        /// Logins of command lines that may be begun from one address. They wait for the browser, for
        /// [webauthn] device_ttl, and 10,000 at most in a deployment: nobody is to take all those places.
        /// 0: no limit.
        pub device_per_address: u32 = 30, max = Some(1_000_000.0);
        /// Logins by POST /v3/auth/tokens, and changes of the own password, that may fail from one
        /// address; beyond it each is answered with 429 for a time. Services often share an address,
        /// so mind what they do when a password has changed. 0: no limit.
        pub failures_per_address: u32 = 0, max = Some(1_000_000.0);
        /// The same for each user who is named, from one address. 0: no limit.
        pub failures_per_user: u32 = 0, max = Some(1_000_000.0);
    }
}

section! {
    /// Who is told of changes and logins: see also [DEFAULT] notification_format and
    /// notification_opt_out.
    pub struct Notifications in "notifications", ours = true {
        /// File that gets each notification as a line of JSON. Unset: none.
        pub file: Option<PathBuf> = None;
        /// Write each notification to the log, too.
        pub log: bool = false;
    }
}

section! {
    /// Log and traces.
    pub struct Observability in "observability", ours = true {
        /// Notation of the log. [DEFAULT] use_json = true means json as well.
        pub log_format: LogFormat = LogFormat::Text;
        /// Where traces are sent, by OTLP over HTTP in JSON: the collector's base URL, such as
        /// http://localhost:4318. Unset: nowhere.
        pub otlp_endpoint: Option<Uri> = None;
        /// Headers that the collector wants, as name=value,name=value.
        pub otlp_headers: Option<SecretString> = None;
        /// PEM file of the authorities that the collector's certificate is checked against. Unset:
        /// those of the system.
        pub otlp_ca_file: Option<PathBuf> = None;
        /// How many of the requests are traced, from 0 (none) to 1 (all).
        pub otlp_sample_ratio: f64 = 1.0, min = Some(0.0), max = Some(1.0);
        /// What the server is called in traces.
        pub otlp_service_name: String = "keystone".to_owned();
        /// A request that takes longer than this, in seconds, is logged as slow.
        pub slow_request: Duration = Duration::from_secs(1), max = Some(86_400.0);
    }
}
