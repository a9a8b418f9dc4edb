//! Passkeys that another implementation keeps, taken over.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::super::Error;
use super::super::import::{ImportRefusal, Outcome};
use super::Row;
use crate::db::schema::{ng_webauthn_credential, ng_webauthn_user, user};
use crate::db::{Db, DbTime, InsertRows as _, on_connection, on_unique};
use crate::{insert_rows, transaction, with_conn};

/// Rows of one batch, and of one transaction.
const ROWS: i64 = 200;

diesel::table! {
    /// Not ours: as the other implementation makes it. Never written.
    webauthn_credential (credential_id) {
        user_id -> Text,
        credential_id -> Text,
        description -> Nullable<Text>,
        passkey -> Text,
        counter -> BigInt,
        aaguid -> Nullable<Text>,
        created_at -> Timestamp,
        last_used_at -> Nullable<Timestamp>,
    }
}

/// A row of it.
#[derive(Queryable, Selectable)]
#[diesel(table_name = webauthn_credential)]
pub(in super::super) struct ForeignPasskey {
    pub user_id: String,
    /// Base64url of the raw ID.
    pub credential_id: String,
    pub description: Option<String>,
    /// JSON.
    pub passkey: String,
    pub counter: i64,
    pub aaguid: Option<String>,
    pub created_at: DbTime,
    pub last_used_at: Option<DbTime>,
}

#[derive(Insertable)]
#[diesel(table_name = ng_webauthn_user)]
struct Handle {
    user_id: String,
    user_handle: Vec<u8>,
}

insert_rows!(Row => ng_webauthn_credential, Handle => ng_webauthn_user);

/// The next passkeys behind one, by credential ID; from the first on where that is empty.
pub(in super::super) async fn foreign_passkeys(
    db: &Db,
    after: &str,
) -> Result<Vec<ForeignPasskey>, Error> {
    use webauthn_credential as f;
    with_conn!(db, |conn| {
        let rows: Vec<ForeignPasskey> = f::table
            .filter(f::credential_id.gt(after))
            .order(f::credential_id)
            .limit(ROWS)
            .select(ForeignPasskey::as_select())
            .load(conn)
            .await?;
        Ok::<_, Error>(rows)
    })
}

/// What is known here of the users and passkeys of a batch.
struct Here {
    /// Since when there is a user, in microseconds since 1970; 0 where that is not known.
    since: HashMap<String, i64>,
    /// Whose a passkey is, by its ID.
    owners: HashMap<String, String>,
    /// Whom authenticators know by a handle.
    handles: HashMap<Vec<u8>, String>,
}

on_connection! {
    async fn look<'a>(conn, rows: &'a [Row]) -> Here {
        use {ng_webauthn_credential as c, ng_webauthn_user as u};
        let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
        let users: Vec<&str> = rows.iter().map(|row| row.user_id.as_str()).collect();
        let handles: Vec<&[u8]> = rows.iter().map(|row| row.user_handle.as_slice()).collect();
        let since: Vec<(String, Option<DbTime>)> = user::table
            .filter(user::id.eq_any(users.iter().copied()))
            .select((user::id, user::created_at))
            .load(conn)
            .await?;
        let owners: Vec<(String, String)> = c::table
            .filter(c::id.eq_any(ids.iter().copied()))
            .select((c::id, c::user_id))
            .load(conn)
            .await?;
        let theirs = u::user_id.eq_any(users.iter().copied());
        let known = theirs.or(u::user_handle.eq_any(handles.iter().copied()));
        let handles: Vec<(Vec<u8>, String)> = u::table
            .filter(known)
            .select((u::user_handle, u::user_id))
            .load(conn)
            .await?;
        let micros = |time: Option<DbTime>| time.map_or(0, DbTime::micros);
        Ok(Here {
            since: since.into_iter().map(|(id, time)| (id, micros(time))).collect(),
            owners: owners.into_iter().collect(),
            handles: handles.into_iter().collect(),
        })
    }

    /// Holds the handles of these users: who deletes one of them is waited for, or waits.
    async fn lock<'a>(conn, rows: &'a [Row]) -> () {
        use ng_webauthn_user as u;
        let users: Vec<&str> = rows.iter().map(|row| row.user_id.as_str()).collect();
        diesel::update(u::table.filter(u::user_id.eq_any(users.iter().copied())))
            .set(u::user_id.eq(u::user_id))
            .execute(conn)
            .await?;
        Ok(())
    }
}

/// What is to be done.
struct Plan {
    outcomes: Vec<Outcome>,
    passkeys: Vec<Row>,
    handles: Vec<Handle>,
}

/// Who has a handle here keeps it for new passkeys; one that was taken over goes by the handle that
/// its authenticator has.
fn plan(rows: &[Row], mut here: Here) -> Plan {
    let mut plan = Plan {
        outcomes: Vec::with_capacity(rows.len()),
        passkeys: Vec::new(),
        handles: Vec::new(),
    };
    let mut with_handle: Vec<String> = here.handles.values().cloned().collect();
    for row in rows {
        let outcome = judge(row, &here);
        if outcome == Outcome::Imported {
            here.owners.insert(row.id.clone(), row.user_id.clone());
            let handle = here.handles.entry(row.user_handle.clone());
            handle.or_insert_with(|| row.user_id.clone());
            if !with_handle.contains(&row.user_id) {
                with_handle.push(row.user_id.clone());
                plan.handles.push(Handle {
                    user_id: row.user_id.clone(),
                    user_handle: row.user_handle.clone(),
                });
            }
            plan.passkeys.push(row.clone());
        }
        plan.outcomes.push(outcome);
    }
    plan
}

fn judge(row: &Row, here: &Here) -> Outcome {
    use ImportRefusal::{OlderThanUser, OtherHandle, OtherUser};
    let Some(since) = here.since.get(&row.user_id) else {
        return Outcome::Gone;
    };
    match here.owners.get(&row.id) {
        Some(owner) if *owner == row.user_id => return Outcome::Known,
        Some(owner) => return Outcome::Refused(OtherUser(owner.clone())),
        None => {}
    }
    match here.handles.get(&row.user_handle) {
        Some(owner) if *owner != row.user_id => Outcome::Refused(OtherHandle(owner.clone())),
        _ if !row.is_since(*since) => Outcome::Refused(OlderThanUser),
        _ => Outcome::Imported,
    }
}

/// Takes over a batch in one transaction, and tells what became of each; `dry_run`: would have become.
/// `AlreadyRegistered` where somebody registers one of them, or for one of their users, at this moment.
pub(in super::super) async fn take_over(
    db: &Db,
    rows: &[Row],
    dry_run: bool,
) -> Result<Vec<Outcome>, Error> {
    if dry_run {
        return with_conn!(db, |conn| {
            let here: Here = look(conn, rows).await?;
            Ok::<_, Error>(plan(rows, here).outcomes)
        });
    }
    transaction!(db, |conn| {
        lock(conn, rows).await?;
        let here: Here = look(conn, rows).await?;
        let plan = plan(rows, here);
        let raced = |error: diesel::result::Error| on_unique(error, || Error::AlreadyRegistered);
        conn.insert_rows(plan.handles).await.map_err(raced)?;
        conn.insert_rows(plan.passkeys).await.map_err(raced)?;
        Ok::<_, Error>(plan.outcomes)
    })
}
