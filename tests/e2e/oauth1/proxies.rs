//! Behind proxies requests are signed for the URL that clients know.

use awc::http::Method;
use serde_json::json;

use crate::support::cloud::Builder;
use crate::support::oauth1::{Signer, consumer};
use crate::testdb::each_database;

each_database! {
    async fn the_url_that_is_signed_is_the_public_one_or_the_hosts_in_its_scheme(db: TestDb) {
        let builder = Builder::new(&db).set("DEFAULT", "public_endpoint", "https://KS.example:443/identity");
        let cloud = builder.start().await;
        let api = cloud.api();
        let admin = api.admin().await;
        let consumer = consumer(&admin).await;
        let path = "/v3/OS-OAUTH1/request_token";
        let ask = async |url: &str| {
            let header = Signer::new(&consumer).set("oauth_callback", "oob").header(&format!("{url}{path}"));
            let request = api.request(Method::POST, path).header("Authorization", &header);
            request.header("Requested-Project-Id", admin.text("/project/id")).send().await.status()
        };

        assert_eq!(ask("https://ks.example/identity").await, 201);
        assert_eq!(ask(&format!("https://{}", cloud.address())).await, 201);
        assert_eq!(ask(api.base()).await, 401);
        assert_eq!(ask("https://ks.example").await, 401);
        assert_eq!(ask("https://other.example/identity").await, 401);
        let made = admin.post("/v3/OS-OAUTH1/consumers", &json!({"consumer": {}})).await.expect(201).json();
        let link = made["consumer"]["links"]["self"].as_str().unwrap();
        assert!(link.to_lowercase().starts_with("https://ks.example"), "{link}");
    }
}
