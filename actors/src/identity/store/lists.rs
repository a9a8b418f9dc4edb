//! Many users or groups at a time: a constant number of statements for a page.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::super::{Error, Group, GroupFilter, TimeComparison, User, UserFilter, UserName};
use super::{GroupRow, load_rows, sought};
use crate::db::schema::{
    federated_user, group, local_user, nonlocal_user, password, user, user_group_membership,
};
use crate::db::{BATCH, Db};
use crate::ids::{GroupId, UserId};
use crate::listing::{Listed, Page, TextFilter, match_nothing, meets, name_one, narrow_by_text};
use crate::resource::domains;
use crate::with_conn;

/// What users are listed.
pub(in super::super) struct UserRequest<'a> {
    pub filter: &'a UserFilter,
    /// Only those that are in it for good.
    pub group: Option<&'a GroupId>,
    pub page: &'a Page,
    /// Only those behind this one, whether it still is there: where it goes on with what was read.
    pub after: Option<&'a UserId>,
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

/// Narrows a boxed query for what has a name in a domain to what the filter names; a whole name by the
/// index, which begins with the domain.
macro_rules! narrow_by_name {
    ($query:ident, $table:ident, $filter:expr) => {
        narrow_by_text!($query, $table::name, &$filter.name);
        narrow_by_text!($query, $table::domain_id, &$filter.domain_id);
        if name_one(&$filter.name) {
            $query = $query.filter($table::domain_id.eq_any(domains()));
        }
    };
}

/// The IDs of the first users behind `after` that match, as far as the database can tell, in their order.
macro_rules! find_ids {
    ($conn:expr, $request:expr, $source:expr, $after:expr, $most:expr) => {{
        let (request, after): (&UserRequest<'_>, Option<&str>) = ($request, $after);
        let filter = request.filter;
        let mut query = user::table.select(user::id).order(user::id).into_boxed();
        match $source {
            Source::Any => {}
            Source::Local => {
                let mut names = local_user::table.select(local_user::user_id).into_boxed();
                narrow_by_name!(names, local_user, filter);
                query = query.filter(user::id.eq_any(names));
            }
            Source::Directory => {
                let mut names = nonlocal_user::table
                    .select(nonlocal_user::user_id)
                    .into_boxed();
                narrow_by_name!(names, nonlocal_user, filter);
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
        if let Some(after) = after {
            query = query.filter(user::id.gt(after.to_owned()));
        }
        let query = query.limit(i64::try_from($most).unwrap_or(i64::MAX));
        let ids: Vec<String> = query.load($conn).await?;
        ids
    }};
}

/// The users that match, a page of them, a thousand at a time: where the database can't tell whether one
/// does, until the page is full. Each thousand has a connection of its own, and with it the time that a
/// connection's work may take.
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
    let mut after = request.page.marker.clone();
    if let Some(marker) = &after {
        require_user(db, marker).await?;
    }
    if let Some(last) = request.after {
        after = Some(last.to_string());
    }
    let mut members: Vec<User> = Vec::new();
    while members.len() < limit {
        let most = if request.finds_too_much() {
            BATCH
        } else {
            BATCH.min(limit - members.len())
        };
        let (users, last) = some_users(db, request, after.as_deref(), most).await?;
        members.extend(users.into_iter().filter(|user| request.matches(user)));
        after = match last {
            Some(last) => Some(last),
            None => break,
        };
    }
    members.truncate(limit);
    Ok(Listed {
        full: members.len() >= limit,
        members,
    })
}

async fn require_user(db: &Db, marker: &str) -> Result<(), Error> {
    with_conn!(db, |conn| {
        let known: Option<String> = user::table
            .find(sought(marker))
            .select(user::id)
            .first(conn)
            .await
            .optional()?;
        let missing = || Error::MarkerNotFound(marker.to_owned());
        known.map(|_| ()).ok_or_else(missing)
    })
}

/// The first users behind `after` that match, as far as the database can tell, and the ID of the last one
/// if there may be more.
async fn some_users(
    db: &Db,
    request: &UserRequest<'_>,
    after: Option<&str>,
    most: usize,
) -> Result<(Vec<User>, Option<String>), Error> {
    with_conn!(db, |conn| {
        let mut ids: Vec<String> = Vec::new();
        for source in request.sources() {
            ids.extend(find_ids!(conn, request, *source, after, most));
        }
        if request.sources().len() > 1 {
            ids.sort_unstable();
            ids.dedup();
            // Each source has told its first: so these are the first of all.
            ids.truncate(most);
        }
        let mut users = Vec::new();
        if !ids.is_empty() {
            users = load_rows(conn, &ids).await?.assemble(request.days);
        }
        let last = if ids.len() < most { None } else { ids.pop() };
        Ok((users, last))
    })
}

/// What the users of these IDs are called: two statements for each thousand.
pub(in super::super) async fn name_users(db: &Db, ids: &[UserId]) -> Result<Vec<UserName>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    with_conn!(db, |conn| {
        let mut names = Vec::with_capacity(ids.len());
        for ids in ids.chunks(BATCH) {
            let ids = ids.iter().map(|id| sought(id.as_str()));
            let rows: Vec<(String, String, Option<String>, Option<String>)> = user::table
                .left_join(local_user::table.on(local_user::user_id.eq(user::id)))
                .left_join(nonlocal_user::table.on(nonlocal_user::user_id.eq(user::id)))
                .filter(user::id.eq_any(ids))
                .select((
                    user::id,
                    user::domain_id,
                    local_user::name.nullable(),
                    nonlocal_user::name.nullable(),
                ))
                .load(conn)
                .await?;
            let nameless = rows.iter().filter(|row| row.2.is_none() && row.3.is_none());
            let nameless: Vec<&str> = nameless.map(|row| row.0.as_str()).collect();
            let mut shown: HashMap<String, Option<String>> = HashMap::new();
            if !nameless.is_empty() {
                let rows: Vec<(String, Option<String>)> = federated_user::table
                    .filter(federated_user::user_id.eq_any(nameless.iter().copied()))
                    .order(federated_user::id)
                    .select((federated_user::user_id, federated_user::display_name))
                    .load(conn)
                    .await?;
                for (user, name) in rows {
                    shown.entry(user).or_insert(name);
                }
            }
            let named = rows
                .into_iter()
                .map(|(id, domain, local, nonlocal)| UserName {
                    name: local
                        .or(nonlocal)
                        .or_else(|| shown.remove(&id).flatten())
                        .unwrap_or_default(),
                    id: id.into(),
                    domain_id: domain.into(),
                });
            names.extend(named);
        }
        Ok(names)
    })
}

/// The first groups behind `after` that match, as far as the database can tell, in the order of their IDs;
/// of all, or of these.
macro_rules! find_groups {
    ($conn:expr, $filter:expr, $among:expr, $after:expr, $most:expr) => {{
        let (filter, among): (&GroupFilter, Option<&[&str]>) = ($filter, $among);
        let after: Option<&str> = $after;
        let mut query = group::table
            .select(GroupRow::as_select())
            .order(group::id)
            .limit(i64::try_from($most).unwrap_or(i64::MAX))
            .into_boxed();
        narrow_by_name!(query, group, filter);
        if let Some(ids) = among {
            query = query.filter(group::id.eq_any(ids.to_vec()));
        }
        if let Some(after) = after {
            query = query.filter(group::id.gt(after.to_owned()));
        }
        query.load($conn).await?
    }};
}

/// The groups that match, a page of them, as [`list_users`].
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
            let mut after = page.marker.clone();
            while members.len() < limit {
                let most = if finds_too_much {
                    BATCH
                } else {
                    BATCH.min(limit - members.len())
                };
                let rows: Vec<GroupRow> = find_groups!(conn, filter, *ids, after.as_deref(), most);
                let was_last = rows.len() < most;
                after = rows.last().map(|row| row.id.clone());
                let groups = rows.into_iter().map(Group::from).filter(|group| {
                    meets(&filter.name, &group.name)
                        && meets(&filter.domain_id, group.domain_id.as_str())
                });
                members.extend(groups);
                if was_last {
                    break;
                }
            }
        }
        members.truncate(limit);
        Ok(Listed {
            full: members.len() >= limit,
            members,
        })
    })
}
