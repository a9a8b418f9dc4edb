//! `/healthcheck`, `/livez`, `/readyz`: for proxies and orchestrators. Without authentication,
//! and without a query per request: the database is probed once a second.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use actix_web::http::header::CACHE_CONTROL;
use actix_web::rt::time;
use actix_web::{HttpResponse, web};
use keystone_actors::role::GetRoleGraph;
use serde_json::json;
use tracing::error;

use super::schema::Schema;
use crate::api::openapi::answers::{self, Answer};
use crate::api::router::Router;
use crate::api::routes::Routes;
use crate::api::schema::{Schema as Shape, array, boolean, object, text};
use crate::node::Node;

const PROBE_INTERVAL: Duration = Duration::from_secs(1);
/// A probe that takes longer has failed: a proxy shall know before clients run into deadlines.
const PROBE_PATIENCE: Duration = Duration::from_secs(2);

/// How this node is.
pub struct Health {
    node: web::Data<Node>,
    schema: Schema,
    database: AtomicBool,
}

impl Health {
    /// Of this node; the database counts as reachable once it was.
    pub fn new(node: web::Data<Node>, schema: Schema) -> Self {
        Self {
            node,
            schema,
            database: AtomicBool::new(false),
        }
    }

    /// What keeps this node from serving.
    fn troubles(&self) -> Vec<String> {
        let mut troubles = Vec::new();
        if self.node.metrics.connections.are_draining() {
            troubles.push("draining".to_owned());
        }
        if let Some(trouble) = self.schema.trouble() {
            troubles.push(trouble.to_string());
        }
        if !self.database.load(Ordering::Acquire) {
            troubles.push("the database cannot be reached".to_owned());
        }
        for provider in self.node.providers.supervision.stats() {
            if provider.failed {
                troubles.push(format!(
                    "provider {} is over its restart limit",
                    provider.name
                ));
            } else if provider.replicas == 0 {
                troubles.push(format!("provider {} is being restarted", provider.name));
            }
        }
        troubles
    }
}

/// Asks the database, once a second, for something that every request needs.
pub(super) async fn probe(health: Arc<Health>) {
    loop {
        let providers = &health.node.providers;
        let probed = time::timeout(PROBE_PATIENCE, providers.probe_database()).await;
        let reachable = probed.unwrap_or(false);
        health.database.store(reachable, Ordering::Release);
        if reachable {
            if let Some(pool) = providers.pools.first()
                && let Ok(Some(trouble)) =
                    time::timeout(PROBE_PATIENCE, health.schema.refresh(pool)).await
            {
                error!("{trouble}");
            }
            // The first token shall not wait for the roles to be read.
            let _ = time::timeout(PROBE_PATIENCE, providers.role.read(GetRoleGraph)).await;
        }
        time::sleep(PROBE_INTERVAL).await;
    }
}

/// Routes them.
pub fn routes(api: &mut Router) {
    const TEXT: Answer = answers::file("text/plain");
    Routes::at("/healthcheck")
        .get(check)
        .does("Whether this node should get requests.")
        .public()
        .answers(TEXT)
        .answers(TEXT.with_status(503))
        .register(api);
    Routes::at("/readyz")
        .get(ready)
        .does("Whether this node should get requests, and if not, why.")
        .public()
        .answers(answers::json(readiness))
        .answers(answers::json(readiness).with_status(503))
        .register(api);
    Routes::at("/livez")
        .get(alive)
        .does("Whether this process lives.")
        .public()
        .answers(TEXT)
        .register(api);
}

fn readiness() -> Shape {
    object()
        .required("ready", boolean())
        .required("troubles", array(text()))
        .required("caches_trusted", boolean())
        .required("providers", array(object()))
}

/// The process runs and answers: `GET /livez`.
async fn alive() -> HttpResponse {
    fine()
}

fn fine() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .body("OK\n")
}

/// The verdict where oslo's middleware gives it: `GET /healthcheck`.
async fn check(health: web::Data<Health>) -> HttpResponse {
    if health.troubles().is_empty() {
        return fine();
    }
    HttpResponse::ServiceUnavailable()
        .content_type("text/plain; charset=utf-8")
        .body("UNAVAILABLE\n")
}

/// Whether this node should get requests, and if not, why: `GET /readyz`.
async fn ready(health: web::Data<Health>) -> HttpResponse {
    let troubles = health.troubles();
    let invalidations = health.node.providers.follows_others(Instant::now());
    let body = json!({
        "ready": troubles.is_empty(),
        "troubles": troubles,
        "caches_trusted": invalidations,
        "providers": health.node.providers.supervision.stats().iter().map(|one| json!({
            "name": one.name,
            "replicas": one.replicas,
            "restarts": one.restarts,
            "failed": one.failed,
        })).collect::<Vec<_>>(),
    });
    let mut response = match troubles.is_empty() {
        true => HttpResponse::Ok(),
        false => HttpResponse::ServiceUnavailable(),
    };
    response
        .insert_header((CACHE_CONTROL, "no-store"))
        .json(body)
}
