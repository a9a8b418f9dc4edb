//! Users, groups and passwords, and the rules for them.

mod group;
mod login;
mod options;
mod user;

pub use group::{ExpiringMembership, Group, GroupOfUser, GroupPatch, Memberships, NewGroup};
pub(super) use login::Failures;
pub use login::{Authenticated, Lockout, PasswordChange, Refusal, UserLookup};
pub use options::{UserOptions, UserOptionsPatch};
pub use user::{FederatedIdentity, FederatedProtocol, NewUser, User, UserPatch, UserView};
pub(super) use user::{inactive_from, storable};
