//! `[security_compliance]` at the login: lockout, expiry, inactivity, and who is excepted.

use std::time::Duration;

use awc::http::Method;
use serde_json::{Value, json};

use crate::support::login::{PASSWORD, password_is};
use crate::support::{Answer, Api, Cloud, Scope, each_keystone, password, scoped, seed};

const REFUSED: &str = "The request you have made requires authentication.";

async fn attempt(api: &Api, user: &str, right: bool) -> Answer {
    let identity = if right {
        password(user)
    } else {
        password_is(user, "wrong")
    };
    api.authenticate(&scoped(identity, Scope::Unscoped)).await
}

/// Whether this lets its user in: in the second after, since a new password ends all tokens of the
/// second in which it was set.
async fn comes_in(api: &Api, identity: Value) -> bool {
    let login = scoped(identity, Scope::Unscoped);
    for _ in 0..60 {
        if api.authenticate(&login).await.status() == 201 {
            return true;
        }
        actix_rt::time::sleep(Duration::from_millis(50)).await;
    }
    false
}

#[track_caller]
fn assert_refused(answer: &Answer) {
    assert_eq!(
        (answer.status(), answer.message().as_str()),
        (401, REFUSED),
        "{answer:?}"
    );
}

fn user(id: &str) -> Vec<String> {
    seed::user(id, "default", true)
}

/// Lets the last failure of everybody lie years back.
async fn long_after(cloud: &mut Cloud<'_>) {
    let past = r#"UPDATE "local_user" SET "failed_auth_at" = '2020-01-01 00:00:00' WHERE "failed_auth_at" IS NOT NULL"#;
    seed::behind_its_back(cloud, &[past.to_owned()]).await;
}

each_keystone! {
    async fn failures_lock_an_account_for_a_time(builder: Builder) {
        let mut cloud = builder
            .set("security_compliance", "lockout_failure_attempts", 3)
            .set("security_compliance", "lockout_duration", 3600)
            .seed([user("ann"), user("ben"), user("exe"), seed::user_option("exe", "1002", "true")].concat())
            .start()
            .await;
        let api = cloud.api().clone();

        for _ in 0..3 {
            assert_refused(&attempt(&api, "ann", false).await);
            assert_refused(&attempt(&api, "exe", false).await);
        }
        assert_refused(&attempt(&api, "ann", true).await);
        attempt(&api, "exe", true).await.expect(201);
        // Fewer failures lock nobody, and a good login forgets them.
        for _ in 0..3 {
            assert_refused(&attempt(&api, "ben", false).await);
            assert_refused(&attempt(&api, "ben", false).await);
            attempt(&api, "ben", true).await.expect(201);
        }

        long_after(&mut cloud).await;

        attempt(&api, "ann", true).await.expect(201);
        assert_refused(&attempt(&api, "ann", false).await);
        attempt(&api, "ann", true).await.expect(201);
    }

    async fn an_expired_password_is_told_to_who_knows_it_and_to_nobody_else(builder: Builder) {
        let expired = r#"UPDATE "password" SET "expires_at" = '2020-01-01 00:00:00', "expires_at_int" = 1577836800000000
            WHERE "local_user_id" IN (SELECT "id" FROM "local_user" WHERE "name" IN ('old', 'exe'))"#;
        let ahead = r#"UPDATE "password" SET "expires_at" = '2090-01-01 00:00:00', "expires_at_int" = 3786912000000000
            WHERE "local_user_id" IN (SELECT "id" FROM "local_user" WHERE "name" = 'new')"#;
        let seed = [user("old"), user("new"), user("exe"), seed::user_option("exe", "1001", "true")];
        let cloud = builder
            .seed(seed.concat())
            .seed(vec![expired.to_owned(), ahead.to_owned()])
            .start()
            .await;
        let api = cloud.api();

        let told = attempt(api, "old", true).await.expect(401);
        assert_eq!(told.message(), "The password is expired and needs to be changed for user: old.");
        assert_refused(&attempt(api, "old", false).await);
        let session = api.login("new", Scope::Unscoped).await;
        assert_eq!(session.text("/user/password_expires_at"), "2090-01-01T00:00:00.000000");
        attempt(api, "exe", true).await.expect(201);
    }

    async fn a_password_that_an_administrator_sets_has_to_be_changed_first(builder: Builder) {
        let cloud = builder.set("security_compliance", "change_password_upon_first_use", true).start().await;
        let api = cloud.api();
        let admin = api.admin().await;
        let make = async |name: &str| {
            let user = json!({"user": {"name": name, "domain_id": "default", "password": PASSWORD}});
            let made = admin.post("/v3/users", &user).await.expect(201).json();
            made["user"]["id"].as_str().unwrap().to_owned()
        };
        let (id, exempt) = (make("fresh").await, make("exempt").await);
        for change in [json!({"options": {"ignore_change_password_upon_first_use": true}}), json!({"password": PASSWORD})] {
            admin.patch(&format!("/v3/users/{exempt}"), &json!({"user": change})).await.expect(200);
        }

        assert!(comes_in(api, password("exempt")).await);
        let told = attempt(api, "fresh", true).await.expect(401);
        assert_eq!(told.message(), format!("The password is expired and needs to be changed for user: {id}."));
        assert_refused(&attempt(api, "fresh", false).await);
        let change = async |original: &str, password: &str| {
            let body = json!({"user": {"original_password": original, "password": password}});
            let request = api.request(Method::POST, &format!("/v3/users/{id}/password"));
            request.json(&body).send().await.status()
        };
        assert_eq!(change("wrong", "another horse").await, 401);
        assert_eq!(change(PASSWORD, "another horse").await, 204);
        attempt(api, "fresh", true).await.expect(401);
        assert!(comes_in(api, password_is("fresh", "another horse")).await);
    }

    async fn who_was_away_for_too_long_is_disabled(builder: Builder) {
        let active = |user: &str, day: &str| {
            format!(r#"UPDATE "user" SET "last_active_at" = '{day}', "created_at" = '2020-01-01 00:00:00' WHERE "id" = '{user}'"#)
        };
        let made = |user: &str, day: &str| format!(r#"UPDATE "user" SET "created_at" = '{day} 00:00:00' WHERE "id" = '{user}'"#);
        let seed = [user("gone"), user("new"), user("never"), user("exe"), seed::user_option("exe", "1004", "true")];
        let cloud = builder
            .set("security_compliance", "disable_user_account_days_inactive", 30)
            .seed(seed.concat())
            .seed(vec![active("gone", "2020-01-01"), active("exe", "2020-01-01")])
            .seed(vec![made("never", "2020-01-01"), made("new", "2090-01-01")])
            .start()
            .await;
        let api = cloud.api();

        assert_refused(&attempt(api, "gone", true).await);
        attempt(api, "exe", true).await.expect(201);
        // Who was never here counts from the day on which the account was made.
        assert_refused(&attempt(api, "never", true).await);
        attempt(api, "new", true).await.expect(201);
    }
}
