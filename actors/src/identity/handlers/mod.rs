//! The rules of each message.

mod groups;
mod memberships;
mod passwords;
mod users;
