mod changes;
mod deletion;
mod reads;

use super::*;
use crate::actor::Handle;
use crate::testing::Bench;

fn provider(bench: &Bench) -> Handle<FederationProvider> {
    let caches = FederationCaches {
        identity_providers: bench.cache(),
        service_providers: bench.cache(),
    };
    bench.start(FederationProvider::new(
        bench.pool("federation"),
        caches,
        bench.invalidations.clone(),
        "ss:mem:".into(),
    ))
}

/// What a client's body says.
fn said<T: serde::de::DeserializeOwned>(body: serde_json::Value) -> T {
    serde_json::from_value(body).unwrap()
}

fn text<T: std::fmt::Debug>(outcome: Result<T, Error>) -> String {
    outcome.unwrap_err().to_string()
}
