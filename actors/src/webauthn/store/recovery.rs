//! Recovery codes. Whoever has some has a row that counts failures, and that is locked by who uses
//! one: of two who guess at once each counts the other's failure.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::super::{Error, Reason, UseRecoveryCode};
use super::given::{is_given, note_given, raced};
use super::login::{RECOVERY, put_token};
use super::user_since;
use crate::db::Db;
use crate::db::schema::{ng_webauthn_recovery, ng_webauthn_recovery_limit};
use crate::ids::UserId;
use crate::{transaction, with_conn};

/// So many wrong codes a user may try within [`WINDOW`].
const MOST_FAILURES: i32 = 5;

/// Seconds.
const WINDOW: i64 = 15 * 60;

/// Puts these codes in the place of all that a user has.
pub(in super::super) async fn replace_codes(
    db: &Db,
    user: &UserId,
    hashes: &[String],
    now: i64,
) -> Result<(), Error> {
    use {ng_webauthn_recovery as r, ng_webauthn_recovery_limit as l};
    let user = user.as_str();
    transaction!(db, |conn| {
        // Locks it. Failures that are counted stay so.
        let there = diesel::update(l::table.find(user))
            .set(l::failures.eq(l::failures))
            .execute(conn)
            .await?;
        if there == 0 {
            diesel::insert_into(l::table)
                .values((
                    l::user_id.eq(user),
                    l::failures.eq(0),
                    l::failing_since.eq(0_i64),
                ))
                .execute(conn)
                .await
                .map_err(raced)?;
        }
        let since: Option<i64> = user_since(conn, user).await?;
        let Some(since) = since else {
            return Err(Error::Ceremony(Reason::UserGone));
        };
        note_given(conn, user, since, now).await.map_err(raced)?;
        diesel::delete(r::table.filter(r::user_id.eq(user)))
            .execute(conn)
            .await?;
        for hash in hashes {
            diesel::insert_into(r::table)
                .values((r::user_id.eq(user), r::code_hash.eq(hash)))
                .execute(conn)
                .await?;
        }
        Ok(())
    })
}

/// Uses up the code of this hash, and notes the token that is given for it; `None` stands for a code
/// that can't be any. `false`, and nothing is noted, if the user does not have it, or has failed too
/// often within the last quarter of an hour.
pub(in super::super) async fn use_code(
    db: &Db,
    message: &UseRecoveryCode,
    hash: Option<&str>,
) -> Result<bool, Error> {
    use {ng_webauthn_recovery as r, ng_webauthn_recovery_limit as l};
    let (user, now) = (message.user.as_str(), message.now);
    transaction!(db, |conn| {
        let limit = || l::table.find(user);
        diesel::update(limit())
            .set(l::failures.eq(l::failures))
            .execute(conn)
            .await?;
        let counted: Option<(i32, i64)> = limit()
            .select((l::failures, l::failing_since))
            .first(conn)
            .await
            .optional()?;
        // Who never had codes has nothing that is counted.
        let Some((failures, since)) = counted else {
            return Ok::<_, Error>(false);
        };
        let (failures, since) = match now < since.saturating_add(WINDOW) {
            true => (failures, since),
            false => (0, now),
        };
        if failures >= MOST_FAILURES {
            return Ok(false);
        }
        let theirs: bool = is_given(conn, user).await?;
        let used = match hash.filter(|_| theirs) {
            Some(hash) => {
                diesel::delete(r::table.find((user, hash)))
                    .execute(conn)
                    .await?
            }
            None => 0,
        };
        if used == 0 {
            diesel::update(limit())
                .set((l::failures.eq(failures + 1), l::failing_since.eq(since)))
                .execute(conn)
                .await?;
            return Ok(false);
        }
        put_token(conn, RECOVERY, &message.audit_id, message.expires_at).await?;
        Ok(true)
    })
}

/// How many codes a user has left.
pub(in super::super) async fn count_codes(db: &Db, user: &UserId) -> Result<usize, Error> {
    use ng_webauthn_recovery as r;
    let user = user.as_str();
    with_conn!(db, |conn| {
        let theirs: bool = is_given(conn, user).await?;
        if !theirs {
            return Ok(0);
        }
        let left: i64 = r::table
            .filter(r::user_id.eq(user))
            .count()
            .get_result(conn)
            .await?;
        Ok::<_, Error>(usize::try_from(left).unwrap_or_default())
    })
}
