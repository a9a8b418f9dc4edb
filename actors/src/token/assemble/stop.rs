//! Why a token could not be put together: it is not good, or nobody can tell.

use super::super::Error;
use super::super::model::Refusal;
use crate::actor::Unavailable;
use crate::{
    application_credential, assignment, catalog, federation, identity, oauth1, resource,
    revocation, role, trust,
};

/// Why no token came of it.
pub(in super::super) enum Stop {
    /// It is not good.
    Refused(Refusal),
    /// It could not be found out.
    Failed(Error),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// What a provider could not tell is a failure, unless the caller picks its "not found" first.
macro_rules! failures_of {
    ($($provider:ident),*) => {$(
        impl From<$provider::Error> for Stop {
            fn from(error: $provider::Error) -> Self {
                Self::Failed(match error {
                    $provider::Error::Unavailable(why) => Error::Unavailable(why),
                    error => Error::Internal {
                        what: concat!("asking the ", stringify!($provider), " provider"),
                        source: Box::new(error),
                    },
                })
            }
        }
    )*};
}
failures_of!(
    application_credential,
    assignment,
    catalog,
    federation,
    identity,
    oauth1,
    resource,
    revocation,
    role,
    trust
);

impl From<Unavailable> for Stop {
    fn from(why: Unavailable) -> Self {
        Self::Failed(Error::Unavailable(why))
    }
}

/// The answer of a provider; its "not found" is a refusal with the provider's text.
macro_rules! found {
    ($answer:expr, $not_found:pat) => {
        match $answer {
            Ok(found) => found,
            Err(error @ $not_found) => return Err(Refusal::Gone(error.to_string()).into()),
            Err(error) => return Err(error.into()),
        }
    };
}
pub(super) use found;
