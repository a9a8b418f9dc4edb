//! `/v3/users/{user_id}/OS-OAUTH1/access_tokens`, and what ends the tokens made from them.

use serde_json::{Value, json};

use crate::notifications::wait_for;
use crate::support::delegation::application_credential;
use crate::support::login::PASSWORD;
use crate::support::oauth1::{Pair, Signer, authorize, consumer, granted};
use crate::support::{Answer, Api, Scope, Session, each_keystone, seed, until};

async fn login(api: &Api, consumer: &Pair, token: &Pair) -> Answer {
    Signer::new(consumer)
        .with(token)
        .login(api, &Value::Null)
        .await
}

async fn token(api: &Api, consumer: &Pair, token: &Pair) -> String {
    let answer = login(api, consumer, token).await.expect(201);
    answer.header("X-Subject-Token").unwrap().to_owned()
}

each_keystone! {

async fn access_tokens_are_seen_and_withdrawn(builder: Builder) {
    let cloud = builder
        .notifying()
        .seed(seed::world())
        .start()
        .await;
    let api = cloud.api();
    let admin = api.admin().await;
    let (own, project) = (admin.text("/user/id"), admin.text("/project/id"));
    let consumer = consumer(&admin).await;
    let roles = json!([{"name": "member"}, {"name": "reader"}]);
    let given = granted(&admin, &consumer, project, &roles).await;
    let all = format!("/v3/users/{own}/OS-OAUTH1/access_tokens");
    let one = format!("{all}/{}", given.id);

    let shown = admin.get(&one).await.expect(200).json();
    let url = format!("{}{one}", api.base());
    assert_eq!(shown["access_token"], json!({
        "id": given.id, "consumer_id": consumer.id, "project_id": project, "authorizing_user_id": own,
        "expires_at": shown["access_token"]["expires_at"], "links": {"self": url, "roles": format!("{url}/roles")},
    }));
    assert!(shown["access_token"]["expires_at"].is_string());
    let listed = admin.get(&all).await.expect(200).json();
    assert_eq!(listed["access_tokens"], json!([shown["access_token"]]));
    assert_eq!(listed["links"], json!({"self": format!("{}{all}", api.base()), "next": null, "previous": null}));
    let listed = admin.get(&format!("{one}/roles")).await.expect(200).json();
    let mut listed = listed["roles"].as_array().unwrap().clone();
    listed.sort_by_key(|role| role["name"].to_string());
    let member = listed[0].clone();
    assert_eq!((listed.len(), &member["name"], &listed[1]["name"]), (2, &json!("member"), &json!("reader")));
    assert_eq!((member.get("description"), &member["domain_id"]), (None, &Value::Null));
    let id = member["id"].as_str().unwrap();
    assert_eq!(admin.get(&format!("{one}/roles/{id}")).await.expect(200).json()["role"], member);
    admin.head(&one).await.expect(200);

    // Of nobody else, and of none.
    assert_eq!(admin.get(&format!("{one}/roles/none")).await.expect(404).message(), "Could not find role: none.");
    let other = format!("/v3/users/alice/OS-OAUTH1/access_tokens/{}", given.id);
    assert_eq!(admin.get("/v3/users/alice/OS-OAUTH1/access_tokens").await.expect(200).json()["access_tokens"], json!([]));
    admin.get(&other).await.expect(404);
    admin.get(&format!("{other}/roles")).await.expect(404);
    admin.get(&format!("{other}/roles/{id}")).await.expect(401);
    admin.delete(&other).await.expect(401);
    for none in [admin.get(&format!("{all}/none")).await, admin.delete(&format!("{all}/none")).await] {
        assert_eq!(none.expect(404).message(), "Access token not found");
    }
    // Not by others, nor with what was handed on (A8).
    let alice = api.login("alice", Scope::Project("demo")).await;
    for (path, rule) in [
        (all.clone(), "list_access_tokens"), (one.clone(), "get_access_token"),
        (format!("{one}/roles"), "list_access_token_roles"), (format!("{one}/roles/{id}"), "get_access_token_role"),
    ] {
        let message = format!("You are not authorized to perform the requested action: identity:{rule}.");
        assert_eq!(alice.get(&path).await.expect(403).message(), message);
    }
    assert_eq!(alice.delete(&one).await.expect(403).message(),
        "You are not authorized to perform the requested action: identity:ec2_delete_credential.");
    let credential = application_credential(&admin, json!({"name": "c"})).await;
    let by_credential = api.session(&credential.login()).await;
    let full = granted(&admin, &consumer, project, &json!([{"name": "admin"}])).await;
    let by_consumer = admin_session(api, &token(api, &consumer, &full).await).await;
    let asked = Signer::new(&consumer).set("oauth_callback", "oob").request_token(api, project).await.expect(201);
    let (asked, _) = Pair::of(&asked);
    for session in [by_credential.token(), &by_consumer] {
        let get = |path: &str| api.request(awc::http::Method::GET, path).token(session).send();
        get(&all).await.expect(403);
        get(&one).await.expect(403);
        // Keystone forgets these.
        let roles = if cloud.is_python() { 200 } else { 403 };
        get(&format!("{one}/roles")).await.expect(roles);
        get(&format!("{one}/roles/{id}")).await.expect(roles);
        api.request(awc::http::Method::DELETE, &one).token(session).send().await.expect(403);
        let path = format!("/v3/OS-OAUTH1/authorize/{}", asked.id);
        let put = api.request(awc::http::Method::PUT, &path).token(session);
        put.json(&json!({"roles": []})).send().await.expect(403);
    }
    authorize(&admin, &asked, &json!([])).await.expect(200);

    // With it go the tokens that were made from it, and no others.
    let made = token(api, &consumer, &given).await;
    admin.validate(&made).await.expect(200);
    admin.delete(&one).await.expect(204);
    admin.validate(&made).await.expect(404);
    assert_eq!(api.request(awc::http::Method::GET, "/v3/auth/projects").token(&made).send().await.expect(404).message(),
        "Access token not found");
    admin.get(&one).await.expect(404);
    admin.validate(&by_consumer).await.expect(200);
    let gone = if cloud.is_python() { 404 } else { 401 };
    login(api, &consumer, &given).await.expect(gone);
    wait_for(&cloud, "identity.OS-OAUTH1:access_token.deleted", &given.id).await;
}

async fn an_access_token_is_good_for_who_signs_with_it_and_as_long_as_all_of_it_stands(builder: Builder) {
    let cloud = builder.seed(seed::world()).start().await;
    let api = cloud.api();
    let admin = api.admin().await;
    let (first, second) = (consumer(&admin).await, consumer(&admin).await);
    let Dave { user: dave, project, grant } = dave(&admin, "p").await;
    let session = api.login("dave", Scope::Project("p")).await;
    let given = granted(&session, &first, &project, &json!([{"name": "member"}])).await;

    let made = token(api, &first, &given).await;
    let wrong = Pair { secret: "0".repeat(32), ..given.clone() };
    login(api, &first, &wrong).await.expect(401);
    let unknown = Pair { id: "0".repeat(32), ..given.clone() };
    login(api, &first, &unknown).await.expect(if cloud.is_python() { 404 } else { 401 });
    // Another consumer that knows its secret: Keystone does not ask whose it is (RFC 5849 section 3.2).
    login(api, &second, &given).await.expect(if cloud.is_python() { 201 } else { 401 });
    let none = Signer::new(&first).login(api, &Value::Null).await.expect(400);
    assert!(none.message().starts_with("Expecting to find oauth_token in request."), "{none:?}");
    // The same as the password's user, or not at all (A15).
    let both = |name: &str| {
        let mut identity = crate::support::password(name);
        identity["methods"] = json!(["oauth1", "password"]);
        identity["oauth1"] = json!({});
        json!({"auth": {"identity": identity}})
    };
    let header = Signer::new(&first).with(&given).header(&format!("{}/v3/auth/tokens", api.base()));
    let post = |body: Value| api.request(awc::http::Method::POST, "/v3/auth/tokens").header("Authorization", &header).json(&body).send();
    let answer = post(both("dave")).await.expect(201).json();
    assert_eq!(answer["token"]["project"]["id"], project);
    post(both("alice")).await.expect(401);

    // Nor two delegations at once, of which a token remembers one.
    let credential = application_credential(&session, json!({"name": "c"})).await;
    let mut both = credential.login();
    both["auth"]["identity"]["methods"] = json!(["oauth1", "application_credential"]);
    both["auth"]["identity"]["oauth1"] = json!({});
    post(both).await.expect(if cloud.is_python() { 201 } else { 401 });

    // The role goes, and comes back.
    admin.delete(&grant).await.expect(204);
    admin.validate(&made).await.expect(404);
    login(api, &first, &given).await.expect(401);
    admin.put(&grant).await.expect(204);
    let made = token(api, &first, &given).await;
    // The user is disabled, and enabled again.
    let enabled = async |enabled: bool| {
        admin.patch(&format!("/v3/users/{dave}"), &json!({"user": {"enabled": enabled}})).await.expect(200);
    };
    enabled(false).await;
    admin.validate(&made).await.expect(404);
    // Keystone gives a token, which is not good.
    login(api, &first, &given).await.expect(if cloud.is_python() { 201 } else { 401 });
    enabled(true).await;
    // Within the second of the revocation Keystone's new tokens are revoked as well.
    let mut made = String::new();
    until("a good token again", async || {
        made = token(api, &first, &given).await;
        admin.validate(&made).await.status() == 200
    })
    .await;
    // The consumer goes, and all that it was given.
    admin.delete(&format!("/v3/OS-OAUTH1/consumers/{}", first.id)).await.expect(204);
    admin.validate(&made).await.expect(404);
    login(api, &first, &given).await.expect(if cloud.is_python() { 404 } else { 401 });
    let listed = admin.get(&format!("/v3/users/{dave}/OS-OAUTH1/access_tokens")).await.expect(200).json();
    assert_eq!(listed["access_tokens"], json!([]));
    let events = admin.get("/v3/OS-REVOKE/events").await.expect(200).json();
    let events = events["events"].as_array().unwrap();
    assert!(events.iter().any(|event| event["OS-OAUTH1:consumer_id"] == first.id.as_str()), "{events:?}");
}

async fn an_access_token_goes_with_its_project_and_its_user(builder: Builder) {
    let cloud = builder.seed(seed::world()).start().await;
    let api = cloud.api();
    let admin = api.admin().await;
    let consumer = consumer(&admin).await;
    let Dave { user, project: first, .. } = dave(&admin, "p").await;
    let second = made(&admin, "project", json!({"name": "q"})).await;
    grant(&admin, &user, &second).await;
    let roles = json!([{"name": "member"}]);
    let dave = api.login("dave", Scope::Project("p")).await;
    let on_first = granted(&dave, &consumer, &first, &roles).await;
    let on_second = granted(&dave, &consumer, &second, &roles).await;
    let by_first = token(api, &consumer, &on_first).await;
    let by_second = token(api, &consumer, &on_second).await;
    let left = async || {
        let listed = admin.get(&format!("/v3/users/{user}/OS-OAUTH1/access_tokens")).await.expect(200).json();
        listed["access_tokens"].as_array().unwrap().len()
    };
    // Keystone leaves them where they are, and nobody can use them.
    let kept = |ours: usize| if cloud.is_python() { 2 } else { ours };
    let gone = if cloud.is_python() { 404 } else { 401 };

    admin.delete(&format!("/v3/projects/{second}")).await.expect(204);
    admin.validate(&by_second).await.expect(404);
    login(api, &consumer, &on_second).await.expect(gone);
    assert_eq!(left().await, kept(1));
    admin.validate(&by_first).await.expect(200);

    admin.delete(&format!("/v3/users/{user}")).await.expect(204);
    admin.validate(&by_first).await.expect(404);
    login(api, &consumer, &on_first).await.expect(gone);
    assert_eq!(left().await, kept(0));
}

}

/// A user who is admin of a project of its own.
struct Dave {
    user: String,
    project: String,
    /// The path of the grant.
    grant: String,
}

async fn made(admin: &Session, kind: &str, attributes: Value) -> String {
    let (path, body) = (format!("/v3/{kind}s"), json!({ kind: attributes }));
    let made = admin.post(&path, &body).await.expect(201).json();
    made[kind]["id"].as_str().unwrap().to_owned()
}

async fn dave(admin: &Session, project: &str) -> Dave {
    let project = made(admin, "project", json!({ "name": project })).await;
    let user = made(admin, "user", json!({"name": "dave", "password": PASSWORD})).await;
    let grant = grant(admin, &user, &project).await;
    Dave {
        user,
        project,
        grant,
    }
}

/// Makes a user admin of a project.
async fn grant(admin: &Session, user: &str, project: &str) -> String {
    let roles = admin.get("/v3/roles?name=admin").await.expect(200).json();
    let role = roles["roles"][0]["id"].as_str().unwrap();
    let grant = format!("/v3/projects/{project}/users/{user}/roles/{role}");
    admin.put(&grant).await.expect(204);
    grant
}

async fn admin_session(api: &Api, token: &str) -> String {
    api.request(awc::http::Method::GET, "/v3/users")
        .token(token)
        .send()
        .await
        .expect(200);
    token.to_owned()
}
