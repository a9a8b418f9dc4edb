//! What the provider of passkeys answers. `now` is in seconds since 1970 everywhere.

use std::sync::Arc;

use actix::Message;
use secrecy::SecretString;

use super::{
    Asserted, Attested, CreationOptions, Device, DeviceInfo, DevicePoll, Error, Invitation,
    Passkey, RequestOptions, State, Verdict,
};
use crate::actor::Idempotent;
use crate::ids::UserId;

/// Begins to register a passkey. Writes nothing but, the first time, the user's handle. `TooMany`
/// if the user has as many passkeys as may be.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<CreationOptions, Error>")]
pub struct StartRegistration {
    /// For whom.
    pub user: UserId,
    /// What authenticators show.
    pub user_name: String,
    /// Now.
    pub now: i64,
}
impl Idempotent for StartRegistration {}

/// Registers a passkey. `Ceremony` if the answer is not good; `AlreadyRegistered`, `TooMany`;
/// `Invitation` if one is given that is not this user's, or is over.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Arc<Passkey>, Error>")]
pub struct FinishRegistration {
    /// For whom.
    pub user: UserId,
    /// Who registers it.
    pub created_by: Option<String>,
    /// What the browser answered.
    pub credential: Attested,
    /// What the passkey is called, up to [`DESCRIPTION`](super::limits::DESCRIPTION) characters.
    pub description: Option<String>,
    /// Used up by a registration that succeeds.
    pub invitation: Option<SecretString>,
    /// Now.
    pub now: i64,
}

/// Begins a login. Writes nothing. Whoever is named, known or not, with passkeys or without, the
/// answer looks alike and costs the same.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<RequestOptions, Error>")]
pub struct StartLogin {
    /// Who was named, if known.
    pub user: Option<UserId>,
    /// What the client named. `None` with `user`: nobody, and the authenticator chooses.
    pub named: Option<String>,
    /// SHA-256 of what the login was asked for; the same has to be given at the end.
    pub bound: Option<[u8; 32]>,
    /// Now.
    pub now: i64,
}
impl Idempotent for StartLogin {}

/// Ends a login: an accepted one on one node alone, and once.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Verdict, Error>")]
pub struct FinishLogin {
    /// As in [`StartLogin`].
    pub user: Option<UserId>,
    /// As in [`StartLogin`].
    pub named: Option<String>,
    /// As in [`StartLogin`].
    pub bound: Option<[u8; 32]>,
    /// Whether a login that was begun for nothing is good as well.
    pub or_unbound: bool,
    /// What the browser answered.
    pub credential: Asserted,
    /// Now.
    pub now: i64,
}

/// Remembers a token that was made with a passkey, so that it can go with the passkey. `NotFound` if
/// that has been deleted meanwhile.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<(), Error>")]
pub struct NoteToken {
    /// [`Passkey::id`].
    pub passkey: String,
    /// The audit ID of the token, which is that of the chain of those made from it.
    pub audit_id: String,
    /// Seconds since 1970.
    pub expires_at: i64,
}
impl Idempotent for NoteToken {}

/// Whether a token is one of those remembered by [`NoteToken`] and [`UseRecoveryCode`], or was made from
/// one. Others make tokens that name the same method, too.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<bool, Error>")]
pub struct IsByPasskey {
    /// As in [`NoteToken`].
    pub audit_id: String,
}
impl Idempotent for IsByPasskey {}

/// Remembers a receipt that was made with a passkey, so that the token in which the login ends can go
/// with the passkey. `NotFound` if that has been deleted meanwhile.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<(), Error>")]
pub struct NoteReceipt {
    /// [`Passkey::id`].
    pub passkey: String,
    /// The receipt's text. Only its hash is kept.
    pub receipt: SecretString,
    /// Seconds since 1970.
    pub expires_at: i64,
}
impl Idempotent for NoteReceipt {}

/// The passkey with which a receipt was made; `None` if it was made with none, or with one that is
/// disabled or deleted by now.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Option<String>, Error>")]
pub struct PasskeyOfReceipt {
    /// The receipt's text.
    pub receipt: SecretString,
    /// Now.
    pub now: i64,
}
impl Idempotent for PasskeyOfReceipt {}

/// Whether a user has a passkey to log in with.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<bool, Error>")]
pub struct HasPasskey {
    /// Who.
    pub user: UserId,
}
impl Idempotent for HasPasskey {}

/// The passkeys of a user, oldest first; none for a user who is gone.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Arc<[Arc<Passkey>]>, Error>")]
pub struct ListPasskeys {
    /// Whose.
    pub user: UserId,
}
impl Idempotent for ListPasskeys {}

/// One passkey of a user. `NotFound` if the user has none of this ID.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Arc<Passkey>, Error>")]
pub struct GetPasskey {
    /// Whose.
    pub user: UserId,
    /// [`Passkey::id`], or the base64url of its credential ID, with padding or without.
    pub id: String,
}
impl Idempotent for GetPasskey {}

/// Changes a passkey. `NotFound` if the user has none of this ID.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Arc<Passkey>, Error>")]
pub struct UpdatePasskey {
    /// Whose.
    pub user: UserId,
    /// As in [`GetPasskey`].
    pub id: String,
    /// `None` keeps it, `Some(None)` clears it.
    pub description: Option<Option<String>>,
    /// `None` keeps it.
    pub state: Option<State>,
    /// Now.
    pub now: i64,
}
impl Idempotent for UpdatePasskey {}

/// Deletes a passkey. `NotFound` if the user has none of this ID.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<(), Error>")]
pub struct DeletePasskey {
    /// Whose.
    pub user: UserId,
    /// As in [`GetPasskey`].
    pub id: String,
    /// Whether the tokens that were made with it go too.
    pub revoke_tokens: bool,
    /// Now.
    pub now: i64,
}

/// Deletes all passkeys of a user, recovery codes and invitations, and revokes the tokens that
/// were made with the passkeys. Answers how many passkeys there were.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<usize, Error>")]
pub struct DeletePasskeys {
    /// Whose.
    pub user: UserId,
    /// Now.
    pub now: i64,
}
impl Idempotent for DeletePasskeys {}

/// Makes an invitation to register a passkey.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Invitation, Error>")]
pub struct CreateInvitation {
    /// For whom.
    pub user: UserId,
    /// By whom.
    pub created_by: String,
    /// Now.
    pub now: i64,
}

/// Whom an invitation is for; `None` if it is unknown, used or over. It stays good.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Option<UserId>, Error>")]
pub struct LookInvitation {
    /// See [`Invitation::secret`].
    pub secret: SecretString,
    /// Now.
    pub now: i64,
}
impl Idempotent for LookInvitation {}

/// Makes ten recovery codes, each good for one login; those made before are good no longer.
/// They are told this once.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Vec<SecretString>, Error>")]
pub struct NewRecoveryCodes {
    /// Whose.
    pub user: UserId,
    /// Now.
    pub now: i64,
}

/// Uses up a recovery code, and remembers the token that is given for it, as one that was made with a
/// passkey; `false`, and nothing is remembered, if it is none of the user's, was used, or the user
/// failed too often of late.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<bool, Error>")]
pub struct UseRecoveryCode {
    /// Whose.
    pub user: UserId,
    /// The code, as typed.
    pub code: SecretString,
    /// As in [`NoteToken`].
    pub audit_id: String,
    /// As in [`NoteToken`].
    pub expires_at: i64,
    /// Now.
    pub now: i64,
}

/// How many recovery codes a user has left.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<usize, Error>")]
pub struct CountRecoveryCodes {
    /// Whose.
    pub user: UserId,
}
impl Idempotent for CountRecoveryCodes {}

/// Begins a login that goes on in a browser (RFC 8628). Nothing but hashes of the codes is kept.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Device, Error>")]
pub struct StartDevice {
    /// What the page calls who asks; cut at [`CLIENT`](super::limits::CLIENT) characters.
    pub client: String,
    /// Now.
    pub now: i64,
}

/// What a page tells of a login that waits; `None` if there is none of this code that waits. Without
/// `Debug`, for the code.
#[derive(Clone, Message)]
#[rtype(result = "Result<Option<DeviceInfo>, Error>")]
pub struct LookDevice {
    /// As typed.
    pub user_code: String,
    /// Now.
    pub now: i64,
}
impl Idempotent for LookDevice {}

/// Answers a login that waits; `false` if it is unknown, over, or was answered before. Without `Debug`,
/// for the code.
#[derive(Clone, Message)]
#[rtype(result = "Result<bool, Error>")]
pub struct AnswerDevice {
    /// As typed.
    pub user_code: String,
    /// Who answers.
    pub user: UserId,
    /// The passkey that the user showed, if one.
    pub passkey: Option<String>,
    /// Whether who asked becomes the user.
    pub allow: bool,
    /// Now.
    pub now: i64,
}

/// How a login that goes on in a browser stands. A grant is told once.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<DevicePoll, Error>")]
pub struct PollDevice {
    /// See [`Device::device_code`].
    pub device_code: SecretString,
    /// Now.
    pub now: i64,
}
