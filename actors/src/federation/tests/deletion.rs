use serde_json::json;

use super::super::*;
use super::{provider, said};
use crate::actor::Handle;
use crate::identity::{self, GetUser, IdentitySettings};
use crate::ids::UserId;
use crate::resource::{DeleteDomain, ResourceSettings};
use crate::testdb::{TestDb, each_database};
use crate::testing::Bench;

const NOW: i64 = 1_800_000_000;

/// Two providers with a protocol each (`a`, `b`, both `saml`) in the domain `d`, which is disabled;
/// and users: `only` comes by `a`, `both` by either, `local` by `a` and has a name besides.
struct Tests {
    federation: Handle<FederationProvider>,
    identity: Handle<identity::IdentityProvider>,
    bench: Bench,
}

impl Tests {
    async fn new(db: &TestDb) -> Self {
        let bench = Bench::new(db).await;
        for (id, domain) in [
            ("d", "<<keystone.domain.root>>"),
            ("e", "<<keystone.domain.root>>"),
        ] {
            db.execute(&format!(
                "INSERT INTO project (id, name, extra, enabled, domain_id, is_domain)
                 VALUES ('{id}', '{id}', '{{}}', false, '{domain}', true)"
            ))
            .await;
        }
        let federation = provider(&bench);
        let mapping = MappingDraft {
            rules: json!([]),
            schema_version: "1.0".to_owned(),
        };
        let id = "m".into();
        federation
            .send(CreateMapping { id, mapping })
            .await
            .unwrap();
        for id in ["a", "b"] {
            let provider = said(json!({"domain_id": "d", "remote_ids": [id]}));
            let create = CreateIdentityProvider {
                id: id.into(),
                provider,
            };
            federation.send(create).await.unwrap();
            let create = CreateProtocol {
                idp: id.into(),
                id: "saml".into(),
                protocol: said(json!({"mapping_id": "m"})),
            };
            federation.send(create).await.unwrap();
        }
        db.execute("INSERT INTO \"group\" (id, domain_id, name) VALUES ('g', 'e', 'g')")
            .await;
        for (user, from) in [("only", "a"), ("both", "ab"), ("local", "a")] {
            let quoted = "\"user\"";
            db.execute(&format!(
                "INSERT INTO {quoted} (id, enabled, domain_id) VALUES ('{user}', true, 'e')"
            ))
            .await;
            db.execute(&format!(
                "INSERT INTO user_group_membership (user_id, group_id) VALUES ('{user}', 'g')"
            ))
            .await;
            for idp in from.chars() {
                db.execute(&format!(
                    "INSERT INTO federated_user (user_id, idp_id, protocol_id, unique_id)
                     VALUES ('{user}', '{idp}', 'saml', '{user}')"
                ))
                .await;
                db.execute(&format!(
                    "INSERT INTO expiring_user_group_membership (user_id, group_id, idp_id, last_verified)
                     VALUES ('{user}', 'g', '{idp}', '2030-01-01 00:00:00')"
                ))
                .await;
            }
        }
        db.execute("INSERT INTO local_user (user_id, domain_id, name) VALUES ('local', 'e', 'l')")
            .await;
        let resources = bench.resources(ResourceSettings::default());
        let identity = bench.identity(&resources, IdentitySettings::default());
        let tests = Self {
            federation,
            identity,
            bench,
        };
        // Cached from here on.
        assert_eq!(tests.sources().await, [Some(1), Some(2), Some(1)]);
        tests
    }

    /// By how many providers each user comes; `None` for one that is gone.
    async fn sources(&self) -> [Option<usize>; 3] {
        let mut sources = [None; 3];
        for (source, id) in sources.iter_mut().zip(["only", "both", "local"]) {
            let id = UserId::from(id);
            let user = self.identity.read(GetUser { id }).await.ok();
            *source = user.map(|user| user.federated.len());
        }
        sources
    }

    async fn providers(&self) -> usize {
        let list = self.federation.read(ListIdentityProviders).await;
        list.unwrap().len()
    }
}

each_database! {
    async fn a_providers_users_go_with_it_unless_they_have_another_name(db: TestDb) {
        let tests = Tests::new(&db).await;
        let get = GetIdentityProvider { id: "a".into() };
        tests.federation.read(get.clone()).await.unwrap(); // cached from here on

        tests.federation.send(DeleteIdentityProvider { id: "a".into(), now: NOW }).await.unwrap();

        assert_eq!(tests.sources().await, [None, Some(1), Some(0)]);
        assert!(matches!(tests.federation.read(get).await, Err(Error::IdentityProviderNotFound(_))));
        assert!(tests.federation.read(ListProtocols { idp: "a".into() }).await.unwrap().is_empty());
        assert_eq!(tests.federation.read(ListProtocols { idp: "b".into() }).await.unwrap().len(), 1);
        // Its remote ID is free again.
        let provider = said(json!({"domain_id": "d", "remote_ids": ["a"]}));
        tests.federation.send(CreateIdentityProvider { id: "a".into(), provider }).await.unwrap();
        let again = tests.federation.send(DeleteIdentityProvider { id: "x".into(), now: NOW }).await;
        assert!(matches!(again, Err(Error::IdentityProviderNotFound(_))));
    }

    async fn a_protocols_users_go_with_it_unless_they_have_another_name(db: TestDb) {
        let tests = Tests::new(&db).await;

        let (idp, id) = ("a".into(), "saml".into());
        tests.federation.send(DeleteProtocol { idp, id, now: NOW }).await.unwrap();

        assert_eq!(tests.sources().await, [None, Some(1), Some(0)]);
        assert_eq!(tests.providers().await, 2);
    }

    async fn a_domains_providers_go_with_it(db: TestDb) {
        let tests = Tests::new(&db).await;
        let resources = tests.bench.resources(ResourceSettings::default());

        resources.send(DeleteDomain { id: "d".into(), now: NOW }).await.unwrap();

        assert_eq!(tests.providers().await, 0);
        assert_eq!(tests.sources().await, [None, None, Some(0)]);
    }
}
