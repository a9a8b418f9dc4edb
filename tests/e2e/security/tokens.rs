//! Tokens: what they are made from, that nobody learns anything from a refusal, and that each has
//! one spelling.

use std::time::Duration;

use awc::http::Method;
use serde_json::{Value, json};

use crate::support::cloud::Builder;
use crate::support::login::{PASSWORD, application_credential, password_is, together};
use crate::support::{Answer, Cloud, Options, Scope, each_keystone, password, scoped, seed, token};
use crate::testdb::each_database;

const SCOPES: [Scope<'static>; 4] = [
    Scope::Unscoped,
    Scope::Project("admin"),
    Scope::Domain("default"),
    Scope::System,
];

/// alice and bob with a credential each on demo; and who shall not get in.
fn people() -> Vec<String> {
    [
        seed::world(),
        seed::user("lena", "default", true),
        seed::grant("UserProject", "bob", "demo", "member"),
        seed::application_credential("alices", "alice", "demo", "member"),
        seed::application_credential("bobs", "bob", "demo", "member"),
    ]
    .concat()
}

/// All of an answer but what differs in each: the time and the request's id.
fn told(answer: &Answer) -> (u16, Vec<(String, String)>, Vec<u8>) {
    let mut headers = answer.headers().to_vec();
    headers.retain(|(name, _)| !["date", "x-openstack-request-id"].contains(&name.as_str()));
    headers.sort();
    (answer.status(), headers, answer.bytes().to_vec())
}

each_keystone! {
    async fn a5_rescoping_never_prolongs(builder: Builder) {
        let cloud = builder.seed(people()).start().await;
        let short = cloud.start_twin(Options::default().set("token", "expiration", 600)).await;
        let long = cloud.api();

        for from in SCOPES {
            let root = short.api().login("admin", from).await;
            for to in SCOPES {
                let away = matches!(to, Scope::Project(_) | Scope::Domain(_));
                if matches!(from, Scope::System) && away {
                    long.authenticate(&scoped(token(root.token()), to)).await.expect(403);
                    continue;
                }
                let child = long.session(&scoped(token(root.token()), to)).await;
                let grandchild = long.session(&scoped(token(child.token()), Scope::Unscoped)).await;
                let both = together(&[token(root.token()), password("admin")]);
                let renewed = long.session(&scoped(both, to)).await;
                for made in [&child, &grandchild, &renewed] {
                    assert_eq!(made.text("/expires_at"), root.text("/expires_at"), "{from:?} -> {to:?}");
                }
            }
        }
        // What was handed on is not exchanged at all.
        let handed = json!({"auth": {"identity": application_credential("alices")}});
        let handed = short.api().session(&handed).await;
        for to in [Scope::Default, Scope::Unscoped, Scope::Project("demo")] {
            long.authenticate(&scoped(token(handed.token()), to)).await.expect(403);
        }
    }

    async fn a15_several_methods_have_to_prove_the_same_user(builder: Builder) {
        let cloud = builder.seed(people()).start().await;
        let api = cloud.api();
        let (of_alice, of_bob) = (api.login("alice", Scope::Unscoped).await, api.login("bob", Scope::Unscoped).await);
        let alice = [password("alice"), token(of_alice.token()), application_credential("alices")];
        let bob = [password("bob"), token(of_bob.token()), application_credential("bobs")];
        let mut admitted = Vec::new();
        for (i, first) in alice.iter().enumerate() {
            for (j, second) in bob.iter().enumerate() {
                if i == j {
                    continue; // one method has one place in a request
                }
                for pair in [[first, second], [second, first]] {
                    let body = json!({"auth": {"identity": together(&pair.map(Clone::clone))}});
                    let answer = api.authenticate(&body).await;
                    if answer.status() != 401 {
                        admitted.push(format!("{body}: {answer:?}"));
                    }
                }
            }
        }
        assert!(admitted.is_empty(), "{admitted:#?}");
        for pair in [[0, 1], [1, 0], [0, 2], [2, 0]] {
            let body = json!({"auth": {"identity": together(&pair.map(|i| alice[i].clone()))}});
            let session = api.session(&body).await;
            assert_eq!(session.text("/user/id"), "alice");
        }
    }

    async fn b1_a_refused_login_is_answered_alike_whatever_the_reason(builder: Builder) {
        let cloud = builder
            .seed(people())
            .set("security_compliance", "lockout_failure_attempts", 2)
            .start()
            .await;
        let api = cloud.api();
        let identity = |identity: Value| json!({"auth": {"identity": identity}});
        let by = |user: Value| identity(json!({"methods": ["password"], "password": {"user": user}}));
        for _ in 0..3 {
            api.authenticate(&identity(password_is("lena", "wrong"))).await.expect(401);
        }
        let wrong = told(&api.authenticate(&identity(password_is("alice", "wrong"))).await);
        assert_eq!(wrong.0, 401);

        for (why, body) in [
            ("no such user", identity(password("nobody"))),
            ("no such user, by id", by(json!({"id": "nobody", "password": PASSWORD}))),
            ("no such domain", by(json!({"name": "alice", "domain": {"id": "nowhere"}, "password": PASSWORD}))),
            ("no such domain, by name", by(json!({"name": "alice", "domain": {"name": "nowhere"}, "password": PASSWORD}))),
            ("disabled user", identity(password("dora"))),
            ("disabled user, wrong password", identity(password_is("dora", "wrong"))),
            ("disabled domain", by(json!({"name": "eve", "domain": {"id": "shut"}, "password": PASSWORD}))),
            ("disabled domain, by the user's id", by(json!({"id": "eve", "password": PASSWORD}))),
            ("locked", identity(password("lena"))),
            ("locked, wrong password", identity(password_is("lena", "wrong"))),
            ("a very long password", identity(password_is("alice", &"x".repeat(4000)))),
            ("an empty password", identity(password_is("alice", ""))),
        ] {
            assert_eq!(told(&api.authenticate(&body).await), wrong, "{why}");
        }
    }
}

/// How many passwords were hashed or compared so far.
async fn hashed(cloud: &Cloud<'_>) -> u64 {
    let metrics = cloud.metrics().get("/metrics").await.expect(200);
    let text = String::from_utf8_lossy(metrics.bytes()).into_owned();
    let line = text
        .lines()
        .find(|line| line.starts_with("keystone_hash_done_total"));
    let count = line
        .unwrap_or_else(|| panic!("{text}"))
        .rsplit(' ')
        .next()
        .unwrap();
    count.parse::<f64>().unwrap() as u64
}

/// Other spellings of a text in base64 for URLs.
fn spellings(token: &str) -> Vec<String> {
    let bare = token.trim_end_matches('=');
    let mut others = vec![
        format!("{token}="),
        format!("{token}=="),
        format!("{bare}%3D"),
        format!("{bare}==="),
        format!("{token}A"),
        format!("{token}."),
        format!("{token}\u{a0}"),
        format!("A{token}"),
        format!("\"{token}\""),
        format!("Bearer {token}"),
        token.replace('-', "+").replace('_', "/"),
        token.to_uppercase(),
        token.to_lowercase(),
        bare[..bare.len() - 1].to_owned(),
        format!("{} {}", &token[..40], &token[40..]),
    ];
    if bare != token {
        others.push(bare.to_owned());
    }
    others.retain(|other| other != token);
    others
}

/// The token with each of its characters exchanged for another of the alphabet.
fn changes(token: &str) -> impl Iterator<Item = String> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let length = token.len();
    (0..length).map(move |at| {
        let mut bytes = token.as_bytes().to_vec();
        let place = ALPHABET.iter().position(|one| *one == bytes[at]);
        // The neighbour in the alphabet differs in the last bit: the hardest to notice.
        bytes[at] = ALPHABET[place.map_or(0, |place| place ^ 1)];
        String::from_utf8(bytes).unwrap()
    })
}

each_database! {
    async fn b1_each_refused_login_costs_one_hash(db: TestDb) {
        let cloud = Builder::new(&db)
            .seed(people())
            .set("security_compliance", "lockout_failure_attempts", 1)
            .start()
            .await;
        let api = cloud.api();
        let identity = |identity: Value| json!({"auth": {"identity": identity}});
        let by = |user: Value| identity(json!({"methods": ["password"], "password": {"user": user}}));
        let secret = |id: &str| {
            identity(json!({"methods": ["application_credential"], "application_credential": {"id": id, "secret": "wrong"}}))
        };
        api.authenticate(&identity(password_is("lena", "wrong"))).await.expect(401);

        for (who, body) in [
            ("a good one", identity(password("bob"))),
            ("no such user", identity(password("nobody"))),
            ("no such user, by id", by(json!({"id": "nobody", "password": PASSWORD}))),
            ("no such domain", by(json!({"name": "alice", "domain": {"id": "nowhere"}, "password": PASSWORD}))),
            ("wrong password", identity(password_is("alice", "wrong"))),
            ("disabled user", identity(password("dora"))),
            ("disabled domain", by(json!({"name": "eve", "domain": {"id": "shut"}, "password": PASSWORD}))),
            ("disabled domain, by the user's id", by(json!({"id": "eve", "password": PASSWORD}))),
            ("locked", identity(password("lena"))),
            ("a wrong secret", secret("alices")),
            ("no such application credential", secret("nobodys")),
        ] {
            let before = hashed(&cloud).await;

            api.authenticate(&body).await;

            assert_eq!(hashed(&cloud).await - before, 1, "{who}");
        }
    }

    async fn c1_a_token_with_any_character_changed_is_refused(db: TestDb) {
        let cloud = Builder::new(&db).start().await;
        let admin = cloud.api().admin().await;
        let good = cloud.api().login("admin", Scope::Project("admin")).await;

        for changed in changes(good.token()) {
            admin.check(&changed).await.expect(404);
            cloud.api().request(Method::GET, "/v3/auth/projects").token(&changed).send().await.expect(401);
        }
        admin.check(good.token()).await.expect(200);
    }

    async fn c1_no_other_spelling_of_a_token_is_one_nor_dodges_its_revocation(db: TestDb) {
        let cloud = Builder::new(&db).start().await;
        let admin = cloud.api().admin().await;
        let good = cloud.api().login("admin", Scope::Project("admin")).await;
        let spellings = spellings(good.token());
        let refused = async || {
            for other in &spellings {
                let answer = admin.check(other).await;
                assert_eq!(answer.status(), 404, "{other:?}");
                let login = scoped(token(other), Scope::Unscoped);
                let answer = cloud.api().authenticate(&login).await;
                assert!([401, 404].contains(&answer.status()), "{other:?}: {answer:?}");
            }
        };

        refused().await;
        admin.check(good.token()).await.expect(200);
        admin.revoke(good.token()).await.expect(204);
        admin.check(good.token()).await.expect(404);
        refused().await;
    }

    async fn b2_no_password_is_cut_when_it_is_set(db: TestDb) {
        let cloud = Builder::new(&db).start().await;
        // 71 to 73 bytes, bcrypt's border; a character of two bytes across it; the longest.
        let umlaut_across = format!("{}ü{}", "x".repeat(71), "y");
        for password in ["x".repeat(71), "x".repeat(72), "x".repeat(73), "x".repeat(128), umlaut_across, "x".repeat(4096)] {
            cloud.run(&["bootstrap"], &[("--bootstrap-password", &password)]);
            let login = async |password: &str| {
                let body = json!({"auth": {"identity": password_is("admin", password)}});
                cloud.api().authenticate(&body).await.status()
            };

            // A new password ends all tokens of the second in which it was set.
            let mut right = login(&password).await;
            for _ in 0..60 {
                if right == 201 {
                    break;
                }
                actix_rt::time::sleep(Duration::from_millis(50)).await;
                right = login(&password).await;
            }
            assert_eq!(right, 201, "{} bytes", password.len());
            let mut shorter = password.clone();
            shorter.pop();
            for other in [format!("{password}x"), format!("{shorter}z"), shorter] {
                // What is longer than any password may be is cut, as Python Keystone has cut it.
                if other.len() > 4096 {
                    continue;
                }
                assert_eq!(login(&other).await, 401, "{} bytes for {}", other.len(), password.len());
            }
        }
    }

    async fn b2_a_password_over_the_border_is_refused_where_that_is_wished(db: TestDb) {
        let cloud = Builder::new(&db).set("DEFAULT", "strict_password_check", true).start().await;
        let set = |password: &str| {
            Cloud::command(&["bootstrap", "--config-file"])
                .arg(cloud.config_file())
                .env("OS_BOOTSTRAP_PASSWORD", password)
                .output()
                .unwrap()
        };

        let refused = set(&"x".repeat(73));

        assert_eq!(refused.status.code(), Some(1), "{refused:?}");
        let why = String::from_utf8_lossy(&refused.stderr);
        assert!(why.contains("72"), "{why}");
        assert!(set(&"x".repeat(72)).status.success());
    }
}
