//! What the transactions of other providers do to these tables.

use crate::db::outbox::Change;
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

/// Deletes all users and groups of a domain (its ID as `&str`), with memberships, passwords and
/// federated identities: `delete_of_domain!(conn, id)`, inside a transaction whose error is made
/// of a diesel error. Evaluates to [`DeletedActors`].
macro_rules! delete_of_domain {
    ($conn:expr, $domain:expr) => {{
        use $crate::db::schema::{
            expiring_user_group_membership, group, id_mapping, user, user_group_membership,
        };
        let domain: &str = $domain;
        let users: Vec<String> = user::table
            .filter(user::domain_id.eq(domain))
            .select(user::id)
            .load($conn)
            .await?;
        let groups: Vec<String> = group::table
            .filter(group::domain_id.eq(domain))
            .select(group::id)
            .load($conn)
            .await?;
        // Selected anew each time: there may be more of them than a statement takes.
        let of_domain = || {
            group::table
                .filter(group::domain_id.eq(domain))
                .select(group::id)
        };
        let users_of_domain = || {
            user::table
                .filter(user::domain_id.eq(domain))
                .select(user::id)
        };
        let mut members: Vec<String> = user_group_membership::table
            .filter(user_group_membership::group_id.eq_any(of_domain()))
            .select(user_group_membership::user_id)
            .load($conn)
            .await?;
        let passing: Vec<String> = expiring_user_group_membership::table
            .filter(expiring_user_group_membership::group_id.eq_any(of_domain()))
            .select(expiring_user_group_membership::user_id)
            .load($conn)
            .await?;
        members.extend(passing);
        members.sort_unstable();
        members.dedup();
        let permanent = user_group_membership::group_id
            .eq_any(of_domain())
            .or(user_group_membership::user_id.eq_any(users_of_domain()));
        diesel::delete(user_group_membership::table.filter(permanent))
            .execute($conn)
            .await?;
        let expiring = expiring_user_group_membership::group_id
            .eq_any(of_domain())
            .or(expiring_user_group_membership::user_id.eq_any(users_of_domain()));
        diesel::delete(expiring_user_group_membership::table.filter(expiring))
            .execute($conn)
            .await?;
        diesel::delete(user::table.filter(user::domain_id.eq(domain)))
            .execute($conn)
            .await?;
        diesel::delete(group::table.filter(group::domain_id.eq(domain)))
            .execute($conn)
            .await?;
        diesel::delete(id_mapping::table.filter(id_mapping::domain_id.eq(domain)))
            .execute($conn)
            .await?;
        $crate::identity::DeletedActors {
            users,
            groups,
            members,
        }
    }};
}
pub(crate) use delete_of_domain;

/// Makes projects (their IDs, a slice of text) nobody's default any more, when they are deleted:
/// `clear_default_projects!(conn, ids)`, inside a transaction whose error is made of a diesel
/// error. Evaluates to the entities that are not what they were, a `Vec<Entity>`.
macro_rules! clear_default_projects {
    ($conn:expr, $projects:expr) => {{
        use $crate::db::schema::user;
        let mut users: Vec<String> = Vec::new();
        for projects in $projects.chunks($crate::db::BATCH) {
            let projects: Vec<&str> = projects.iter().map(AsRef::as_ref).collect();
            let theirs: Vec<String> = user::table
                .filter(user::default_project_id.eq_any(projects.clone()))
                .select(user::id)
                .load($conn)
                .await?;
            diesel::update(user::table.filter(user::default_project_id.eq_any(projects)))
                .set(user::default_project_id.eq(None::<String>))
                .execute($conn)
                .await?;
            users.extend(theirs);
        }
        users
            .into_iter()
            .map(|id| $crate::epoch::Entity::new($crate::epoch::Kind::User, id))
            .collect::<Vec<_>>()
    }};
}
pub(crate) use clear_default_projects;

/// Holds a user's row (its ID as `&str`), if there is one, for the rest of the transaction:
/// `hold_user!(conn, id)`, inside a transaction whose error is made of a diesel error. What a user
/// has can be counted then, and the user isn't deleted meanwhile.
macro_rules! hold_user {
    ($conn:expr, $user:expr) => {{
        use $crate::db::schema::user;
        let id: &str = $user;
        // Changes nothing, but locks the row on all three (SQLite has no FOR UPDATE).
        diesel::update(user::table.find(id))
            .set(user::id.eq(user::id))
            .execute($conn)
            .await?;
    }};
}
pub(crate) use hold_user;

/// Deletes the federated identities of a condition, a closure that makes it, when their provider or
/// protocol is deleted, and the users who have no other name: `delete_identities!(conn, || …)`,
/// inside a transaction whose error is made of a diesel error, and before that reads anything.
/// Evaluates to [`DeletedActors`] and the IDs of all users who had such an identity.
macro_rules! delete_identities {
    ($conn:expr, $theirs:expr) => {{
        use $crate::db::schema::{
            expiring_user_group_membership, federated_user, id_mapping, local_user, nonlocal_user,
            user, user_group_membership,
        };
        let theirs = $theirs;
        let who = || {
            federated_user::table
                .filter(theirs())
                .select(federated_user::user_id)
        };
        // Changes nothing, but locks them: nobody gives them another name meanwhile.
        diesel::update(user::table.filter(user::id.eq_any(who())))
            .set(user::domain_id.eq(user::domain_id))
            .execute($conn)
            .await?;
        let mut had: Vec<String> = who().load($conn).await?;
        had.sort_unstable();
        had.dedup();
        diesel::delete(federated_user::table.filter(theirs()))
            .execute($conn)
            .await?;
        let mut gone: Vec<String> = Vec::new();
        for ids in had.chunks($crate::db::BATCH) {
            let local = local_user::table.filter(local_user::user_id.eq(user::id));
            let nonlocal = nonlocal_user::table.filter(nonlocal_user::user_id.eq(user::id));
            let federated = federated_user::table.filter(federated_user::user_id.eq(user::id));
            let nameless: Vec<String> = user::table
                .filter(user::id.eq_any(ids))
                .filter(diesel::dsl::not(diesel::dsl::exists(local)))
                .filter(diesel::dsl::not(diesel::dsl::exists(nonlocal)))
                .filter(diesel::dsl::not(diesel::dsl::exists(federated)))
                .select(user::id)
                .load($conn)
                .await?;
            let permanent = user_group_membership::user_id.eq_any(&nameless);
            diesel::delete(user_group_membership::table.filter(permanent))
                .execute($conn)
                .await?;
            let expiring = expiring_user_group_membership::user_id.eq_any(&nameless);
            diesel::delete(expiring_user_group_membership::table.filter(expiring))
                .execute($conn)
                .await?;
            diesel::delete(id_mapping::table.filter(id_mapping::public_id.eq_any(&nameless)))
                .execute($conn)
                .await?;
            diesel::delete(user::table.filter(user::id.eq_any(&nameless)))
                .execute($conn)
                .await?;
            gone.extend(nameless);
        }
        let actors = $crate::identity::DeletedActors {
            users: gone,
            ..Default::default()
        };
        (actors, had)
    }};
}
pub(crate) use delete_identities;
