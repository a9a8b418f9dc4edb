//! What the identity provider answers.

mod groups;
mod passwords;
mod users;

pub use groups::{FindGroup, GetGroup, GetMemberships, ListGroupsOfUser};
pub use passwords::AuthenticatePassword;
pub use users::{FindUser, GetUser};
