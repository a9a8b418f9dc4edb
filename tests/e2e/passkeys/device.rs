//! A login on a command line that goes on in a browser.

use serde_json::{Value, json};

use super::{post, start};
use crate::support::Api;

async fn ask(api: &Api, code: &Value) -> Value {
    let answer = post(
        api,
        "/v4/auth/passkey/device/token",
        &json!({"device_code": code}),
    )
    .await;
    answer.expect(400).json()["error"]["title"].clone()
}

on_sqlite! {
    async fn a_login_waits_for_the_browser_in_the_words_of_rfc_8628(db: TestDb) {
        let cloud = start(&db).await;
        let api = cloud.api();
        let begun = post(api, "/v4/auth/passkey/device", &json!({"client": "a shell"})).await;
        let begun = begun.expect(201).json();
        assert_eq!(begun["verification_uri"], "https://id.cloud.example/passkeys/device");
        let code = begun["user_code"].as_str().unwrap();
        assert_eq!(
            begun["verification_uri_complete"],
            format!("https://id.cloud.example/passkeys/device?code={code}")
        );
        assert!(begun["expires_in"].as_i64().unwrap() > 500);
        assert_eq!(ask(api, &begun["device_code"]).await, "authorization_pending");
        assert_eq!(ask(api, &begun["device_code"]).await, "slow_down");
        assert_eq!(ask(api, &json!("nonsense")).await, "expired_token");
        post(api, "/v4/auth/passkey/device/token", &json!({})).await.expect(400);
        let log = cloud.log();
        assert!(!log.contains(begun["device_code"].as_str().unwrap()));
    }
}
