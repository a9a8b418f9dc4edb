//! Many projects at a time: three statements for each thousand.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{OptionRow, ProjectRow, ROOT, TagRow};
use crate::attributes::ResourceOptions;
use crate::db::schema::{project, project_option, project_tag};
use crate::db::{BATCH, Db, sought};
use crate::listing::{Listed, Page, name_one, narrow_by_text};
use crate::resource::{Error, Project, ProjectFilter};
use crate::with_conn;

/// The rows behind `after` that match, as far as the database can tell, in the order of their IDs.
macro_rules! find_rows {
    ($conn:expr, $filter:expr, $after:expr, $limit:expr) => {{
        let (filter, limit): (&ProjectFilter, usize) = ($filter, $limit);
        let mut query = project::table
            .filter(project::id.ne(ROOT))
            .select(ProjectRow::as_select())
            .order(project::id)
            .limit(i64::try_from(limit).unwrap_or(i64::MAX))
            .into_boxed();
        narrow_by_text!(query, project::name, &filter.name);
        narrow_by_text!(query, project::domain_id, &filter.domain_id);
        narrow_by_text!(
            query,
            project::parent_id.assume_not_null(),
            &filter.parent_id
        );
        if name_one(&filter.name) {
            let domain = diesel::alias!(project as domain);
            let of_root = domain.filter(domain.field(project::domain_id).eq(ROOT));
            // As [`super::domains`], of which none can be a part of a query for projects.
            query =
                query.filter(project::domain_id.eq_any(of_root.select(domain.field(project::id))));
        }
        if !filter.domain_id.is_empty() {
            // The domains' own is nobody's.
            query = query.filter(project::domain_id.ne(ROOT));
        }
        for enabled in &filter.enabled {
            query = query.filter(project::enabled.eq(*enabled));
        }
        for is_domain in &filter.is_domain {
            query = query.filter(project::is_domain.eq(*is_domain));
        }
        if let Some(id) = &filter.id {
            query = query.filter(project::id.eq(id.clone()));
        }
        for tag in filter.tags.all.iter().flatten() {
            let tagged = project_tag::table
                .filter(project_tag::name.eq(tag.clone()))
                .select(project_tag::project_id);
            query = query.filter(project::id.eq_any(tagged));
        }
        if let Some(tags) = &filter.tags.any {
            let tagged = project_tag::table
                .filter(project_tag::name.eq_any(tags.clone()))
                .select(project_tag::project_id);
            query = query.filter(project::id.eq_any(tagged));
        }
        if let Some(tags) = &filter.tags.not_any {
            let tagged = project_tag::table
                .filter(project_tag::name.eq_any(tags.clone()))
                .select(project_tag::project_id);
            query = query.filter(project::id.ne_all(tagged));
        }
        if let Some(after) = $after {
            let after: &str = after;
            query = query.filter(project::id.gt(after.to_owned()));
        }
        let rows: Vec<ProjectRow> = query.load($conn).await?;
        rows
    }};
}

/// The projects that match, a page of them. Where the database can't tell whether one does, it is
/// asked for a thousand at a time until the page is full.
pub(in super::super) async fn list(
    db: &Db,
    filter: &ProjectFilter,
    page: &Page,
) -> Result<Listed<Project>, Error> {
    let limit = page.limit.unwrap_or(usize::MAX);
    if filter.matches_nothing() {
        return Ok(Listed {
            members: Vec::new(),
            full: false,
        });
    }
    with_conn!(db, |conn| {
        if let Some(marker) = &page.marker {
            let known: Option<String> = project::table
                .find(sought(marker))
                .select(project::id)
                .first(conn)
                .await
                .optional()?;
            known.ok_or_else(|| Error::MarkerNotFound(marker.clone()))?;
        }
        let mut after = page.marker.clone();
        let mut members: Vec<Project> = Vec::new();
        while members.len() < limit {
            let most = if filter.finds_too_much() {
                BATCH
            } else {
                BATCH.min(limit - members.len())
            };
            let rows = find_rows!(conn, filter, after.as_deref(), most);
            let was_last = rows.len() < most;
            let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
            if ids.is_empty() {
                break;
            }
            let options: Vec<OptionRow> = project_option::table
                .filter(project_option::project_id.eq_any(&ids))
                .select(OptionRow::as_select())
                .load(conn)
                .await?;
            let tags: Vec<TagRow> = project_tag::table
                .filter(project_tag::project_id.eq_any(&ids))
                .order((project_tag::project_id, project_tag::name))
                .select(TagRow::as_select())
                .load(conn)
                .await?;
            after = ids.last().cloned();
            let found = assemble(rows, options, tags);
            members.extend(found.filter(|project| filter.meets(project)));
            if was_last {
                break;
            }
        }
        members.truncate(limit);
        Ok(Listed {
            full: members.len() >= limit,
            members,
        })
    })
}

fn assemble(
    rows: Vec<ProjectRow>,
    options: Vec<OptionRow>,
    tags: Vec<TagRow>,
) -> impl Iterator<Item = Project> {
    let mut options_of: HashMap<String, Vec<OptionRow>> = HashMap::new();
    for option in options {
        let of = options_of.entry(option.project_id.clone());
        of.or_default().push(option);
    }
    let mut tags_of: HashMap<String, Vec<String>> = HashMap::new();
    for tag in tags {
        tags_of.entry(tag.project_id).or_default().push(tag.name);
    }
    rows.into_iter().map(move |row| {
        let options = options_of.remove(&row.id).unwrap_or_default();
        let options = options
            .iter()
            .map(|option| (option.option_id.as_str(), option.option_value.as_deref()));
        let (options, tags) = (ResourceOptions::from_rows(options), tags_of.remove(&row.id));
        Project {
            options,
            tags: tags.unwrap_or_default(),
            ..Project::from(row)
        }
    })
}
