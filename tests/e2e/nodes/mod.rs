//! Several nodes on one database, under load: what one is told ends at all of them, and a node
//! that is cut off, killed or stopped is not seen by whoever asks through the proxy.

mod cut;
mod ends;
mod gone;

use std::time::Duration;

use awc::http::Method;

use crate::support::cloud::{Builder, Options};
use crate::support::{Api, seed};
use crate::testdb::TestDb;

/// No answer may take longer, whatever has failed.
const PATIENCE: Duration = Duration::from_secs(20);
/// What is cached of the database is trusted for as long as other nodes are followed: nothing ends
/// here for being old.
fn trusting() -> Options {
    Options::default()
        .set("cache_coherence", "foreign_writers", false)
        .set("api_server", "trusted_proxies", "127.0.0.1")
}

/// Deadlines short enough for a test.
fn hasty(options: Options) -> Options {
    options
        .set("storage", "connect_timeout", 1)
        .set("storage", "acquire_timeout", 1)
        .set("storage", "statement_timeout", 1)
        .set("providers", "request_timeout", 3)
}

/// The small world with these users besides, who are members of the project demo.
fn world<'db>(db: &'db TestDb, users: &[&str]) -> Builder<'db> {
    let mut statements = seed::grant("UserProject", "admin", "demo", "member");
    for user in users {
        statements.extend(seed::user(user, "default", true));
        statements.extend(seed::grant("UserProject", user, "demo", "member"));
    }
    Builder::new(db)
        .options(trusting())
        .seed(seed::world())
        .seed(statements)
}

/// How a server answers who asks about a token, which may be 0 for no answer.
async fn validity(api: &Api, caller: &str, subject: &str) -> u16 {
    let request = api.request(Method::GET, "/v3/auth/tokens");
    let answer = request.token(caller).subject(subject).try_send().await;
    answer.map_or(0, |answer| answer.status())
}
