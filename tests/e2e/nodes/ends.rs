//! What ends at one node ends at the other, at once: where PostgreSQL announces, when the
//! announcement has arrived; elsewhere at the next look.

use serde_json::{Value, json};

use super::{PATIENCE, trusting, validity, world};
use crate::support::load::{Ask, Load, MIX};
use crate::support::login::PASSWORD;
use crate::support::{Api, Session, seed, until};
use crate::testdb::{Backend, TestDb, each_server, run};

/// What is tried, at whose token's cost.
const WAYS: [(&str, Way); 9] = [
    ("revoked", Way::Revoked),
    ("disabled", Way::Disabled),
    ("deleted", Way::Deleted),
    ("password", Way::PasswordChanged),
    ("unassigned", Way::RoleRemoved),
    ("project-disabled", Way::ProjectDisabled),
    ("project-deleted", Way::ProjectDeleted),
    ("domain-disabled", Way::DomainDisabled),
    ("domain-deleted", Way::DomainDeleted),
];

#[derive(Clone, Copy, Debug)]
enum Way {
    Revoked,
    Disabled,
    Deleted,
    PasswordChanged,
    RoleRemoved,
    ProjectDisabled,
    ProjectDeleted,
    DomainDisabled,
    DomainDeleted,
}

impl Way {
    /// The user's domain: one that ends is the user's alone.
    fn domain(self, user: &str) -> String {
        match self {
            Self::DomainDisabled | Self::DomainDeleted => format!("{user}-home"),
            _ => "default".to_owned(),
        }
    }

    /// The project that the user's token is for: one that ends is the user's alone.
    fn project(self, user: &str) -> String {
        match self {
            Self::ProjectDisabled | Self::ProjectDeleted => format!("{user}-work"),
            _ => "demo".to_owned(),
        }
    }

    /// The user, with what it stands on.
    fn seed(self, user: &str) -> Vec<String> {
        let (domain, project) = (self.domain(user), self.project(user));
        let mut statements = Vec::new();
        if domain != "default" {
            statements.extend(seed::domain(&domain, true));
        }
        if project != "demo" {
            statements.extend(seed::project(&project, "default", true));
        }
        statements.extend(seed::user(user, &domain, true));
        statements.extend(seed::grant("UserProject", user, &project, "member"));
        statements
    }

    async fn login(self, api: &Api, user: &str) -> Session {
        let scope = json!({"project": {"id": self.project(user)}});
        let user = json!({"id": user, "password": PASSWORD});
        let identity = json!({"methods": ["password"], "password": {"user": user}});
        api.session(&json!({"auth": {"identity": identity, "scope": scope}}))
            .await
    }

    /// Ends the session's token, at the node of the admin's session.
    async fn end(self, admin: &Session, session: &Session) {
        let id = session.text("/user/id");
        let user = format!("/v3/users/{id}");
        let project = format!("/v3/projects/{}", session.text("/project/id"));
        let domain = format!("/v3/domains/{}", session.text("/user/domain/id"));
        let change = async |path: &str, kind: &str, change: Value| {
            let body = json!({ kind: change });
            drop(admin.patch(path, &body).await.expect(200));
        };
        let patch = async |to| change(&user, "user", to).await;
        let disabled = || json!({"enabled": false});
        match self {
            Self::Revoked => drop(admin.revoke(session.token()).await.expect(204)),
            Self::Disabled => patch(disabled()).await,
            Self::Deleted => drop(admin.delete(&user).await.expect(204)),
            Self::PasswordChanged => patch(json!({"password": "another"})).await,
            Self::RoleRemoved => {
                let roles = session.issued()["roles"].as_array().unwrap();
                let role = roles.iter().find(|role| role["name"] == "member").unwrap();
                let role = role["id"].as_str().unwrap();
                let grant = format!("/v3/projects/demo/users/{id}/roles/{role}");
                admin.delete(&grant).await.expect(204);
            }
            Self::ProjectDisabled => change(&project, "project", disabled()).await,
            Self::ProjectDeleted => drop(admin.delete(&project).await.expect(204)),
            Self::DomainDisabled => change(&domain, "domain", disabled()).await,
            Self::DomainDeleted => {
                // One that is in use can't be deleted.
                change(&domain, "domain", disabled()).await;
                admin.delete(&domain).await.expect(204);
            }
        }
    }
}

each_server! {
    async fn b4_tokens_end_everywhere_when_what_they_stand_on_ends(db: TestDb) {
        const ROUNDS: usize = 3;
        let users = (0..ROUNDS)
            .flat_map(|round| WAYS.map(|(name, way)| way.seed(&format!("{name}{round}"))))
            .flatten()
            .collect();
        let first = world(&db, &[]).seed(users).start().await;
        let second = first.start_node(trusting()).await;
        let admin = first.api().admin().await;
        let here = Load::start(&admin, "alice", &MIX, PATIENCE);
        let there = Load::start(&admin.at(second.api()), "alice", &MIX, PATIENCE);
        here.next(2).await;
        there.next(2).await;

        let mut bounds = Vec::new();
        for (name, way) in WAYS {
            for round in 0..ROUNDS {
                let session = way.login(first.api(), &format!("{name}{round}")).await;
                assert_eq!(validity(second.api(), admin.token(), session.token()).await, 200);

                way.end(&admin, &session).await;

                let own = validity(first.api(), admin.token(), session.token()).await;
                assert_eq!(own, 404, "{way:?}, at the same node");
                let bound = until("the token is refused", async || {
                    validity(second.api(), admin.token(), session.token()).await == 404
                })
                .await;
                bounds.push((bound, way));
            }
        }

        let (here, there) = (here.end().await, there.end().await);
        bounds.sort_by_key(|(bound, _)| *bound);
        eprintln!("refused at the other node after {bounds:.0?}");
        for record in [here, there] {
            record.assert_clean();
            record.assert_each("undisturbed", |one| one.is_good() || one.ask == Ask::Login);
        }
    }
}

mod what_python_keystone_ends_is_refused_here {
    use super::*;
    use crate::support::Options;
    use crate::support::python;

    async fn rule(db: TestDb) {
        let ours = world(&db, &["revoked", "disabled"]).start().await;
        let theirs = ours.start_python_beside(Options::default()).await;
        let admin = ours.api().admin().await;
        let load = Load::start(&admin, "alice", &MIX, PATIENCE);
        load.next(2).await;

        for (name, way) in &WAYS[..2] {
            let session = way.login(ours.api(), name).await;
            assert_eq!(
                validity(ours.api(), admin.token(), session.token()).await,
                200
            );

            way.end(&admin.at(theirs.api()), &session).await;

            let bound = until("the token is refused", async || {
                validity(ours.api(), admin.token(), session.token()).await == 404
            })
            .await;
            eprintln!("{name} at Python Keystone, refused here after {bound:.0?}");
        }
        load.end().await.assert_good();
    }

    #[test]
    fn python() {
        if !python::is_left_out() {
            run(Backend::Mariadb, rule);
        }
    }
}
