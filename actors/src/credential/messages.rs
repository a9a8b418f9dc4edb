//! What the credential provider answers.

use std::sync::Arc;

use actix::Message;
use secrecy::SecretString;

use super::{
    Credential, CredentialFilter, Error, NewCredential, Opener, SealedCredential, TotpVerdict,
};
use crate::actor::Idempotent;
use crate::ids::{CredentialId, UserId};

/// One credential without its secret: enough to know who may do what with it, and there even
/// where its key is lost. `NotFound` if none has this ID.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Arc<SealedCredential>, Error>")]
pub struct DescribeCredential {
    /// Its ID; of EC2 by access key, see [`ec2_id`](super::ec2_id).
    pub id: CredentialId,
}
impl Idempotent for DescribeCredential {}

/// One credential with its secret. `NotFound` if none has this ID; `Keys` or `Unopened` if it
/// can't be read.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Credential, Error>")]
pub struct GetCredential {
    /// As in [`DescribeCredential`].
    pub id: CredentialId,
}
impl Idempotent for GetCredential {}

/// Credentials without their secrets, in the order of their IDs.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Vec<Arc<SealedCredential>>, Error>")]
pub struct ListCredentials {
    /// Which.
    pub filter: CredentialFilter,
}
impl Idempotent for ListCredentials {}

/// What opens the credentials of a list, one by one as they are shown. `Keys` if it can't be read.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "Result<Opener, Error>")]
pub struct GetOpener;
impl Idempotent for GetOpener {}

/// Creates a credential. `Blob` for one of EC2 that is none, `Duplicate` if there is one of this
/// access key, `LimitExceeded` if the owner has as many as may be.
///
/// Who may is for the API: policy, with no delegated token.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Credential, Error>")]
pub struct CreateCredential {
    /// The one to be.
    pub credential: NewCredential,
    /// Seconds since 1970.
    pub now: i64,
}

/// Changes the secret of a credential; nothing else of it ever changes (A11). `NotFound`; `Blob`
/// where one of EC2 would become none, or tell otherwise what it was made from.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Credential, Error>")]
pub struct UpdateCredential {
    /// Which.
    pub id: CredentialId,
    /// The new secret.
    pub blob: SecretString,
    /// Seconds since 1970.
    pub now: i64,
}

/// Deletes a credential, its key lost or not. `NotFound` if none has this ID.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<(), Error>")]
pub struct DeleteCredential {
    /// Which.
    pub id: CredentialId,
}

/// Whether a passcode is one of this user's, at this moment and for the first time.
///
/// An accepted passcode is used up on all nodes, and with it all those before it: of two that
/// show the same, one is refused (RFC 6238 section 5.2).
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<TotpVerdict, Error>")]
pub struct VerifyPasscode {
    /// Whose.
    pub user: UserId,
    /// The passcode.
    pub passcode: SecretString,
    /// Seconds since 1970.
    pub now: i64,
}
