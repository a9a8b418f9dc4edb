//! Logins of command lines that go on in a browser.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::super::{AnswerDevice, DeviceInfo, DevicePoll, Error};
use crate::actor::Unavailable;
use crate::db::schema::ng_webauthn_device;
use crate::db::{Db, on_unique};
use crate::{transaction, with_conn};

/// How many may wait at once in a deployment. Whoever asks for one need not be known, so there has
/// to be an end of them.
const MOST: i64 = 10_000;

const PENDING: &str = "pending";
const ALLOWED: &str = "allowed";
const DENIED: &str = "denied";

/// A login to wait for.
#[derive(Insertable)]
#[diesel(table_name = ng_webauthn_device)]
pub(in super::super) struct NewDevice {
    pub device_hash: String,
    pub user_hash: String,
    pub client: String,
    pub expires_at: i64,
}

/// Writes a login that waits. `Unavailable` if too many wait, or its user code is taken.
pub(in super::super) async fn insert_device(
    db: &Db,
    device: &NewDevice,
    now: i64,
) -> Result<(), Error> {
    use ng_webauthn_device as d;
    with_conn!(db, |conn| {
        let waiting: i64 = d::table
            .filter(d::expires_at.gt(now))
            .count()
            .get_result(conn)
            .await?;
        if waiting >= MOST {
            return Err(Error::Unavailable(Unavailable::Overloaded));
        }
        diesel::insert_into(d::table)
            .values((device, d::state.eq(PENDING), d::polled_at.eq(0_i64)))
            .execute(conn)
            .await
            .map_err(|error| on_unique(error, || Error::Unavailable(Unavailable::Overloaded)))?;
        Ok(())
    })
}

/// The login of one of these user codes that waits.
pub(in super::super) async fn find_device(
    db: &Db,
    user_hashes: &[String],
    now: i64,
) -> Result<Option<DeviceInfo>, Error> {
    use ng_webauthn_device as d;
    with_conn!(db, |conn| {
        let found: Option<(String, i64)> = d::table
            .filter(d::user_hash.eq_any(user_hashes))
            .filter(d::expires_at.gt(now))
            .filter(d::state.eq(PENDING))
            .select((d::client, d::expires_at))
            .first(conn)
            .await
            .optional()?;
        Ok::<_, Error>(found.map(|(client, expires_at)| DeviceInfo { client, expires_at }))
    })
}

/// Answers the login of one of these user codes, if it waits.
pub(in super::super) async fn answer_device(
    db: &Db,
    user_hashes: &[String],
    answer: &AnswerDevice,
) -> Result<bool, Error> {
    use ng_webauthn_device as d;
    let state = if answer.allow { ALLOWED } else { DENIED };
    with_conn!(db, |conn| {
        let waiting = d::table
            .filter(d::user_hash.eq_any(user_hashes))
            .filter(d::expires_at.gt(answer.now))
            .filter(d::state.eq(PENDING));
        let answered = diesel::update(waiting)
            .set((
                d::state.eq(state),
                d::user_id.eq(answer.user.as_str()),
                d::passkey_id.eq(answer.passkey.as_deref()),
            ))
            .execute(conn)
            .await?;
        Ok::<_, Error>(answered > 0)
    })
}

/// How a login stands. One that was answered is told once, and gone. For a code that is unknown nothing
/// is written nor locked: anybody may ask.
pub(in super::super) async fn poll_device(
    db: &Db,
    device_hash: &str,
    interval: i64,
    now: i64,
) -> Result<DevicePoll, Error> {
    use ng_webauthn_device as d;
    type Found = (String, Option<String>, Option<String>, i64, i64);
    // Looked at here, so that only what waits is locked, and once more below: by then it may be over.
    let ends: Option<i64> = with_conn!(db, |conn| {
        let row = d::table.find(device_hash).select(d::expires_at);
        let ends: Option<i64> = row.first(conn).await.optional()?;
        Ok::<_, Error>(ends)
    })?;
    match ends {
        None => return Ok(DevicePoll::Unknown),
        Some(ends) if ends <= now => return Ok(DevicePoll::Expired),
        Some(_) => {}
    }
    transaction!(db, |conn| {
        let row = || d::table.find(device_hash);
        // Locks it: of two who ask at once, one is told.
        diesel::update(row())
            .set(d::state.eq(d::state))
            .execute(conn)
            .await?;
        let found: Option<Found> = row()
            .select((
                d::state,
                d::user_id,
                d::passkey_id,
                d::polled_at,
                d::expires_at,
            ))
            .first(conn)
            .await
            .optional()?;
        let Some((state, user, passkey, polled_at, expires_at)) = found else {
            return Ok::<_, Error>(DevicePoll::Unknown);
        };
        if expires_at <= now {
            return Ok(DevicePoll::Expired);
        }
        if state == PENDING {
            diesel::update(row())
                .set(d::polled_at.eq(now))
                .execute(conn)
                .await?;
            // Seconds are whole: one who waits for all of them may be told one less.
            let soon = now < polled_at.saturating_add(interval - 1);
            return Ok(match soon {
                true => DevicePoll::SlowDown,
                false => DevicePoll::Pending,
            });
        }
        diesel::delete(row()).execute(conn).await?;
        Ok(match user {
            Some(user) if state == ALLOWED => DevicePoll::Granted {
                user: user.into(),
                passkey,
            },
            _ => DevicePoll::Denied,
        })
    })
}
