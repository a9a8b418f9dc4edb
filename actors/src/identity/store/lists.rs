//! Many users or groups at a time: a constant number of statements for a page.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::super::{Error, Group, GroupFilter, TimeComparison, User, UserFilter};
use super::{GroupRow, load_rows, sought};
use crate::db::schema::{
    federated_user, group, local_user, nonlocal_user, password, user, user_group_membership,
};
use crate::db::{BATCH, Db};
use crate::ids::{GroupId, UserId};
use crate::listing::{Listed, Page, TextFilter, match_nothing, meets, narrow_by_text};
use crate::with_conn;

/// What users are listed.
pub(in super::super) struct UserRequest<'a> {
    pub filter: &'a UserFilter,
    /// Only those that are in it for good.
    pub group: Option<&'a GroupId>,
    pub page: &'a Page,
    /// The inactivity rule.
    pub days: Option<u32>,
}

/// What groups are listed.
pub(in super::super) struct GroupRequest<'a> {
    pub filter: &'a GroupFilter,
    /// Only those of these.
    pub among: Option<Vec<&'a str>>,
    pub page: &'a Page,
}

/// Where the name is that a filter is about. Each is looked through by itself, since a search for
/// either of them could use no index.
#[derive(Clone, Copy)]
enum Source {
    /// No name is asked for.
    Any,
    Local,
    Directory,
    Federated,
}

impl UserRequest<'_> {
    fn sources(&self) -> &'static [Source] {
        if self.filter.is_federated() {
            &[Source::Federated]
        } else if self.filter.name.is_empty() {
            &[Source::Any]
        } else {
            &[Source::Local, Source::Directory, Source::Federated]
        }
    }

    /// Whether what the database finds is more than what is asked for: it may not heed case.
    fn finds_too_much(&self) -> bool {
        let mut filters = self.filter.name.iter().chain(&self.filter.domain_id);
        filters.any(TextFilter::heeds_case)
    }

    fn matches(&self, user: &User) -> bool {
        meets(&self.filter.name, &user.name)
            && meets(&self.filter.domain_id, user.domain_id.as_str())
    }
}

/// Narrows a boxed query for users to those who have a password that expires so.
macro_rules! narrow_by_expiry {
    ($query:ident, $compare:ident, $time:expr) => {
        $query.filter(
            user::id.eq_any(
                local_user::table
                    .inner_join(password::table)
                    .filter(password::expires_at_int.$compare($time))
                    .select(local_user::user_id),
            ),
        )
    };
}

/// The IDs of the users that match, as far as the database can tell, in their order.
macro_rules! find_ids {
    ($conn:expr, $request:expr, $source:expr) => {{
        let request: &UserRequest<'_> = $request;
        let filter = request.filter;
        let mut query = user::table.select(user::id).order(user::id).into_boxed();
        match $source {
            Source::Any => {}
            Source::Local => {
                let mut names = local_user::table.select(local_user::user_id).into_boxed();
                narrow_by_text!(names, local_user::name, &filter.name);
                query = query.filter(user::id.eq_any(names));
            }
            Source::Directory => {
                let mut names = nonlocal_user::table
                    .select(nonlocal_user::user_id)
                    .into_boxed();
                narrow_by_text!(names, nonlocal_user::name, &filter.name);
                query = query.filter(user::id.eq_any(names));
            }
            Source::Federated => {
                let mut names = federated_user::table
                    .select(federated_user::user_id)
                    .into_boxed();
                let display_name = federated_user::display_name.assume_not_null();
                narrow_by_text!(names, display_name, &filter.name);
                for idp in &filter.idp_id {
                    names = names.filter(federated_user::idp_id.eq(idp));
                }
                for protocol in &filter.protocol_id {
                    names = names.filter(federated_user::protocol_id.eq(protocol));
                }
                for unique in &filter.unique_id {
                    names = names.filter(federated_user::unique_id.eq(unique));
                }
                query = query.filter(user::id.eq_any(names));
            }
        }
        narrow_by_text!(query, user::domain_id, &filter.domain_id);
        for enabled in &filter.enabled {
            query = query.filter(user::enabled.eq(*enabled));
        }
        for expiry in &filter.password_expires_at {
            let time = expiry.time;
            query = match expiry.comparison {
                TimeComparison::Before => narrow_by_expiry!(query, lt, time),
                TimeComparison::NotAfter => narrow_by_expiry!(query, le, time),
                TimeComparison::After => narrow_by_expiry!(query, gt, time),
                TimeComparison::NotBefore => narrow_by_expiry!(query, ge, time),
                TimeComparison::Equal => narrow_by_expiry!(query, eq, time),
                TimeComparison::NotEqual => narrow_by_expiry!(query, ne, time),
            };
        }
        if let Some(group) = request.group {
            let members = user_group_membership::table
                .filter(user_group_membership::group_id.eq(group.as_str()))
                .select(user_group_membership::user_id);
            query = query.filter(user::id.eq_any(members));
        }
        if let Some(marker) = &request.page.marker {
            query = query.filter(user::id.gt(marker));
        }
        if let (Some(limit), false) = (request.page.limit, request.finds_too_much()) {
            query = query.limit(i64::try_from(limit).unwrap_or(i64::MAX));
        }
        let ids: Vec<String> = query.load($conn).await?;
        ids
    }};
}

pub(in super::super) async fn list_users(
    db: &Db,
    request: &UserRequest<'_>,
) -> Result<Listed<User>, Error> {
    if request.filter.matches_nobody() {
        return Ok(Listed {
            members: Vec::new(),
            full: false,
        });
    }
    let limit = request.page.limit.unwrap_or(usize::MAX);
    with_conn!(db, |conn| {
        if let Some(marker) = &request.page.marker {
            let known: Option<String> = user::table
                .find(sought(marker))
                .select(user::id)
                .first(conn)
                .await
                .optional()?;
            known.ok_or_else(|| Error::MarkerNotFound(marker.clone()))?;
        }
        let mut ids = Vec::new();
        for source in request.sources() {
            ids.extend(find_ids!(conn, request, *source));
        }
        ids.sort_unstable();
        ids.dedup();
        if !request.finds_too_much() {
            ids.truncate(limit);
        }
        let mut members = Vec::new();
        for ids in ids.chunks(BATCH) {
            let ids = ids.to_vec();
            let rows = load_rows(conn, &ids).await?;
            let users = rows.assemble(request.days).into_iter();
            members.extend(users.filter(|user| request.matches(user)));
            if members.len() >= limit {
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

/// The users of these IDs, each once; `days` is the inactivity rule.
pub(in super::super) async fn load_users(
    db: &Db,
    ids: &[UserId],
    days: Option<u32>,
) -> Result<Vec<User>, Error> {
    with_conn!(db, |conn| {
        let mut users = Vec::new();
        for ids in ids.chunks(BATCH) {
            let ids = ids.iter().map(UserId::to_string).collect::<Vec<_>>();
            let rows = load_rows(conn, &ids).await?;
            users.extend(rows.assemble(days));
        }
        Ok(users)
    })
}

pub(in super::super) async fn list_groups(
    db: &Db,
    request: &GroupRequest<'_>,
) -> Result<Listed<Group>, Error> {
    let GroupRequest {
        filter,
        among,
        page,
    } = request;
    if match_nothing(&filter.name) || match_nothing(&filter.domain_id) {
        return Ok(Listed {
            members: Vec::new(),
            full: false,
        });
    }
    let finds_too_much = filter
        .name
        .iter()
        .chain(&filter.domain_id)
        .any(TextFilter::heeds_case);
    let limit = page.limit.unwrap_or(usize::MAX);
    // All at once where none is named; else in batches, which are in their order too.
    let batches: Vec<Option<&[&str]>> = match among {
        None => vec![None],
        Some(ids) => ids.chunks(BATCH).map(Some).collect(),
    };
    with_conn!(db, |conn| {
        if let Some(marker) = &page.marker {
            let known: Option<String> = group::table
                .find(sought(marker))
                .select(group::id)
                .first(conn)
                .await
                .optional()?;
            known.ok_or_else(|| Error::MarkerNotFound(marker.clone()))?;
        }
        let mut members: Vec<Group> = Vec::new();
        for ids in &batches {
            let mut query = group::table
                .select(GroupRow::as_select())
                .order(group::id)
                .into_boxed();
            narrow_by_text!(query, group::name, &filter.name);
            narrow_by_text!(query, group::domain_id, &filter.domain_id);
            if let Some(ids) = ids {
                query = query.filter(group::id.eq_any(ids.to_vec()));
            }
            if let Some(marker) = &page.marker {
                query = query.filter(group::id.gt(marker));
            }
            if let (Some(limit), false) = (page.limit, finds_too_much) {
                query = query.limit(i64::try_from(limit).unwrap_or(i64::MAX));
            }
            let rows: Vec<GroupRow> = query.load(conn).await?;
            let groups = rows.into_iter().map(Group::from).filter(|group| {
                meets(&filter.name, &group.name)
                    && meets(&filter.domain_id, group.domain_id.as_str())
            });
            members.extend(groups);
        }
        members.truncate(limit);
        Ok(Listed {
            full: members.len() >= limit,
            members,
        })
    })
}
