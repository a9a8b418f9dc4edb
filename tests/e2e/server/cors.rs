//! Browsers of other origins, as Python Keystone answers them.

use awc::http::Method;

use crate::support::{Answer, Cloud, each_keystone};

const OURS: &str = "https://dashboard.example";

async fn ask(cloud: &Cloud<'_>, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = cloud.api().request(method, path);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    request.send().await
}

/// The headers of CORS, as `name: value`, sorted.
fn cors(answer: &Answer) -> Vec<String> {
    let names = [
        "access-control-allow-credentials",
        "access-control-allow-headers",
        "access-control-allow-methods",
        "access-control-allow-origin",
        "access-control-expose-headers",
        "access-control-max-age",
    ];
    let of = |name: &&str| Some(format!("{name}: {}", answer.header(name)?));
    names.iter().filter_map(of).collect()
}

each_keystone! {
    async fn a_page_of_an_allowed_origin_may_read_answers(builder: Builder) {
        let cloud = builder.set("cors", "allowed_origin", format!("https://other.example,{OURS}")).start().await;

        let version = ask(&cloud, Method::GET, "/v3", &[("Origin", OURS)]).await.expect(200);
        let refused = ask(&cloud, Method::GET, "/v3/auth/tokens", &[("Origin", OURS)]).await.expect(401);

        for answer in [&version, &refused] {
            assert_eq!(cors(answer), [
                "access-control-allow-credentials: true",
                "access-control-allow-origin: https://dashboard.example",
                "access-control-expose-headers: X-Auth-Token,X-Openstack-Request-Id,X-Subject-Token,Openstack-Auth-Receipt",
            ]);
            assert_eq!(answer.header("Vary"), Some("X-Auth-Token,Origin"));
        }
    }

    async fn other_origins_get_the_answer_without_a_word(builder: Builder) {
        let cloud = builder.set("cors", "allowed_origin", OURS).start().await;

        for origin in ["https://evil.example", "http://dashboard.example", "https://dashboard.example/", "null"] {
            let version = ask(&cloud, Method::GET, "/v3", &[("Origin", origin)]).await.expect(200);
            assert_eq!(cors(&version), [""; 0], "{origin}");
        }
        let plain = ask(&cloud, Method::GET, "/v3", &[]).await.expect(200);
        assert_eq!(cors(&plain), [""; 0]);
    }

    async fn a_preflight_says_what_the_page_may_do(builder: Builder) {
        let cloud = builder.set("cors", "allowed_origin", OURS).set("cors", "max_age", 60).start().await;
        let wanted = "x-auth-token, Content-Type,X-Subject-Token";

        let answer = ask(&cloud, Method::OPTIONS, "/v3/auth/tokens", &[
            ("Origin", OURS),
            ("Access-Control-Request-Method", "DELETE"),
            ("Access-Control-Request-Headers", wanted),
        ])
        .await
        .expect(200);

        assert_eq!(cors(&answer), [
            "access-control-allow-credentials: true",
            "access-control-allow-headers: x-auth-token,Content-Type,X-Subject-Token",
            "access-control-allow-methods: DELETE",
            "access-control-allow-origin: https://dashboard.example",
            "access-control-max-age: 60",
        ]);
        assert_eq!(answer.header("Vary"), Some("Origin"));
    }

    async fn a_preflight_that_wants_too_much_is_answered_without_a_word(builder: Builder) {
        let cloud = builder
            .set("cors", "allowed_origin", OURS)
            .set("cors", "allow_methods", "GET,POST")
            .set("cors", "allow_headers", "X-Auth-Token")
            .start()
            .await;

        for headers in [
            &[("Origin", OURS)][..],
            &[("Origin", OURS), ("Access-Control-Request-Method", "DELETE")],
            &[("Origin", OURS), ("Access-Control-Request-Method", "get")],
            &[("Origin", OURS), ("Access-Control-Request-Method", "GET"), ("Access-Control-Request-Headers", "X-Subject-Token")],
            &[("Origin", "https://evil.example"), ("Access-Control-Request-Method", "GET")],
        ] {
            let answer = ask(&cloud, Method::OPTIONS, "/v3/auth/tokens", headers).await.expect(200);
            assert_eq!(cors(&answer), [""; 0], "{headers:?}");
        }
        let modest = [("Origin", OURS), ("Access-Control-Request-Method", "GET")];
        let answer = ask(&cloud, Method::OPTIONS, "/v3/auth/tokens", &modest).await.expect(200);
        assert!(cors(&answer).contains(&"access-control-allow-methods: GET".to_owned()), "{answer:?}");
    }

    async fn a_star_allows_every_origin(builder: Builder) {
        let cloud = builder
            .set("cors", "allowed_origin", "*")
            .set("cors", "allow_credentials", false)
            .set("cors", "expose_headers", "")
            .start()
            .await;

        let answer = ask(&cloud, Method::GET, "/v3", &[("Origin", "https://any.example")]).await.expect(200);

        assert_eq!(cors(&answer), ["access-control-allow-origin: *"]);
    }

    async fn no_question_for_options_fails(builder: Builder) {
        let cloud = builder.start().await;

        for path in ["/nowhere", "/v3/nowhere", "/v3/auth/tokens"] {
            let answer = ask(&cloud, Method::OPTIONS, path, &[]).await.expect(200);
            assert_eq!(answer.bytes(), b"", "{path}");
        }
    }
}
