//! All that the tables have of users.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{FederatedRow, LocalRow, OptionRow, PasswordRow, UserRow, UserRows};
use crate::db::on_connection;
use crate::db::schema::{federated_user, local_user, nonlocal_user, password, user, user_option};

on_connection! {
    /// All rows of the users of these IDs: four statements, however many they are.
    pub(super) async fn load_rows<'a>(conn, ids: &'a [String]) -> UserRows {
        let users = user::table
            .left_join(local_user::table.on(local_user::user_id.eq(user::id)))
            .left_join(nonlocal_user::table.on(nonlocal_user::user_id.eq(user::id)))
            .filter(user::id.eq_any(ids))
            .order(user::id)
            .select((
                UserRow::as_select(),
                Option::<LocalRow>::as_select(),
                nonlocal_user::name.nullable(),
            ))
            .load(conn)
            .await?;
        let options = user_option::table
            .filter(user_option::user_id.eq_any(ids))
            .select(OptionRow::as_select())
            .load(conn)
            .await?;
        let passwords = password::table
            .inner_join(local_user::table)
            .filter(local_user::user_id.eq_any(ids))
            .select(PasswordRow::as_select())
            .load(conn)
            .await?;
        let federated = federated_user::table
            .filter(federated_user::user_id.eq_any(ids))
            .order(federated_user::id)
            .select(FederatedRow::as_select())
            .load(conn)
            .await?;
        Ok(UserRows { users, options, passwords, federated })
    }
}
