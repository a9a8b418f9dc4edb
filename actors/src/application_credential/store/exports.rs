//! What the transactions of other providers do to these tables.
//!
//! Each gives the entities that are not what they were. Tokens made from what is deleted are not to
//! be revoked: they depend on it, and fall with it.
//!
//! What belongs to a deleted project stays, as in Keystone: nobody can log in with it. Roles and links
//! to rules go with what has them: ON DELETE CASCADE.

use diesel::dsl::{exists, sql};
use diesel::prelude::*;
use diesel::sql_types::Bool;
use diesel_async::RunQueryDsl;

use super::super::model::DeletedWithUsers;
use crate::db::schema::{access_rule, application_credential, assignment};
use crate::db::{BATCH, delete_where, on_connection};
use crate::epoch::Entity;

on_connection! {
    /// Deletes the application credentials and access rules of users, when the users are deleted.
    /// Gives what they were.
    pub(crate) async fn delete_of_users<'a>(conn, users: &'a [String]) -> DeletedWithUsers {
        let mut gone = DeletedWithUsers::default();
        for users in users.chunks(BATCH) {
            let credentials = || {
                let of = application_credential::user_id.eq_any(users);
                application_credential::table.filter(of)
            };
            let owned: Vec<(String, String)> = credentials()
                .select((application_credential::user_id, application_credential::id))
                .order(application_credential::id)
                .load(conn)
                .await?;
            gone.credentials.extend(owned);
            diesel::delete(credentials()).execute(conn).await?;
            let rules = || access_rule::table.filter(access_rule::user_id.eq_any(users));
            let owned: Vec<(Option<String>, Option<String>)> = rules()
                .select((access_rule::user_id, access_rule::external_id))
                .order(access_rule::external_id)
                .load(conn)
                .await?;
            gone.rules.extend(owned.into_iter().filter_map(|(user, id)| user.zip(id)));
            diesel::delete(rules()).execute(conn).await?;
        }
        Ok(gone)
    }

    /// Deletes, when a role is deleted, all application credentials of each user for each project
    /// where the user is assigned the role itself, whichever roles they have: Keystone's rule. To be
    /// called while the assignments are still there.
    pub(crate) async fn delete_of_role<'a>(conn, role: &'a str) -> Vec<Entity> {
        let theirs = || {
            // The column's type is an enum, and not the same on all three.
            let direct = sql::<Bool>("assignment.type = 'UserProject'");
            exists(
                assignment::table
                    .filter(direct)
                    .filter(assignment::role_id.eq(role))
                    .filter(assignment::actor_id.eq(application_credential::user_id))
                    .filter(
                        assignment::target_id
                            .nullable()
                            .eq(application_credential::project_id),
                    ),
            )
        };
        Ok(delete_where!(conn, application_credential => ApplicationCredential, theirs).collect())
    }
}
