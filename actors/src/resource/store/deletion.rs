//! Projects and domains deleted, with all that depends on them: one transaction, whose number of
//! statements grows with the thousands of them, not with each.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::changes::lock_project;
use super::exports::hold;
use super::tree::from_the_leaves;
use crate::attributes::{IMMUTABLE_OPTION, ResourceOptions};
use crate::db::outbox::{Change, record_change};
use crate::db::schema::{project, project_option};
use crate::db::{BATCH, Db, on_connection};
use crate::epoch::{Entity, Kind};
use crate::identity::DeletedUser;
use crate::ids::{DomainId, ProjectId};
use crate::resource::{DomainContents, Error, Project};
use crate::revocation::Event;
use crate::{
    application_credential, assignment, catalog, credential, domain_config, federation, identity,
    limit, oauth1, transaction, trust, webauthn,
};

on_connection! {
    /// Deletes projects, given in levels of which the deepest is the first. Gives what is to be
    /// recorded.
    async fn delete_levels<'a>(conn, levels: &'a [Vec<String>], now: i64) -> Change {
        let ids = levels.concat();
        let gone: [Vec<Entity>; 7] = [
            assignment::delete_on_projects(conn, &ids).await?,
            credential::delete_of_projects(conn, &ids).await?,
            trust::delete_of_projects(conn, &ids, now).await?,
            oauth1::delete_of_projects(conn, &ids).await?,
            limit::delete_limits_of_projects(conn, &ids).await?,
            catalog::delete_filters_of_projects(conn, &ids).await?,
            identity::clear_default_projects(conn, &ids).await?,
        ];
        for level in levels {
            for ids in level.chunks(BATCH) {
                // Options and tags go with them: ON DELETE CASCADE.
                diesel::delete(project::table.filter(project::id.eq_any(ids)))
                    .execute(conn)
                    .await?;
            }
        }
        let projects = ids.iter().map(|id| Entity::new(Kind::Project, id.as_str()));
        let events = ids.iter().map(|id| Event::project(id, now)).collect();
        Ok(Change::of(projects.chain(gone.concat())).and_revoking(events))
    }
}

/// `domain` is that of the project.
pub(in super::super) async fn delete_project(
    db: &Db,
    node: &str,
    domain: &DomainId,
    id: &ProjectId,
    now: i64,
) -> Result<Change, Error> {
    transaction!(db, |conn| {
        hold(conn, domain.as_str()).await?;
        let old: Project = lock_project!(conn, id);
        old.check_deletion()?;
        let id = old.id.as_str();
        let below: Option<String> = project::table
            .filter(project::parent_id.eq(id))
            .select(project::id)
            .first(conn)
            .await
            .optional()?;
        if below.is_some() {
            return Err(Error::NotLeaf(old.id.clone()));
        }
        let change = delete_levels(conn, &[vec![id.to_owned()]], now).await?;
        Ok(record_change(conn, node, change.bounded()).await?)
    })
}

pub(in super::super) async fn delete_domain(
    db: &Db,
    node: &str,
    id: &ProjectId,
    now: i64,
) -> Result<(DomainContents, Change), Error> {
    transaction!(db, |conn| {
        let old: Project = lock_project!(conn, id);
        old.check_deletion()?;
        let id = old.id.as_str();
        let within: Vec<(String, Option<String>)> = project::table
            .filter(project::domain_id.eq(id))
            .select((project::id, project::parent_id))
            .load(conn)
            .await?;
        let immutable: Vec<(String, Option<String>)> = project_option::table
            .inner_join(project::table)
            .filter(project::domain_id.eq(id))
            .filter(project_option::option_id.eq(IMMUTABLE_OPTION))
            .select((project_option::project_id, project_option::option_value))
            .order(project_option::project_id)
            .load(conn)
            .await?;
        refuse_immutable(&immutable)?;

        let within: Vec<_> = within
            .into_iter()
            .map(|(project, parent)| (project, parent.unwrap_or_else(|| id.to_owned())))
            .collect();
        let levels = from_the_leaves(id, &within);
        let projects = delete_levels(conn, &levels, now).await?;
        // After the projects: so do those who give roles on them lock.
        let actors = identity::delete_of_domain(conn, id).await?;
        let theirs = application_credential::delete_of_users(conn, &actors.users).await?;
        let with_it: [Vec<Entity>; 9] = [
            assignment::delete_of_users(conn, &actors.users).await?,
            assignment::delete_of_groups(conn, &actors.groups).await?,
            theirs.entities(),
            credential::delete_of_users(conn, &actors.users).await?,
            trust::delete_of_users(conn, &actors.users, now).await?,
            oauth1::delete_of_users(conn, &actors.users).await?,
            webauthn::delete_of_users(conn, &actors.users).await?,
            assignment::delete_on_domain(conn, id).await?,
            domain_config::delete_config_of_domain(conn, id).await?,
        ];
        // Users of other domains may have come by them.
        let providers = federation::delete_providers_of_domain(conn, id, now).await?;
        let own = delete_levels(conn, &[vec![id.to_owned()]], now).await?;
        let change = projects
            .and(actors.change(now))
            .and(Change::of(with_it.concat()))
            .and(providers)
            .and(own);
        let change = record_change(conn, node, change.bounded()).await?;
        let contents = DomainContents {
            projects: levels.concat().into_iter().map(Into::into).collect(),
            users: DeletedUser::with_theirs(&actors.users, theirs),
            groups: actors.groups.into_iter().map(Into::into).collect(),
        };
        Ok((contents, change))
    })
}

/// An immutable project keeps its domain. Rows are of a project and its option.
fn refuse_immutable(rows: &[(String, Option<String>)]) -> Result<(), Error> {
    let is_immutable = |(_, value): &&(String, Option<String>)| {
        let row = (IMMUTABLE_OPTION, value.as_deref());
        ResourceOptions::from_rows([row]).is_immutable()
    };
    match rows.iter().find(is_immutable) {
        Some((project, _)) => Err(Error::ImmutableDeletion {
            kind: "project",
            id: project.as_str().into(),
        }),
        None => Ok(()),
    }
}
