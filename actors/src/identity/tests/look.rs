//! What no message tells, read from the tables.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::*;
use crate::db::schema::{ng_invalidation, password};
use crate::with_conn;

/// Each stored password, the oldest first: whether the user set it, and when it expires, in
/// seconds since 1970.
pub(super) async fn stored(bench: &Bench) -> Vec<(bool, Option<i64>)> {
    let rows: Result<Vec<(bool, Option<i64>)>, Error> = with_conn!(&bench.pool("look"), |conn| {
        Ok(password::table
            .order(password::created_at_int)
            .select((password::self_service, password::expires_at_int))
            .load(conn)
            .await?)
    });
    let rows = rows.unwrap().into_iter();
    rows.map(|(own, end)| (own, end.map(|end| end / 1_000_000)))
        .collect()
}

/// The invalidations that other nodes are told of: kind and ID.
pub(super) async fn outbox(bench: &Bench) -> Vec<(String, String)> {
    let rows: Result<_, Error> = with_conn!(&bench.pool("look"), |conn| {
        Ok(ng_invalidation::table
            .order(ng_invalidation::id)
            .select((ng_invalidation::entity, ng_invalidation::entity_id))
            .load(conn)
            .await?)
    });
    rows.unwrap()
}
