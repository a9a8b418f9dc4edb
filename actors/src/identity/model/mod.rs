//! Users, groups and passwords, and the rules for them.

mod deleted;
mod filter;
mod group;
mod login;
mod options;
mod password;
mod requirement;
mod user;
mod user_change;

pub use deleted::DeletedUser;
pub use filter::{ExpiryFilter, GroupFilter, TimeComparison, UserFilter};
pub use group::{ExpiringMembership, Group, GroupOfUser, GroupPatch, Memberships, NewGroup};
pub(super) use login::Failures;
pub use login::{Authenticated, Lockout, PasswordChange, Refusal, UserLookup};
pub use options::{UserOptions, UserOptionsPatch};
pub(super) use password::{NewPassword, PasswordRecord};
pub use requirement::{InvalidPattern, PasswordRequirement};
pub(super) use user::inactive_from;
pub use user::{FederatedIdentity, FederatedProtocol, User, UserName, UserView};
pub(super) use user_change::storable;
pub use user_change::{NewUser, UserPatch};
