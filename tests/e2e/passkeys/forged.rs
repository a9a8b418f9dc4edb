//! Logins that no browser and no authenticator sends: each is refused, all in the same words.

use std::collections::BTreeSet;

use futures_util::future::join;
use serde_json::{Value, json};

use super::{alice, begin, finish, log_in, passkeys_of, register, world};
use crate::support::cloud::Builder;
use crate::support::login::PASSWORD;
use crate::support::passkey::{Authenticator, ORIGIN, bytes, text};
use crate::support::{Answer, Api, Scope, seed};
use crate::testdb::{TestDb, each_database};

/// A cloud where one may try as often as one likes.
pub(super) fn unlimited(db: &TestDb) -> Builder<'_> {
    world(db)
        .set("login_limits", "passkey_per_address", 0)
        .set("login_limits", "passkey_per_user", 0)
        .set("login_limits", "device_per_address", 0)
}

/// All that a client learns of an answer.
fn seen(answer: &Answer) -> (u16, Value, BTreeSet<String>) {
    let names = answer.headers().iter().map(|(name, _)| name.to_lowercase());
    (answer.status(), answer.json(), names.collect())
}

/// Someone who is refused, and in which words: an authenticator that nobody has registered.
async fn refusal(api: &Api) -> (u16, Value, BTreeSet<String>) {
    let answer = log_in(api, &mut Authenticator::new()).await.expect(401);
    seen(&answer)
}

/// A login without a name that ends with what is made of its options.
async fn forged(api: &Api, make: impl FnOnce(&Value) -> Value) -> Answer {
    let begun = begin(api, &json!({"passkey": {}})).await;
    finish(api, &json!({"credential": make(&begun["publicKey"])})).await
}

/// What a browser says, with one member that it would not say.
fn saying(key: &Authenticator, options: &Value, name: &str, value: &Value) -> Value {
    let client = key.client_data("webauthn.get", options);
    let mut client: Value = serde_json::from_slice(&client).unwrap();
    client[name] = value.clone();
    key.over(&key.data(key.flags()), client.to_string().as_bytes())
}

on_sqlite! {
    async fn what_a_browser_does_not_say_is_refused_in_the_same_words(db: TestDb) {
        let cloud = unlimited(&db).start().await;
        let api = cloud.api();
        let (_, mut key, _) = alice(api).await;
        key.counter = 1;
        let due = refusal(api).await;
        let host = ORIGIN.trim_start_matches("https://");
        for (name, value) in [
            ("type", json!("webauthn.create")),
            ("type", json!("Webauthn.Get")),
            ("type", json!(["webauthn.get"])),
            ("challenge", json!("")),
            ("challenge", json!("AAAA")),
            ("challenge", json!(text(&[1; 58]))),
            ("challenge", json!(58)),
            ("origin", json!(format!("http://{host}"))),
            ("origin", json!(format!("{ORIGIN}:443"))),
            ("origin", json!(format!("{ORIGIN}:8443"))),
            ("origin", json!(format!("{ORIGIN}/"))),
            ("origin", json!(format!("{ORIGIN}."))),
            ("origin", json!(format!("{ORIGIN}.evil.example"))),
            ("origin", json!(format!("https://evil.{host}"))),
            ("origin", json!(format!("https://alice@{host}"))),
            ("origin", json!(format!("{ORIGIN}@evil.example"))),
            ("origin", json!(ORIGIN.to_uppercase())),
            ("origin", json!("https://cloud.example")),
            ("origin", json!("null")),
            ("origin", json!([ORIGIN])),
            ("crossOrigin", json!(true)),
            ("crossOrigin", json!("true")),
            ("topOrigin", json!(ORIGIN)),
            ("tokenBinding", json!({"status": "present", "id": "AAAA"})),
            ("tokenBinding", json!([])),
        ] {
            let answer = forged(api, |options| saying(&key, options, name, &value)).await;
            assert_eq!(seen(&answer), due, "{name}: {value}");
        }
        type Change = fn(&str) -> Vec<u8>;
        let changes: [(&str, Change); 8] = [
            ("a member twice", |json| json.replacen('{', r#"{"type":"webauthn.get","#, 1).into()),
            ("another origin first", |json| json.replacen('{', r#"{"origin":"https://evil.example","#, 1).into()),
            ("a byte order mark", |json| format!("\u{feff}{json}").into()),
            ("something behind", |json| format!("{json}{{}}").into()),
            ("a list of it", |json| format!("[{json}]").into()),
            ("cut off", |json| json[..json.len() - 1].into()),
            ("UTF-16", |json| json.encode_utf16().flat_map(u16::to_be_bytes).collect()),
            ("no JSON", |_| b"webauthn.get".to_vec()),
        ];
        for (what, change) in changes {
            let answer = forged(api, |options| {
                let client = key.client_data("webauthn.get", options);
                let client = change(std::str::from_utf8(&client).unwrap());
                key.over(&key.data(key.flags()), &client)
            });
            assert_eq!(seen(&answer.await), due, "{what}");
        }
        // The same to every reader of JSON, and not what was signed.
        let answer = forged(api, |options| {
            let mut credential = key.sign(options);
            let client = &mut credential["response"]["clientDataJSON"];
            *client = json!(text(&[&bytes(client)[..], b" "].concat()));
            credential
        });
        assert_eq!(seen(&answer.await), due);
        log_in(api, &mut key).await.expect(201);
    }

    async fn what_an_authenticator_does_not_say_is_refused_in_the_same_words(db: TestDb) {
        let cloud = unlimited(&db).start().await;
        let api = cloud.api();
        let (session, mut key, _) = alice(api).await;
        let (other, _) = register(&session).await;
        key.counter = 1;
        let due = refusal(api).await;
        let good = key.data(key.flags());
        let with = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut data = good.clone();
            change(&mut data);
            data
        };
        let attested = key.attested();
        let forgeries = [
            ("another relying party", with(&|data| data[0] ^= 1)),
            ("nobody was there", with(&|data| data[32] = 0x04)),
            ("nobody was looked at", with(&|data| data[32] = 0x01)),
            ("backed up, and can not be", with(&|data| data[32] |= 0x10)),
            ("can be backed up since", with(&|data| data[32] |= 0x08)),
            ("both", with(&|data| data[32] |= 0x18)),
            ("extensions, and none", with(&|data| data[32] |= 0x80)),
            ("extensions not said", with(&|data| data.extend(b"\xa0"))),
            ("extensions for ever", with(&|data| { data[32] |= 0x80; data.extend(b"\xbf\x61a\x00\xff"); })),
            ("a passkey, and none", with(&|data| data[32] |= 0x40)),
            ("a passkey that was made", [&attested[..32], &[0x45, 0, 0, 0, 1], &attested[37..]].concat()),
            ("something behind", with(&|data| data.push(0))),
            ("cut off", with(&|data| data.truncate(36))),
            ("no counter", with(&|data| data.truncate(33))),
            ("a hash alone", with(&|data| data.truncate(32))),
            ("one byte", with(&|data| data.truncate(1))),
        ];
        for (what, data) in forgeries {
            let answer = forged(api, |options| key.over(&data, &key.client_data("webauthn.get", options)));
            assert_eq!(seen(&answer.await), due, "{what}");
        }
        type Change = fn(Vec<u8>) -> Vec<u8>;
        let signatures: [(&str, Change); 8] = [
            ("something behind", |mut der| { der.push(0); der }),
            ("cut off", |mut der| { der.pop(); der }),
            ("another byte", |mut der| { let last = der.len() - 1; der[last] ^= 1; der }),
            ("a long length", |der| [&[0x30, 0x81, der[1]][..], &der[2..]].concat()),
            ("zeros", |_| b"\x30\x06\x02\x01\x00\x02\x01\x00".to_vec()),
            ("ones", |_| b"\x30\x06\x02\x01\x01\x02\x01\x01".to_vec()),
            ("no DER", |_| vec![1; 64]),
            ("huge", |_| vec![0x30; 40 * 1024]),
        ];
        for (what, change) in signatures {
            let answer = forged(api, |options| {
                let mut credential = key.sign(options);
                let signature = &mut credential["response"]["signature"];
                *signature = json!(text(&change(bytes(signature))));
                credential
            });
            assert_eq!(seen(&answer.await), due, "{what}");
        }
        // Another key's; another one's name, handle; nobody's.
        for (place, value) in [
            ("/response/signature", other.sign(&json!({"challenge": "AAAA"}))["response"]["signature"].clone()),
            ("/response/userHandle", json!(text(&[1; 64]))),
            ("/response/userHandle", json!(text(b"alice"))),
            ("/response/userHandle", json!(null)),
        ] {
            let answer = forged(api, |options| {
                let mut credential = key.sign(options);
                *credential.pointer_mut(place).unwrap() = value.clone();
                credential
            });
            assert_eq!(seen(&answer.await), due, "{place}");
        }
        for id in [&other.raw_id[..], &[7; 1023], &[0]] {
            let answer = forged(api, |options| {
                let mut credential = key.sign(options);
                (credential["id"], credential["rawId"]) = (json!(text(id)), json!(text(id)));
                credential
            });
            assert_eq!(seen(&answer.await), due, "{id:?}");
        }
        log_in(api, &mut key).await.expect(201);
    }

    async fn a_challenge_is_good_for_what_it_was_made_for_and_as_it_was_made(db: TestDb) {
        let cloud = unlimited(&db).start().await;
        let api = cloud.api();
        let (session, mut key, _) = alice(api).await;
        let due = refusal(api).await;
        key.counter = 1;
        let begun = begin(api, &json!({"passkey": {}})).await;
        let challenge = bytes(&begun["publicKey"]["challenge"]);
        let answered = |challenge: &[u8]| json!({"credential": key.sign(&json!({"challenge": text(challenge)}))});
        for index in 0..challenge.len() {
            let mut other = challenge.clone();
            other[index] ^= 0x10;
            assert_eq!(seen(&finish(api, &answered(&other)).await), due, "byte {index}");
        }
        let longer = [&challenge[..], &[0]].concat();
        for other in [&challenge[..57], &challenge[1..], &challenge[..26], &longer] {
            assert_eq!(seen(&finish(api, &answered(other)).await), due, "{}", other.len());
        }
        // Of a registration; of somebody by name; for a scope; and each the other way round.
        let path = format!("{}/register_start", passkeys_of("alice"));
        let made = session.post(&path, &json!({"passkey": {}})).await.expect(201).json();
        assert_eq!(seen(&finish(api, &answered(&bytes(&made["publicKey"]["challenge"]))).await), due);
        let scope = json!({"project": {"id": "demo"}});
        for (at_first, at_last) in [
            (json!({"passkey": {"user_id": "alice"}}), json!({})),
            (json!({"passkey": {}}), json!({"user_id": "alice"})),
            (json!({"passkey": {"user_id": "bob"}}), json!({"user_id": "alice"})),
            (json!({"passkey": {"user_id": "alice"}}), json!({"user_id": "bob"})),
            (json!({"passkey": {"user_id": "nobody"}}), json!({"user_id": "alice"})),
            (json!({"passkey": {}, "scope": scope}), json!({})),
            (json!({"passkey": {}}), json!({"scope": scope})),
            (json!({"passkey": {}, "scope": {"unscoped": {}}}), json!({"scope": {"system": {"all": true}}})),
        ] {
            let begun = begin(api, &at_first).await;
            let mut body = at_last.clone();
            body["credential"] = key.sign(&begun["publicKey"]);
            assert_eq!(seen(&finish(api, &body).await), due, "{at_first} {at_last}");
        }
        // What was begun is as good as ever.
        finish(api, &answered(&challenge)).await.expect(201);
        assert_eq!(seen(&finish(api, &answered(&challenge)).await), due);
        log_in(api, &mut key).await.expect(201);
    }

    async fn who_is_named_the_answer_has_one_shape(db: TestDb) {
        let cloud = unlimited(&db).start().await;
        let api = cloud.api();
        alice(api).await;
        let name = |name: &str| json!({"user": {"name": name, "domain": {"id": "default"}}});
        let mut shapes = Vec::new();
        for named in [
            json!({"user_id": "alice"}), json!({"user_id": "bob"}), json!({"user_id": "dora"}), json!({"user_id": "nobody"}),
            json!({"user_id": "\u{0}"}), json!({"user_id": "' OR 1=1 --"}), json!({"user_id": "ü".repeat(64)}),
            name("alice"), name("bob"), name("nobody"),
            json!({"user": {"name": "alice", "domain": {"name": "nowhere"}}}),
        ] {
            let answer = super::post(api, "/v4/auth/passkey/start", &json!({"passkey": named})).await.expect(201);
            let (_, json, headers) = seen(&answer);
            let allowed = json["publicKey"]["allowCredentials"].as_array().unwrap();
            assert!((1..=2).contains(&allowed.len()), "{named}: {json}");
            let members = |of: &Value| of.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
            let each: BTreeSet<_> = allowed.iter().map(members).collect();
            shapes.push((members(&json), members(&json["publicKey"]), members(&json["public_key"]), each, headers));
        }
        for shape in &shapes {
            assert_eq!(*shape, shapes[0]);
        }
        // A login ends alike, too, whoever was named.
        let due = refusal(api).await;
        for user in ["alice", "bob", "nobody", "dora"] {
            let begun = begin(api, &json!({"passkey": {"user_id": user}})).await;
            for allowed in begun["publicKey"]["allowCredentials"].as_array().unwrap() {
                let mut guess = Authenticator::new();
                guess.raw_id = bytes(&allowed["id"]);
                let body = json!({"user_id": user, "credential": guess.sign(&begun["publicKey"])});
                assert_eq!(seen(&finish(api, &body).await), due, "{user}");
            }
        }
    }
}

each_database! {
    async fn of_two_nodes_that_get_one_answer_at_once_one_gives_a_token(db: TestDb) {
        let first = unlimited(&db).start().await;
        let second = first.start_node(crate::support::passkey::enabled()).await;
        let (_, mut key, _) = alice(first.api()).await;
        for _ in 0..5 {
            let begun = begin(first.api(), &json!({"passkey": {}})).await;
            let body = json!({"credential": key.get(&begun["publicKey"])});
            let (one, other) = join(finish(first.api(), &body), finish(second.api(), &body)).await;
            let mut statuses = [one.status(), other.status()];
            statuses.sort_unstable();
            assert_eq!(statuses, [201, 401], "{one:?} {other:?}");
        }
    }

    async fn a_passkey_of_one_is_none_of_anothers(db: TestDb) {
        let branch = [seed::domain("branch", true), seed::user("frank", "branch", true)].concat();
        let cloud = unlimited(&db).seed(branch).start().await;
        let api = cloud.api();
        let due = refusal(api).await;
        let frank = json!({"user": {"id": "frank", "password": PASSWORD}});
        let frank = json!({"auth": {"identity": {"methods": ["password"], "password": frank}}});
        let (mut franks, _) = register(&api.session(&frank).await).await;
        let (_, mut alices, _) = alice(api).await;
        let bob = api.login("bob", Scope::Unscoped).await;
        let (mut bobs, _) = register(&bob).await;
        let begun = begin(api, &json!({"passkey": {"user_id": "bob"}})).await;
        let body = json!({"user_id": "bob", "credential": alices.get(&begun["publicKey"])});
        assert_eq!(seen(&finish(api, &body).await), due);
        std::mem::swap(&mut alices.handle, &mut bobs.handle);
        assert_eq!(seen(&log_in(api, &mut alices).await), due);
        let body = json!({"user_id": "bob", "credential": bobs.get(&begun["publicKey"])});
        assert_eq!(seen(&finish(api, &body).await), due);
        std::mem::swap(&mut alices.handle, &mut bobs.handle);
        log_in(api, &mut alices).await.expect(201);
        // Whoever is disabled, whose domain is, and who is gone.
        let admin = api.admin().await;
        for (path, kind) in [("/v3/users/alice", "user"), ("/v3/domains/branch", "domain")] {
            let key = if kind == "user" { &mut alices } else { &mut franks };
            let enabled = |on: bool| json!({kind: {"enabled": on}});
            admin.patch(path, &enabled(false)).await.expect(200);
            assert_eq!(seen(&log_in(api, key).await), due, "{path}");
            admin.patch(path, &enabled(true)).await.expect(200);
            log_in(api, key).await.expect(201);
        }
        admin.delete("/v3/users/alice").await.expect(204);
        assert_eq!(seen(&log_in(api, &mut alices).await), due);
    }
}
