//! Options of keystone.conf that change what is issued and what is taken.

use std::sync::Arc;

use keystone_actors::token::{
    AuditIds, FernetTokens, KeyRepository, LiveKeys, MethodTable, Payload,
};

use crate::support::cloud::Builder;
use serde_json::{Value, json};

use crate::support::{Api, Cloud, Options, Scope, each_keystone, password, scoped, seed, token};
use crate::testdb::{TestDb, each_database};

const REVOKED: &str = "/v3/auth/tokens/OS-PKI/revoked";

/// Keystone's methods, and one that nobody knows.
const METHODS: &str =
    "external,password,token,oauth1,mapped,application_credential,ec2credential,smoke";

/// A domain. Python Keystone makes no token for one whose ID is no UUID.
const BRANCH: &str = "0123456789abcdef0123456789abcdef";

each_keystone! {
    async fn the_list_of_revoked_tokens_is_forbidden_or_gone(builder: Builder) {
        let cloud = builder.start().await;
        let without = cloud.start_twin(Options::default().set("token", "revoke_by_id", false)).await;
        let admin = cloud.api().admin().await;

        let forbidden = admin.get(REVOKED).await.expect(403);
        assert_eq!(forbidden.message(), "You are not authorized to perform the requested action.");
        cloud.api().get(REVOKED).await.expect(403);
        admin.head(REVOKED).await.expect(403);
        let gone = admin.at(without.api()).get(REVOKED).await.expect(410);
        assert_eq!(gone.message(), "The service you have requested is no longer available on this server.");
        assert_eq!(gone.json()["error"]["title"], "Gone");
    }

    async fn a_scope_is_not_named_by_reserved_characters_where_that_is_strict(builder: Builder) {
        let named = |id: &str, name: &str| format!(r#"UPDATE "project" SET "name" = '{name}' WHERE "id" = '{id}'"#);
        let seed = [seed::world(), seed::domain(BRANCH, true), seed::project("inner", BRANCH, true),
            seed::grant("UserDomain", "alice", BRANCH, "member"), seed::grant("UserProject", "alice", "inner", "member")];
        let cloud = builder
            .seed(seed.concat())
            .seed(vec![named("demo", "a/b"), named(BRANCH, "c@d")])
            .set("resource", "project_name_url_safe", "strict")
            .set("resource", "domain_name_url_safe", "strict")
            .start()
            .await;
        let status = async |api: &Api, scope: Value| {
            api.authenticate(&json!({"auth": {"identity": password("alice"), "scope": scope}})).await.status()
        };
        let lenient = cloud.start_twin(Options::default().set("resource", "project_name_url_safe", "new").set("resource", "domain_name_url_safe", "new")).await;

        for (scope, due) in [
            (json!({"project": {"name": "a/b", "domain": {"id": "default"}}}), 401),
            (json!({"project": {"id": "demo"}}), 201),
            (json!({"domain": {"name": "c@d"}}), 401),
            (json!({"domain": {"id": BRANCH}}), 201),
            (json!({"project": {"name": "inner", "domain": {"name": "c@d"}}}), 401),
            (json!({"project": {"name": "inner", "domain": {"id": BRANCH}}}), 201),
        ] {
            assert_eq!(status(cloud.api(), scope.clone()).await, due, "{scope}");
            assert_eq!(status(lenient.api(), scope.clone()).await, 201, "{scope}");
        }
    }

    async fn a_token_that_is_longer_than_max_token_size_is_noted(builder: Builder) {
        let cloud = builder.set("DEFAULT", "max_token_size", 170).start().await;
        let login = async |scope| cloud.api().authenticate(&scoped(password("admin"), scope)).await;

        login(Scope::Unscoped).await.expect(201);
        assert!(!cloud.log().contains("exceeds"), "{}", cloud.log());
        login(Scope::Project("admin")).await.expect(201);
        cloud.until_logged(&["exceeds"]).await;
        assert_eq!(cloud.log().matches("exceeds").count(), 1, "{}", cloud.log());
    }
}

/// A token of the admin by the method `smoke`, such as Python Keystone with a plug-in of that name
/// issues: made with the keys of this database's servers.
fn smoke(db: &TestDb, user: &str) -> String {
    let names: Vec<String> = METHODS.split(',').map(str::to_owned).collect();
    let table = Arc::new(MethodTable::new(&names).unwrap());
    let keys = LiveKeys::load(KeyRepository::new(db.scratch().join("fernet-keys"), 3)).unwrap();
    let now = chrono::Utc::now().timestamp();
    let methods = ["smoke"].into_iter().collect();
    let payload = Payload::new(user.to_owned(), methods, now + 600, AuditIds::fresh());
    FernetTokens::new(keys, table, 300)
        .seal(&payload, now)
        .unwrap()
}

each_database! {
    async fn a_method_that_an_operator_calls_primary_is_no_delegation(db: TestDb) {
        let cloud = Builder::new(&db).set("auth", "methods", METHODS).start().await;
        let options = Options::default()
            .set("auth", "methods", METHODS)
            .set("auth", "additional_primary_auth_methods", "smoke,ec2credential");
        let trusting = cloud.start_node(options).await;
        let admin = cloud.api().admin().await;
        let made = smoke(&db, admin.text("/user/id"));
        let rescope = async |at: &Cloud<'_>| {
            at.api().authenticate(&scoped(token(&made), Scope::Project("admin"))).await
        };

        let refused = rescope(&cloud).await.expect(403);
        assert!(refused.message().contains("Using a delegated token"), "{refused:?}");
        rescope(&trusting).await.expect(201);
    }
}
