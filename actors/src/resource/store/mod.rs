//! The tables `project`, `project_option` and `project_tag`.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{Error, Project};
use crate::attributes::{ResourceOptions, extra_column, parse_extra};
use crate::db::schema::{project, project_option, project_tag};
use crate::db::{BATCH, Db, on_connection, sought};
use crate::ids::{DomainId, ProjectId};
use crate::with_conn;

/// The row that the domains hang on, as the columns may not be NULL. No API shows it.
pub(crate) const ROOT: &str = "<<keystone.domain.root>>";

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = project, treat_none_as_null = true)] // else a None is skipped, and nothing can be cleared
struct ProjectRow {
    id: String,
    name: String,
    extra: Option<String>,
    description: Option<String>,
    enabled: Option<bool>,
    domain_id: String,
    parent_id: Option<String>,
    is_domain: bool,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = project_option)]
struct OptionRow {
    project_id: String,
    option_id: String,
    option_value: Option<String>,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = project_tag)]
struct TagRow {
    project_id: String,
    name: String,
}

crate::insert_rows!(
    OptionRow => crate::db::schema::project_option,
    TagRow => crate::db::schema::project_tag,
);

/// A project with one of its options and one of its tags, where it has any.
type Joined = (ProjectRow, Option<OptionRow>, Option<String>);

/// Projects from rows in which those of one project follow each other.
fn assemble(rows: Vec<Joined>) -> Vec<Project> {
    let mut projects: Vec<Project> = Vec::new();
    for (row, option, tag) in rows {
        let known = projects
            .pop_if(|last| last.id == *row.id.as_str())
            .unwrap_or_else(|| row.into());
        projects.push(known);
        let Some(project) = projects.last_mut() else {
            continue;
        };
        if let Some(tag) = tag
            && project.tags.last() != Some(&tag)
        {
            project.tags.push(tag);
        }
        if let Some(option) = option {
            let row = (option.option_id.as_str(), option.option_value.as_deref());
            let options = ResourceOptions::from_rows([row]);
            project.options.immutable = options.immutable.or(project.options.immutable);
        }
    }
    projects
}

impl From<ProjectRow> for Project {
    fn from(row: ProjectRow) -> Self {
        Self {
            extra: parse_extra(row.extra.as_deref()),
            id: row.id.into(),
            name: row.name,
            domain_id: (row.domain_id != ROOT).then(|| row.domain_id.into()),
            description: row.description,
            // NULL, which no version of this age writes, is what Python takes for disabled too.
            enabled: row.enabled.unwrap_or(false),
            parent_id: row.parent_id.map(ProjectId::from),
            is_domain: row.is_domain,
            tags: Vec::new(),
            options: ResourceOptions::default(),
        }
    }
}

impl From<&Project> for ProjectRow {
    fn from(project: &Project) -> Self {
        Self {
            id: project.id.to_string(),
            name: project.name.clone(),
            extra: Some(extra_column(&project.extra)),
            description: project.description.clone(),
            enabled: Some(project.enabled),
            domain_id: project
                .domain_id
                .as_ref()
                .map_or(ROOT, DomainId::as_str)
                .to_owned(),
            parent_id: project.parent_id.as_ref().map(ProjectId::to_string),
            is_domain: project.is_domain,
        }
    }
}

fn option_rows(project: &Project) -> Vec<OptionRow> {
    let rows = project.options.to_rows().into_iter();
    rows.map(|(id, value)| OptionRow {
        project_id: project.id.to_string(),
        option_id: id.to_owned(),
        option_value: Some(value),
    })
    .collect()
}

fn tag_rows(project: &Project) -> Vec<TagRow> {
    let rows = project.tags.iter().map(|tag| TagRow {
        project_id: project.id.to_string(),
        name: tag.clone(),
    });
    rows.collect()
}

/// The projects that meet a condition, with options and tags, in one round trip.
macro_rules! select_projects {
    ($conn:expr, $condition:expr) => {
        project::table
            .left_join(project_option::table)
            .left_join(project_tag::table)
            .filter($condition)
            .filter(project::id.ne(ROOT))
            .order((project::id, project_tag::name))
            .select((
                ProjectRow::as_select(),
                Option::<OptionRow>::as_select(),
                project_tag::name.nullable(),
            ))
            .load::<Joined>($conn)
            .await
            .map(assemble)
    };
}

on_connection! {
    /// One project.
    async fn select_project<'a>(conn, id: &'a str) -> Option<Project> {
        let found: Vec<Project> = select_projects!(conn, project::id.eq(id))?;
        Ok(found.into_iter().next())
    }
}

/// One project.
pub(super) async fn find(db: &Db, id: &ProjectId) -> Result<Option<Project>, Error> {
    with_conn!(db, |conn| {
        let found = select_project(conn, sought(id.as_str())).await;
        found.map_err(Error::from)
    })
}

/// The projects of these IDs that exist.
pub(super) async fn find_many(db: &Db, ids: &[ProjectId]) -> Result<Vec<Project>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    with_conn!(db, |conn| {
        let mut found = Vec::with_capacity(ids.len());
        for batch in ids.chunks(BATCH) {
            let batch = batch.iter().map(|id| sought(id.as_str()));
            found.extend(select_projects!(conn, project::id.eq_any(batch))?);
        }
        Ok(found)
    })
}

/// The ID of the project of this name in a domain, or of the domain of this name.
pub(super) async fn find_id(
    db: &Db,
    name: &str,
    domain: Option<&DomainId>,
) -> Result<Option<ProjectId>, Error> {
    let domain = match domain {
        // Nobody's domain: its "projects" are the domains.
        Some(id) if id == ROOT => return Ok(None),
        Some(id) => sought(id.as_str()),
        None => ROOT,
    };
    with_conn!(db, |conn| {
        let id: Option<String> = project::table
            .filter(project::domain_id.eq(domain))
            .filter(project::name.eq(sought(name)))
            .filter(project::id.ne(ROOT))
            .select(project::id)
            .first(conn)
            .await
            .optional()?;
        Ok(id.map(ProjectId::from))
    })
}

mod changes;
mod deletion;
mod exports;
mod lists;
mod tree;

pub(super) use changes::{Update, edit_tags, insert, update};
pub(super) use deletion::{delete_domain, delete_project};
pub(crate) use exports::{domains, hold, hold_all, insert_domain};
pub(super) use lists::list;
pub(super) use tree::{find_ancestors, list_descendants};
