//! What ends at one node ends at the other, at once: where PostgreSQL announces, when the
//! announcement has arrived; elsewhere at the next look.

use serde_json::json;

use super::{PATIENCE, trusting, validity, world};
use crate::support::load::{Ask, Load, MIX};
use crate::support::{Api, Scope, Session, until};
use crate::testdb::{Backend, TestDb, each_server, run};

/// What is tried, at whose token's cost.
const WAYS: [(&str, Way); 5] = [
    ("revoked", Way::Revoked),
    ("disabled", Way::Disabled),
    ("deleted", Way::Deleted),
    ("password", Way::PasswordChanged),
    ("unassigned", Way::RoleRemoved),
];

#[derive(Clone, Copy, Debug)]
enum Way {
    Revoked,
    Disabled,
    Deleted,
    PasswordChanged,
    RoleRemoved,
}

impl Way {
    /// Ends the session's token, at the node of the admin's session.
    async fn end(self, admin: &Session, session: &Session) {
        let id = session.text("/user/id");
        let user = format!("/v3/users/{id}");
        let patch = async |change| {
            admin
                .patch(&user, &json!({ "user": change }))
                .await
                .expect(200)
        };
        match self {
            Self::Revoked => drop(admin.revoke(session.token()).await.expect(204)),
            Self::Disabled => drop(patch(json!({"enabled": false})).await),
            Self::Deleted => drop(admin.delete(&user).await.expect(204)),
            Self::PasswordChanged => drop(patch(json!({"password": "another"})).await),
            Self::RoleRemoved => {
                let roles = session.issued()["roles"].as_array().unwrap();
                let role = roles.iter().find(|role| role["name"] == "member").unwrap();
                let role = role["id"].as_str().unwrap();
                let grant = format!("/v3/projects/demo/users/{id}/roles/{role}");
                admin.delete(&grant).await.expect(204);
            }
        }
    }
}

async fn login(api: &Api, user: &str) -> Session {
    api.login(user, Scope::Project("demo")).await
}

each_server! {
    async fn b4_tokens_end_everywhere_when_what_they_stand_on_ends(db: TestDb) {
        const ROUNDS: usize = 3;
        let names: Vec<String> = (0..ROUNDS)
            .flat_map(|round| WAYS.map(|(name, _)| format!("{name}{round}")))
            .collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let first = world(&db, &names).start().await;
        let second = first.start_node(trusting()).await;
        let admin = first.api().admin().await;
        let here = Load::start(&admin, "alice", &MIX, PATIENCE);
        let there = Load::start(&admin.at(second.api()), "alice", &MIX, PATIENCE);
        here.next(2).await;
        there.next(2).await;

        let mut bounds = Vec::new();
        for (name, way) in WAYS {
            for round in 0..ROUNDS {
                let session = login(first.api(), &format!("{name}{round}")).await;
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
            let session = login(ours.api(), name).await;
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
