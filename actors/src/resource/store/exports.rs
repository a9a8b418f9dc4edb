//! What the transactions of other providers do to these tables.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::ROOT;
use crate::db::schema::project;
use crate::db::{BATCH, on_connection, sought};
use crate::epoch::{Entity, Kind};

/// The IDs of all domains, and of the root that they have in common. Names are unique in a domain, so
/// what has a name is found by an index that begins with the domain: in each of them sooner than
/// without one.
#[diesel::dsl::auto_type(no_type_alias)]
pub(crate) fn domains() -> _ {
    let of_root: diesel::dsl::Eq<project::domain_id, &'static str> = project::domain_id.eq(ROOT);
    project::table.filter(of_root).select(project::id)
}

on_connection! {
    /// Keeps a project or domain from being changed or deleted until the end of the transaction.
    /// Gives the ID as it is stored and whether it is a domain, or `None` where there is none.
    ///
    /// Projects are held before users and groups, as their deletion takes them in this order.
    pub(crate) async fn hold<'a>(conn, id: &'a str) -> Option<(String, bool)> {
        let id = sought(id);
        // Changes nothing, but locks the row on all three (SQLite has no FOR UPDATE). Not the ID
        // itself, which may be spelt otherwise than the one that the database takes for equal.
        diesel::update(project::table.find(id))
            .set(project::domain_id.eq(project::domain_id))
            .execute(conn)
            .await?;
        project::table
            .find(id)
            .filter(project::id.ne(ROOT))
            .select((project::id, project::is_domain))
            .first(conn)
            .await
            .optional()
    }

    /// Keeps several from being changed or deleted, each named once, and reads none, so that who has
    /// more to lock can do so. Gives how many there are.
    pub(crate) async fn hold_all<'a>(conn, ids: &'a [String]) -> usize {
        let mut held = 0;
        for ids in ids.chunks(BATCH) {
            let ids = ids.iter().map(|id| sought(id));
            let named = project::table.filter(project::id.eq_any(ids));
            held += diesel::update(named.filter(project::id.ne(ROOT)))
                .set(project::domain_id.eq(project::domain_id))
                .execute(conn)
                .await?;
        }
        Ok(held)
    }

    /// Makes an enabled domain, inside the transaction that makes what it is for. Gives the entity
    /// that is not what it was.
    pub(crate) async fn insert_domain<'a>(
        conn,
        id: &'a str,
        name: &'a str,
        description: &'a str,
    ) -> Entity {
        diesel::insert_into(project::table)
            .values((
                project::id.eq(id),
                project::name.eq(name),
                project::extra.eq("{}"),
                project::description.eq(description),
                project::enabled.eq(true),
                project::domain_id.eq(ROOT),
                project::parent_id.eq(None::<String>),
                project::is_domain.eq(true),
            ))
            .execute(conn)
            .await?;
        Ok(Entity::new(Kind::Project, id))
    }
}
