//! Setting passwords, and their history.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::super::model::{NewPassword, PasswordRecord};
use super::super::{Error, IdentitySettings};
use super::users::{Stored, lock_user};
use crate::db::outbox::{Change, record_change};
use crate::db::schema::{local_user, password};
use crate::db::{Db, DbTime};
use crate::epoch::{Entity, Kind};
use crate::ids::UserId;
use crate::revocation::Event;
use crate::{transaction, with_conn};

/// A password to be the present one.
#[derive(Insertable)]
#[diesel(table_name = password)]
pub(super) struct NewPasswordRow {
    local_user_id: i32,
    expires_at: Option<DbTime>,
    expires_at_int: Option<i64>,
    self_service: bool,
    password_hash: Option<String>,
    created_at: DbTime,
    created_at_int: i64,
}

impl NewPasswordRow {
    /// `old` in the order of their age.
    pub(super) fn new(local: i32, old: &[PasswordRecord], new: &NewPassword, now: i64) -> Self {
        // The newest is the present one, also where another node's clock is ahead.
        let after = old
            .last()
            .map_or(0, |last| last.created_at.saturating_add(1));
        Self {
            local_user_id: local,
            expires_at: new.expires_at,
            expires_at_int: new.expires_at.map(DbTime::micros),
            self_service: new.self_service,
            password_hash: new.hash.clone(),
            created_at: DbTime::from_seconds(now),
            created_at_int: DbTime::from_seconds(now).micros().max(after),
        }
    }
}

/// Makes a password the present one: those before it end, and of them `$keep` stay. `$old` are
/// those before it, in the order of their age.
macro_rules! set_password {
    ($conn:expr, $local:expr, $old:expr, $new:expr, $keep:expr, $now:expr) => {{
        use $crate::db::schema::password;
        let old: &[PasswordRecord] = $old;
        let dropped = old.len().saturating_sub($keep);
        let dropped: Vec<i32> = old.iter().take(dropped).map(|record| record.id).collect();
        if !dropped.is_empty() {
            diesel::delete(password::table.filter(password::id.eq_any(dropped)))
                .execute($conn)
                .await?;
        }
        let end = DbTime::from_seconds($now);
        // Old rows have the first of the two columns only.
        let endless = password::expires_at_int.is_null().and(
            password::expires_at
                .is_null()
                .or(password::expires_at.gt(end)),
        );
        let good = endless.or(password::expires_at_int.gt(end.micros()));
        diesel::update(password::table)
            .filter(password::local_user_id.eq($local).and(good))
            .set((
                password::expires_at.eq(end),
                password::expires_at_int.eq(end.micros()),
            ))
            .execute($conn)
            .await?;
        diesel::insert_into(password::table)
            .values($crate::identity::store::passwords::NewPasswordRow::new(
                $local, old, $new, $now,
            ))
            .execute($conn)
            .await?;
    }};
}
pub(super) use set_password;

/// The hashes of the newest `count` passwords of a user, the present one first.
pub(in super::super) async fn recent_hashes(
    db: &Db,
    user: &UserId,
    count: u32,
) -> Result<Vec<String>, Error> {
    with_conn!(db, |conn| {
        let hashes: Vec<Option<String>> = password::table
            .inner_join(local_user::table)
            .filter(local_user::user_id.eq(user.as_str()))
            .order((password::created_at_int.desc(), password::id.desc()))
            .limit(count.into())
            .select(password::password_hash)
            .load(conn)
            .await?;
        Ok(hashes.into_iter().flatten().collect())
    })
}

/// A user's own change of the password `original`; `None` if that is no longer the present one.
pub(in super::super) async fn change_password(
    db: &Db,
    node: &str,
    id: &UserId,
    original: i32,
    hash: &str,
    settings: &IdentitySettings,
    now: i64,
) -> Result<Option<Change>, Error> {
    transaction!(db, |conn| {
        let Stored {
            user,
            local: Some(local),
            passwords,
            ..
        } = lock_user!(conn, id, settings.inactivity_days())
        else {
            return Ok(None);
        };
        let present = passwords.last().copied();
        if present.map(|password| password.id) != Some(original) {
            return Ok(None);
        }
        settings.check_own_change(&user.options, present, now)?;
        let new = NewPassword {
            hash: Some(hash.to_owned()),
            expires_at: settings.expiry(&user.options, now),
            self_service: true,
        };
        set_password!(
            conn,
            local,
            &passwords,
            &new,
            settings.kept_passwords(),
            now
        );
        let change = Change::of([Entity::new(Kind::User, user.id.as_str())])
            .and_revoking(vec![Event::user(user.id.as_str(), now)]);
        Ok(Some(record_change(conn, node, change).await?))
    })
}
