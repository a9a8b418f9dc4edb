use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::*;
use crate::actor::Handle;
use crate::db::outbox::{Change, record_change};
use crate::testdb::{TestDb, each_database};
use crate::testing::Bench;
use crate::transaction;

struct Tests {
    bench: Bench,
    configs: Handle<DomainConfigProvider>,
}

impl Tests {
    /// With the domains `d` and `e`.
    async fn new(db: &TestDb) -> Self {
        let bench = Bench::new(db).await;
        let root = "<<keystone.domain.root>>";
        for id in ["d", "e"] {
            db.execute(&format!(
                "INSERT INTO project (id, name, enabled, domain_id, is_domain)
                 VALUES ('{id}', '{id}', true, '{root}', true)"
            ))
            .await;
        }
        let group = |name: &str, options: &[&str]| {
            let options = options.iter().map(|option| (*option).to_owned());
            (name.to_owned(), options.collect::<Vec<_>>())
        };
        let options = Options {
            shown: vec![
                group("identity", &["driver", "list_limit"]),
                group("ldap", &["url", "user"]),
            ],
            secret: vec![group("ldap", &["password"])],
            defaults: serde_json::Map::new(),
        };
        let (cache, invalidations) = (bench.cache(), bench.invalidations.clone());
        let provider =
            DomainConfigProvider::new(bench.pool("config"), cache, invalidations, options);
        Self {
            configs: bench.start(provider),
            bench,
        }
    }

    async fn set(&self, domain: &str, config: Value) -> Result<(Value, bool), Error> {
        let (domain, config) = (domain.into(), config.as_object().unwrap().clone());
        self.configs.send(SetDomainConfig { domain, config }).await
    }

    async fn update(&self, at: &[&str], config: Value) -> Result<Value, Error> {
        let config = config.as_object().unwrap().clone();
        let (domain, place) = ("d".into(), place(at));
        let update = UpdateDomainConfig {
            domain,
            place,
            config,
        };
        self.configs.send(update).await
    }

    async fn get(&self, domain: &str, at: &[&str]) -> Result<Value, Error> {
        let (domain, place) = (domain.into(), place(at));
        self.configs.read(GetDomainConfig { domain, place }).await
    }

    async fn delete(&self, at: &[&str]) -> Result<(), Error> {
        let (domain, place) = ("d".into(), place(at));
        self.configs
            .send(DeleteDomainConfig { domain, place })
            .await
    }

    async fn password(&self, domain: &str) -> Option<String> {
        let get = GetDomainSettings {
            domain: domain.into(),
        };
        let settings = self.configs.read(get).await.unwrap();
        let password = settings.value("ldap", "password");
        password.map(|password| password.expose_secret().to_owned())
    }
}

fn place(names: &[&str]) -> ConfigPlace {
    let name = |at: usize| names.get(at).map(|name| (*name).to_owned());
    ConfigPlace {
        group: name(0),
        option: name(1),
    }
}

fn text<T: std::fmt::Debug>(outcome: Result<T, Error>) -> String {
    outcome.unwrap_err().to_string()
}

each_database! {
    async fn a_configuration_is_shown_without_its_secrets(db: TestDb) {
        let tests = Tests::new(&db).await;
        assert_eq!(text(tests.get("d", &[]).await), "Could not find any options in domain configuration for domain d.");
        let ldap = json!({"url": "ldap://%(password)s@h", "password": "secret"});

        let (shown, is_new) = tests.set("d", json!({"ldap": ldap, "identity": {"list_limit": 7}})).await.unwrap();

        let url = json!({"url": "ldap://%(password)s@h"});
        assert_eq!((&shown, is_new), (&json!({"identity": {"list_limit": 7}, "ldap": url}), true));
        assert_eq!(tests.get("d", &[]).await.unwrap(), shown);
        assert_eq!(tests.get("d", &["ldap"]).await.unwrap(), json!({"ldap": url}));
        assert_eq!(tests.get("d", &["ldap", "url"]).await.unwrap(), url);
        assert_eq!(
            text(tests.get("d", &["ldap", "password"]).await),
            "Could not find option password in group ldap in domain configuration for domain d."
        );
        let settings = tests.configs.read(GetDomainSettings { domain: "d".into() }).await.unwrap();
        assert_eq!(settings.value("ldap", "url").unwrap().expose_secret(), "\"ldap://secret@h\"");
        assert_eq!(tests.password("d").await.as_deref(), Some("\"secret\""));
        assert_eq!(tests.password("e").await, None);
    }

    async fn what_is_set_takes_the_place_of_all_that_was(db: TestDb) {
        let tests = Tests::new(&db).await;
        tests.set("d", json!({"ldap": {"url": "a", "password": "secret"}})).await.unwrap();
        tests.set("e", json!({"ldap": {"url": "b"}})).await.unwrap();
        assert_eq!(tests.get("d", &[]).await.unwrap(), json!({"ldap": {"url": "a"}})); // cached from here on

        let (shown, is_new) = tests.set("d", json!({"identity": {"driver": "ldap"}})).await.unwrap();

        assert_eq!((&shown, is_new), (&json!({"identity": {"driver": "ldap"}}), false));
        assert_eq!(tests.get("d", &[]).await.unwrap(), shown);
        assert_eq!(tests.password("d").await, None);
        assert_eq!(tests.get("e", &[]).await.unwrap(), json!({"ldap": {"url": "b"}}));
        assert_eq!(text(tests.set("x", json!({"ldap": {"url": "b"}})).await), "Could not find domain: x.");
        assert!(matches!(tests.set("d", json!({"ldap": {"x": 1}})).await, Err(Error::Invalid(_))));
        assert_eq!(tests.set("e", json!({"ldap": {"password": "p"}})).await.unwrap(), (json!({}), false));
    }

    async fn a_change_keeps_what_it_does_not_name(db: TestDb) {
        let tests = Tests::new(&db).await;
        assert_eq!(
            text(tests.update(&["ldap"], json!({"ldap": {"url": "a"}})).await),
            "Could not find group ldap in domain configuration for domain d."
        );
        let all = tests.update(&[], json!({"ldap": {"url": "a", "password": "one"}})).await.unwrap();
        assert_eq!(all, json!({"ldap": {"url": "a"}}));

        let all = tests.update(&["ldap"], json!({"ldap": {"user": "u", "password": "two"}})).await.unwrap();
        assert_eq!(all, json!({"ldap": {"url": "a", "user": "u"}}));
        assert_eq!(tests.password("d").await.as_deref(), Some("\"two\""));
        let all = tests.update(&["ldap", "url"], json!({"url": "b"})).await.unwrap();
        assert_eq!(all, json!({"ldap": {"url": "b", "user": "u"}}));
        assert_eq!(
            text(tests.update(&["identity", "driver"], json!({"driver": "sql"})).await),
            "Could not find option driver in group identity in domain configuration for domain d."
        );
        tests.update(&["ldap", "password"], json!({"password": "three"})).await.unwrap();
        assert_eq!(tests.password("d").await.as_deref(), Some("\"three\""));
        assert_eq!(tests.get("d", &[]).await.unwrap(), all);
    }

    async fn a_part_is_deleted_where_there_is_one(db: TestDb) {
        let tests = Tests::new(&db).await;
        tests.delete(&[]).await.unwrap();
        tests.set("d", json!({"ldap": {"url": "a", "user": "u", "password": "p"}, "identity": {"list_limit": 0}})).await.unwrap();

        tests.delete(&["ldap", "url"]).await.unwrap();
        assert_eq!(tests.get("d", &["ldap"]).await.unwrap(), json!({"ldap": {"user": "u"}}));
        tests.delete(&["identity", "list_limit"]).await.unwrap();
        assert_eq!(
            text(tests.delete(&["ldap", "url"]).await),
            "Could not find option url in group ldap in domain configuration for domain d."
        );
        let told = "Could not find group identity in domain configuration for domain d.";
        assert_eq!(text(tests.delete(&["identity"]).await), told);
        assert_eq!(text(tests.delete(&["identity", "driver"]).await), told);
        tests.delete(&["ldap"]).await.unwrap();
        assert_eq!(tests.password("d").await, None);
        assert!(tests.get("d", &[]).await.is_err());
    }

    async fn a_configuration_goes_with_its_domain(db: TestDb) {
        let db = &db; // else its `execute` is taken for diesel's
        let tests = Tests::new(db).await;
        for domain in ["d", "e"] {
            tests.set(domain, json!({"ldap": {"url": domain, "password": "p"}})).await.unwrap();
            tests.get(domain, &[]).await.unwrap(); // cached from here on
        }
        db.execute("INSERT INTO config_register (type, domain_id) VALUES ('sql', 'd')").await;

        let change: Result<Change, Error> = transaction!(&tests.bench.pool("domains"), |conn| {
            let stale = delete_config_of_domain(conn, "d").await?;
            Ok(record_change(conn, "node", Change::of(stale)).await?)
        });
        tests.bench.invalidations.publish(&change.unwrap());

        assert!(tests.get("d", &[]).await.is_err());
        assert_eq!((tests.password("d").await, tests.password("e").await.as_deref()), (None, Some("\"p\"")));
        db.execute("INSERT INTO config_register (type, domain_id) VALUES ('sql', 'e')").await;
    }
}
