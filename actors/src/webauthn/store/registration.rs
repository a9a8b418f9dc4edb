//! The handle of a user, and the registration of a passkey.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::super::{Error, Reason, codes, limits};
use super::given::is_given;
use super::{Row, consume, replayed, user_since};
use crate::db::schema::{ng_webauthn_credential, ng_webauthn_invitation, ng_webauthn_user};
use crate::db::{Db, is_unique_violation, on_unique};
use crate::ids::UserId;
use crate::{transaction, with_conn};

/// The handle of a user, made the first time.
pub(in super::super) async fn ensure_handle(db: &Db, user: &UserId) -> Result<Vec<u8>, Error> {
    use ng_webauthn_user as u;
    let drawn = codes::random::<{ limits::USER_HANDLE }>()?;
    let user = user.as_str();
    with_conn!(db, |conn| {
        let find = || u::table.find(user).select(u::user_handle);
        let found: Option<Vec<u8>> = find().first(conn).await.optional()?;
        if let Some(handle) = found {
            return Ok(handle);
        }
        let since: Option<i64> = user_since(conn, user).await?;
        if since.is_none() {
            return Err(Error::Ceremony(Reason::UserGone));
        }
        let insert = diesel::insert_into(u::table)
            .values((u::user_id.eq(user), u::user_handle.eq(drawn.as_slice())))
            .execute(conn)
            .await;
        match insert {
            // Another request was first.
            Err(error) if !is_unique_violation(&error) => Err(Error::from(error)),
            _ => Ok(find().first::<Vec<u8>>(conn).await?),
        }
    })
}

/// A passkey to be.
#[derive(Insertable)]
#[diesel(table_name = ng_webauthn_credential)]
struct NewRow<'a> {
    #[diesel(embed)]
    row: Row,
    attestation_object: Option<&'a [u8]>,
    attestation_client_data: Option<&'a [u8]>,
}

/// What a registration writes.
pub(in super::super) struct Registration<'a> {
    /// Its handle is the user's, whatever is in it.
    pub row: Row,
    /// Attestation object and client data, if they are kept.
    pub attested: Option<(&'a [u8], &'a [u8])>,
    pub challenge_hash: String,
    /// When the challenge is over.
    pub expires_at: i64,
    /// The hash of the invitation that lets the user register it.
    pub invitation: Option<String>,
    pub max_per_user: usize,
    /// Seconds since 1970.
    pub now: i64,
}

/// Registers a passkey. `TooMany`, `Invitation`, `AlreadyRegistered`, or `Ceremony` for a challenge
/// that was answered before or a user who is gone.
pub(in super::super) async fn register(
    db: &Db,
    registration: &Registration<'_>,
) -> Result<Row, Error> {
    use {ng_webauthn_credential as c, ng_webauthn_invitation as i, ng_webauthn_user as u};
    let most = registration.max_per_user;
    transaction!(db, |conn| {
        let user = registration.row.user_id.as_str();
        // Locks the user's row: of several registrations each counts those before it.
        let unchanged = u::user_id.eq(u::user_id);
        diesel::update(u::table.find(user))
            .set(unchanged)
            .execute(conn)
            .await?;
        let handle: Option<Vec<u8>> = u::table
            .find(user)
            .select(u::user_handle)
            .first(conn)
            .await
            .optional()?;
        let since: Option<i64> = user_since(conn, user).await?;
        let (Some(user_handle), Some(since)) = (handle, since) else {
            return Err(Error::Ceremony(Reason::UserGone));
        };
        let rows: Vec<Row> = c::table
            .filter(c::user_id.eq(user))
            .select(Row::as_select())
            .load(conn)
            .await?;
        if rows.iter().filter(|row| row.is_since(since)).count() >= most {
            return Err(Error::TooMany(most));
        }
        // Of one who had this ID before.
        let stale = rows.into_iter().filter(|row| !row.is_since(since));
        let stale: Vec<String> = stale.map(|row| row.id).collect();
        if !stale.is_empty() {
            diesel::delete(c::table.filter(c::id.eq_any(stale)))
                .execute(conn)
                .await?;
        }
        if let Some(hash) = &registration.invitation {
            let theirs: bool = is_given(conn, user).await?;
            let good = i::table
                .find(hash)
                .filter(i::user_id.eq(user))
                .filter(i::expires_at.gt(registration.now));
            if !theirs || diesel::delete(good).execute(conn).await? == 0 {
                return Err(Error::Invitation);
            }
        }
        consume(conn, &registration.challenge_hash, registration.expires_at)
            .await
            .map_err(replayed)?;
        let row = Row {
            user_handle,
            // The clock that the account's time is by may be ahead.
            created_at: registration.row.created_at.max(since),
            ..registration.row.clone()
        };
        let new = NewRow {
            row: row.clone(),
            attestation_object: registration.attested.map(|(object, _)| object),
            attestation_client_data: registration.attested.map(|(_, data)| data),
        };
        diesel::insert_into(c::table)
            .values(new)
            .execute(conn)
            .await
            .map_err(|error| on_unique(error, || Error::AlreadyRegistered))?;
        Ok(row)
    })
}
