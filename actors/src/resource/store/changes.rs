//! Projects created and changed.
//!
//! Whoever changes the tree below a domain first locks the domain's row, so that the rules about
//! what is above and below a project hold when two do so at once.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::exports::hold;
use super::tree::{Downwards, DownwardsRow, Upwards, climb};
use super::{ProjectRow, option_rows, tag_rows};
use crate::db::outbox::{Change, record_change};
use crate::db::schema::{project, project_option, project_tag};
use crate::db::{Db, InsertRows, on_unique, sought};
use crate::epoch::{Entity, Kind};
use crate::ids::{DomainId, ProjectId};
use crate::resource::model::check_place;
use crate::resource::{Error, Project, ProjectPatch, ResourceSettings, TagEdit};
use crate::transaction;

/// One project with options and tags, its row locked for the rest of the transaction.
macro_rules! lock_project {
    ($conn:expr, $id:expr) => {{
        let held = $crate::resource::hold($conn, $id.as_str()).await?;
        let missing = || Error::NotFound($id.to_string());
        let (id, _) = held.ok_or_else(missing)?;
        $crate::resource::store::select_project($conn, &id)
            .await?
            .ok_or_else(missing)?
    }};
}
pub(super) use lock_project;

macro_rules! replace_options {
    ($conn:expr, $project:expr) => {{
        let project: &Project = $project;
        let of = project_option::project_id.eq(project.id.as_str());
        diesel::delete(project_option::table.filter(of))
            .execute($conn)
            .await?;
        $conn.insert_rows(option_rows(project)).await?;
    }};
}

macro_rules! replace_tags {
    ($conn:expr, $project:expr) => {{
        let project: &Project = $project;
        let of = project_tag::project_id.eq(project.id.as_str());
        diesel::delete(project_tag::table.filter(of))
            .execute($conn)
            .await?;
        $conn
            .insert_rows(tag_rows(project))
            .await
            .map_err(|error| on_unique(error, || Error::TagsCollide))?;
    }};
}

/// What is above a project, the nearest first, and the project itself before it.
macro_rules! load_branch {
    ($conn:expr, $id:expr) => {{
        let id: &ProjectId = $id;
        let rows = Upwards(sought(id.as_str())).load($conn).await?;
        climb(id.as_str(), rows)
    }};
}

pub(in super::super) async fn insert(
    db: &Db,
    node: &str,
    new: &Project,
    max_depth: usize,
) -> Result<Change, Error> {
    transaction!(db, |conn| {
        if let (Some(domain), Some(parent)) = (&new.domain_id, &new.parent_id) {
            let held = hold(conn, domain.as_str()).await?;
            let is_domain = held.is_some_and(|(id, is_domain)| is_domain && *domain == *id);
            if !is_domain {
                return Err(Error::UnknownDomain(domain.clone()));
            }
            let (parent, above) =
                load_branch!(conn, parent).ok_or_else(|| Error::UnknownParent(parent.clone()))?;
            check_place(new, &parent, &above, max_depth)?;
        }
        diesel::insert_into(project::table)
            .values(ProjectRow::from(new))
            .execute(conn)
            .await
            .map_err(|error| on_unique(error, || name_taken(new)))?;
        conn.insert_rows(option_rows(new)).await?;
        conn.insert_rows(tag_rows(new))
            .await
            .map_err(|error| on_unique(error, || Error::TagsCollide))?;
        let change = Change::of([Entity::new(Kind::Project, new.id.as_str())]);
        Ok(record_change(conn, node, change).await?)
    })
}

/// How a project changes.
pub(in super::super) struct Update<'a> {
    /// The domain that it belongs to; its own for a domain.
    pub domain: &'a DomainId,
    pub id: &'a ProjectId,
    pub patch: &'a ProjectPatch,
    pub settings: &'a ResourceSettings,
}

/// Whatever of a disabled project changes, it has to be one that could be enabled, unless the change
/// says that it stays disabled: Keystone takes silence for `enabled`.
macro_rules! require_enabled_above {
    ($conn:expr, $id:expr) => {
        if let Some((_, above)) = load_branch!($conn, $id)
            && above.iter().any(|link| !link.enabled)
        {
            return Err(Error::ParentDisabled($id.clone()));
        }
    };
}

pub(in super::super) async fn update(
    db: &Db,
    node: &str,
    update: &Update<'_>,
) -> Result<(Project, Change), Error> {
    transaction!(db, |conn| {
        hold(conn, update.domain.as_str()).await?;
        let old = lock_project!(conn, update.id);
        let new = update.patch.clone().apply(&old, update.settings)?;
        let id = &new.id;
        if !old.enabled && update.patch.enabled.unwrap_or(true) {
            require_enabled_above!(conn, id);
        }
        if old.enabled && !new.enabled && !new.is_domain {
            let below: Vec<DownwardsRow> = Downwards(&[id.as_str()]).load(conn).await?;
            if below.iter().any(|row| row.2.unwrap_or(false)) {
                return Err(Error::SubtreeEnabled(id.clone()));
            }
        }
        diesel::update(project::table.find(id.as_str()))
            .set(ProjectRow::from(&new))
            .execute(conn)
            .await
            .map_err(|error| on_unique(error, || name_taken(&new)))?;
        if new.options != old.options {
            replace_options!(conn, &new);
        }
        if new.tags != old.tags {
            replace_tags!(conn, &new);
        }
        let change = Change::of([Entity::new(Kind::Project, id.as_str())]);
        let change = record_change(conn, node, change).await?;
        Ok((new, change))
    })
}

pub(in super::super) async fn edit_tags(
    db: &Db,
    node: &str,
    id: &ProjectId,
    edit: &TagEdit,
) -> Result<(Project, Change), Error> {
    transaction!(db, |conn| {
        let mut project = lock_project!(conn, id);
        project.tags = edit.apply(&project)?;
        // Keystone tells the whole project when it takes one away.
        if !project.enabled && !matches!(edit, TagEdit::Remove(_)) {
            require_enabled_above!(conn, &project.id);
        }
        replace_tags!(conn, &project);
        let change = Change::of([Entity::new(Kind::Project, project.id.as_str())]);
        let change = record_change(conn, node, change).await?;
        Ok((project, change))
    })
}

fn name_taken(project: &Project) -> Error {
    Error::NameTaken {
        is_domain: project.is_domain,
        name: project.name.clone(),
        id: project.id.clone(),
    }
}
