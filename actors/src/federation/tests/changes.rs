use serde_json::{Value, json};

use super::super::*;
use super::{provider, said, text};
use crate::actor::Handle;
use crate::resource::{GetDomain, ResourceSettings};
use crate::testdb::{Backend, each_database};
use crate::testing::Bench;

async fn create(
    federation: &Handle<FederationProvider>,
    id: &str,
    body: Value,
) -> Result<Arc<IdentityProvider>, Error> {
    let (id, provider) = (id.into(), said(body));
    federation
        .send(CreateIdentityProvider { id, provider })
        .await
}

fn draft(rules: Value) -> MappingDraft {
    MappingDraft {
        rules,
        schema_version: "1.0".to_owned(),
    }
}

each_database! {
    async fn a_provider_without_a_domain_gets_one_of_its_own(db: TestDb) {
        let bench = Bench::new(&db).await;
        let federation = provider(&bench);
        let resources = bench.resources(ResourceSettings::default());

        let made = create(&federation, "idp", json!({})).await.unwrap();

        let domain = resources.read(GetDomain { id: made.domain_id.clone() }).await.unwrap();
        let told = "Auto generated federated domain for Identity Provider: idp";
        assert_eq!((domain.enabled, domain.description.as_deref()), (true, Some(told)));
        assert_eq!(domain.name, made.domain_id.as_str());
        let other = json!({"domain_id": made.domain_id, "enabled": true});
        assert_eq!(create(&federation, "other", other).await.unwrap().domain_id, made.domain_id);
        let nowhere = create(&federation, "x", json!({"domain_id": "nope"})).await;
        assert_eq!(text(nowhere), "Could not find domain: nope.");
        let ids: Vec<String> = federation.read(ListIdentityProviders).await.unwrap().into_iter()
            .map(|one| one.id.to_string()).collect();
        assert_eq!(ids, ["idp", "other"]);
    }

    async fn ids_are_of_one_provider_each(db: TestDb) {
        let bench = Bench::new(&db).await;
        let federation = provider(&bench);
        create(&federation, "a", json!({"remote_ids": ["y", "x"]})).await.unwrap();

        let same = create(&federation, "a", json!({})).await;
        let remote = create(&federation, "b", json!({"remote_ids": ["z", "x"]})).await;
        let long = create(&federation, &"i".repeat(65), json!({})).await;

        let conflict = "Conflict occurred attempting to store identity_provider - Duplicate";
        assert_eq!(text(same), format!("{conflict} entry: a."));
        assert_eq!(text(remote), format!("{conflict} remote ID: x."));
        assert!(matches!(long, Err(Error::TooLong { column: "id", most: 64, .. })));
        // Nothing is left of what was refused: no provider, no remote ID, no domain.
        create(&federation, "b", json!({"remote_ids": ["z"]})).await.unwrap();
        let a = federation.read(GetIdentityProvider { id: "a".into() }).await.unwrap();
        assert_eq!(a.remote_ids, ["x", "y"]);
    }

    async fn a_patch_changes_what_it_names_and_a_cached_provider_with_it(db: TestDb) {
        let bench = Bench::new(&db).await;
        let federation = provider(&bench);
        create(&federation, "b", json!({"remote_ids": ["z"]})).await.unwrap();
        let before = create(&federation, "a", json!({"description": "d", "authorization_ttl": 5, "remote_ids": ["x"]})).await.unwrap();
        let get = async || federation.read(GetIdentityProvider { id: "a".into() }).await.unwrap();
        assert_eq!(get().await, before);
        let update = async |body| {
            let update = UpdateIdentityProvider { id: "a".into(), patch: said(body) };
            federation.send(update).await
        };

        let taken = update(json!({"enabled": true, "remote_ids": ["x", "z"]})).await;
        assert!(matches!(taken, Err(Error::RemoteIdTaken(id)) if id == "z"));
        let after = update(json!({"enabled": true, "authorization_ttl": null, "remote_ids": ["y"]})).await.unwrap();

        assert_eq!(get().await, after);
        let expected = IdentityProvider {
            enabled: true,
            authorization_ttl: None,
            remote_ids: vec!["y".to_owned()],
            ..(*before).clone()
        };
        assert_eq!(*after, expected);
        let cleared = update(json!({"description": null, "remote_ids": null})).await.unwrap();
        assert_eq!((&cleared.description, cleared.remote_ids.len()), (&None, 0));
    }

    async fn protocols_name_what_exists(db: TestDb) {
        let bench = Bench::new(&db).await;
        let federation = provider(&bench);
        create(&federation, "idp", json!({})).await.unwrap();
        for id in ["m", "n"] {
            federation.send(CreateMapping { id: id.into(), mapping: draft(json!([])) }).await.unwrap();
        }
        let new = async |idp: &str, id: &str, body| {
            let (idp, id, protocol) = (idp.into(), id.into(), said(body));
            federation.send(CreateProtocol { idp, id, protocol }).await
        };
        let patch = async |id: &str, body| {
            let (idp, id, patch) = ("idp".into(), id.into(), said(body));
            federation.send(UpdateProtocol { idp, id, patch }).await
        };

        let made = new("idp", "saml", json!({"mapping_id": "m", "remote_id_attribute": "r"})).await.unwrap();

        assert_eq!(text(new("idp", "x", json!({"mapping_id": "nope"})).await), "Invalid mapping id: nope");
        assert_eq!(text(new("nope", "x", json!({"mapping_id": "m"})).await), "Could not find Identity Provider: nope.");
        assert_eq!(text(new("idp", "saml", json!({"mapping_id": "m"})).await),
            "Conflict occurred attempting to store federation_protocol - Duplicate entry found with ID saml.");
        assert_eq!(text(patch("saml", json!({"mapping_id": "nope"})).await), "Invalid mapping id: nope");
        let missing = "Could not find federated protocol x for Identity Provider: idp.";
        assert_eq!(text(patch("x", json!({"mapping_id": "m"})).await), missing);
        let changed = patch("saml", json!({"mapping_id": "n"})).await.unwrap();
        assert_eq!(changed, Protocol { mapping_id: "n".into(), ..made });
        let list = async |idp: &str| federation.read(ListProtocols { idp: idp.into() }).await.unwrap();
        assert_eq!((list("idp").await, list("nope").await.len()), (vec![changed], 0));
        let (idp, id) = ("idp".into(), "x".into());
        assert_eq!(text(federation.send(DeleteProtocol { idp, id, now: 0 }).await), missing);
    }

    async fn rules_are_kept_as_python_keystone_keeps_them(db: TestDb) {
        let bench = Bench::new(&db).await;
        let federation = provider(&bench);
        let rules = json!([{"local": [], "remote": [{"type": "é \""}]}]);
        let create = || CreateMapping { id: "m".into(), mapping: draft(rules.clone()) };
        let made = federation.send(create()).await.unwrap();
        assert!(matches!(federation.send(create()).await, Err(Error::MappingExists(_))));
        let python = serde_json::to_string(&json!("[{\"local\": []}]")).unwrap();
        let python = python.replace('\\', if matches!(db.backend(), Backend::Mariadb) { "\\\\" } else { "\\" });
        db.execute(&format!("INSERT INTO mapping (id, rules, schema_version) VALUES ('p', '{python}', '2.0')")).await;

        let list = federation.read(ListMappings).await.unwrap();

        let theirs = Mapping { id: "p".into(), rules: json!([{"local": []}]), schema_version: "2.0".to_owned() };
        assert_eq!(list, [made.clone(), theirs]);
        assert_eq!(serde_json::from_str::<Value>(&made.rules_column().unwrap()).unwrap(), json!(rules.to_string()));
        let huge = draft(json!(["x".repeat(70_000)]));
        assert!(matches!(federation.send(UpdateMapping { id: "m".into(), mapping: huge }).await, Err(Error::TooLarge(_))));
        federation.send(UpdateMapping { id: "m".into(), mapping: draft(json!([1])) }).await.unwrap();
        assert_eq!(federation.read(GetMapping { id: "m".into() }).await.unwrap().rules, json!([1]));
        federation.send(DeleteMapping { id: "m".into() }).await.unwrap();
        for gone in [
            text(federation.send(DeleteMapping { id: "m".into() }).await),
            text(federation.send(UpdateMapping { id: "m".into(), mapping: draft(json!([])) }).await),
            text(federation.read(GetMapping { id: "m".into() }).await),
        ] {
            assert_eq!(gone, "Could not find mapping: m.");
        }
    }

    async fn tokens_show_each_change_of_a_service_provider(db: TestDb) {
        let bench = Bench::new(&db).await;
        let federation = provider(&bench);
        let shown = async || federation.read(ListEnabledServiceProviders).await.unwrap().len();
        let create = || {
            let body = json!({"auth_url": "http://a", "sp_url": "http://b"});
            CreateServiceProvider { id: "sp".into(), provider: said(body) }
        };
        let update = async |body| {
            let update = UpdateServiceProvider { id: "sp".into(), patch: said(body) };
            federation.send(update).await
        };
        assert_eq!(shown().await, 0);

        let made = federation.send(create()).await.unwrap();
        assert_eq!((made.enabled, made.relay_state_prefix.as_str()), (false, "ss:mem:"));
        assert_eq!(text(federation.send(create()).await),
            "Conflict occurred attempting to store service_provider - Duplicate entry found with ID sp.");
        assert_eq!(shown().await, 0);
        update(json!({"enabled": true, "relay_state_prefix": "x"})).await.unwrap();
        assert_eq!(shown().await, 1);
        let reset = update(json!({"relay_state_prefix": null})).await.unwrap();
        assert_eq!(reset, ServiceProvider { enabled: true, ..made });
        let long = update(json!({"relay_state_prefix": "x".repeat(257)})).await;
        assert!(matches!(long, Err(Error::TooLong { column: "relay_state_prefix", .. })));
        federation.send(DeleteServiceProvider { id: "sp".into() }).await.unwrap();
        assert_eq!(shown().await, 0);
        let gone = federation.send(DeleteServiceProvider { id: "sp".into() }).await;
        assert_eq!(text(gone), "Could not find Service Provider: sp.");
        assert!(matches!(update(json!({})).await, Err(Error::ServiceProviderNotFound(_))));
    }
}
