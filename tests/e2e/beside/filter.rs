//! By the WSGI filter of `config/wsgi`, from inside Python Keystone's uWSGI.

use std::net::Ipv4Addr;

use super::{AMBIGUOUS, CLAIMS, OURS, behind_a_proxy};
use crate::support::cloud::Builder;
use crate::support::login::{password, scoped};
use crate::support::python;
use crate::support::raw::Raw;
use crate::support::{Options, Scope};
use crate::testdb::each_server;

/// More than what the filter passes on by itself, so that there is something to log in to, and an
/// answer of many pieces.
const PATHS: &str = "/v4,/passkeys,/.well-known/webauthn,/.well-known/passkey-endpoints,/v3/auth/tokens,/openapi.json";

each_server! {
    async fn the_filter_gives_us_our_paths_from_inside_python_keystone(db: TestDb) {
        if python::is_left_out() {
            return;
        }
        let mut ours = Builder::new(&db).options(behind_a_proxy()).start().await;
        let theirs = ours.start_python_forwarding(Options::default(), &[("KEYSTONE_NG_PATHS", PATHS)]).await;
        let api = theirs.api();

        // Logged in here, by way of Python Keystone's server, and good there.
        let admin = api.admin().await;
        ours.until_logged(&["POST", "/v3/auth/tokens", "201"]).await;
        let users = admin.get("/v3/users").await.expect(200);
        assert!(users.json()["users"][0]["options"].is_object(), "{users:?}");
        admin.validate(admin.token()).await.expect(200);
        assert_eq!(admin.check(admin.token()).await.expect(200).bytes(), b"");
        for path in OURS {
            let answer = admin.get(path).await;
            let id = answer.header("x-openstack-request-id").unwrap();
            ours.until_logged(&[id, "answered"]).await;
        }
        let description = api.get("/openapi.json").await.expect(200);
        assert_eq!(description.bytes(), ours.api().get("/openapi.json").await.bytes());

        // In chunks, twice on one connection, and who it is that asks.
        let body = scoped(password("admin"), Scope::Project("admin")).to_string();
        let mut client = Raw::connect_from(Ipv4Addr::new(127, 0, 0, 2), &theirs.address());
        for _ in 0..2 {
            client.send(format!(
                "POST /v3/auth/tokens HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
                 Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
                body.len()
            ));
            let answer = client.answer();
            assert_eq!(answer.status, 201, "{answer:?}");
            let id = answer.header("x-openstack-request-id").unwrap();
            let line = ours.until_logged(&[id, "client="]).await;
            assert!(line.contains("client=127.0.0.2"), "{line}");
        }

        // Without us there is Python Keystone, and an error in its form.
        ours.kill();
        let refused = api.get("/v4").await.expect(502);
        assert_eq!(refused.json()["error"]["title"], "Bad Gateway");
        api.get("/v3").await.expect(200);
    }

    async fn what_clients_claim_comes_past_the_filter_not_to_us(db: TestDb) {
        if python::is_left_out() {
            return;
        }
        let ours = Builder::new(&db).options(behind_a_proxy()).start().await;
        let theirs = ours.start_python_forwarding(Options::default(), &[("KEYSTONE_NG_PATHS", PATHS)]).await;
        let own = format!("http://{}/", theirs.address());

        for (name, value) in CLAIMS {
            let mut client = Raw::connect(&theirs.address());
            let host = theirs.address();
            client.send(format!(
                "GET /v4 HTTP/1.1\r\nHost: {host}\r\nConnection: X-Auth-Token\r\nX-Auth-Token: none\r\n{name}: {value}\r\n\r\n"
            ));
            let answer = client.answer();
            let body = String::from_utf8_lossy(&answer.body).into_owned();
            assert!(!body.contains("evil"), "{name}: {own}: {body}");
            let id = answer.header("x-openstack-request-id").unwrap();
            let line = ours.until_logged(&[id, "client="]).await;
            assert!(line.contains("client=127.0.0.1"), "{name}: {line}");
        }
        for path in AMBIGUOUS {
            // uWSGI resolves dots that are not encoded before anybody is asked: the first is then
            // Python Keystone's, who wants a token, and the last is ours, who has no such page.
            let expected = match path {
                "/v4/../v3/users" => 401,
                "/passkeys/./x" => 404,
                _ => 400,
            };
            let mut client = Raw::connect(&theirs.address());
            assert_eq!(client.get(path).answer().status, expected, "{path}");
        }
        let mut client = Raw::connect(&theirs.address());
        client.send("GET /v4 HTTP/1.1\r\nHost: x\r\nVia: 1.1 keystone-ng-forward\r\n\r\n");
        assert_eq!(client.answer().status, 508);
    }
}
