//! What proxies say of the client, from those that are trusted and from everybody else.

use awc::http::Method;

use crate::support::cloud::Builder;
use crate::support::{Answer, Cloud};

/// Asks for the version with these headers.
async fn version(cloud: &Cloud<'_>, headers: &[(&str, &str)]) -> Answer {
    let mut request = cloud.api().request(Method::GET, "/v3");
    for (name, value) in headers {
        request = request.header(name, value);
    }
    request.send().await.expect(200)
}

fn link(answer: &Answer) -> String {
    answer.json()["version"]["links"][0]["href"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// The line that the log has of this answer.
async fn line(cloud: &Cloud<'_>, answer: &Answer) -> String {
    let id = answer.header("x-openstack-request-id").unwrap();
    cloud.until_logged(&[id, "answered"]).await
}

const CLAIMS: [(&str, &str); 4] = [
    ("X-Forwarded-For", "192.0.2.7"),
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-Host", "identity.example"),
    ("X-Forwarded-Prefix", "/identity"),
];

on_sqlite! {
    async fn a_trusted_proxy_is_believed(db: TestDb) {
        let cloud = Builder::new(&db).set("api_server", "trusted_proxies", "127.0.0.0/8").start().await;

        let answer = version(&cloud, &CLAIMS).await;

        assert_eq!(link(&answer), "https://identity.example/identity/v3/");
        assert!(line(&cloud, &answer).await.contains("client=192.0.2.7"));
    }

    async fn nobody_else_is_whatever_oslos_option_says(db: TestDb) {
        let cloud = Builder::new(&db)
            .set("api_server", "trusted_proxies", "10.0.0.0/8")
            .set("oslo_middleware", "enable_proxy_headers_parsing", true)
            .start()
            .await;

        let answer = version(&cloud, &CLAIMS).await;

        assert_eq!(link(&answer), format!("{}/v3/", cloud.api().base()));
        assert!(line(&cloud, &answer).await.contains("client=127.0.0.1"));
    }

    async fn what_a_client_says_to_its_proxy_about_itself_is_not_believed(db: TestDb) {
        let cloud = Builder::new(&db).set("api_server", "trusted_proxies", "127.0.0.1,10.0.0.0/8").start().await;

        for (forwarded, client) in [
            ("6.6.6.6, 192.0.2.7", "192.0.2.7"),
            ("6.6.6.6, 192.0.2.7, 10.0.0.9", "192.0.2.7"),
            ("6.6.6.6, nonsense", "127.0.0.1"),
        ] {
            let answer = version(&cloud, &[("X-Forwarded-For", forwarded)]).await;
            let line = line(&cloud, &answer).await;
            assert!(line.contains(&format!("client={client}")), "{line}");
        }
        let own = format!("{}/v3/", cloud.api().base());
        for (name, value) in [
            ("Forwarded", "for=6.6.6.6;host=evil.example;proto=https"),
            ("X-Forwarded-Host", "evil.example/x?"),
            ("X-Forwarded-Prefix", "//evil.example"),
            ("X-Forwarded-Prefix", "/x\"onload"),
        ] {
            assert_eq!(link(&version(&cloud, &[(name, value)]).await), own, "{name}: {value}");
        }
        // Two proxies, or a proxy and a client: who is who can't be told.
        let twice = [("X-Forwarded-Host", "a.example"), ("X-Forwarded-Host", "b.example")];
        assert_eq!(link(&version(&cloud, &twice).await), own);
    }

    async fn oslos_option_without_trusted_proxies_is_warned_about(db: TestDb) {
        let cloud = Builder::new(&db)
            .set("oslo_middleware", "enable_proxy_headers_parsing", true)
            .start()
            .await;

        let line = cloud.until_logged(&["enable_proxy_headers_parsing"]).await;

        assert!(line.contains("name the proxies in [api_server] trusted_proxies"), "{line}");
    }
}
