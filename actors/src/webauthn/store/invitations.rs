//! Invitations. What uses one up is the registration.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::super::{Error, Reason};
use super::given::{is_given, note_given, raced};
use super::user_since;
use crate::db::Db;
use crate::db::schema::ng_webauthn_invitation;
use crate::ids::UserId;
use crate::{transaction, with_conn};

/// How many invitations of one user may be open at once.
const MOST: i64 = 20;

/// Writes an invitation. `TooMany` if the user has too many that are open.
pub(in super::super) async fn insert_invitation(
    db: &Db,
    hash: &str,
    user: &UserId,
    created_by: &str,
    expires_at: i64,
    now: i64,
) -> Result<(), Error> {
    use ng_webauthn_invitation as i;
    let user = user.as_str();
    transaction!(db, |conn| {
        let since: Option<i64> = user_since(conn, user).await?;
        let Some(since) = since else {
            return Err(Error::Ceremony(Reason::UserGone));
        };
        note_given(conn, user, since, now).await.map_err(raced)?;
        let open: i64 = i::table
            .filter(i::user_id.eq(user))
            .filter(i::expires_at.gt(now))
            .count()
            .get_result(conn)
            .await?;
        if open >= MOST {
            return Err(Error::TooMany(MOST.unsigned_abs() as usize));
        }
        diesel::insert_into(i::table)
            .values((
                i::secret_hash.eq(hash),
                i::user_id.eq(user),
                i::created_by.eq(created_by),
                i::expires_at.eq(expires_at),
            ))
            .execute(conn)
            .await?;
        Ok(())
    })
}

/// Whom an invitation is for, while it is good.
pub(in super::super) async fn find_invitation(
    db: &Db,
    hash: &str,
    now: i64,
) -> Result<Option<UserId>, Error> {
    use ng_webauthn_invitation as i;
    with_conn!(db, |conn| {
        let user: Option<String> = i::table
            .find(hash)
            .filter(i::expires_at.gt(now))
            .select(i::user_id)
            .first(conn)
            .await
            .optional()?;
        let owner = user.as_deref().unwrap_or_default();
        let theirs: bool = is_given(conn, owner).await?;
        Ok::<_, Error>(user.filter(|_| theirs).map(UserId::from))
    })
}
