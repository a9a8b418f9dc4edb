//! What is logged: `[DEFAULT] debug` and `default_log_levels`, as filters of tracing targets.

use std::fmt::Write;

use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, Filter};

use crate::config::Config;
use crate::config::LoggerLevel;

/// Our own crates, whose level `debug` decides.
const OURS: [&str; 2] = ["keystone_ng", "keystone_actors"];

/// The libraries below us are silent unless something is wrong; and what a client sends wrong is
/// no trouble of ours, though actix takes it for an error.
const LIBRARIES: &str = "warn,actix_http=off";

/// Logs the parameters of each query: hashes, and whatever else the database is to keep.
const TELLS_VALUES: &str = "tokio_postgres::query";

/// What is logged, by target and level; never what would show secrets, whatever is asked for.
///
/// A filter of everything that is traced, or of one layer. A list of targets decides the same each time, so as a filter
/// of everything it is asked once for each place in the code; what looks into spans, too, and every filter of a layer,
/// costs each request a part of its speed.
#[derive(Debug)]
pub(super) struct Levels(Targets);

impl Levels {
    /// Those that this configuration asks for; `RUST_LOG` has the last word.
    pub fn of(config: &Config) -> Self {
        let set = std::env::var("RUST_LOG").ok();
        let set = set.and_then(|directives| directives.parse().ok());
        Self(set.unwrap_or_else(|| directives(config).parse().unwrap_or_default()))
    }
}

fn tells_values(meta: &Metadata<'_>) -> bool {
    *meta.level() > Level::INFO && meta.target().starts_with(TELLS_VALUES)
}

impl<S: Subscriber> Layer<S> for Levels {
    fn register_callsite(&self, meta: &'static Metadata<'static>) -> Interest {
        if tells_values(meta) {
            return Interest::never();
        }
        Layer::<S>::register_callsite(&self.0, meta)
    }

    fn enabled(&self, meta: &Metadata<'_>, context: Context<'_, S>) -> bool {
        !tells_values(meta) && Layer::<S>::enabled(&self.0, meta, context)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Layer::<S>::max_level_hint(&self.0)
    }
}

impl<S> Filter<S> for Levels {
    fn callsite_enabled(&self, meta: &'static Metadata<'static>) -> Interest {
        if tells_values(meta) {
            return Interest::never();
        }
        Filter::<S>::callsite_enabled(&self.0, meta)
    }

    fn enabled(&self, meta: &Metadata<'_>, context: &Context<'_, S>) -> bool {
        !tells_values(meta) && Filter::<S>::enabled(&self.0, meta, context)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Filter::<S>::max_level_hint(&self.0)
    }
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
    use std::sync::{Arc, Mutex};

    use tracing::{Dispatch, Event, debug, dispatcher, info};
    use tracing_subscriber::layer::SubscriberExt;
    use tracing_subscriber::{registry, reload};

    use super::*;
    use crate::config::Sources;

    /// The targets of the events that come through.
    #[derive(Clone, Default)]
    struct Seen(Arc<Mutex<Vec<&'static str>>>);

    impl<S: Subscriber> Layer<S> for Seen {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            self.0.lock().unwrap().push(event.metadata().target());
        }
    }

    #[test]
    fn levels_hold_alike_for_everything_and_for_one_layer() {
        let levels = |text: &str| Levels(text.parse().unwrap());
        let seen = Seen::default();
        let (of_all, whole) = reload::Layer::new(levels("info"));
        let (of_one, part) = reload::Layer::new(levels("info"));
        let dispatches = [
            Dispatch::new(registry().with(of_all).with(seen.clone())),
            Dispatch::new(registry().with(seen.clone().with_filter(of_one))),
        ];
        let each = || {
            dispatches.each_ref().map(|dispatch| {
                dispatcher::with_default(dispatch, || {
                    debug!(target: "a", "");
                    debug!(target: "a::b", "");
                    info!(target: "c", "");
                    debug!(target: "tokio_postgres::query", "");
                    info!(target: "tokio_postgres::query", "");
                });
                std::mem::take(&mut *seen.0.lock().unwrap())
            })
        };

        assert_eq!(each(), [["c", "tokio_postgres::query"]; 2]);

        for text in ["warn,a=debug", "off,tokio_postgres::query=trace", "trace"] {
            whole.reload(levels(text)).unwrap();
            part.reload(levels(text)).unwrap();
            let expected: &[&str] = match text {
                "warn,a=debug" => &["a", "a::b"],
                "trace" => &["a", "a::b", "c", "tokio_postgres::query"],
                _ => &["tokio_postgres::query"],
            };
            assert_eq!(each(), [expected; 2], "{text}");
        }
    }

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
