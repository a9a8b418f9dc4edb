//! The tables `assignment` and `system_assignment`.

mod exports;
mod grants;

use std::borrow::Borrow;
use std::collections::HashSet;
use std::hash::Hash;

use diesel::backend::Backend;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{Bool, Integer, Text};
use diesel_async::RunQueryDsl;
pub(crate) use exports::{
    delete_of_groups, delete_of_role, delete_of_users, delete_on_domain, delete_on_projects,
};
use futures_util::TryStreamExt;
pub(super) use grants::{delete_grant, insert_grant};

use super::{Actor, Error, Grant, GrantTarget};
use crate::db::{BATCH, Db, sought};
use crate::ids::{DomainId, GroupId, ProjectId, RoleId, UserId};
use crate::with_conn;

/// Lists up to this long make statements worth keeping prepared.
const USUAL: usize = 8;

/// What the grants are on.
#[derive(Clone, Copy, Default)]
pub(super) enum Targets<'a> {
    /// Projects, domains and the system.
    #[default]
    Anything,
    System,
    Domain(&'a str),
    /// One at least, [`BATCH`] at most.
    Projects(&'a [&'a str]),
    /// These projects, and what they inherit. [`BATCH`] at most of both.
    Reaching {
        /// Their domain.
        domain: &'a str,
        /// What is above them.
        above: &'a [&'a str],
        /// One at least.
        projects: &'a [&'a str],
    },
    /// This domain or anything in it.
    Within(&'a str),
}

/// Which rows. Both tables are read as one: kind, actor, target, role, inherited. diesel's unions
/// want the types to match, and `type` is an enum in one table and text in the other: so this is a
/// query of its own.
#[derive(Clone, Copy, Default)]
pub(super) struct Rows<'a> {
    /// Of these, one at least; `None`: of anybody.
    pub actors: Option<&'a [Actor]>,
    pub targets: Targets<'a>,
    /// One at least.
    pub roles: Option<&'a [RoleId]>,
    /// Of no matter for the system.
    pub inherited: Option<bool>,
}

/// A question for rows of anybody, by what they are on or by their roles. No index of these tables helps
/// with it: each costs a look at all rows.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Sought {
    on: On,
    roles: Option<Vec<RoleId>>,
    inherited: Option<bool>,
}

/// [`Targets`] to keep.
#[derive(Clone, PartialEq, Eq, Hash)]
enum On {
    Anything,
    Domain(String),
    Projects(Vec<String>),
    Reaching {
        domain: String,
        above: Vec<String>,
        projects: Vec<String>,
    },
    /// A project's domain never changes, so that only assignments can change the answer.
    Within(String),
}

impl Sought {
    /// `None` where an index helps, or where there will be very many.
    pub(super) fn of(rows: &Rows<'_>) -> Option<Self> {
        if rows.actors.is_some() {
            return None;
        }
        let owned = |ids: &[&str]| ids.iter().copied().map(str::to_owned).collect();
        let on = match rows.targets {
            Targets::System => return None,
            Targets::Anything if rows.roles.is_none() => return None,
            Targets::Anything => On::Anything,
            Targets::Domain(domain) => On::Domain(domain.to_owned()),
            Targets::Projects(projects) => On::Projects(owned(projects)),
            Targets::Reaching {
                domain,
                above,
                projects,
            } => On::Reaching {
                domain: domain.to_owned(),
                above: owned(above),
                projects: owned(projects),
            },
            Targets::Within(domain) => On::Within(domain.to_owned()),
        };
        Some(Self {
            on,
            roles: rows.roles.map(<[_]>::to_vec),
            inherited: rows.inherited,
        })
    }
}

/// A row as it is read.
type Row = (i32, String, String, String, bool);

impl<DB: Backend> QueryFragment<DB> for Rows<'_>
where
    str: ToSql<Text, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        let targets = match self.targets {
            Targets::Projects(ids) => ids.len(),
            Targets::Reaching {
                above, projects, ..
            } => above.len() + projects.len(),
            Targets::Anything | Targets::System | Targets::Domain(_) | Targets::Within(_) => 0,
        };
        let (actors, roles) = (self.actors.map(<[_]>::len), self.roles.map(<[_]>::len));
        let longest = actors.max(roles).max(Some(targets));
        if longest.is_some_and(|longest| longest > USUAL) {
            out.unsafe_to_cache_prepared();
        }
        let elsewhere = !matches!(self.targets, Targets::System);
        if elsewhere {
            out.push_sql(
                "SELECT CASE type WHEN 'UserProject' THEN 0 WHEN 'GroupProject' THEN 1 \
                 WHEN 'UserDomain' THEN 2 ELSE 3 END, actor_id, target_id, role_id, inherited \
                 FROM assignment WHERE 1 = 1",
            );
            self.narrow(&mut out)?;
            match self.inherited {
                Some(true) => out.push_sql(" AND inherited = TRUE"),
                Some(false) => out.push_sql(" AND inherited = FALSE"),
                None => {}
            }
            self.narrow_targets(&mut out)?;
        }
        if matches!(self.targets, Targets::System | Targets::Anything) {
            if elsewhere {
                out.push_sql(" UNION ALL ");
            }
            out.push_sql(
                "SELECT CASE type WHEN 'UserSystem' THEN 4 ELSE 5 END, \
                 actor_id, target_id, role_id, inherited FROM system_assignment WHERE 1 = 1",
            );
            self.narrow(&mut out)?;
        }
        Ok(())
    }
}

/// Pushes `(?, ?, …)`.
fn push_list<'b, DB: Backend>(
    out: &mut AstPass<'_, 'b, DB>,
    values: impl Iterator<Item = &'b str>,
) -> QueryResult<()>
where
    str: ToSql<Text, DB>,
{
    for (index, value) in values.enumerate() {
        out.push_sql(if index == 0 { "(" } else { ", " });
        out.push_bind_param::<Text, str>(sought(value))?;
    }
    out.push_sql(")");
    Ok(())
}

impl Rows<'_> {
    fn narrow<'b, DB: Backend>(&'b self, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()>
    where
        str: ToSql<Text, DB>,
    {
        if let Some(actors) = self.actors {
            out.push_sql(" AND actor_id IN ");
            push_list(out, actors.iter().map(Actor::id))?;
        }
        if let Some(roles) = self.roles {
            out.push_sql(" AND role_id IN ");
            push_list(out, roles.iter().map(RoleId::as_str))?;
        }
        Ok(())
    }

    fn narrow_targets<'b, DB: Backend>(&'b self, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()>
    where
        str: ToSql<Text, DB>,
    {
        const OF_DOMAIN: &str = "type IN ('UserDomain', 'GroupDomain') AND target_id = ";
        const OF_PROJECTS: &str = "type IN ('UserProject', 'GroupProject') AND target_id IN ";
        out.push_sql(match self.targets {
            Targets::Anything | Targets::System => return Ok(()),
            Targets::Domain(_)
            | Targets::Projects(_)
            | Targets::Reaching { .. }
            | Targets::Within(_) => " AND (",
        });
        match &self.targets {
            Targets::Anything | Targets::System => {}
            Targets::Domain(domain) => {
                out.push_sql(OF_DOMAIN);
                out.push_bind_param::<Text, str>(sought(domain))?;
            }
            Targets::Projects(projects) => {
                out.push_sql(OF_PROJECTS);
                push_list(out, projects.iter().copied())?;
            }
            Targets::Reaching {
                domain,
                above,
                projects,
            } => {
                out.push_sql(OF_PROJECTS);
                push_list(out, projects.iter().copied())?;
                out.push_sql(" OR inherited = TRUE AND (");
                out.push_sql(OF_DOMAIN);
                out.push_bind_param::<Text, str>(sought(domain))?;
                if !above.is_empty() {
                    out.push_sql(" OR ");
                    out.push_sql(OF_PROJECTS);
                    push_list(out, above.iter().copied())?;
                }
                out.push_sql(")");
            }
            Targets::Within(domain) => {
                out.push_sql("target_id = ");
                out.push_bind_param::<Text, str>(sought(domain))?;
                out.push_sql(" OR target_id IN (SELECT id FROM project WHERE domain_id = ");
                out.push_bind_param::<Text, str>(sought(domain))?;
                out.push_sql(")");
            }
        }
        out.push_sql(")");
        Ok(())
    }
}

impl Query for Rows<'_> {
    type SqlType = (Integer, Text, Text, Text, Bool);
}

impl QueryId for Rows<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false; // kept prepared by its text
}

/// Grants as they are read. The same IDs stand in many rows: each is held once.
#[derive(Default)]
struct Grants {
    found: Vec<(Actor, Grant)>,
    users: HashSet<UserId>,
    groups: HashSet<GroupId>,
    projects: HashSet<ProjectId>,
    domains: HashSet<DomainId>,
    roles: HashSet<RoleId>,
}

/// The ID of this text, which may be known.
fn known<T>(ids: &mut HashSet<T>, text: String) -> T
where
    T: Borrow<str> + Clone + Eq + Hash + From<String>,
{
    if let Some(id) = ids.get(text.as_str()) {
        return id.clone();
    }
    let id = T::from(text);
    ids.insert(id.clone());
    id
}

impl Grants {
    fn add(&mut self, (kind, actor, target, role, inherited): Row) {
        let actor = match kind {
            0 | 2 | 4 => Actor::User(known(&mut self.users, actor)),
            _ => Actor::Group(known(&mut self.groups, actor)),
        };
        let target = match kind {
            0 | 1 => GrantTarget::Project(known(&mut self.projects, target)),
            2 | 3 => GrantTarget::Domain(known(&mut self.domains, target)),
            _ => GrantTarget::System,
        };
        let role_id = known(&mut self.roles, role);
        let grant = Grant {
            target,
            role_id,
            inherited,
        };
        self.found.push((actor, grant));
    }
}

/// These grants: one statement for each thousand actors. Read one at a time, as there may be very
/// many.
pub(super) async fn list_rows(db: &Db, rows: &Rows<'_>) -> Result<Vec<(Actor, Grant)>, Error> {
    let batches: Vec<Option<&[Actor]>> = match rows.actors {
        None => vec![None],
        Some(actors) => actors.chunks(BATCH).map(Some).collect(),
    };
    with_conn!(db, |conn| {
        let mut grants = Grants::default();
        for actors in &batches {
            let batch = Rows {
                actors: *actors,
                ..*rows
            };
            let mut found = batch.load_stream::<Row>(conn).await?;
            while let Some(row) = found.try_next().await? {
                grants.add(row);
            }
        }
        Ok(grants.found)
    })
}
