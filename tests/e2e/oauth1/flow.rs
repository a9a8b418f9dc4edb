//! From a consumer to a token of the user who let it.

use awc::http::Method;
use serde_json::{Value, json};

use crate::notifications::wait_for;
use crate::support::oauth1::{Pair, Signer, authorize, consumer, granted};
use crate::support::{Scope, each_keystone, scoped, seed, token};

fn asking(consumer: &Pair) -> Signer<'_> {
    Signer::new(consumer).set("oauth_callback", "oob")
}

/// The roles in an answer: Python Keystone repeats those that come about in two ways.
fn roles(answer: &Value) -> Vec<&str> {
    let roles = answer["token"]["roles"].as_array().unwrap();
    let mut names: Vec<&str> = roles
        .iter()
        .map(|role| role["name"].as_str().unwrap())
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

each_keystone! {

async fn a_consumer_acts_for_whoever_let_it_and_with_what_was_let(builder: Builder) {
    let cloud = builder
        .notifying()
        .set("oauth1", "access_token_duration", 600)
        .seed(seed::world())
        .start()
        .await;
    let api = cloud.api();
    let admin = api.admin().await;
    let (own, project) = (admin.text("/user/id"), admin.text("/project/id"));
    let consumer = consumer(&admin).await;

    let asked = asking(&consumer).request_token(api, project).await.expect(201);
    let (asked, end) = Pair::of(&asked);
    assert_eq!((asked.id.len(), asked.secret.len()), (32, 32));
    assert!(end.unwrap().ends_with(".000000Z"));
    wait_for(&cloud, "identity.OS-OAUTH1:request_token.created", &asked.id).await;

    let told = authorize(&admin, &asked, &json!([{"name": "member"}])).await.expect(200).json();
    let verifier = told["token"]["oauth_verifier"].as_str().unwrap();
    assert_eq!(verifier.len(), 8);
    let given = Signer::new(&consumer).with(&asked).set("oauth_verifier", verifier).access_token(api).await.expect(201);
    let (given, end) = Pair::of(&given);
    let told = wait_for(&cloud, "identity.OS-OAUTH1:access_token.created", &given.id).await;
    assert_eq!(told["payload"]["target"]["typeURI"], "data/security/credential");
    let shown = admin.get(&format!("/v3/users/{own}/OS-OAUTH1/access_tokens/{}", given.id)).await.expect(200).json();
    assert_eq!(shown["access_token"]["expires_at"].as_str(), end.as_deref());

    // One of the roles, with what it implies (A12).
    let answer = Signer::new(&consumer).with(&given).login(api, &Value::Null).await.expect(201);
    let text = answer.header("X-Subject-Token").unwrap().to_owned();
    let issued = answer.json();
    assert_eq!(roles(&issued), ["member", "reader"]);
    assert_eq!(issued["token"]["methods"], json!(["oauth1"]));
    assert_eq!((&issued["token"]["user"]["id"], &issued["token"]["project"]["id"]), (&json!(own), &json!(project)));
    assert_eq!(issued["token"]["OS-OAUTH1"], json!({"access_token_id": given.id, "consumer_id": consumer.id}));
    assert!(issued["token"]["catalog"].is_array());
    // It ends with what it was made from (A6), and in Keystone later.
    assert_eq!(issued["token"]["expires_at"].as_str() == end.as_deref(), !cloud.is_python());
    let validated = admin.validate(&text).await.expect(200).json();
    assert_eq!(roles(&validated), ["member", "reader"]);
    assert_eq!(validated["token"]["OS-OAUTH1"], issued["token"]["OS-OAUTH1"]);

    // Whatever scope is asked for, as long as there is such a one.
    for scope in [json!({"domain": {"id": "default"}}), json!({"system": {"all": true}}), json!("unscoped")] {
        let answer = Signer::new(&consumer).with(&given).login(api, &scope).await.expect(201).json();
        assert_eq!((&answer["token"]["project"]["id"], roles(&answer)), (&json!(project), vec!["member", "reader"]));
    }
    Signer::new(&consumer).with(&given).login(api, &json!({"project": {"id": "none"}})).await.expect(401);
    // The signature's methods, and a query that is not signed.
    for method in ["HMAC-SHA256", "HMAC-SHA512", "PLAINTEXT"] {
        Signer::new(&consumer).with(&given).set("oauth_signature_method", method).login(api, &Value::Null).await.expect(201);
        asking(&consumer).set("oauth_signature_method", method).request_token(api, project).await.expect(201);
    }

    // No other token comes of this one, and what it was made from is out of its reach (A8).
    let refusal = "You are not authorized to perform the requested action: Using OAuth-scoped token to create another \
                   token. Create a new OAuth-scoped token instead.";
    for scope in [Scope::Default, Scope::Unscoped, Scope::Project("admin")] {
        assert_eq!(api.authenticate(&scoped(token(&text), scope)).await.expect(403).message(), refusal);
    }
}

async fn what_is_not_asked_for_as_it_should_be_is_refused(builder: Builder) {
    let cloud = builder.seed(seed::world()).start().await;
    let api = cloud.api();
    let admin = api.admin().await;
    let consumer = consumer(&admin).await;
    let wrong = Pair { id: consumer.id.clone(), secret: "0".repeat(32) };
    let unknown = Pair { id: "0".repeat(32), secret: "0".repeat(32) };

    let bad = |what: &str| format!("Validation failed with errors: invalid_request, detail message is: {what}.");
    let long_ago = (chrono::Utc::now().timestamp() - 610).to_string();
    for (name, value, message) in [
        ("oauth_nonce", "", bad("Missing mandatory OAuth parameters.")),
        ("oauth_nonce", "xyz", bad("Invalid nonce format.")),
        ("oauth_callback", "", bad("Missing callback URI.")),
        ("oauth_version", "2.0", bad("Invalid OAuth version.")),
        ("oauth_timestamp", "12", bad("Invalid timestamp size")),
        ("oauth_timestamp", "abcdefghij", bad("Timestamp must be an integer.")),
        ("oauth_timestamp", &long_ago, bad("Timestamp given is invalid, differ from allowed by over 600 seconds.")),
        ("oauth_consumer_key", "", "Expecting to find oauth_consumer_key in request.".to_owned()),
    ] {
        let answer = asking(&consumer).set(name, value).request_token(api, "demo").await.expect(400);
        assert!(answer.message().starts_with(&message), "{name} {value}: {answer:?}");
    }
    for (name, value) in [("realm", "photos"), ("oauth_signature_method", "FOO")] {
        asking(&consumer).set(name, value).request_token(api, "demo").await.expect(400);
    }
    let missing = asking(&consumer).request_token(api, "").await.expect(400);
    assert!(missing.message().starts_with("Expecting to find Requested-Project-Id in request."));

    assert_eq!(asking(&wrong).request_token(api, "demo").await.expect(401).message(),
        "The request you have made requires authentication.");
    assert_eq!(asking(&consumer).request_token(api, "none").await.expect(404).message(), "Could not find project: none.");
    // Who can't sign learns nothing here, and in Keystone which consumers and projects there are.
    let hidden = if cloud.is_python() { 404 } else { 401 };
    asking(&unknown).request_token(api, "demo").await.expect(hidden);
    asking(&wrong).request_token(api, "none").await.expect(hidden);
    // Another URL, and a parameter that was not signed.
    let header = asking(&consumer).header(&format!("{}/v3/OS-OAUTH1/access_token", api.base()));
    let post = |header: &str, path: &str| api.request(Method::POST, path)
        .header("Authorization", header).header("Requested-Project-Id", "demo");
    post(&header, "/v3/OS-OAUTH1/request_token").send().await.expect(401);
    let header = asking(&consumer).header(&format!("{}/v3/OS-OAUTH1/request_token", api.base()));
    post(&format!("{header}, oauth_x=\"1\""), "/v3/OS-OAUTH1/request_token").send().await.expect(401);
    post(&header, "/v3/OS-OAUTH1/request_token?x=1").send().await.expect(401);
    post(&header, "/v3/OS-OAUTH1/request_token").send().await.expect(201);

    // What Keystone answers with 500, or not at all.
    if !cloud.is_python() {
        let login = json!({"auth": {"identity": {"methods": ["oauth1"], "oauth1": {}}}});
        api.authenticate(&login).await.expect(400);
        for header in ["Basic YTpi", "OAuth", "OAuth x", "OAuth \u{e9}=1"] {
            post(header, "/v3/OS-OAUTH1/request_token").send().await.expect(400);
            post(header, "/v3/OS-OAUTH1/access_token").send().await.expect(400);
            let request = api.request(Method::POST, "/v3/auth/tokens").header("Authorization", header);
            request.json(&login).send().await.expect(400);
        }
        api.request(Method::GET, "/v3/OS-OAUTH1/request_token").send().await.expect(405);
    }
}

async fn a_request_token_is_exchanged_once_by_its_consumer_with_its_verifier(builder: Builder) {
    let cloud = builder.seed(seed::world()).start().await;
    let api = cloud.api();
    let admin = api.admin().await;
    let project = admin.text("/project/id");
    let (first, second) = (consumer(&admin).await, consumer(&admin).await);
    let ask = async || Pair::of(&asking(&first).request_token(api, project).await.expect(201)).0;
    let asked = ask().await;
    let exchange = async |consumer: &Pair, token: &Pair, verifier: &str| {
        Signer::new(consumer).with(token).set("oauth_verifier", verifier).access_token(api).await
    };

    // Nobody has consented.
    exchange(&first, &asked, "abcdefgh").await.expect(401);
    let told = authorize(&admin, &asked, &json!([{"name": "member"}])).await.expect(200).json();
    let verifier = told["token"]["oauth_verifier"].as_str().unwrap();

    let other = if verifier == "abcdefgh" { "hgfedcba" } else { "abcdefgh" };
    exchange(&first, &asked, other).await.expect(401);
    let format = exchange(&first, &asked, "abc").await.expect(400);
    assert_eq!(format.message(), "Validation failed with errors: invalid_request, detail message is: Invalid verifier format..");
    for missing in ["oauth_verifier", "oauth_token", "oauth_consumer_key"] {
        let signer = Signer::new(&first).with(&asked).set("oauth_verifier", verifier).set(missing, "");
        let message = signer.access_token(api).await.expect(400).message();
        assert!(message.starts_with(&format!("Expecting to find {missing} in request.")), "{message}");
    }
    exchange(&second, &asked, verifier).await.expect(401);
    let wrong = Pair { secret: "0".repeat(32), ..asked.clone() };
    exchange(&first, &wrong, verifier).await.expect(401);
    // Of another request token of the same consumer.
    let another = ask().await;
    exchange(&first, &another, verifier).await.expect(401);

    exchange(&first, &asked, verifier).await.expect(201);

    let gone = if cloud.is_python() { 404 } else { 401 };
    exchange(&first, &asked, verifier).await.expect(gone);
    assert_eq!(authorize(&admin, &asked, &json!([])).await.expect(404).message(), "Request token not found");
    // Of two verifiers the later counts.
    let early = authorize(&admin, &another, &json!([])).await.expect(200).json();
    let late = authorize(&admin, &another, &json!([])).await.expect(200).json();
    exchange(&first, &another, early["token"]["oauth_verifier"].as_str().unwrap()).await.expect(401);
    exchange(&first, &another, late["token"]["oauth_verifier"].as_str().unwrap()).await.expect(201);
}

async fn nobody_lets_a_consumer_do_what_they_may_not(builder: Builder) {
    let cloud = builder.seed(seed::world()).start().await;
    let api = cloud.api();
    let admin = api.admin().await;
    let project = admin.text("/project/id");
    let consumer = consumer(&admin).await;
    let ask = async |project| Pair::of(&asking(&consumer).request_token(api, project).await.expect(201)).0;
    let asked = ask(project).await;
    let role = admin.post("/v3/roles", &json!({"role": {"name": "auditor"}})).await.expect(201).json();

    authorize(&admin, &asked, &json!([{"id": role["role"]["id"]}])).await.expect(401);
    authorize(&admin, &asked, &json!([{"name": "member"}, {"name": "auditor"}])).await.expect(401);
    authorize(&admin, &asked, &json!([{"id": "none"}])).await.expect(401);
    assert_eq!(authorize(&admin, &asked, &json!([{"name": "none"}])).await.expect(404).message(), "Role none is not defined");
    for (roles, line) in [
        (json!("member"), "'member' is not of type 'array'"),
        (json!([{"id": "a", "name": "b"}]), "Invalid input for field '0': {'id': 'a', 'name': 'b'} has too many properties"),
        (json!([{}]), "Invalid input for field '0': {} should be non-empty"),
    ] {
        let message = authorize(&admin, &asked, &roles).await.expect(400).message();
        assert_eq!(message.lines().next(), Some(line));
    }
    // Admin has no role on this one.
    let foreign = ask("demo").await;
    authorize(&admin, &foreign, &json!([{"name": "member"}])).await.expect(401);
    let alice = api.login("alice", Scope::Project("demo")).await;
    assert_eq!(authorize(&alice, &foreign, &json!([{"name": "member"}])).await.expect(403).message(),
        "You are not authorized to perform the requested action: identity:authorize_request_token.");
    let unknown = Pair { id: "none".to_owned(), secret: String::new() };
    assert_eq!(authorize(&admin, &unknown, &json!([])).await.expect(404).message(), "Request token not found");

    // No roles are none.
    let empty = granted(&admin, &consumer, project, &json!([])).await;
    Signer::new(&consumer).with(&empty).login(api, &Value::Null).await.expect(401);
}

async fn what_has_expired_is_good_no_longer(builder: Builder) {
    let mut cloud = builder
        .seed(seed::world())
        .set("oauth1", "request_token_duration", 0)
        .set("oauth1", "access_token_duration", 0)
        .start()
        .await;
    let api = cloud.api().clone();
    let admin = api.admin().await;
    let project = admin.text("/project/id").to_owned();
    let consumer = consumer(&admin).await;
    let asked = asking(&consumer).request_token(&api, &project).await.expect(201);
    let (asked, end) = Pair::of(&asked);
    assert_eq!(end, None);
    let given = granted(&admin, &consumer, &project, &json!([{"name": "member"}])).await;
    let own = format!("/v3/users/{}/OS-OAUTH1/access_tokens/{}", admin.text("/user/id"), given.id);
    assert_eq!(admin.get(&own).await.expect(200).json()["access_token"]["expires_at"], Value::Null);
    let answer = Signer::new(&consumer).with(&given).login(&api, &Value::Null).await.expect(201);
    let text = answer.header("X-Subject-Token").unwrap().to_owned();
    let told = authorize(&admin, &asked, &json!([])).await.expect(200).json();

    let past = |table: &str| format!("UPDATE {table} SET expires_at = '2026-01-01T00:00:00.000000Z'");
    seed::behind_its_back(&mut cloud, &[past("request_token"), past("access_token")]).await;

    authorize(&admin, &asked, &json!([])).await.expect(401);
    let verifier = told["token"]["oauth_verifier"].as_str().unwrap();
    Signer::new(&consumer).with(&asked).set("oauth_verifier", verifier).access_token(&api).await.expect(401);
    Signer::new(&consumer).with(&given).login(&api, &Value::Null).await.expect(401);
    // Keystone asks for that at logins, and not of the tokens made before.
    admin.validate(&text).await.expect(200);
    assert_eq!(admin.get(&own).await.expect(200).json()["access_token"]["expires_at"], "2026-01-01T00:00:00.000000Z");
}

}
