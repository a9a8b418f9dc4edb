//! What the transactions of other providers do to these tables.

use diesel::dsl::{exists, not};
use diesel::prelude::*;
use diesel::sql_types::Bool;
use diesel_async::RunQueryDsl;

use crate::db::outbox::Change;
use crate::db::schema::{
    expiring_user_group_membership, federated_user, group, id_mapping, local_user, nonlocal_user,
    user, user_group_membership,
};
use crate::db::{BATCH, on_connection, sought};
use crate::epoch::{Entity, Kind};
use crate::revocation::Event;

/// The users and groups that went with their domain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DeletedActors {
    /// IDs of the users. What else they have is left to who deletes the domain.
    pub users: Vec<String>,
    /// IDs of the groups; likewise.
    pub groups: Vec<String>,
    /// IDs of those who were in these groups, users of other domains included.
    pub members: Vec<String>,
}

impl DeletedActors {
    /// What is to be recorded: they are gone, and all tokens of theirs and of their groups'
    /// members end. `now` in seconds since 1970.
    pub(crate) fn change(&self, now: i64) -> Change {
        let entities = |kind, ids: &[String]| {
            let entities = ids.iter().map(|id| Entity::new(kind, id.as_str()));
            entities.collect::<Vec<_>>()
        };
        let mut revoked: Vec<&String> = self.users.iter().chain(&self.members).collect();
        revoked.sort_unstable();
        revoked.dedup();
        let events = revoked.into_iter().map(|id| Event::user(id, now)).collect();
        Change::of(
            [
                entities(Kind::User, &self.users),
                entities(Kind::Assignments, &self.users),
                entities(Kind::Membership, &self.users),
                entities(Kind::Membership, &self.members),
                entities(Kind::Group, &self.groups),
                entities(Kind::Assignments, &self.groups),
            ]
            .concat(),
        )
        .and_revoking(events)
    }
}

/// What came of [`hold_user`].
#[must_use = "who is not there is not held, and may have been deleted just now"]
pub(crate) struct HeldUser(bool);

impl HeldUser {
    /// Whether there is such a user.
    pub(crate) fn is_there(&self) -> bool {
        self.0
    }
}

on_connection! {
    /// Deletes all users and groups of a domain, with memberships, passwords and federated
    /// identities.
    pub(crate) async fn delete_of_domain<'a>(conn, domain: &'a str) -> DeletedActors {
        // Selected anew each time: there may be more of them than a statement takes.
        let groups_of = || group::table.filter(group::domain_id.eq(domain)).select(group::id);
        let users_of = || user::table.filter(user::domain_id.eq(domain)).select(user::id);
        let users: Vec<String> = users_of().load(conn).await?;
        let groups: Vec<String> = groups_of().load(conn).await?;
        let mut members: Vec<String> = user_group_membership::table
            .filter(user_group_membership::group_id.eq_any(groups_of()))
            .select(user_group_membership::user_id)
            .load(conn)
            .await?;
        let passing: Vec<String> = expiring_user_group_membership::table
            .filter(expiring_user_group_membership::group_id.eq_any(groups_of()))
            .select(expiring_user_group_membership::user_id)
            .load(conn)
            .await?;
        members.extend(passing);
        members.sort_unstable();
        members.dedup();
        let permanent = user_group_membership::group_id
            .eq_any(groups_of())
            .or(user_group_membership::user_id.eq_any(users_of()));
        diesel::delete(user_group_membership::table.filter(permanent))
            .execute(conn)
            .await?;
        let expiring = expiring_user_group_membership::group_id
            .eq_any(groups_of())
            .or(expiring_user_group_membership::user_id.eq_any(users_of()));
        diesel::delete(expiring_user_group_membership::table.filter(expiring))
            .execute(conn)
            .await?;
        diesel::delete(user::table.filter(user::domain_id.eq(domain)))
            .execute(conn)
            .await?;
        diesel::delete(group::table.filter(group::domain_id.eq(domain)))
            .execute(conn)
            .await?;
        diesel::delete(id_mapping::table.filter(id_mapping::domain_id.eq(domain)))
            .execute(conn)
            .await?;
        Ok(DeletedActors { users, groups, members })
    }

    /// Makes projects nobody's default any more, when they are deleted. Gives the entities that are
    /// not what they were.
    pub(crate) async fn clear_default_projects<'a>(conn, projects: &'a [String]) -> Vec<Entity> {
        let mut users: Vec<String> = Vec::new();
        for projects in projects.chunks(BATCH) {
            let theirs = || user::table.filter(user::default_project_id.eq_any(projects));
            let found: Vec<String> = theirs().select(user::id).load(conn).await?;
            diesel::update(theirs())
                .set(user::default_project_id.eq(None::<String>))
                .execute(conn)
                .await?;
            users.extend(found);
        }
        Ok(users.into_iter().map(|id| Entity::new(Kind::User, id)).collect())
    }

    /// Holds a user's row for the rest of the transaction, if there is one. What a user has can be
    /// counted then, and the user isn't deleted meanwhile.
    pub(crate) async fn hold_user<'a>(conn, id: &'a str) -> HeldUser {
        // Changes nothing, but locks the row on all three (SQLite has no FOR UPDATE).
        let held = diesel::update(user::table.find(sought(id)))
            .set(user::id.eq(user::id))
            .execute(conn)
            .await?;
        Ok(HeldUser(held > 0))
    }

    /// Deletes the federated identities that came from these identity providers (by a protocol, if
    /// one is named), when those are deleted, and the users who have no other name; before the
    /// transaction reads anything. Gives these, and the IDs of all users who had such an identity.
    pub(crate) async fn delete_identities<'a>(
        conn,
        providers: &'a [String],
        protocol: Option<&'a str>,
    ) -> (DeletedActors, Vec<String>) {
        let theirs = || {
            let by_any = protocol.is_none().into_sql::<Bool>();
            let by_it = federated_user::protocol_id.eq(protocol.unwrap_or_default());
            federated_user::idp_id.eq_any(providers).and(by_it.or(by_any))
        };
        let who = || {
            federated_user::table
                .filter(theirs())
                .select(federated_user::user_id)
        };
        // Changes nothing, but locks them: nobody gives them another name meanwhile.
        diesel::update(user::table.filter(user::id.eq_any(who())))
            .set(user::domain_id.eq(user::domain_id))
            .execute(conn)
            .await?;
        let mut had: Vec<String> = who().load(conn).await?;
        had.sort_unstable();
        had.dedup();
        diesel::delete(federated_user::table.filter(theirs()))
            .execute(conn)
            .await?;
        let mut gone: Vec<String> = Vec::new();
        for ids in had.chunks(BATCH) {
            let local = local_user::table.filter(local_user::user_id.eq(user::id));
            let nonlocal = nonlocal_user::table.filter(nonlocal_user::user_id.eq(user::id));
            let federated = federated_user::table.filter(federated_user::user_id.eq(user::id));
            let nameless: Vec<String> = user::table
                .filter(user::id.eq_any(ids))
                .filter(not(exists(local)))
                .filter(not(exists(nonlocal)))
                .filter(not(exists(federated)))
                .select(user::id)
                .load(conn)
                .await?;
            let permanent = user_group_membership::user_id.eq_any(&nameless);
            diesel::delete(user_group_membership::table.filter(permanent))
                .execute(conn)
                .await?;
            let expiring = expiring_user_group_membership::user_id.eq_any(&nameless);
            diesel::delete(expiring_user_group_membership::table.filter(expiring))
                .execute(conn)
                .await?;
            diesel::delete(id_mapping::table.filter(id_mapping::public_id.eq_any(&nameless)))
                .execute(conn)
                .await?;
            diesel::delete(user::table.filter(user::id.eq_any(&nameless)))
                .execute(conn)
                .await?;
            gone.extend(nameless);
        }
        let actors = DeletedActors { users: gone, ..Default::default() };
        Ok((actors, had))
    }
}
