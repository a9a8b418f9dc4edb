//! The tables of passkeys, `ng_webauthn_…`.

mod devices;
mod exports;
mod given;
mod import;
mod invitations;
mod login;
mod passkeys;
mod prune;
mod recovery;
mod registration;
mod secret;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

pub(super) use devices::{NewDevice, answer_device, find_device, insert_device, poll_device};
pub(crate) use exports::delete_of_users;
pub(super) use import::{ForeignPasskey, foreign_passkeys, take_over};
pub(super) use invitations::{find_invitation, insert_invitation};
pub(super) use login::{Login, is_noted, log_in, models, note_token, passkey_of};
pub(super) use passkeys::{
    Patch, delete_passkey, delete_passkeys, find, find_of_user, has_usable, list, update_passkey,
};
pub(super) use prune::{Swept, prune, sweep};
pub(super) use recovery::{count_codes, replace_codes, use_code};
pub(super) use registration::{Registration, ensure_handle, register};
pub(super) use secret::secret;

use super::{Error, Passkey, Reason, State};
use crate::db::schema::{ng_webauthn_consumed, ng_webauthn_credential, user};
use crate::db::{DbTime, on_connection};

/// A row without what was attested.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = ng_webauthn_credential)]
pub(super) struct Row {
    pub id: String,
    pub credential_id: Vec<u8>,
    pub user_id: String,
    pub user_handle: Vec<u8>,
    pub rp_id: String,
    pub public_key: Vec<u8>,
    pub alg: i32,
    pub sign_count: i64,
    pub transports: Option<String>,
    pub aaguid: Option<String>,
    pub attestation_format: Option<String>,
    pub uv_initialized: bool,
    pub backup_eligible: bool,
    pub backup_state: bool,
    pub discoverable: Option<bool>,
    pub description: Option<String>,
    pub state: String,
    pub created_at: i64,
    pub last_used_at: Option<i64>,
    pub updated_at: Option<i64>,
    pub created_by: Option<String>,
    pub revision: i64,
}

impl Row {
    /// A state that this version does not know lets nobody in.
    pub(super) fn state(&self) -> State {
        State::from_name(&self.state).unwrap_or(State::Disabled)
    }

    pub(super) fn transports(&self) -> Vec<String> {
        read_transports(self.transports.as_deref())
    }

    /// Whether it is of the user whose account began at this time, and not of one who had the
    /// same ID before.
    fn is_since(&self, since: i64) -> bool {
        self.created_at >= earliest(since)
    }
}

impl From<Row> for Passkey {
    fn from(row: Row) -> Self {
        Self {
            state: row.state(),
            transports: row.transports(),
            id: row.id,
            credential_id: row.credential_id,
            user_id: row.user_id.into(),
            description: row.description,
            aaguid: row.aaguid.and_then(|text| text.parse().ok()),
            backup_eligible: row.backup_eligible,
            backup_state: row.backup_state,
            discoverable: row.discoverable,
            uv_initialized: row.uv_initialized,
            attestation_format: row.attestation_format,
            alg: row.alg.into(),
            sign_count: row.sign_count,
            created_at: row.created_at,
            created_by: row.created_by,
            last_used_at: row.last_used_at,
            updated_at: row.updated_at,
        }
    }
}

fn read_transports(column: Option<&str>) -> Vec<String> {
    let list = column.and_then(|text| serde_json::from_str(text).ok());
    list.unwrap_or_default()
}

/// When the first passkey can have been made of a user whose account began at this time, in
/// microseconds since 1970. The time of an account has no fraction, or a rounded one.
fn earliest(since: i64) -> i64 {
    const SECOND: i64 = 1_000_000;
    since.saturating_sub(SECOND)
}

/// Microseconds.
pub(super) fn micros(seconds: i64) -> i64 {
    seconds.saturating_mul(1_000_000)
}

on_connection! {
    /// Since when there is a user, in microseconds since 1970; 0 where that is not known.
    async fn user_since<'a>(conn, id: &'a str) -> Option<i64> {
        let found: Option<Option<DbTime>> = user::table
            .find(id)
            .select(user::created_at)
            .first(conn)
            .await
            .optional()?;
        Ok(found.map(|time| time.map_or(0, DbTime::micros)))
    }

    /// Writes that a challenge has been answered. A unique violation says that it was before.
    async fn consume<'a>(conn, challenge_hash: &'a str, expires_at: i64) -> () {
        use ng_webauthn_consumed as c;
        diesel::insert_into(c::table)
            .values((c::challenge_hash.eq(challenge_hash), c::expires_at.eq(expires_at)))
            .execute(conn)
            .await?;
        Ok(())
    }
}

/// The error of [`consume`].
fn replayed(error: diesel::result::Error) -> Error {
    crate::db::on_unique(error, || Error::Ceremony(Reason::ChallengeReplayed))
}
