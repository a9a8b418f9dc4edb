//! The tables `registered_limit` and `limit`.

mod exports;
mod limits;
mod registered;

#[cfg_attr(
    not(test),
    expect(unused_imports, reason = "for the deletion of projects")
)]
pub(crate) use exports::delete_limits_of_project;
pub(super) use limits::{delete, find, insert, list, list_of, list_owned, update};
pub(super) use registered::{
    delete_registered, insert_registered, load_registered, update_registered,
};
