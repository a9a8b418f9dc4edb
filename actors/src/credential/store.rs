//! The table `credential`.

mod exports;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
pub(crate) use exports::{delete_of_project, delete_of_users, delete_where};

use super::Error;
use crate::db::Db;
use crate::db::schema::credential;
use crate::with_conn;

pub(super) async fn count_under_other_keys(db: &Db, primary_hash: &str) -> Result<i64, Error> {
    with_conn!(db, |conn| {
        let others = credential::table.filter(credential::key_hash.ne(primary_hash));
        let count: i64 = others.count().get_result(conn).await?;
        Ok(count)
    })
}
