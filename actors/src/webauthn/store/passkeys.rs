//! Passkeys: found, changed, deleted.

use diesel::dsl::exists;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::super::{Error, State, codes};
use super::{Row, earliest, micros, user_since};
use crate::db::outbox::{Change, record_change};
use crate::db::schema::{
    ng_webauthn_credential, ng_webauthn_given, ng_webauthn_invitation, ng_webauthn_recovery,
    ng_webauthn_recovery_limit, ng_webauthn_token,
};
use crate::db::{BATCH, Db, on_connection};
use crate::ids::UserId;
use crate::revocation::Event;
use crate::{transaction, with_conn};

/// A passkey by its ID, of a user who is there.
pub(in super::super) async fn find(db: &Db, id: &str) -> Result<Option<(Row, bool)>, Error> {
    use ng_webauthn_credential as c;
    with_conn!(db, |conn| {
        let row: Option<Row> = c::table
            .find(id)
            .select(Row::as_select())
            .first(conn)
            .await
            .optional()?;
        let owner = row.as_ref().map_or("", |row| row.user_id.as_str());
        let since: Option<i64> = user_since(conn, owner).await?;
        Ok(row.map(|row| {
            let present = since.is_some_and(|since| row.is_since(since));
            (row, present)
        }))
    })
}

/// The passkey of a user that has one of these IDs.
pub(in super::super) async fn find_of_user(
    db: &Db,
    user: &UserId,
    ids: &[String],
) -> Result<Option<Row>, Error> {
    let all = list(db, user.as_str()).await?;
    Ok(all.into_iter().find(|row| ids.contains(&row.id)))
}

/// The passkeys of a user, oldest first.
pub(in super::super) async fn list(db: &Db, user: &str) -> Result<Vec<Row>, Error> {
    use ng_webauthn_credential as c;
    with_conn!(db, |conn| {
        let since: Option<i64> = user_since(conn, user).await?;
        let rows: Vec<Row> = c::table
            .filter(c::user_id.eq(user))
            .order((c::created_at, c::id))
            .select(Row::as_select())
            .load(conn)
            .await?;
        let present = |row: &Row| since.is_some_and(|since| row.is_since(since));
        Ok(rows.into_iter().filter(present).collect())
    })
}

/// Whether a user has a passkey for this relying party that is not disabled.
pub(in super::super) async fn has_usable(db: &Db, user: &str, rp_id: &str) -> Result<bool, Error> {
    use ng_webauthn_credential as c;
    with_conn!(db, |conn| {
        let since: Option<i64> = user_since(conn, user).await?;
        let Some(since) = since else {
            return Ok(false);
        };
        let usable = c::table
            .filter(c::user_id.eq(user))
            .filter(c::rp_id.eq(rp_id))
            .filter(c::state.eq_any(State::USABLE))
            .filter(c::created_at.ge(earliest(since)));
        let has: bool = diesel::select(exists(usable)).get_result(conn).await?;
        Ok::<_, Error>(has)
    })
}

/// What of a passkey changes.
#[derive(AsChangeset)]
#[diesel(table_name = ng_webauthn_credential)]
pub(in super::super) struct Patch {
    /// `Some(None)` clears it.
    pub description: Option<Option<String>>,
    pub state: Option<&'static str>,
    pub updated_at: i64,
}

impl Patch {
    pub(in super::super) fn new(
        description: Option<Option<String>>,
        state: Option<State>,
        now: i64,
    ) -> Self {
        Self {
            description,
            state: state.map(State::as_str),
            updated_at: micros(now),
        }
    }
}

/// Changes the passkey of this ID; `None` if there is none.
pub(in super::super) async fn update_passkey(
    db: &Db,
    id: &str,
    patch: &Patch,
) -> Result<Option<Row>, Error> {
    use ng_webauthn_credential as c;
    transaction!(db, |conn| {
        diesel::update(c::table.find(id))
            .set((patch, c::revision.eq(c::revision + 1_i64)))
            .execute(conn)
            .await?;
        let row: Option<Row> = c::table
            .find(id)
            .select(Row::as_select())
            .first(conn)
            .await
            .optional()?;
        Ok::<_, Error>(row)
    })
}

on_connection! {
    /// Forgets the tokens and receipts that were made with passkeys, and gives the events that revoke
    /// the tokens. A receipt that is not known is good no longer.
    async fn take_tokens<'a>(conn, passkeys: &'a [String], now: i64) -> Vec<Event> {
        use ng_webauthn_token as t;
        let mut events = Vec::new();
        for passkeys in passkeys.chunks(BATCH) {
            let made = || t::table.filter(t::passkey_id.eq_any(passkeys));
            let alive: Vec<String> = made()
                .filter(t::expires_at.gt(now))
                .select(t::audit_id)
                .load(conn)
                .await?;
            let tokens = alive.iter().filter(|id| !codes::is_receipt_id(id));
            // Those that were made from it go as well; to Python Keystone it is none of its chain.
            let both = |id: &String| [Event::audit(id, now), Event::audit_chain(id, now)];
            events.extend(tokens.flat_map(both));
            diesel::delete(made()).execute(conn).await?;
        }
        Ok(events)
    }
}

/// Deletes the passkey of this ID and, if so told, revokes the tokens that were made with it.
/// `None` if there is none.
pub(in super::super) async fn delete_passkey(
    db: &Db,
    node: &str,
    id: &str,
    revoke: bool,
    now: i64,
) -> Result<Option<Change>, Error> {
    use ng_webauthn_credential as c;
    transaction!(db, |conn| {
        // First: who notes a token holds this row, and is waited for.
        let deleted = diesel::delete(c::table.find(id)).execute(conn).await?;
        if deleted == 0 {
            return Ok::<_, Error>(None);
        }
        let ids = [id.to_owned()];
        let mut events: Vec<Event> = take_tokens(conn, &ids, now).await?;
        events.retain(|_| revoke);
        let change: Change = record_change(conn, node, Change::revoking(events)).await?;
        Ok(Some(change))
    })
}

/// Deletes all passkeys of a user, recovery codes and invitations, and revokes the tokens that
/// were made with the passkeys. Gives how many there were.
pub(in super::super) async fn delete_passkeys(
    db: &Db,
    node: &str,
    user: &UserId,
    now: i64,
) -> Result<(usize, Change), Error> {
    use ng_webauthn_credential as c;
    let user = user.as_str();
    transaction!(db, |conn| {
        let own = || c::table.filter(c::user_id.eq(user));
        // Changes nothing, but locks them: no more tokens are noted.
        diesel::update(own())
            .set(c::revision.eq(c::revision + 1_i64))
            .execute(conn)
            .await?;
        let ids: Vec<String> = own().select(c::id).load(conn).await?;
        let events: Vec<Event> = take_tokens(conn, &ids, now).await?;
        let deleted = diesel::delete(c::table.filter(c::id.eq_any(&ids)))
            .execute(conn)
            .await?;
        let theirs = ng_webauthn_recovery_limit::user_id.eq(user);
        diesel::delete(ng_webauthn_recovery_limit::table.filter(theirs))
            .execute(conn)
            .await?;
        let theirs = ng_webauthn_given::user_id.eq(user);
        diesel::delete(ng_webauthn_given::table.filter(theirs))
            .execute(conn)
            .await?;
        let theirs = ng_webauthn_recovery::user_id.eq(user);
        diesel::delete(ng_webauthn_recovery::table.filter(theirs))
            .execute(conn)
            .await?;
        let theirs = ng_webauthn_invitation::user_id.eq(user);
        diesel::delete(ng_webauthn_invitation::table.filter(theirs))
            .execute(conn)
            .await?;
        let change: Change = record_change(conn, node, Change::revoking(events)).await?;
        Ok::<_, Error>((deleted, change))
    })
}
