//! A14: whatever is made of what, in whichever order, it is never more than what it began with.

use std::collections::BTreeSet;

use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};

use crate::support::cloud::Builder;
use crate::support::delegation::{
    Ec2, application_credential, ec2_key, ec2_token, in_trust, trust,
};
use crate::support::{Api, Scope, Session, password, seed};

/// Alice is `manager` of demo, `member` of side, and `reader` of her domain and of the system.
fn world() -> Vec<String> {
    [
        seed::world(),
        seed::project("side", "default", true),
        seed::user("carol", "default", true),
        seed::grant("UserProject", "alice", "demo", "manager"),
        seed::grant("UserProject", "alice", "side", "member"),
        seed::grant("UserDomain", "alice", "default", "reader"),
        seed::system_grant("alice", "reader"),
        seed::grant("UserProject", "bob", "side", "manager"),
        seed::grant("UserProject", "carol", "side", "manager"),
    ]
    .concat()
}

/// Chance that comes out the same each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        // Of Knuth's MMIX.
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    fn of<'a, T>(&mut self, choice: &'a [T]) -> &'a T {
        &choice[self.below(choice.len())]
    }
}

/// The token behind a text, if it is good.
async fn session(api: &Api, admin: &Session, text: &str) -> Option<Value> {
    let answer = admin.at(api).validate(text).await;
    (answer.status() == 200).then(|| answer.json()["token"].clone())
}

async fn login(api: &Api, body: &Value) -> Option<String> {
    let answer = api.authenticate(body).await;
    answer.header("X-Subject-Token").map(str::to_owned)
}

async fn exchange(admin: &Session, key: &Ec2) -> Option<String> {
    let answer = admin.post("/v3/ec2tokens", &key.signed(Utc::now())).await;
    answer.header("X-Subject-Token").map(str::to_owned)
}

/// What whoever has a token may try to make another of it, by one step.
async fn step(
    api: &Api,
    admin: &Session,
    text: &str,
    token: &Value,
    chance: &mut Chance,
) -> Option<String> {
    let user = token["user"]["id"].as_str()?;
    let project = *chance.of(&["demo", "demo", "side"]);
    let roles = chance
        .of(&[
            json!([{"name": "reader"}]),
            json!([{"name": "member"}]),
            json!([{"name": "manager"}]),
            json!([{"name": "admin"}]),
        ])
        .clone();
    // Later than all, as late as may be, or as late as it comes.
    let end = chance
        .of(&[
            json!("2999-01-01T00:00:00Z"),
            token["expires_at"].clone(),
            Value::Null,
        ])
        .clone();
    let ask = async |path: &str, body: Value| {
        let answer = api
            .request(awc::http::Method::POST, path)
            .token(text)
            .json(&body)
            .send()
            .await;
        (answer.status() == 201).then(|| answer.json())
    };
    match chance.below(6) {
        0 => {
            let scope = chance
                .of(&[
                    json!({"project": {"id": "demo"}}),
                    json!({"project": {"id": "side"}}),
                    json!({"domain": {"id": "default"}}),
                    json!({"system": {"all": true}}),
                    json!({"unscoped": {}}),
                ])
                .clone();
            let identity = json!({"methods": ["token"], "token": {"id": text}});
            login(
                api,
                &json!({"auth": {"identity": identity, "scope": scope}}),
            )
            .await
        }
        1 => {
            let identity = json!({"methods": ["token"], "token": {"id": text}});
            login(api, &json!({"auth": {"identity": identity}})).await
        }
        2 => {
            let name = format!("n{}", chance.below(usize::MAX));
            let mut new =
                json!({"name": name, "unrestricted": chance.below(2) == 0, "expires_at": end});
            if chance.below(2) == 0 {
                new["roles"] = roles;
            }
            let path = format!("/v3/users/{user}/application_credentials");
            let made = ask(&path, json!({ "application_credential": new })).await?;
            let made = &made["application_credential"];
            let identity = json!({
                "methods": ["application_credential"],
                "application_credential": {"id": made["id"], "secret": made["secret"]},
            });
            login(api, &json!({"auth": {"identity": identity}})).await
        }
        3 => {
            let trustee = *chance.of(&["bob", "carol"]);
            let new = json!({"trust": {
                "trustor_user_id": user, "trustee_user_id": trustee, "project_id": project, "roles": roles,
                "impersonation": chance.below(2) == 0, "allow_redelegation": true, "expires_at": end,
            }});
            let made = ask("/v3/OS-TRUST/trusts", new).await?;
            let id = made["trust"]["id"].as_str()?.to_owned();
            login(api, &in_trust(&password(trustee), &id)).await
        }
        4 => {
            let path = format!("/v3/users/{user}/credentials/OS-EC2");
            let made = ask(&path, json!({"tenant_id": project})).await?;
            let text = |name: &str| made["credential"][name].as_str().map(str::to_owned);
            let key = Ec2 {
                access: text("access")?,
                secret: text("secret")?,
            };
            exchange(admin, &key).await
        }
        _ => {
            let access = format!("k{}", chance.below(usize::MAX));
            let blob = json!({"access": access, "secret": "secret"}).to_string();
            let new = json!({"type": "ec2", "blob": blob, "user_id": user, "project_id": project});
            ask("/v3/credentials", json!({ "credential": new })).await?;
            let key = Ec2 {
                access,
                secret: "secret".to_owned(),
            };
            exchange(admin, &key).await
        }
    }
}

fn roles(token: &Value) -> BTreeSet<String> {
    let roles = token["roles"].as_array().into_iter().flatten();
    roles
        .filter_map(|role| role["name"].as_str().map(str::to_owned))
        .collect()
}

on_sqlite! {
    async fn a14_no_sequence_of_exchanges_makes_more_of_anything(db: TestDb) {
        let cloud = Builder::new(&db).seed(world()).start().await;
        let api = cloud.api();
        let admin = api.admin().await;
        let alice = api.login("alice", Scope::Project("demo")).await;
        let end = (Utc::now() + TimeDelta::minutes(30)).format("%Y-%m-%dT%H:%M:%SZ").to_string();
        let member = json!([{"name": "member"}]);
        let restricted = application_credential(&alice, json!({"name": "a", "roles": member, "expires_at": end})).await;
        let given = trust(&alice, "bob", &json!({"expires_at": end, "allow_redelegation": true, "impersonation": true})).await;
        let as_himself = trust(&alice, "bob", &json!({"expires_at": end, "allow_redelegation": true})).await;
        let key = ec2_key(&alice, "demo").await;
        let begun = [
            login(api, &restricted.login()).await,
            login(api, &in_trust(&password("bob"), &given)).await,
            login(api, &in_trust(&password("bob"), &as_himself)).await,
            Some(ec2_token(api, &admin, &key).await),
        ];
        let mut chance = Chance(7);
        let mut made = 0;
        for begun in begun {
            let begun = begun.unwrap();
            let first = session(api, &admin, &begun).await.unwrap();
            let (most, latest) = (roles(&first), first["expires_at"].as_str().unwrap().to_owned());
            // All that was ever made of it, so that what comes late may be made of what came early.
            let mut held = vec![(begun, first, String::new())];
            for _ in 0..60 {
                let (text, token, way) = chance.of(&held).clone();
                let Some(new) = step(api, &admin, &text, &token, &mut chance).await else { continue };
                let Some(token) = session(api, &admin, &new).await else { continue };
                let way = format!("{way} {}", token["methods"]);
                made += 1;
                assert!(roles(&token).is_subset(&most), "{way}: {:?} of {most:?}", roles(&token));
                assert!(token["project"].is_null() || token["project"]["id"] == "demo", "{way}: {token}");
                assert!(token["domain"].is_null() && token["system"].is_null(), "{way}: {token}");
                assert!(token["expires_at"].as_str().unwrap() <= latest.as_str(), "{way}: {token} after {latest}");
                held.push((new, token, way));
            }
        }
        assert!(made > 0, "nothing could be made of anything");
    }
}
