//! The rules of each message.

mod groups;
mod passwords;
mod users;
