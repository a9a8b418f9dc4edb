//! The tables `registered_limit` and `limit`.

mod exports;
mod limits;
mod registered;

pub(crate) use exports::delete_limits_of_projects;
pub(super) use limits::{delete, find, insert, list, list_of, list_owned, update};
pub(super) use registered::{
    delete_registered, insert_registered, load_registered, update_registered,
};
