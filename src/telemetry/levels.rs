//! What is logged: `[DEFAULT] debug` and `default_log_levels`, as filters of tracing targets.

use std::fmt::Write;

use tracing::level_filters::LevelFilter;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::{FilterFn, Targets};

use crate::config::Config;
use crate::config::LoggerLevel;

/// Our own crates, whose level `debug` decides.
const OURS: [&str; 2] = ["keystone_ng", "keystone_actors"];

/// The libraries below us are silent unless something is wrong; and what a client sends wrong is
/// no trouble of ours, though actix takes it for an error.
const LIBRARIES: &str = "warn,actix_http=off";

/// The filter that this configuration asks for; `RUST_LOG` has the last word.
///
/// A list of targets: what looks into spans, too, would cost each request a part of its speed.
pub(super) fn filter(config: &Config) -> Targets {
    let set = std::env::var("RUST_LOG").ok();
    let set = set.and_then(|directives| directives.parse().ok());
    set.unwrap_or_else(|| directives(config).parse().unwrap_or_default())
}

/// Logs the parameters of each query: hashes, and whatever else the database is to keep.
const TELLS_VALUES: &str = "tokio_postgres::query";

/// Keeps back what would show secrets, whatever levels are asked for.
pub(super) fn without_values() -> FilterFn {
    fn is_harmless(event: &Metadata<'_>) -> bool {
        *event.level() <= Level::INFO || !event.target().starts_with(TELLS_VALUES)
    }
    // With a hint of its own it does not hide that of the levels.
    FilterFn::new(is_harmless as fn(&Metadata<'_>) -> bool).with_max_level_hint(LevelFilter::TRACE)
}

fn directives(config: &Config) -> String {
    let level = if config.default.debug {
        "debug"
    } else {
        "info"
    };
    let mut text = LIBRARIES.to_owned();
    for target in OURS {
        let _ = write!(text, ",{target}={level}");
    }
    for LoggerLevel { logger, level } in &config.default.default_log_levels {
        for target in targets(logger) {
            let _ = write!(text, ",{target}={}", level.as_filter());
        }
    }
    text
}

/// What a logger of Python Keystone is called here; the name of a Rust crate or module stands for
/// itself.
fn targets(logger: &str) -> Vec<String> {
    let known: &[&str] = match logger {
        "keystone" => &OURS,
        "sqlalchemy" | "sqlalchemy.engine" | "oslo_db" | "oslo.db" => {
            &["diesel", "diesel_async", "mysql_async", "tokio_postgres"]
        }
        "oslo_policy" | "oslo.policy" => &["keystone_ng::policy"],
        "oslo_cache" | "oslo.cache" | "dogpile" | "dogpile.core.dogpile" => {
            &["keystone_actors::cache"]
        }
        _ => &[],
    };
    if !known.is_empty() {
        return known.iter().map(|&target| target.to_owned()).collect();
    }
    if let Some(rest) = logger.strip_prefix("keystone.") {
        let module = rest.split('.').next().unwrap_or(rest);
        return match is_target(module) {
            true => OURS.map(|ours| format!("{ours}::{module}")).into(),
            false => Vec::new(),
        };
    }
    match is_target(logger) && !PYTHON_ONLY.contains(&logger) {
        true => vec![logger.to_owned()],
        false => Vec::new(),
    }
}

/// Loggers of oslo.log's defaults for which there is nothing here.
const PYTHON_ONLY: [&str; 10] = [
    "amqp",
    "boto",
    "suds",
    "oslo_messaging",
    "iso8601",
    "websocket",
    "keystonemiddleware",
    "stevedore",
    "taskflow",
    "keystoneauth",
];

fn is_target(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':'))
        && name != "routes"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Sources;

    fn directives_of(levels: &str) -> String {
        let sources = Sources {
            overrides: vec![(
                ("DEFAULT".to_owned(), "default_log_levels".to_owned()),
                levels.to_owned(),
            )],
            ..Sources::default()
        };
        directives(&Config::load(&sources).unwrap().config)
    }

    #[test]
    fn the_defaults_of_oslo_log_change_nothing_of_ours() {
        let text = directives(&Config::default());

        assert!(text.starts_with("warn,actix_http=off,keystone_ng=info,keystone_actors=info,"));
        assert!(
            !text.contains("urllib3") && !text.contains("routes"),
            "{text}"
        );
    }

    #[test]
    fn a_name_of_python_keystone_means_the_module_that_does_the_same() {
        assert!(
            directives_of("keystone=DEBUG").ends_with(",keystone_ng=debug,keystone_actors=debug")
        );
        assert!(
            directives_of("keystone.token.provider=ERROR")
                .ends_with(",keystone_ng::token=error,keystone_actors::token=error")
        );
        assert!(directives_of("sqlalchemy.engine=INFO").contains(",diesel=info,"));
        assert!(directives_of("actix_http=CRITICAL").ends_with(",actix_http=error"));
        assert!(directives_of("keystone_ng::api=WARNING").ends_with(",keystone_ng::api=warn"));
    }

    #[test]
    fn every_list_makes_a_filter() {
        for levels in ["", "a b=INFO", "x.y.z=INFO", "keystone.=DEBUG", "a::=TRACE"] {
            let text = directives_of(levels);
            assert!(text.parse::<Targets>().is_ok(), "{text}");
        }
    }
}
