//! What a login by password reads and writes.

use std::sync::Arc;

use chrono::NaiveDate;
use diesel::dsl::case_when;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::super::model::{Failures, PasswordRecord};
use super::super::{Error, Lockout, User, UserLookup};
use super::{LocalRow, load_rows, sought};
use crate::db::outbox::{Change, record_change};
use crate::db::schema::{local_user, password, user};
use crate::db::{Db, DbTime};
use crate::epoch::{Entity, Kind};
use crate::ids::UserId;
use crate::{transaction, with_conn};

/// A user as a login finds it. Never cached.
pub(in super::super) struct Account {
    pub user: Arc<User>,
    /// Whether the user has a name, and may have a password, here.
    pub local: bool,
    /// The present password.
    pub present: Option<PasswordRecord>,
    /// The present password's.
    pub hash: Option<Arc<str>>,
    pub failures: Failures,
    pub last_active: Option<NaiveDate>,
}

/// The account that a login names; `days` is the inactivity rule. The statements are the same
/// whether there is one or not.
pub(in super::super) async fn find_account(
    db: &Db,
    lookup: &UserLookup,
    days: Option<u32>,
) -> Result<Option<Account>, Error> {
    with_conn!(db, |conn| {
        let id = match lookup {
            UserLookup::ById(id) => sought(id.as_str()).to_owned(),
            UserLookup::ByName { name, domain_id } => local_user::table
                .filter(local_user::domain_id.eq(sought(domain_id.as_str())))
                .filter(local_user::name.eq(sought(name)))
                .select(local_user::user_id)
                .first(conn)
                .await
                .optional()?
                .unwrap_or_default(),
        };
        let ids = vec![id];
        let rows = load_rows(conn, &ids).await?;
        let present = rows.present_password().map(PasswordRecord::from);
        let hash: Option<Option<String>> = password::table
            .find(present.map_or(0, |password| password.id))
            .select(password::password_hash)
            .first(conn)
            .await
            .optional()?;
        let failures = rows.one().and_then(|(_, local, _)| local.as_ref());
        let failures = failures.map(LocalRow::failures);
        let last_active = rows.one().and_then(|(row, ..)| row.last_active_at);
        Ok(rows.assemble(days).pop().map(|user| Account {
            user: Arc::new(user),
            local: failures.is_some(),
            present,
            hash: hash.flatten().map(Arc::from),
            failures: failures.unwrap_or_default(),
            last_active,
        }))
    })
}

/// The failures as they are by now.
pub(in super::super) async fn failures(db: &Db, user: &UserId) -> Result<Failures, Error> {
    with_conn!(db, |conn| {
        let row: Option<LocalRow> = local_user::table
            .filter(local_user::user_id.eq(user.as_str()))
            .select(LocalRow::as_select())
            .first(conn)
            .await
            .optional()?;
        Ok(row.as_ref().map(LocalRow::failures).unwrap_or_default())
    })
}

/// Counts a failure, and tells whether it was counted: not on a locked account, and not where
/// `user` is nobody. One statement, so that of any number of parallel failures no more than the
/// rule allows are counted.
pub(in super::super) async fn count_failure(
    db: &Db,
    user: &str,
    rule: Lockout,
    now: i64,
) -> Result<bool, Error> {
    let limit = i32::try_from(rule.attempts).unwrap_or(i32::MAX);
    let forgotten = forgotten(rule, now);
    let now = DbTime::from_seconds(now);
    with_conn!(db, |conn| {
        let counted = local_user::failed_auth_count;
        // NULL and what is forgotten begin anew.
        let next = case_when(counted.lt(limit), counted + 1).otherwise(1);
        let open = counted
            .is_null()
            .or(counted.lt(limit))
            .or(local_user::failed_auth_at.le(forgotten));
        let changed = diesel::update(local_user::table)
            .filter(local_user::user_id.eq(user).and(open))
            .set((
                local_user::failed_auth_count.eq(next),
                local_user::failed_auth_at.eq(now),
            ))
            .execute(conn)
            .await?;
        Ok(changed > 0)
    })
}

/// Forgets the failures, unless they lock the account by now.
pub(in super::super) async fn clear_failures(
    db: &Db,
    user: &UserId,
    rule: Option<Lockout>,
    now: i64,
) -> Result<(), Error> {
    let limit = rule.and_then(|rule| i32::try_from(rule.attempts).ok());
    let forgotten = rule.map_or_else(|| DbTime::from_seconds(now), |rule| forgotten(rule, now));
    with_conn!(db, |conn| {
        let open = local_user::failed_auth_count
            .lt(limit.unwrap_or(i32::MAX))
            .or(local_user::failed_auth_at.le(forgotten));
        diesel::update(local_user::table)
            .filter(local_user::user_id.eq(user.as_str()).and(open))
            .set((
                local_user::failed_auth_count.eq(0),
                local_user::failed_auth_at.eq(None::<DbTime>),
            ))
            .execute(conn)
            .await?;
        Ok(())
    })
}

/// A time that no failure is before, where a lock stays.
fn forgotten(rule: Lockout, now: i64) -> DbTime {
    rule.forgotten_until(now)
        .unwrap_or_else(|| DbTime::from_seconds(0))
}

/// Notes that the user was active on `today`; changes nothing where that is known.
pub(in super::super) async fn record_activity(
    db: &Db,
    node: &str,
    id: &UserId,
    today: NaiveDate,
) -> Result<Change, Error> {
    transaction!(db, |conn| {
        let before = user::last_active_at
            .is_null()
            .or(user::last_active_at.lt(today));
        let changed = diesel::update(user::table)
            .filter(user::id.eq(id.as_str()).and(before))
            .set(user::last_active_at.eq(today))
            .execute(conn)
            .await?;
        // It decides when the user counts as inactive, so what is cached is old.
        let entities = (changed > 0).then(|| Entity::new(Kind::User, id.as_str()));
        Ok(record_change(conn, node, Change::of(entities)).await?)
    })
}
