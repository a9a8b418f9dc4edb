//! `[DEFAULT]`, and the sections of the oslo libraries that concern requests.

use std::path::PathBuf;
use std::time::Duration;

use super::super::logger::{LogLevel, LoggerLevel};
use super::super::options::{choices, section};
use super::super::values::{Multi, Uri};
use super::texts;

choices! {
    /// Shape of notifications.
    pub enum NotificationFormat {
        /// The resource alone.
        Basic = "basic",
        /// Cloud Auditing Data Federation: the resource, who changed it, and from where.
        Cadf = "cadf",
    }
}

section! {
    /// What concerns the server as a whole, and its log.
    pub struct General in "DEFAULT", ours = false {
        /// URL under which clients reach this server, used in the links of answers. Unset: what
        /// the request says. Set it where a proxy adds a path.
        pub public_endpoint: Option<Uri> = None;
        /// How many projects may lie one below another, the domain not counted.
        pub max_project_tree_depth: u32 = 5;
        /// A fernet token with more characters is noted in the log: whoever keeps tokens may have no
        /// room for it.
        pub max_token_size: usize = 255, min = Some(1.0);
        /// How many entries a list has at most where its own section sets no limit. Unset or 0: no
        /// limit but max_db_limit.
        pub list_limit: Option<u64> = None;
        /// How many entries one page of a list has at most, whatever the client asks for.
        pub max_db_limit: u64 = 1000;
        /// Refuse a new password that is longer than the hash algorithm reads. Off: the excess is
        /// ignored.
        pub strict_password_check: bool = false;
        /// Tell clients why authentication failed. It helps attackers; never in production.
        pub insecure_debug: bool = false;
        /// Name of the publisher in notifications. Unset: identity.<host name>.
        pub default_publisher_id: Option<String> = None;
        /// Shape of notifications.
        pub notification_format: NotificationFormat = NotificationFormat::Cadf;
        /// Events that are not notified, as identity.<resource>.<operation>. Repeat the line for
        /// each; the defaults then no longer count.
        pub notification_opt_out: Multi = Multi(texts(&[
            "identity.authenticate.success",
            "identity.authenticate.pending",
        ]));
        /// Log details too.
        pub debug: bool = false, reload = true;
        /// File of the log, opened anew on SIGHUP. Unset: log_dir decides.
        pub log_file: Option<PathBuf> = None, deprecated_names = &[("DEFAULT", "logfile")];
        /// Directory that a relative log_file lies in; without log_file the log is keystone-ng.log
        /// there. Both unset: standard error.
        pub log_dir: Option<PathBuf> = None, deprecated_names = &[("DEFAULT", "logdir")];
        /// Write the log to standard error besides the file.
        pub use_stderr: bool = false;
        /// Write the log as JSON, an object a line.
        pub use_json: bool = false;
        /// Level of each logger, as name=LEVEL: a module of ours (keystone_actors::db) or of a
        /// library (mysql_async); keystone, keystone.token, sqlalchemy, oslo_policy and dogpile mean
        /// what is here in their place, other names of Python modules nothing.
        pub default_log_levels: Vec<LoggerLevel> = python_log_levels(), reload = true;
    }
}

section! {
    /// Requests as they come in.
    pub struct OsloMiddleware in "oslo_middleware", ours = false {
        /// The largest request body, in bytes; a larger one is answered with 413.
        pub max_request_body_size: usize = 114_688, min = Some(1.0);
        /// Says, for Python Keystone, that the server is behind a proxy. Here X-Forwarded-* headers
        /// are believed of the addresses in [api_server] trusted_proxies, and of nobody else,
        /// whatever this says; set to true without them it is warned about.
        pub enable_proxy_headers_parsing: bool = false;
    }
}

section! {
    /// Who may do what.
    pub struct OsloPolicy in "oslo_policy", ours = false {
        /// File of rules that replace the defaults; a relative one lies beside keystone.conf. It
        /// need not exist.
        pub policy_file: PathBuf = PathBuf::from("policy.yaml");
        /// Directory of further files of rules, read in the order of their names. Repeat the line
        /// for each.
        pub policy_dirs: Multi = Multi(texts(&["policy.d"]));
        /// Rule for what no rule names.
        pub policy_default_rule: String = "default".to_owned();
        /// Refuse a token whose scope (system, domain, project) does not fit the operation.
        pub enforce_scope: bool = true;
        /// Use today's default rules alone. Off: who passed under the old ones still passes.
        pub enforce_new_defaults: bool = true;
    }
}

section! {
    /// Browsers of other origins: which pages may call this API (CORS).
    pub struct Cors in "cors", ours = false {
        /// Origins whose pages may call this API, as scheme://host[:port] without a slash at the
        /// end; * for any.
        pub allowed_origin: Vec<String> = Vec::new();
        /// Tell browsers that they may send credentials such as cookies.
        pub allow_credentials: bool = true;
        /// Headers of answers that such pages may read.
        pub expose_headers: Vec<String> = texts(&[
            "X-Auth-Token",
            "X-Openstack-Request-Id",
            "X-Subject-Token",
            "Openstack-Auth-Receipt",
        ]);
        /// How long a browser may remember what it was told, in seconds; 0: it is not told.
        pub max_age: Duration = Duration::from_secs(3600);
        /// Methods that such pages may use.
        pub allow_methods: Vec<String> = texts(&["GET", "PUT", "POST", "DELETE", "PATCH"]);
        /// Headers that such pages may send, besides the simple ones.
        pub allow_headers: Vec<String> = texts(&[
            "X-Auth-Token",
            "X-Openstack-Request-Id",
            "X-Subject-Token",
            "X-Project-Id",
            "X-Project-Name",
            "X-Project-Domain-Id",
            "X-Project-Domain-Name",
            "X-Domain-Id",
            "X-Domain-Name",
            "Openstack-Auth-Receipt",
        ]);
    }
}

/// oslo.log's defaults, as Keystone has them.
fn python_log_levels() -> Vec<LoggerLevel> {
    use LogLevel::{Info, Warning};
    [
        ("amqp", Warning),
        ("boto", Warning),
        ("sqlalchemy", Warning),
        ("suds", Info),
        ("oslo.messaging", Info),
        ("oslo_messaging", Info),
        ("iso8601", Warning),
        ("requests.packages.urllib3.connectionpool", Warning),
        ("urllib3.connectionpool", Warning),
        ("websocket", Warning),
        ("requests.packages.urllib3.util.retry", Warning),
        ("urllib3.util.retry", Warning),
        ("keystonemiddleware", Warning),
        ("routes.middleware", Warning),
        ("stevedore", Warning),
        ("taskflow", Warning),
        ("keystoneauth", Warning),
        ("oslo.cache", Info),
        ("oslo_policy", Info),
        ("dogpile.core.dogpile", Info),
        ("dogpile", Info),
        ("routes", Info),
    ]
    .map(|(logger, level)| LoggerLevel::new(logger, level))
    .into()
}
