//! The tables `revocation_event` (Python Keystone's) and `ng_invalidation` (the outbox).

use std::time::Duration;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{Error, Event, TokenFacts};
use crate::db::outbox::{Change, record_change};
use crate::db::schema::{ng_invalidation, revocation_event};
use crate::db::{Db, DbTime, micros_since_epoch};
use crate::epoch::Entity;
use crate::{transaction, with_conn};

#[derive(Queryable, Selectable)]
#[diesel(table_name = revocation_event)]
pub(super) struct EventRow {
    pub id: i32,
    domain_id: Option<String>,
    project_id: Option<String>,
    user_id: Option<String>,
    role_id: Option<String>,
    trust_id: Option<String>,
    consumer_id: Option<String>,
    access_token_id: Option<String>,
    issued_before: DbTime,
    expires_at: Option<DbTime>,
    revoked_at: DbTime,
    audit_id: Option<String>,
    audit_chain_id: Option<String>,
}

impl From<EventRow> for Event {
    fn from(row: EventRow) -> Self {
        Self {
            domain_id: row.domain_id,
            project_id: row.project_id,
            user_id: row.user_id,
            role_id: row.role_id,
            trust_id: row.trust_id,
            consumer_id: row.consumer_id,
            access_token_id: row.access_token_id,
            expires_at: row.expires_at.map(DbTime::seconds),
            audit_id: row.audit_id,
            audit_chain_id: row.audit_chain_id,
            issued_before: row.issued_before.seconds(),
            revoked_at: row.revoked_at.seconds(),
        }
    }
}

/// The rows of a change's revocations, for [`record_change`](crate::db::outbox::record_change).
pub fn rows(change: &Change) -> Vec<NewEventRow> {
    change.revocations.iter().map(NewEventRow::from).collect()
}

/// A row to write.
#[derive(Insertable)]
#[diesel(table_name = revocation_event)]
pub struct NewEventRow {
    domain_id: Option<String>,
    project_id: Option<String>,
    user_id: Option<String>,
    role_id: Option<String>,
    trust_id: Option<String>,
    consumer_id: Option<String>,
    access_token_id: Option<String>,
    issued_before: DbTime,
    expires_at: Option<DbTime>,
    revoked_at: DbTime,
    audit_id: Option<String>,
    audit_chain_id: Option<String>,
}

crate::insert_rows!(NewEventRow => crate::db::schema::revocation_event);

impl From<&Event> for NewEventRow {
    fn from(event: &Event) -> Self {
        Self {
            domain_id: event.domain_id.clone(),
            project_id: event.project_id.clone(),
            user_id: event.user_id.clone(),
            role_id: event.role_id.clone(),
            trust_id: event.trust_id.clone(),
            consumer_id: event.consumer_id.clone(),
            access_token_id: event.access_token_id.clone(),
            issued_before: DbTime::from_seconds(event.issued_before),
            expires_at: event.expires_at.map(DbTime::from_seconds),
            revoked_at: DbTime::from_seconds(event.revoked_at),
            audit_id: event.audit_id.clone(),
            audit_chain_id: event.audit_chain_id.clone(),
        }
    }
}

pub(super) async fn revoke(db: &Db, node: &str, events: Vec<Event>) -> Result<Change, Error> {
    transaction!(db, |conn| {
        let change: Change = record_change(conn, node, Change::revoking(events.clone())).await?;
        Ok(change)
    })
}

/// Events written after `since`, oldest first.
pub(super) async fn list(db: &Db, since: Option<i64>) -> Result<Vec<Event>, Error> {
    with_conn!(db, |conn| {
        let mut query = revocation_event::table
            .select(EventRow::as_select())
            .order((revocation_event::revoked_at, revocation_event::id))
            .into_boxed();
        if let Some(since) = since {
            query = query.filter(revocation_event::revoked_at.gt(DbTime::from_seconds(since)));
        }
        let rows: Vec<EventRow> = query.load(conn).await?;
        Ok(rows.into_iter().map(Event::from).collect())
    })
}

/// The events that could revoke a token of these facts; narrowed by what is indexed.
pub(super) async fn candidates(db: &Db, token: &TokenFacts) -> Result<Vec<Event>, Error> {
    use revocation_event as e;
    let issued_at = DbTime::from_seconds(token.issued_at);
    with_conn!(db, |conn| {
        let rows: Vec<EventRow> = e::table
            .select(EventRow::as_select())
            .filter(e::issued_before.ge(issued_at))
            .filter(e::user_id.is_null().or(e::user_id.eq_any(&token.users)))
            .filter(e::project_id.is_null().or(e::project_id.eq(&token.project)))
            .filter(e::trust_id.is_null().or(e::trust_id.eq(&token.trust)))
            .filter(e::audit_id.is_null().or(e::audit_id.eq(&token.audit)))
            .filter(
                e::audit_chain_id
                    .is_null()
                    .or(e::audit_chain_id.eq(&token.audit_chain)),
            )
            .load(conn)
            .await?;
        Ok(rows.into_iter().map(Event::from).collect())
    })
}

/// Events whose number is above `after`, in the order of their numbers, at most `limit`.
pub(super) async fn events_after(db: &Db, after: i32, limit: i64) -> Result<Vec<EventRow>, Error> {
    with_conn!(db, |conn| {
        let rows: Vec<EventRow> = revocation_event::table
            .select(EventRow::as_select())
            .filter(revocation_event::id.gt(after))
            .order(revocation_event::id)
            .limit(limit)
            .load(conn)
            .await?;
        Ok(rows)
    })
}

/// A row of the outbox: its number, who wrote it, and what it invalidates.
pub(super) struct OutboxRow {
    pub id: i64,
    pub node: String,
    pub entity: Entity,
}

pub(super) async fn outbox_after(db: &Db, after: i64, limit: i64) -> Result<Vec<OutboxRow>, Error> {
    use ng_invalidation as o;
    with_conn!(db, |conn| {
        let rows: Vec<(i64, String, String, String)> = o::table
            .select((o::id, o::node, o::entity, o::entity_id))
            .filter(o::id.gt(after))
            .order(o::id)
            .limit(limit)
            .load(conn)
            .await?;
        Ok(rows
            .into_iter()
            .map(|(id, node, kind, entity_id)| OutboxRow {
                id,
                node,
                entity: Entity::from_outbox(&kind, entity_id),
            })
            .collect())
    })
}

/// The highest number in the outbox of a row older than this, 0 where there is none.
pub(super) async fn outbox_end(db: &Db, age: Duration) -> Result<i64, Error> {
    let age = i64::try_from(age.as_micros()).unwrap_or(i64::MAX);
    let before = micros_since_epoch().saturating_sub(age);
    with_conn!(db, |conn| {
        let end: Option<i64> = ng_invalidation::table
            .select(diesel::dsl::max(ng_invalidation::id))
            .filter(ng_invalidation::created_at.lt(before))
            .first(conn)
            .await?;
        Ok(end.unwrap_or(0))
    })
}

/// Removes rows of the outbox older than `outbox_seconds`, and events written before
/// `events_before` (seconds since 1970).
pub(super) async fn prune(
    db: &Db,
    outbox_seconds: u64,
    events_before: i64,
) -> Result<usize, Error> {
    let age = i64::try_from(outbox_seconds)
        .unwrap_or(i64::MAX)
        .saturating_mul(1_000_000);
    let oldest = micros_since_epoch().saturating_sub(age);
    with_conn!(db, |conn| {
        let rows =
            diesel::delete(ng_invalidation::table.filter(ng_invalidation::created_at.lt(oldest)))
                .execute(conn)
                .await?;
        let before = DbTime::from_seconds(events_before);
        let events =
            diesel::delete(revocation_event::table.filter(revocation_event::revoked_at.lt(before)))
                .execute(conn)
                .await?;
        Ok(rows + events)
    })
}
