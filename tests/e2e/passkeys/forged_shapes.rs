//! Bodies that nobody sends: whatever their shape, they are no failure of the server.

use awc::http::Method;
use serde_json::{Value, json};

use super::forged::unlimited;
use super::{alice, begin, finish, log_in, passkeys_of, post};
use crate::support::passkey::{Authenticator, bytes, object, text};
use crate::support::{Api, Scope, Session};
use crate::testdb::each_database;

/// The places in a body, from the whole to its parts.
fn places(of: &Value, at: &str, into: &mut Vec<String>) {
    into.push(at.to_owned());
    let parts: Vec<(String, &Value)> = match of {
        Value::Object(members) => members
            .iter()
            .map(|(name, part)| (name.clone(), part))
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(index, part)| (index.to_string(), part))
            .collect(),
        _ => return,
    };
    for (name, part) in parts {
        places(part, &format!("{at}/{name}"), into);
    }
}

/// What may be anywhere.
fn junk() -> Vec<Value> {
    let mut deep = json!(1);
    for _ in 0..100 {
        deep = json!([deep]);
    }
    vec![
        json!(null),
        json!(true),
        json!(5),
        json!(-1.5),
        json!(1e300),
        json!(""),
        json!("x"),
        json!("="),
        json!("A".repeat(10_000)),
        json!("\u{0}"),
        json!("\u{1f511}"),
        json!([]),
        json!(["x"]),
        json!({}),
        json!({"type": "Buffer", "data": [1]}),
        deep,
    ]
}

/// Sends a body with each part changed and left out; fails where an answer is a failure, or lets in.
/// `spare`: what may be anything.
async fn tried(api: &Api, token: Option<&str>, path: &str, good: &Value, spare: &[&str]) {
    let mut all = Vec::new();
    places(good, "", &mut all);
    let mut bodies = Vec::new();
    for place in all {
        for value in junk() {
            let mut body = good.clone();
            *body.pointer_mut(&place).unwrap() = value;
            bodies.push((place.clone(), body));
        }
        if let Some((parent, name)) = place.rsplit_once('/') {
            let mut body = good.clone();
            if let Some(Value::Object(members)) = body.pointer_mut(parent) {
                members.remove(name);
                bodies.push((place.clone(), body));
            }
        }
    }
    for (place, body) in bodies {
        if spare.iter().any(|spare| place.starts_with(spare)) {
            continue;
        }
        let mut request = api.request(Method::POST, path).json(&body);
        if let Some(token) = token {
            request = request.token(token);
        }
        let answer = request.send().await;
        let status = answer.status();
        assert!((400..500).contains(&status), "{place}: {body}: {answer:?}");
        assert_eq!(answer.header("X-Subject-Token"), None, "{place}");
    }
}

async fn registration(session: &Session, key: &mut Authenticator) -> Value {
    let path = format!("{}/register_start", passkeys_of(session.text("/user/id")));
    let begun = session
        .post(&path, &json!({"passkey": {}}))
        .await
        .expect(201)
        .json();
    key.create(&begun["publicKey"])
}

on_sqlite! {
    async fn no_body_of_a_login_is_a_failure(db: TestDb) {
        let cloud = unlimited(&db).start().await;
        let api = cloud.api();
        let (_, mut key, _) = alice(api).await;
        let begun = begin(api, &json!({"passkey": {"user_id": "alice"}})).await;
        key.counter = 1;
        let credential = key.sign(&begun["publicKey"]);
        // Its kind may be left out, and what is told beside it; a handle that was told is compared.
        let spare = ["/credential/clientExtensionResults", "/credential/id", "/credential/type", "/credential/response/userHandle"];
        let body = json!({"user_id": "alice", "credential": credential});
        tried(api, None, "/v4/auth/passkey/finish", &body, &spare).await;
        let spare = ["/auth/identity/webauthn/credential/clientExtensionResults", "/auth/identity/webauthn/credential/id",
            "/auth/identity/webauthn/credential/type", "/auth/identity/webauthn/credential/response/userHandle", "/auth/identity/webauthn/user/domain"];
        let identity = json!({"methods": ["webauthn"], "webauthn": {"user": {"id": "alice"}, "credential": credential}});
        let v3 = json!({"auth": {"identity": identity}});
        tried(api, None, "/v3/auth/tokens", &v3, &spare).await;
        let mut old = crate::support::passkey::legacy(&credential);
        old["user_id"] = json!("alice");
        let spare = ["/extensions", "/id", "/type_", "/response/user_handle"];
        tried(api, None, "/v4/auth/passkey/finish", &old, &spare).await;
        // It was good all the while.
        finish(api, &body).await.expect(201);
    }

    async fn no_body_of_another_kind_is_a_failure(db: TestDb) {
        let cloud = unlimited(&db).start().await;
        let api = cloud.api();
        let paths = ["start", "finish", "device", "device/token", "invitation/start", "invitation/finish"];
        for path in paths.map(|path| format!("/v4/auth/passkey/{path}")) {
            for value in junk() {
                let answer = post(api, &path, &value).await;
                assert!(answer.status() < 500, "{path}: {value}: {answer:?}");
                for member in ["passkey", "credential", "user", "user_id", "scope", "device_code", "client", "invitation", "description"] {
                    let answer = post(api, &path, &json!({member: value, "passkey": {"user": value, "user_id": value}})).await;
                    assert!(answer.status() < 500, "{path}: {member}: {value}: {answer:?}");
                }
            }
            for body in ["", "{", "null", "[]", "\u{feff}", "{\"passkey\":{},\"passkey\":5}", "\u{0}"] {
                let request = api.request(Method::POST, &path).header("Content-Type", "application/json");
                let answer = request.body(body).send().await;
                assert!(answer.status() < 500, "{path}: {body:?}: {answer:?}");
            }
            let huge = json!({"passkey": {"user_id": "A".repeat(1024 * 1024)}});
            assert_eq!(post(api, &path, &huge).await.status(), 413, "{path}");
            let form = api.request(Method::POST, &path).header("Content-Type", "application/x-www-form-urlencoded");
            assert_eq!(form.body("passkey=").send().await.status(), 400, "{path}");
            let get = api.get(&path).await;
            assert_eq!(get.status(), 405, "{path}");
        }
    }

    async fn parts_that_are_too_long_are_told_before_they_are_read(db: TestDb) {
        let cloud = unlimited(&db).start().await;
        let api = cloud.api();
        let (_, mut key, _) = alice(api).await;
        let begun = begin(api, &json!({"passkey": {}})).await;
        let credential = key.get(&begun["publicKey"]);
        for (place, length) in [
            ("/rawId", 1024), ("/response/userHandle", 65), ("/response/signature", 65 * 1024),
            ("/response/authenticatorData", 65 * 1024), ("/response/clientDataJSON", 65 * 1024),
        ] {
            let mut long = credential.clone();
            *long.pointer_mut(place).unwrap() = json!(text(&vec![0; length]));
            finish(api, &json!({"credential": long})).await.expect(400);
        }
        finish(api, &json!({"credential": credential})).await.expect(201);
    }
}

each_database! {
    async fn no_registration_is_a_failure_and_what_is_forged_registers_nothing(db: TestDb) {
        let cloud = unlimited(&db).start().await;
        let api = cloud.api();
        let session = api.login("bob", Scope::Unscoped).await;
        let path = format!("{}/register_finish", passkeys_of("bob"));
        let mut key = Authenticator::new();
        let good = registration(&session, &mut key).await;
        let client = bytes(&good["response"]["clientDataJSON"]);
        let data = key.attested();
        let with = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut data = data.clone();
            change(&mut data);
            object(&data)
        };
        let whole = object(&data);
        let key_at = data.len() - 77;
        let mut stuffed = data.clone();
        stuffed[key_at] = 0xa6;
        stuffed.extend(b"\x02\x59\x0b\xb8");
        stuffed.extend([0; 3000]);
        let objects = [
            ("nothing", vec![0xa0]),
            ("no CBOR", b"none".to_vec()),
            ("something behind", [&whole[..], &[0]].concat()),
            ("something behind the key", with(&|data| data.push(0))),
            ("a key with more in it", object(&stuffed)),
            ("a point that is on no curve", with(&|data| { let last = data.len() - 1; data[last] ^= 1; })),
            ("another algorithm", with(&|data| data[key_at + 4] = 0x27)),
            ("another curve", with(&|data| data[key_at + 6] = 2)),
            ("another kind", with(&|data| data[key_at + 2] = 3)),
            ("a key twice", with(&|data| data[key_at + 5] = 0x03)),
            ("a longer ID", with(&|data| data[54] += 1)),
            ("a shorter ID", with(&|data| data[54] -= 1)),
            ("an ID without end", with(&|data| data[53] = 0xff)),
            ("another ID", with(&|data| data[55] ^= 1)),
            ("nobody looked at", with(&|data| data[32] = 0x41)),
            ("backed up, and can not be", with(&|data| data[32] |= 0x10)),
            ("no passkey", with(&|data| { data.truncate(37); data[32] = 0x05; })),
            ("another relying party", with(&|data| data[0] ^= 1)),
            ("a statement of none", {
                let at = whole.windows(8).position(|part| part == b"attStmt\xa0").unwrap() + 7;
                [&whole[..at], b"\xa1\x61a\x00", &whole[at + 1..]].concat()
            }),
            ("nesting", [vec![0x81; 20_000], vec![0]].concat()),
            ("a list without end", [&[0x9f; 10][..], &whole].concat()),
            ("a map without end", [&[0xbf][..], &whole[1..], &[0xff]].concat()),
        ];
        for (what, object) in objects {
            let answer = session.post(&path, &json!({"credential": key.made(&object, &client)})).await;
            assert_eq!(answer.status(), 400, "{what}: {answer:?}");
        }
        assert_eq!(session.get(&passkeys_of("bob")).await.expect(200).json()["passkeys"], json!([]));
        // Nothing of it has used up the challenge.
        session.post(&path, &json!({"credential": good})).await.expect(201);
        let again = session.post(&path, &json!({"credential": good})).await;
        assert!((400..500).contains(&again.status()), "{again:?}");
        assert_eq!(session.get(&passkeys_of("bob")).await.expect(200).json()["passkeys"].as_array().unwrap().len(), 1);
        log_in(api, &mut key).await.expect(201);
    }
}

on_sqlite! {
    async fn no_body_of_a_registration_is_a_failure(db: TestDb) {
        let cloud = unlimited(&db).start().await;
        let session = cloud.api().login("bob", Scope::Unscoped).await;
        let mut key = Authenticator::new();
        let credential = registration(&session, &mut key).await;
        let body = json!({"credential": credential});
        let path = format!("{}/register_finish", passkeys_of("bob"));
        let spare = ["/credential/clientExtensionResults", "/credential/id", "/credential/type",
            "/credential/authenticatorAttachment", "/credential/response/transports"];
        tried(session.api(), Some(session.token()), &path, &body, &spare).await;
        let start = format!("{}/register_start", passkeys_of("bob"));
        tried(session.api(), Some(session.token()), &start, &json!({"passkey": {"description": "x"}}), &["/passkey"]).await;
        session.post(&path, &body).await.expect(201);
    }
}
