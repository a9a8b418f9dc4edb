//! The tree of projects, walked by the database: up and down in one statement each.

use std::collections::{HashMap, HashSet};

use diesel::backend::Backend;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{Bool, Nullable, Text};
use diesel_async::RunQueryDsl;

use super::ROOT;
use crate::db::{BATCH, Db, sought};
use crate::ids::{DomainId, ProjectId};
use crate::resource::model::Link;
use crate::resource::{Descendant, Error};
use crate::with_conn;

/// Lists up to this long make statements worth keeping prepared.
const USUAL: usize = 8;

/// A project and all above it. diesel has no recursive queries, so that this is one of its own.
///
/// `UNION`, not `UNION ALL`: a loop in the tree (which no rule admits) ends.
pub(super) struct Upwards<'a>(pub &'a str);

/// A row of it: ID, parent, domain, whether it acts as one, and whether it is enabled.
pub(super) type UpwardsRow = (String, Option<String>, String, bool, Option<bool>);

impl<DB: Backend> QueryFragment<DB> for Upwards<'_>
where
    str: ToSql<Text, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql(
            "WITH RECURSIVE up (id, parent_id, domain_id, is_domain, enabled) AS (\
             SELECT id, parent_id, domain_id, is_domain, enabled FROM project WHERE id = ",
        );
        out.push_bind_param::<Text, str>(self.0)?;
        out.push_sql(
            " UNION SELECT project.id, project.parent_id, project.domain_id, project.is_domain, \
             project.enabled FROM project INNER JOIN up ON project.id = up.parent_id\
             ) SELECT id, parent_id, domain_id, is_domain, enabled FROM up",
        );
        Ok(())
    }
}

impl Query for Upwards<'_> {
    type SqlType = (Text, Nullable<Text>, Text, Bool, Nullable<Bool>);
}

impl QueryId for Upwards<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false; // kept prepared by its text
}

/// All projects below some.
pub(super) struct Downwards<'a>(pub &'a [&'a str]);

/// A row of it: ID, parent, and whether it is enabled.
pub(super) type DownwardsRow = (String, String, Option<bool>);

impl<DB: Backend> QueryFragment<DB> for Downwards<'_>
where
    str: ToSql<Text, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        if self.0.len() > USUAL {
            out.unsafe_to_cache_prepared();
        }
        out.push_sql(
            "WITH RECURSIVE down (id, parent_id, enabled) AS (\
             SELECT id, parent_id, enabled FROM project WHERE parent_id IN (",
        );
        for (index, id) in self.0.iter().enumerate() {
            if index > 0 {
                out.push_sql(", ");
            }
            out.push_bind_param::<Text, str>(id)?;
        }
        out.push_sql(
            ") UNION SELECT project.id, project.parent_id, project.enabled \
             FROM project INNER JOIN down ON project.parent_id = down.id\
             ) SELECT id, parent_id, enabled FROM down",
        );
        Ok(())
    }
}

impl Query for Downwards<'_> {
    type SqlType = (Text, Text, Nullable<Bool>);
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
        let rows = Upwards(sought(id.as_str())).load(conn).await?;
        Ok(climb(id.as_str(), rows).map(|(own, above)| {
            let ids = above.into_iter().map(|link| link.id);
            (own.id, ids.collect())
        }))
    })
}

/// A project, and its ancestors from the bottom to the top.
pub(super) fn climb(asked: &str, rows: Vec<UpwardsRow>) -> Option<(Link, Vec<Link>)> {
    let links = rows.into_iter().filter(|row| row.0 != ROOT).map(Link::from);
    let mut links: HashMap<String, Link> = links.map(|link| (link.id.to_string(), link)).collect();
    let own = if links.contains_key(asked) {
        links.remove(asked)?
    } else {
        // Found although its case differs: it is the one that is nobody's parent.
        let parents = links.values().filter_map(|link| link.parent_id.clone());
        let parents: HashSet<ProjectId> = parents.collect();
        let own = links.values().find(|link| !parents.contains(&link.id))?;
        let own = own.id.to_string();
        links.remove(&own)?
    };
    // In a loop (which no rule admits) it is above itself.
    links.insert(own.id.to_string(), own.clone());
    let mut above = Vec::new();
    let mut next = own.parent_id.clone();
    while let Some(link) = next.and_then(|parent| links.remove(parent.as_str())) {
        next = link.parent_id.clone();
        above.push(link);
    }
    Some((own, above))
}

impl From<UpwardsRow> for Link {
    fn from((id, parent_id, domain_id, is_domain, enabled): UpwardsRow) -> Self {
        let domain = if is_domain {
            id.as_str()
        } else {
            domain_id.as_str()
        };
        Self {
            domain_id: DomainId::from(domain),
            id: id.into(),
            parent_id: parent_id.map(ProjectId::from),
            is_domain,
            enabled: enabled.unwrap_or(false),
        }
    }
}

/// Projects by how deep they are below `root`, the deepest first: the order in which they can be
/// deleted. Rows are of project and parent; what hangs on none of them comes first.
pub(super) fn from_the_leaves(root: &str, rows: &[(String, String)]) -> Vec<Vec<String>> {
    let mut below: HashMap<&str, Vec<&str>> = HashMap::new();
    for (id, parent) in rows {
        below.entry(parent).or_default().push(id);
    }
    let mut levels = Vec::new();
    let mut level = below.remove(root).unwrap_or_default();
    while !level.is_empty() {
        let next = level.iter().filter_map(|id| below.remove(id)).flatten();
        let next = next.collect();
        levels.push(level.into_iter().map(str::to_owned).collect());
        level = next;
    }
    let astray: Vec<String> = below.into_values().flatten().map(str::to_owned).collect();
    if !astray.is_empty() {
        levels.push(astray);
    }
    levels.reverse();
    levels
}

/// All projects below these, each once.
pub(in crate::resource) async fn list_descendants(
    db: &Db,
    of: &[ProjectId],
) -> Result<Vec<Descendant>, Error> {
    let of: Vec<&str> = of.iter().map(|id| sought(id.as_str())).collect();
    let mut rows: Vec<(String, String)> = with_conn!(db, |conn| {
        let mut rows = Vec::new();
        for batch in of.chunks(BATCH) {
            let found: Vec<DownwardsRow> = Downwards(batch).load(conn).await?;
            rows.extend(found.into_iter().map(|(id, parent, _)| (id, parent)));
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
