//! By HAProxy, with `config/haproxy-beside.cfg`.

use awc::http::Method;

use super::{AMBIGUOUS, CLAIMS, OURS, behind_a_proxy, claimed, federate};
use crate::support::cloud::Builder;
use crate::support::haproxy::Haproxy;
use crate::support::raw::Raw;
use crate::support::{Options, python};
use crate::testdb::each_server;

fn options_of_python() -> Options {
    Options::default()
        .set("oslo_middleware", "enable_proxy_headers_parsing", true)
        .set("federation", "remote_id_attribute", "HTTP_OIDC_ISS")
}

each_server! {
    async fn haproxy_leaves_v3_with_python_keystone_and_gives_us_v4_and_what_the_map_names(db: TestDb) {
        if python::is_left_out() {
            return;
        }
        let mut first = Builder::new(&db).options(behind_a_proxy()).start().await;
        let second = first.start_node(behind_a_proxy()).await;
        let theirs = first.start_python_beside(options_of_python()).await;
        let moved = "GET:/v3/auth/tokens/ keystone-ng\n/v3/auth/catalog/ keystone-ng\n";
        let haproxy = Haproxy::start_beside(&db, [&first, &second], &theirs, moved);
        let api = haproxy.api();

        // Made by Python Keystone, validated by us.
        let admin = api.admin().await;
        assert!(haproxy.logged("POST /v3/auth/tokens").await.contains(" python/python2 "));
        admin.validate(admin.token()).await.expect(200);
        assert!(haproxy.logged("GET /v3/auth/tokens").await.contains(" keystone-ng/"));
        for (path, server) in [
            ("/v3", " python/"),
            ("/v3/users", " python/"),
            ("/v40", " python/"),
            ("/v3/auth/catalog", " keystone-ng/"),
            ("/v3/auth/catalogue", " python/"),
        ] {
            admin.get(path).await;
            let line = haproxy.logged(&format!("GET {path} ")).await;
            assert!(line.contains(server), "{line}");
        }
        for path in OURS {
            admin.get(path).await;
            let line = haproxy.logged(&format!("GET {path} ")).await;
            assert!(line.contains(" keystone-ng/"), "{line}");
        }
        for path in ["/readyz", "/livez", "/metrics"] {
            api.get(path).await.expect(404);
            let line = haproxy.logged(&format!("GET {path} ")).await;
            assert!(line.contains(" identity/<NOSRV> "), "{line}");
        }

        // A node that is gone is not missed.
        first.kill();
        for _ in 0..20 {
            admin.validate(admin.token()).await.expect(200);
        }
        drop(second);
    }

    async fn what_clients_claim_comes_past_haproxy_neither_to_us_nor_to_python_keystone(db: TestDb) {
        if python::is_left_out() {
            return;
        }
        let ours = Builder::new(&db).options(behind_a_proxy()).start().await;
        let theirs = ours.start_python_beside(options_of_python()).await;
        let moved = "/v3/auth/catalog/ keystone-ng\nHEAD:/v3/ keystone-ng\n";
        let haproxy = Haproxy::start_beside(&db, [&ours, &ours], &theirs, moved);
        let api = haproxy.api();
        federate(&theirs.api().admin().await).await;

        // Without HAProxy, Python Keystone takes a header for what its web server says.
        assert_eq!(claimed(theirs.api(), "OIDC-ISS", "OIDC-SUB").await, 201);
        for (issuer, subject) in [("OIDC-ISS", "OIDC-SUB"), ("OIDC_ISS", "OIDC_SUB"), ("oidc_iss", "OIDC-Sub")] {
            assert_ne!(claimed(&api, issuer, subject).await, 201, "{issuer}");
        }

        let base = api.base().replace("http:", "https:");
        for (name, value) in CLAIMS {
            let version = api.request(Method::GET, "/v3").header(name, value).send().await.expect(200);
            let link = &version.json()["version"]["links"][0]["href"];
            assert_eq!(*link, format!("{base}/v3/"), "{name}");
        }
        let mut client = Raw::connect(&haproxy.address());
        client.send("GET /v3/auth/catalog HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 192.0.2.66\r\nX_Forwarded_For: 192.0.2.66\r\n\r\n");
        let answer = client.answer();
        let line = ours.until_logged(&[answer.header("x-openstack-request-id").unwrap(), "client="]).await;
        assert!(line.contains("client=127.0.0.1"), "{line}");

        for path in AMBIGUOUS {
            let mut client = Raw::connect(&haproxy.address());
            assert_eq!(client.get(path).answer().status, 400, "{path}");
        }
    }
}
