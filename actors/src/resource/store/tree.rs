//! The tree of projects, walked by the database: up and down in one statement each.

use std::collections::{HashMap, HashSet};

use diesel::backend::Backend;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{Nullable, Text};
use diesel_async::RunQueryDsl;

use super::BATCH;
use crate::db::Db;
use crate::ids::ProjectId;
use crate::resource::{Descendant, Error};
use crate::with_conn;

/// Lists up to this long make statements worth keeping prepared.
const USUAL: usize = 8;

/// A project and all above it, each with its parent. diesel has no recursive queries, so that
/// this is one of its own.
///
/// `UNION`, not `UNION ALL`: a loop in the tree (which no rule admits) ends.
struct Upwards<'a>(&'a str);

impl<DB: Backend> QueryFragment<DB> for Upwards<'_>
where
    str: ToSql<Text, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql(
            "WITH RECURSIVE up (id, parent_id) AS (\
             SELECT id, parent_id FROM project WHERE id = ",
        );
        out.push_bind_param::<Text, str>(self.0)?;
        out.push_sql(
            " UNION SELECT project.id, project.parent_id \
             FROM project INNER JOIN up ON project.id = up.parent_id\
             ) SELECT id, parent_id FROM up",
        );
        Ok(())
    }
}

impl Query for Upwards<'_> {
    type SqlType = (Text, Nullable<Text>);
}

impl QueryId for Upwards<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false; // kept prepared by its text
}

/// All projects below some, each with its parent.
struct Downwards<'a>(&'a [&'a str]);

impl<DB: Backend> QueryFragment<DB> for Downwards<'_>
where
    str: ToSql<Text, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        if self.0.len() > USUAL {
            out.unsafe_to_cache_prepared();
        }
        out.push_sql(
            "WITH RECURSIVE down (id, parent_id) AS (\
             SELECT id, parent_id FROM project WHERE parent_id IN (",
        );
        for (index, id) in self.0.iter().enumerate() {
            if index > 0 {
                out.push_sql(", ");
            }
            out.push_bind_param::<Text, str>(id)?;
        }
        out.push_sql(
            ") UNION SELECT project.id, project.parent_id \
             FROM project INNER JOIN down ON project.parent_id = down.id\
             ) SELECT id, parent_id FROM down",
        );
        Ok(())
    }
}

impl Query for Downwards<'_> {
    type SqlType = (Text, Text);
}

impl QueryId for Downwards<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false; // kept prepared by its text
}

/// A project's ID as it is stored, and its ancestors, the nearest first; `None` without such a
/// project.
pub(in crate::resource) async fn find_ancestors(
    db: &Db,
    id: &ProjectId,
) -> Result<Option<(ProjectId, Vec<ProjectId>)>, Error> {
    with_conn!(db, |conn| {
        let rows = Upwards(id.as_str()).load(conn).await?;
        Ok(climb(id.as_str(), rows))
    })
}

/// Orders a project and its ancestors from the bottom to the top.
fn climb(asked: &str, rows: Vec<(String, Option<String>)>) -> Option<(ProjectId, Vec<ProjectId>)> {
    let mut above: HashMap<String, Option<String>> = rows.into_iter().collect();
    let own = if above.contains_key(asked) {
        asked.to_owned()
    } else {
        // Found although its case differs: it is the one that is nobody's parent.
        let parents: HashSet<&String> = above.values().flatten().collect();
        above.keys().find(|id| !parents.contains(id))?.clone()
    };
    let mut ancestors = Vec::new();
    let mut next = above.remove(&own).flatten();
    while let Some(parent) = next {
        next = above.remove(&parent).flatten();
        ancestors.push(parent.into());
    }
    Some((own.into(), ancestors))
}

/// All projects below these, each once.
pub(in crate::resource) async fn list_descendants(
    db: &Db,
    of: &[ProjectId],
) -> Result<Vec<Descendant>, Error> {
    let of: Vec<&str> = of.iter().map(ProjectId::as_str).collect();
    let mut rows: Vec<(String, String)> = with_conn!(db, |conn| {
        let mut rows = Vec::new();
        for batch in of.chunks(BATCH) {
            let found: Vec<(String, String)> = Downwards(batch).load(conn).await?;
            rows.extend(found);
        }
        Ok::<_, Error>(rows)
    })?;
    rows.sort_unstable();
    rows.dedup();
    let descendants = rows.into_iter().map(|(id, parent_id)| Descendant {
        id: id.into(),
        parent_id: parent_id.into(),
    });
    Ok(descendants.collect())
}
