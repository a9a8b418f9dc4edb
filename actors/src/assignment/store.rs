//! The tables `assignment` and `system_assignment`.

use diesel::backend::Backend;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{Bool, Integer, Text};
use diesel_async::RunQueryDsl;

use super::{Actor, Error, Grant, GrantTarget};
use crate::db::Db;
use crate::with_conn;

/// Lists up to this long make statements worth keeping prepared.
const USUAL: usize = 8;

/// Both tables as one: kind (see [`kind`]), actor, target, role, inherited. diesel's unions want
/// the types to match, and `type` is an enum in one table and text in the other: so this is a
/// query of its own.
struct GrantsOf<'a>(&'a [Actor]);

/// A row of it.
type Row = (i32, String, String, String, bool);

impl<DB: Backend> QueryFragment<DB> for GrantsOf<'_>
where
    str: ToSql<Text, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        if self.0.len() > USUAL {
            out.unsafe_to_cache_prepared();
        }
        out.push_sql(
            "SELECT CASE type WHEN 'UserProject' THEN 0 WHEN 'GroupProject' THEN 1 \
             WHEN 'UserDomain' THEN 2 ELSE 3 END, actor_id, target_id, role_id, inherited \
             FROM assignment WHERE actor_id IN ",
        );
        self.actors(&mut out)?;
        out.push_sql(
            " UNION ALL SELECT CASE type WHEN 'UserSystem' THEN 4 ELSE 5 END, \
             actor_id, target_id, role_id, inherited \
             FROM system_assignment WHERE actor_id IN ",
        );
        self.actors(&mut out)
    }
}

impl GrantsOf<'_> {
    fn actors<'b, DB: Backend>(&'b self, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()>
    where
        str: ToSql<Text, DB>,
    {
        for (index, actor) in self.0.iter().enumerate() {
            out.push_sql(if index == 0 { "(" } else { ", " });
            out.push_bind_param::<Text, str>(actor.id())?;
        }
        out.push_sql(")");
        Ok(())
    }
}

impl Query for GrantsOf<'_> {
    type SqlType = (Integer, Text, Text, Text, Bool);
}

impl QueryId for GrantsOf<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false; // kept prepared by its text
}

fn grant((kind, actor, target, role, inherited): Row) -> (Actor, Grant) {
    let actor = match kind {
        0 | 2 | 4 => Actor::User(actor.into()),
        _ => Actor::Group(actor.into()),
    };
    let target = match kind {
        0 | 1 => GrantTarget::Project(target.into()),
        2 | 3 => GrantTarget::Domain(target.into()),
        _ => GrantTarget::System,
    };
    let role_id = role.into();
    let grant = Grant {
        target,
        role_id,
        inherited,
    };
    (actor, grant)
}

/// All grants of these actors, of whom there has to be one at least.
pub(super) async fn list_grants(db: &Db, actors: &[Actor]) -> Result<Vec<(Actor, Grant)>, Error> {
    with_conn!(db, |conn| {
        let rows: Vec<Row> = GrantsOf(actors).load(conn).await?;
        Ok(rows.into_iter().map(grant).collect())
    })
}
