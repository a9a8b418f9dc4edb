//! The tables `consumer`, `request_token` and `access_token`.

mod access_tokens;
mod consumers;
mod exports;
mod request_tokens;

use chrono::DateTime;

pub(super) use access_tokens::{delete_access_token, find_access_token, list_access_tokens};
pub(super) use consumers::{
    delete_consumer, find_consumer, find_secrets, insert_consumer, list_consumers, update_consumer,
};
pub(crate) use exports::{delete_of_projects, delete_of_users};
pub(super) use request_tokens::{authorize, exchange, find_request_token, insert_request_token};

use crate::db::DbTime;

/// A time of its column, which has what [`DbTime::iso`] writes. One that can't be read has passed.
fn time(text: &str) -> DbTime {
    match DateTime::parse_from_rfc3339(text) {
        Ok(time) => DbTime(time.naive_utc()),
        Err(_) => DbTime::from_seconds(0),
    }
}
