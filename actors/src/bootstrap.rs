//! The rows that a cloud begins with: a domain, a project, an administrator, the roles, and the
//! identity service in the catalog.
//!
//! They are made before there is anybody to ask, in one transaction: all of it, or nothing. What
//! exists is kept, as `keystone-manage bootstrap` keeps it, so that this also lets an
//! administrator back in who was disabled or has lost the password.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use crate::actor::Unavailable;
use crate::attributes::IMMUTABLE_OPTION;
use crate::db::outbox::{Change, record_change};
use crate::db::schema::sql_types::AssignmentKind;
use crate::db::schema::{
    assignment, endpoint, implied_role, local_user, password, project, region, role, role_option,
    service, system_assignment, user,
};
use crate::db::{Db, DbTime, micros_since_epoch};
use crate::epoch::{Entity, Kind};
use crate::hashing::{HashError, HashPolicy};
use crate::ids::random_id;
use crate::revocation::Event;
use crate::{transaction, with_conn};

/// What is wanted; the names are those of `keystone-manage bootstrap`.
#[derive(Clone, Debug)]
pub struct Bootstrap {
    /// The administrator's name.
    pub username: String,
    /// The administrator's password.
    pub password: SecretString,
    /// The project that the administrator administers.
    pub project_name: String,
    /// The administrator's role.
    pub role_name: String,
    /// The identity service's name.
    pub service_name: String,
    /// The region of its endpoints; `None`: none is made.
    pub region_id: Option<String>,
    /// `public`, `internal` and `admin` with their URLs; those that are wanted.
    pub endpoints: Vec<(&'static str, String)>,
    /// Whether the roles are immutable.
    pub immutable_roles: bool,
    /// `[identity] default_domain_id`.
    pub domain_id: String,
    /// `password_expires_days`, where passwords expire.
    pub password_expires_days: Option<u32>,
}

/// What came of it: a line for each thing, and whether it was made or kept.
#[derive(Debug, Default)]
pub struct Report {
    /// In the order in which they were looked at.
    pub lines: Vec<(String, Done)>,
}

/// What happened to one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// It was not there.
    Created,
    /// It was there, and was changed.
    Updated,
    /// It was there.
    Kept,
}

/// Why there is no cloud.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The password can't be hashed.
    #[error("the password can't be used: {0}")]
    Password(#[from] HashError),
    /// Trying again may help.
    #[error("the database is unavailable: {0}")]
    Unavailable(#[from] Unavailable),
    /// The database refused.
    #[error("the database refuses: {0}")]
    Storage(#[source] diesel::result::Error),
}
crate::triage!(Error);

/// What `domain_id` holds for a domain.
const ROOT: &str = "<<keystone.domain.root>>";
/// What `domain_id` holds for a global role.
const NO_DOMAIN: &str = "<<null>>";

/// Makes what is missing. Hashing takes a moment, and blocks the thread.
///
/// # Errors
/// When it could not be done; nothing has changed then.
pub async fn bootstrap(db: &Db, wanted: &Bootstrap, hashing: &HashPolicy) -> Result<Report, Error> {
    // Before the transaction, which should be short. A known password is not hashed again.
    let secret = wanted.password.expose_secret().as_bytes();
    let stored = present_hash(db, wanted).await?;
    let known = stored.is_some_and(|hash| hashing.verify(secret, &hash).unwrap_or(false));
    let hash = if known {
        None
    } else {
        Some(hashing.hash(secret)?)
    };
    transaction!(db, |conn| {
        let mut report = Report::default();
        let now = micros_since_epoch();

        let domains = project::table
            .find(&wanted.domain_id)
            .count()
            .get_result::<i64>(conn)
            .await?;
        if domains == 0 {
            let row = (
                project::id.eq(&wanted.domain_id),
                project::name.eq("Default"),
                project::description.eq("The default domain"),
                project::enabled.eq(true),
                project::domain_id.eq(ROOT),
                project::is_domain.eq(true),
                project::extra.eq("{}"),
            );
            diesel::insert_into(project::table)
                .values(row)
                .execute(conn)
                .await?;
        }
        report.note(format!("domain {}", wanted.domain_id), domains == 0);

        let found: Option<String> = project::table
            .filter(project::name.eq(&wanted.project_name))
            .filter(project::domain_id.eq(&wanted.domain_id))
            .select(project::id)
            .first(conn)
            .await
            .optional()?;
        report.note(format!("project {}", wanted.project_name), found.is_none());
        let project_id = match found {
            Some(id) => id,
            None => {
                let id = random_id();
                let row = (
                    project::id.eq(&id),
                    project::name.eq(&wanted.project_name),
                    project::description.eq("Bootstrap project for initializing the cloud."),
                    project::enabled.eq(true),
                    project::domain_id.eq(&wanted.domain_id),
                    project::parent_id.eq(&wanted.domain_id),
                    project::is_domain.eq(false),
                    project::extra.eq("{}"),
                );
                diesel::insert_into(project::table)
                    .values(row)
                    .execute(conn)
                    .await?;
                id
            }
        };

        let found: Option<(String, i32)> = local_user::table
            .filter(local_user::name.eq(&wanted.username))
            .filter(local_user::domain_id.eq(&wanted.domain_id))
            .select((local_user::user_id, local_user::id))
            .first(conn)
            .await
            .optional()?;
        let mut revoked = Vec::new();
        let (user_id, local_id, is_new) = match found {
            Some((id, local_id)) => (id, local_id, false),
            None => {
                let id = random_id();
                let row = (
                    user::id.eq(&id),
                    user::enabled.eq(true),
                    user::domain_id.eq(&wanted.domain_id),
                    user::created_at.eq(DbTime::from_seconds(now / 1_000_000)),
                    user::extra.eq("{}"),
                );
                diesel::insert_into(user::table)
                    .values(row)
                    .execute(conn)
                    .await?;
                let row = (
                    local_user::user_id.eq(&id),
                    local_user::domain_id.eq(&wanted.domain_id),
                    local_user::name.eq(&wanted.username),
                );
                diesel::insert_into(local_user::table)
                    .values(row)
                    .execute(conn)
                    .await?;
                let local_id = local_user::table
                    .filter(local_user::user_id.eq(&id))
                    .select(local_user::id)
                    .first(conn)
                    .await?;
                (id, local_id, true)
            }
        };
        let enabled = diesel::update(user::table.find(&user_id).filter(user::enabled.eq(false)))
            .set(user::enabled.eq(true))
            .execute(conn)
            .await?;
        if let Some(hash) = &hash {
            if !is_new {
                let current = password::table
                    .filter(password::local_user_id.eq(local_id))
                    .filter(
                        password::expires_at_int
                            .is_null()
                            .or(password::expires_at_int.gt(now)),
                    );
                diesel::update(current)
                    .set((
                        password::expires_at.eq(DbTime::from_seconds(now / 1_000_000)),
                        password::expires_at_int.eq(now),
                    ))
                    .execute(conn)
                    .await?;
                revoked.push(Event::user(&user_id, now / 1_000_000));
            }
            let expires = wanted
                .password_expires_days
                .map(|days| (now / 1_000_000).saturating_add(i64::from(days) * 86_400));
            let row = (
                password::local_user_id.eq(local_id),
                password::password_hash.eq(hash),
                password::self_service.eq(false),
                password::created_at.eq(DbTime::from_seconds(now / 1_000_000)),
                password::created_at_int.eq(now),
                password::expires_at.eq(expires.map(DbTime::from_seconds)),
                password::expires_at_int
                    .eq(expires.map(|seconds| seconds.saturating_mul(1_000_000))),
            );
            diesel::insert_into(password::table)
                .values(row)
                .execute(conn)
                .await?;
        }
        let done = match (is_new, enabled > 0 || hash.is_some()) {
            (true, _) => Done::Created,
            (false, true) => Done::Updated,
            (false, false) => Done::Kept,
        };
        report
            .lines
            .push((format!("user {}", wanted.username), done));

        let admin = wanted.role_name.as_str();
        let mut roles = HashMap::new();
        for name in ["reader", "member", "manager", admin, "service"] {
            let found: Option<String> = role::table
                .filter(role::name.eq(name))
                .filter(role::domain_id.eq(NO_DOMAIN))
                .select(role::id)
                .first(conn)
                .await
                .optional()?;
            report.note(format!("role {name}"), found.is_none());
            let id = match found {
                Some(id) => id,
                None => {
                    let id = random_id();
                    let row = (
                        role::id.eq(&id),
                        role::name.eq(name),
                        role::domain_id.eq(NO_DOMAIN),
                        role::extra.eq("{}"),
                    );
                    diesel::insert_into(role::table)
                        .values(row)
                        .execute(conn)
                        .await?;
                    if wanted.immutable_roles {
                        let row = (
                            role_option::role_id.eq(&id),
                            role_option::option_id.eq(IMMUTABLE_OPTION),
                            role_option::option_value.eq("true"),
                        );
                        diesel::insert_into(role_option::table)
                            .values(row)
                            .execute(conn)
                            .await?;
                    }
                    id
                }
            };
            roles.insert(name, id);
        }
        for (prior, implied) in [
            ("member", "reader"),
            ("manager", "member"),
            (admin, "manager"),
        ] {
            let (Some(prior_id), Some(implied_id)) = (roles.get(prior), roles.get(implied)) else {
                continue;
            };
            let there = implied_role::table.find((prior_id, implied_id));
            let is_new = there.count().get_result::<i64>(conn).await? == 0;
            if is_new {
                let row = (
                    implied_role::prior_role_id.eq(prior_id),
                    implied_role::implied_role_id.eq(implied_id),
                );
                diesel::insert_into(implied_role::table)
                    .values(row)
                    .execute(conn)
                    .await?;
            }
            report.note(format!("role {prior} implies {implied}"), is_new);
        }
        let admin_id = roles.get(admin).cloned().unwrap_or_default();

        let there = assignment::table
            .filter(assignment::kind.eq(AssignmentKind::UserProject))
            .filter(assignment::actor_id.eq(&user_id))
            .filter(assignment::target_id.eq(&project_id))
            .filter(assignment::role_id.eq(&admin_id))
            .filter(assignment::inherited.eq(false));
        let is_new = there.count().get_result::<i64>(conn).await? == 0;
        if is_new {
            let row = (
                assignment::kind.eq(AssignmentKind::UserProject),
                assignment::actor_id.eq(&user_id),
                assignment::target_id.eq(&project_id),
                assignment::role_id.eq(&admin_id),
                assignment::inherited.eq(false),
            );
            diesel::insert_into(assignment::table)
                .values(row)
                .execute(conn)
                .await?;
        }
        report.note(
            format!(
                "role {admin} of {} on project {}",
                wanted.username, wanted.project_name
            ),
            is_new,
        );
        let there = system_assignment::table
            .filter(system_assignment::actor_id.eq(&user_id))
            .filter(system_assignment::role_id.eq(&admin_id));
        let is_new = there.count().get_result::<i64>(conn).await? == 0;
        if is_new {
            let row = (
                system_assignment::kind.eq("UserSystem"),
                system_assignment::actor_id.eq(&user_id),
                system_assignment::target_id.eq("system"),
                system_assignment::role_id.eq(&admin_id),
                system_assignment::inherited.eq(false),
            );
            diesel::insert_into(system_assignment::table)
                .values(row)
                .execute(conn)
                .await?;
        }
        report.note(
            format!("role {admin} of {} on the system", wanted.username),
            is_new,
        );

        if let Some(id) = &wanted.region_id {
            let is_new = region::table
                .find(id)
                .count()
                .get_result::<i64>(conn)
                .await?
                == 0;
            if is_new {
                let row = (
                    region::id.eq(id),
                    region::description.eq(""),
                    region::extra.eq("{}"),
                );
                diesel::insert_into(region::table)
                    .values(row)
                    .execute(conn)
                    .await?;
            }
            report.note(format!("region {id}"), is_new);
        }
        if !wanted.endpoints.is_empty() {
            let found: Option<String> = service::table
                .filter(service::kind.eq("identity"))
                .order(service::id)
                .select(service::id)
                .first(conn)
                .await
                .optional()?;
            report.note(format!("service {}", wanted.service_name), found.is_none());
            let service_id = match found {
                Some(id) => id,
                None => {
                    let id = random_id();
                    let row = (
                        service::id.eq(&id),
                        service::kind.eq("identity"),
                        service::enabled.eq(true),
                        service::extra.eq(json!({"name": wanted.service_name}).to_string()),
                    );
                    diesel::insert_into(service::table)
                        .values(row)
                        .execute(conn)
                        .await?;
                    id
                }
            };
            for (interface, url) in &wanted.endpoints {
                let mut there = endpoint::table
                    .filter(endpoint::service_id.eq(&service_id))
                    .filter(endpoint::interface.eq(*interface))
                    .select(endpoint::id)
                    .into_boxed();
                if let Some(region) = &wanted.region_id {
                    there = there.filter(endpoint::region_id.eq(region));
                }
                let found: Option<String> = there.first(conn).await.optional()?;
                let row = (
                    endpoint::interface.eq(*interface),
                    endpoint::service_id.eq(&service_id),
                    endpoint::url.eq(url),
                    endpoint::region_id.eq(&wanted.region_id),
                    endpoint::enabled.eq(true),
                    endpoint::extra.eq("{}"),
                );
                let done = match &found {
                    None => {
                        let id = random_id();
                        diesel::insert_into(endpoint::table)
                            .values((endpoint::id.eq(id), row))
                            .execute(conn)
                            .await?;
                        Done::Created
                    }
                    Some(id) => {
                        let other = endpoint::table.find(id).filter(endpoint::url.ne(url));
                        let changed = diesel::update(other)
                            .set(endpoint::url.eq(url))
                            .execute(conn)
                            .await?;
                        if changed > 0 {
                            Done::Updated
                        } else {
                            Done::Kept
                        }
                    }
                };
                report
                    .lines
                    .push((format!("{interface} endpoint {url}"), done));
            }
        }
        // Whatever runs on this database looks again.
        let change = Change::of([Entity::new(Kind::Anything, "")]).and_revoking(revoked);
        let _: Change = record_change(conn, "bootstrap", change).await?;
        Ok(report)
    })
}

/// The hash of the administrator's present password.
async fn present_hash(db: &Db, wanted: &Bootstrap) -> Result<Option<String>, Error> {
    with_conn!(db, |conn| {
        let hash: Option<Option<String>> = password::table
            .inner_join(local_user::table)
            .filter(local_user::name.eq(&wanted.username))
            .filter(local_user::domain_id.eq(&wanted.domain_id))
            .order(password::created_at_int.desc())
            .select(password::password_hash)
            .first(conn)
            .await
            .optional()?;
        Ok(hash.flatten())
    })
}

impl Report {
    fn note(&mut self, what: String, is_new: bool) {
        let done = if is_new { Done::Created } else { Done::Kept };
        self.lines.push((what, done));
    }

    /// Whether anything was made or changed.
    pub fn changed(&self) -> bool {
        self.lines.iter().any(|(_, done)| *done != Done::Kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hashing::Algorithm;
    use crate::testdb::each_database;
    use crate::testing::Bench;

    fn wanted(password: &str) -> Bootstrap {
        Bootstrap {
            username: "admin".to_owned(),
            password: password.into(),
            project_name: "admin".to_owned(),
            role_name: "admin".to_owned(),
            service_name: "keystone".to_owned(),
            region_id: Some("RegionOne".to_owned()),
            endpoints: vec![("public", "http://h/v3".to_owned())],
            immutable_roles: true,
            domain_id: "default".to_owned(),
            password_expires_days: None,
        }
    }

    fn hashing() -> HashPolicy {
        HashPolicy {
            algorithm: Algorithm::Bcrypt,
            rounds: Some(4),
            ..HashPolicy::default()
        }
    }

    each_database! {
        async fn a_second_bootstrap_changes_nothing_and_another_password_only_that(db: TestDb) {
            let pool = Bench::new(&db).await.pool("bootstrap");
            let first = bootstrap(&pool, &wanted("one"), &hashing()).await.unwrap();
            assert!(first.lines.iter().all(|(_, done)| *done == Done::Created));

            assert!(!bootstrap(&pool, &wanted("one"), &hashing()).await.unwrap().changed());

            let third = bootstrap(&pool, &wanted("two"), &hashing()).await.unwrap();
            let changed: Vec<_> = third.lines.iter().filter(|(_, done)| *done != Done::Kept).collect();
            assert_eq!(changed, [&("user admin".to_owned(), Done::Updated)]);
        }
    }
}
