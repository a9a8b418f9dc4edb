//! Logins.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::super::decoy::Model;
use super::super::{BackupChange, CounterRegression, Error, Reason, State};
use super::{Row, consume, micros, read_transports, replayed};
use crate::db::schema::{ng_webauthn_credential, ng_webauthn_token};
use crate::db::{Db, on_connection};
use crate::{transaction, with_conn};

/// Stands for the passkey of tokens that were made with a recovery code. No passkey has this ID.
pub(super) const RECOVERY: &str = "recovery code";

/// A login whose signature is good.
pub(in super::super) struct Login<'a> {
    /// The passkey's ID.
    pub id: &'a str,
    pub challenge_hash: String,
    /// When the challenge is over.
    pub expires_at: i64,
    pub sign_count: i64,
    /// As it was read.
    pub backup_was: bool,
    pub backup_state: bool,
    pub user_verified: bool,
    pub on_regression: CounterRegression,
    pub on_backup_change: BackupChange,
    /// Seconds since 1970.
    pub now: i64,
}

/// Uses up the challenge and moves the passkey's counter, if it goes forward or there is none. Gives
/// whether the backup state has changed: once for a change. `Err` within: the login is refused, for
/// this reason.
pub(in super::super) async fn log_in(
    db: &Db,
    login: &Login<'_>,
) -> Result<Result<bool, Reason>, Error> {
    use ng_webauthn_credential as c;
    let result = transaction!(db, |conn| {
        consume(conn, &login.challenge_hash, login.expires_at)
            .await
            .map_err(replayed)?;
        // One statement compares and sets, so that of two logins with one counter the second is
        // refused, on whichever node.
        let forward = c::sign_count.lt(login.sign_count).or(c::sign_count
            .eq(0_i64)
            .and(c::sign_count.eq(login.sign_count)));
        let usable = c::table
            .find(login.id)
            .filter(c::state.ne(State::Disabled.as_str()))
            .filter(forward);
        let moved = diesel::update(usable)
            .set((
                c::sign_count.eq(login.sign_count),
                c::last_used_at.eq(micros(login.now)),
            ))
            .execute(conn)
            .await?;
        if moved > 0 {
            if login.user_verified {
                diesel::update(c::table.find(login.id))
                    .set(c::uv_initialized.eq(true))
                    .execute(conn)
                    .await?;
            }
            if login.backup_was == login.backup_state {
                return Ok(Ok(false));
            }
            let before = c::table
                .find(login.id)
                .filter(c::backup_state.ne(login.backup_state));
            let changed = diesel::update(before)
                .set(c::backup_state.eq(login.backup_state))
                .execute(conn)
                .await?;
            if changed == 0 {
                return Ok(Ok(false));
            }
            let becomes = match login.on_backup_change {
                BackupChange::Ignore | BackupChange::Record => return Ok(Ok(true)),
                BackupChange::Suspect => State::Suspect,
                BackupChange::Disable => State::Disabled,
            };
            diesel::update(c::table.find(login.id))
                .set(c::state.eq(becomes.as_str()))
                .execute(conn)
                .await?;
            return match becomes {
                State::Disabled => Ok(Err(Reason::BackupStateChanged {
                    to: login.backup_state,
                })),
                _ => Ok(Ok(true)),
            };
        }
        let row: Option<Row> = c::table
            .find(login.id)
            .select(Row::as_select())
            .first(conn)
            .await
            .optional()?;
        let Some(row) = row else {
            return Ok(Err(Reason::UnknownCredential));
        };
        if row.state() == State::Disabled {
            return Ok(Err(Reason::Inactive(State::Disabled)));
        }
        let becomes = match login.on_regression {
            CounterRegression::Refuse => State::Suspect,
            CounterRegression::Disable => State::Disabled,
        };
        diesel::update(c::table.find(login.id))
            .set(c::state.eq(becomes.as_str()))
            .execute(conn)
            .await?;
        Ok::<_, Error>(Err(Reason::CounterRegression {
            stored: row.sign_count,
            received: login.sign_count,
        }))
    });
    match result {
        Err(Error::Ceremony(reason)) => Ok(Err(reason)),
        other => other,
    }
}

/// What decoys are made after: so many passkeys from a place on. Two statements, always.
pub(in super::super) async fn models(
    db: &Db,
    place: &str,
    count: usize,
) -> Result<Vec<Model>, Error> {
    use ng_webauthn_credential as c;
    let limit = i64::try_from(count).unwrap_or(1);
    with_conn!(db, |conn| {
        let some = || {
            let columns = (c::credential_id, c::transports);
            c::table.select(columns).order(c::id).limit(limit)
        };
        let mut rows: Vec<(Vec<u8>, Option<String>)> =
            some().filter(c::id.ge(place)).load(conn).await?;
        let first: Vec<(Vec<u8>, Option<String>)> = some().load(conn).await?;
        rows.extend(first);
        rows.truncate(count);
        Ok::<_, Error>(
            rows.into_iter()
                .map(|(id, transports)| Model {
                    length: id.len(),
                    transports: read_transports(transports.as_deref()),
                })
                .collect(),
        )
    })
}

/// The passkey with which a token, or a receipt, of this ID was made, if it may be used.
pub(in super::super) async fn passkey_of(
    db: &Db,
    id: &str,
    now: i64,
) -> Result<Option<String>, Error> {
    use {ng_webauthn_credential as c, ng_webauthn_token as t};
    with_conn!(db, |conn| {
        let made = t::table
            .filter(t::audit_id.eq(id))
            .filter(t::expires_at.gt(now))
            .select(t::passkey_id);
        let usable = c::table
            .filter(c::id.eq_any(made))
            .filter(c::state.ne(State::Disabled.as_str()));
        let found: Option<String> = usable.select(c::id).first(conn).await.optional()?;
        Ok::<_, Error>(found)
    })
}

on_connection! {
    /// Writes a token, or a receipt; of one that is there, that it ends later, if so. Whoever calls it
    /// holds a row, so that of two who write one the second sees what the first wrote.
    pub(super) async fn put_token<'a>(
        conn, passkey: &'a str, audit_id: &'a str, expires_at: i64,
    ) -> () {
        use ng_webauthn_token as t;
        let row = || t::table.find((passkey, audit_id));
        let noted: i64 = row().count().get_result(conn).await?;
        if noted == 0 {
            diesel::insert_into(t::table)
                .values((
                    t::passkey_id.eq(passkey),
                    t::audit_id.eq(audit_id),
                    t::expires_at.eq(expires_at),
                ))
                .execute(conn)
                .await?;
        } else {
            diesel::update(row().filter(t::expires_at.lt(expires_at)))
                .set(t::expires_at.eq(expires_at))
                .execute(conn)
                .await?;
        }
        Ok(())
    }
}

/// Remembers a token, or a receipt, that was made with a passkey. `NotFound` if that has been deleted or disabled
/// meanwhile.
pub(in super::super) async fn note_token(
    db: &Db,
    passkey: &str,
    audit_id: &str,
    expires_at: i64,
) -> Result<(), Error> {
    use ng_webauthn_credential as c;
    transaction!(db, |conn| {
        // Locks it: who deletes it waits, and finds the token.
        let usable = c::table
            .find(passkey)
            .filter(c::state.ne(State::Disabled.as_str()));
        let there = diesel::update(usable)
            .set(c::revision.eq(c::revision))
            .execute(conn)
            .await?;
        if there == 0 {
            return Err(Error::NotFound(passkey.to_owned()));
        }
        put_token(conn, passkey, audit_id, expires_at).await?;
        Ok(())
    })
}

/// Whether a token of this ID is remembered.
pub(in super::super) async fn is_noted(db: &Db, audit_id: &str) -> Result<bool, Error> {
    use ng_webauthn_token as t;
    with_conn!(db, |conn| {
        let noted: i64 = t::table
            .filter(t::audit_id.eq(audit_id))
            .count()
            .get_result(conn)
            .await?;
        Ok::<_, Error>(noted > 0)
    })
}
