//! Parts of a running server fail under load. What can be asked again is answered as if nothing
//! had happened; the rest is a 503 that says when to come back; nothing hangs, nothing is lost,
//! and all is well again by itself.

mod actors;
mod database;

use std::time::Duration;

use crate::support::cloud::Builder;
use crate::support::load::Load;
use crate::support::{Cloud, Session, seed, until};
use crate::testdb::TestDb;

/// No answer may take longer, whatever has failed: beyond all deadlines of the servers here.
const PATIENCE: Duration = Duration::from_secs(20);
/// A world in which admin and alice have roles in the project demo.
fn world(db: &TestDb) -> Builder<'_> {
    Builder::new(db)
        .seed(seed::world())
        .seed(seed::grant("UserProject", "admin", "demo", "member"))
}

/// Waits until a server says of itself that it is ready, or that it is not.
async fn until_ready(cloud: &Cloud<'_>, ready: bool) -> Duration {
    let what = if ready { "ready" } else { "not ready" };
    let status = if ready { 200 } else { 503 };
    until(what, async || {
        cloud.api().get("/readyz").await.status() == status
    })
    .await
}

/// Waits until all that is asked is answered well: a machine that is busy may still miss a short
/// deadline once.
async fn until_all_is_well(load: &Load) {
    until("all is well", async || load.next(20).await.is_good()).await;
}

/// A session of the admin whose token is good at every node.
async fn caller(cloud: &Cloud<'_>) -> Session {
    cloud.api().admin().await
}
