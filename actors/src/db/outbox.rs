//! The outbox: invalidations written in the transaction that makes them necessary, so that no
//! node can miss one.

use std::collections::HashSet;
use std::future::Future;

use diesel::QueryResult;
use diesel_async::SimpleAsyncConnection;

use super::{InsertRows as _, MysqlConn, PostgresConn, SqliteConn, on_connection};
use crate::epoch::{Entity, Kind};
use crate::revocation::{self, Event};

macro_rules! channel {
    () => {
        "keystone_ng_invalidation"
    };
}

/// The PostgreSQL channel on which commits are announced.
pub const CHANNEL: &str = channel!();

/// What a committed change invalidates. To be handed to
/// [`Invalidations::publish`](crate::revocation::Invalidations::publish) once it is committed.
#[derive(Clone, Debug, Default)]
#[must_use = "a committed change has to be published, or this node serves what it had before"]
pub struct Change {
    /// The entities that are not what they were.
    pub entities: Vec<Entity>,
    /// The tokens that are good no longer.
    pub revocations: Vec<Event>,
}

impl Change {
    /// The change of these entities.
    pub fn of(entities: impl IntoIterator<Item = Entity>) -> Self {
        Self {
            entities: entities.into_iter().collect(),
            revocations: Vec::new(),
        }
    }

    /// The revocation of tokens.
    pub fn revoking(events: Vec<Event>) -> Self {
        Self {
            entities: events.iter().map(Event::entity).collect(),
            revocations: events,
        }
    }

    /// This change and the revocation of tokens.
    pub fn and_revoking(mut self, events: Vec<Event>) -> Self {
        let revoking = Self::revoking(events);
        self.entities.extend(revoking.entities);
        self.revocations.extend(revoking.revocations);
        self
    }

    /// This change and another.
    pub fn and(mut self, other: Self) -> Self {
        self.entities.extend(other.entities);
        self.revocations.extend(other.revocations);
        self
    }

    /// The same, with each entity once; where they are too many to be told one by one, everything
    /// is invalidated instead.
    pub fn bounded(mut self) -> Self {
        const MOST: usize = 1000;
        let mut seen = HashSet::new();
        self.entities.retain(|entity| seen.insert(entity.clone()));
        if self.entities.len() > MOST {
            self.entities = vec![Entity::new(Kind::Anything, "")];
        }
        self
    }
}

on_connection! {
    /// Writes a change into the outbox, and its revocations into `revocation_event`, inside the
    /// transaction that makes it, on this node. Gives the change back, to be published.
    pub(crate) async fn record_change<'a>(conn, node: &'a str, change: Change) -> Change {
        conn.insert_rows(revocation::rows(&change)).await?;
        conn.insert_rows(rows(&change, node)).await?;
        conn.announce().await?;
        Ok(change)
    }
}

/// Wakes those who follow the outbox, when the transaction commits.
pub trait Announce {
    /// `NOTIFY` on PostgreSQL; nothing elsewhere, where followers poll.
    fn announce(&mut self) -> impl Future<Output = QueryResult<()>> + Send;
}

impl Announce for PostgresConn {
    async fn announce(&mut self) -> QueryResult<()> {
        self.batch_execute(concat!("NOTIFY ", channel!())).await
    }
}

impl Announce for MysqlConn {
    async fn announce(&mut self) -> QueryResult<()> {
        Ok(())
    }
}

impl Announce for SqliteConn {
    async fn announce(&mut self) -> QueryResult<()> {
        Ok(())
    }
}

/// A row to write.
#[derive(diesel::Insertable)]
#[diesel(table_name = crate::db::schema::ng_invalidation)]
pub struct Row {
    entity: &'static str,
    entity_id: String,
    node: String,
    created_at: i64,
}

crate::insert_rows!(Row => crate::db::schema::ng_invalidation);

/// The rows of a change.
pub fn rows(change: &Change, node: &str) -> Vec<Row> {
    let created_at = super::micros_since_epoch();
    change
        .entities
        .iter()
        .map(|entity| Row {
            entity: entity.kind.as_str(),
            entity_id: entity.id.clone(),
            node: node.to_owned(),
            created_at,
        })
        .collect()
}
