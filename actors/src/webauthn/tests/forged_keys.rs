//! Registrations that no authenticator and no browser sends. Each is refused, and nothing fails.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};
use serde_cbor_2::Value;

use super::super::ceremony;
use super::authenticator::{AT, UP, UV};
use super::*;
use crate::testdb::each_database;

const CHALLENGE: &[u8] = &[9; 58];
const ED: u8 = 0x80;
const DATA: Reason = Reason::Malformed("authenticatorData");

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn cbor(value: &Value) -> Vec<u8> {
    serde_cbor_2::to_vec(value).unwrap()
}

fn object(format: &str, statement: Value, data: &[u8]) -> Vec<u8> {
    cbor(&Value::Map(BTreeMap::from([
        (text("fmt"), text(format)),
        (text("attStmt"), statement),
        (text("authData"), Value::Bytes(data.to_vec())),
    ])))
}

fn empty() -> Value {
    Value::Map(BTreeMap::new())
}

/// What an authenticator says of a passkey, with this key and this length of its ID.
fn data(authenticator: &Authenticator, flags: u8, length: usize, key: &[u8]) -> Vec<u8> {
    let mut data = authenticator.authenticator_data(flags);
    data.extend(authenticator.aaguid);
    data.extend(u16::try_from(length).unwrap().to_be_bytes());
    data.extend(&authenticator.credential_id);
    data.extend(key);
    data
}

fn good(authenticator: &Authenticator) -> Vec<u8> {
    let key = cbor(&authenticator.public_key());
    data(authenticator, UP | UV | AT, 32, &key)
}

/// The answer with this object; `None`: it is accepted.
fn refused(authenticator: &Authenticator, object: Vec<u8>) -> Option<Reason> {
    let answer = Attested {
        raw_id: authenticator.credential_id.clone(),
        attestation_object: object,
        client_data_json: authenticator.client_data("webauthn.create", CHALLENGE),
        transports: Vec::new(),
        discoverable: None,
    };
    ceremony::register(&settings(), CHALLENGE, &answer, NOW).err()
}

fn with_data(authenticator: &Authenticator, data: &[u8]) -> Option<Reason> {
    refused(authenticator, object("none", empty(), data))
}

/// With a key that is changed.
fn with_key(change: impl FnOnce(&mut BTreeMap<Value, Value>)) -> Option<Reason> {
    let authenticator = Authenticator::new();
    let Value::Map(mut key) = authenticator.public_key() else {
        panic!("no map");
    };
    change(&mut key);
    let key = cbor(&Value::Map(key));
    let data = data(&authenticator, UP | UV | AT, 32, &key);
    with_data(&authenticator, &data)
}

#[test]
fn what_an_authenticator_says_is_whole_and_no_more() {
    let one = Authenticator::new();
    let whole = good(&one);
    assert_eq!(with_data(&one, &whole), None);
    for length in 0..whole.len() {
        assert_eq!(with_data(&one, &whole[..length]), Some(DATA), "{length}");
    }
    let behind = |bytes: &[u8]| with_data(&one, &[&whole[..], bytes].concat());
    assert_eq!(behind(&[0]), Some(DATA));
    assert_eq!(behind(&whole), Some(DATA));
    // Extensions that are there and not said to be; and the other way round.
    assert_eq!(behind(b"\xa0"), Some(DATA));
    let key = cbor(&one.public_key());
    let extended = |bytes: &[u8]| {
        let data = data(&one, UP | UV | AT | ED, 32, &key);
        with_data(&one, &[&data[..], bytes].concat())
    };
    assert_eq!(extended(b"\xa1\x6bcredProtect\x03"), None);
    for wrong in [
        &b""[..],
        b"\x00",
        b"\x80",
        b"\xa1",
        b"\xa0\x00",
        b"\xbf\xff",
    ] {
        assert_eq!(extended(wrong), Some(DATA), "{wrong:x?}");
    }
    assert!(extended(b"\xa1\x6bcredProtect\x09").is_some());
    // No passkey is told.
    let none = one.authenticator_data(UP | UV);
    assert_eq!(with_data(&one, &none), Some(DATA));
    assert_eq!(
        with_data(&one, &one.authenticator_data(UP | UV | AT)),
        Some(DATA)
    );
}

#[test]
fn an_id_is_as_long_as_it_says_and_the_one_that_the_browser_tells() {
    let mut one = Authenticator::new();
    let key = cbor(&one.public_key());
    for length in [0, 1, 31, 33, 64, 1023, 1024, 65535] {
        let told = with_data(&one, &data(&one, UP | UV | AT, length, &key));
        let due = [DATA, Reason::Malformed("rawId")];
        assert!(due.contains(told.as_ref().unwrap()), "{length}: {told:?}");
    }
    let whole = good(&one);
    one.credential_id[0] ^= 1;
    assert_eq!(with_data(&one, &whole), Some(Reason::Malformed("rawId")));
}

#[test]
fn a_key_is_one_of_those_that_were_offered() {
    let int = Value::Integer;
    let bytes = |length| Value::Bytes(vec![7; length]);
    assert_eq!(with_key(|_| ()), None);
    let off_the_curve = |key: &mut BTreeMap<Value, Value>| {
        key.insert(int(-3), bytes(32));
    };
    assert_eq!(with_key(off_the_curve), Some(Reason::BadKey));
    let nowhere = |key: &mut BTreeMap<Value, Value>| {
        key.insert(int(-2), Value::Bytes(vec![0; 32]));
        key.insert(int(-3), Value::Bytes(vec![0; 32]));
    };
    assert_eq!(with_key(nowhere), Some(Reason::BadKey));
    let beyond_the_field = |key: &mut BTreeMap<Value, Value>| {
        key.insert(int(-2), Value::Bytes(vec![0xff; 32]));
    };
    assert_eq!(with_key(beyond_the_field), Some(Reason::BadKey));
    for (label, value) in [
        (1, int(3)),
        (1, text("EC2")),
        (1, int(i128::from(u64::MAX))),
        (-1, int(2)),
        (-1, int(8)),
        (-2, bytes(31)),
        (-2, bytes(33)),
        (-3, Value::Bool(true)),
        (-4, bytes(32)),
        (4, bytes(4000)),
    ] {
        let refused = with_key(|key| {
            key.insert(int(label), value.clone());
        });
        assert_eq!(refused, Some(Reason::BadKey), "{label}: {value:?}");
    }
    for alg in [-35, -37, -258, -65535, 0, 7] {
        let refused = with_key(|key| {
            key.insert(int(3), int(alg));
        });
        assert_eq!(refused, Some(Reason::WrongAlgorithm), "{alg}");
    }
    for label in [1, 3, -1, -2, -3] {
        let refused = with_key(|key| {
            key.remove(&int(label));
        });
        assert_eq!(refused, Some(Reason::BadKey), "{label}");
    }
    // RS256 is what the key says, and P-256 what it has.
    let es256 = Authenticator::new();
    let rs256 = Authenticator::rs256();
    assert_eq!(with_data(&rs256, &good(&rs256)), None);
    let Value::Map(mut key) = rs256.public_key() else {
        panic!("no map");
    };
    key.insert(int(3), int(-7));
    let key = cbor(&Value::Map(key));
    let mixed = data(&es256, UP | UV | AT, 32, &key);
    assert_eq!(with_data(&es256, &mixed), Some(Reason::BadKey));
}

#[test]
fn an_object_is_read_in_one_way_alone() {
    let one = Authenticator::new();
    let (whole, bad) = (good(&one), Some(Reason::Malformed("attestationObject")));
    let fine = object("none", empty(), &whole);
    for length in (0..fine.len()).step_by(7) {
        assert_eq!(refused(&one, fine[..length].to_vec()), bad, "{length}");
    }
    assert_eq!(refused(&one, [&fine[..], &[0]].concat()), bad);
    let deep = [vec![0x81; 5000], vec![0]].concat();
    assert_eq!(refused(&one, deep), bad);
    let mut nested = empty();
    for _ in 0..100 {
        nested = Value::Map(BTreeMap::from([(text("a"), nested)]));
    }
    assert_eq!(refused(&one, object("packed", nested, &whole)), bad);
    assert_eq!(refused(&one, object("none", Value::Null, &whole)), bad);
    assert_eq!(refused(&one, vec![0xff; 65 * 1024]), bad);
    assert_eq!(refused(&one, b"{\"fmt\":\"none\"}".to_vec()), bad);
    // Names by number: the library would find other data than is compared here.
    let length = u8::try_from(whole.len()).unwrap();
    let before = &b"\xa3\x63fmt\x64none\x01\x58"[..];
    let named = [before, &[length], &whole, b"\x02\xa0"].concat();
    assert_eq!(refused(&one, named), bad);
}

#[test]
fn a_statement_proves_what_it_says_or_there_is_none() {
    let one = Authenticator::new();
    let whole = good(&one);
    let hash = digest(&SHA256, &one.client_data("webauthn.create", CHALLENGE));
    let signed = [&whole[..], hash.as_ref()].concat();
    let by = |who: &Authenticator| Value::Bytes(who.sign(&signed));
    let packed = |members: Vec<(&str, Value)>| {
        let members = members.into_iter().map(|(name, value)| (text(name), value));
        refused(
            &one,
            object("packed", Value::Map(members.collect()), &whole),
        )
    };
    let (alg, bad) = (Value::Integer(-7), Some(Reason::BadAttestation));
    assert_eq!(packed(vec![("alg", alg.clone()), ("sig", by(&one))]), None);
    let other = Authenticator::new();
    assert_eq!(packed(vec![("alg", alg.clone()), ("sig", by(&other))]), bad);
    for wrong in [-257, -35, -65535, 0] {
        let alg = Value::Integer(wrong);
        assert_eq!(
            packed(vec![("alg", alg), ("sig", by(&one))]),
            bad,
            "{wrong}"
        );
    }
    assert_eq!(packed(vec![("alg", text("ES256")), ("sig", by(&one))]), bad);
    assert_eq!(packed(vec![("sig", by(&one))]), bad);
    assert_eq!(packed(vec![("alg", alg.clone())]), bad);
    assert_eq!(
        packed(vec![("alg", alg.clone()), ("sig", text("sig"))]),
        bad
    );
    for chain in [
        Value::Array(Vec::new()),
        Value::Array(vec![Value::Bytes(b"0\x80".to_vec())]),
        Value::Array(vec![text("certificate")]),
        Value::Bytes(Vec::new()),
    ] {
        let members = vec![("alg", alg.clone()), ("sig", by(&one)), ("x5c", chain)];
        assert_eq!(packed(members), bad);
    }
    let ecdaa = Value::Bytes(vec![1]);
    assert_eq!(
        packed(vec![
            ("alg", alg.clone()),
            ("sig", by(&one)),
            ("ecdaaKeyId", ecdaa)
        ]),
        bad
    );
    let said = Value::Map(BTreeMap::from([(text("alg"), alg)]));
    assert_eq!(refused(&one, object("none", said, &whole)), bad);
    for format in [
        "tpm",
        "android-key",
        "android-safetynet",
        "fido-u2f",
        "apple",
        "compound",
        "None",
        "",
    ] {
        assert_eq!(
            refused(&one, object(format, empty(), &whole)),
            bad,
            "{format}"
        );
    }
}

each_database! {
    async fn what_does_not_fit_is_refused_before_it_is_written(db: TestDb) {
        let (provider, _bench) = start(&db, settings()).await;
        let mut one = Authenticator::new();
        let options = options(&provider, ALICE).await;
        let Value::Map(mut key) = one.public_key() else { panic!("no map") };
        key.insert(Value::Integer(2), Value::Bytes(vec![0; 3000]));
        let data = data(&one, UP | UV | AT, 32, &cbor(&Value::Map(key)));
        let mut made = one.make(&options);
        made.attestation_object = object("none", empty(), &data);

        let refused = provider.send(finish(ALICE, made)).await;

        assert!(matches!(refused, Err(Error::Ceremony(Reason::BadKey))), "{refused:?}");
    }

    async fn of_two_who_use_one_invitation_at_the_same_time_one_registers(db: TestDb) {
        let (provider, _bench) = start(&db, settings()).await;
        let second = Bench::second_node(&db);
        let other = node(&second, settings());
        let invite = CreateInvitation { user: user(ALICE), created_by: "admin".to_owned(), now: NOW };
        let secret = provider.send(invite).await.unwrap().secret;
        let mut with = Vec::new();
        for _ in 0..2 {
            let made = Authenticator::new().make(&options(&provider, ALICE).await);
            with.push(FinishRegistration { invitation: Some(secret.clone()), ..finish(ALICE, made) });
        }
        let (first, last) = (with.remove(0), with.remove(0));

        let both = tokio::join!(provider.send(first), other.send(last));

        let both = [both.0, both.1];
        let refused = both.iter().filter(|one| matches!(one, Err(Error::Invitation)));
        assert_eq!(refused.count(), 1, "{both:?}");
        assert_eq!(list(&provider, ALICE).await.len(), 1);
    }

    async fn of_two_who_answer_one_challenge_at_the_same_time_one_registers(db: TestDb) {
        let (provider, _bench) = start(&db, settings()).await;
        let second = Bench::second_node(&db);
        let other = node(&second, settings());
        let options = options(&provider, ALICE).await;
        let (mut one, mut two) = (Authenticator::new(), Authenticator::new());

        let both = tokio::join!(
            provider.send(finish(ALICE, one.make(&options))),
            other.send(finish(ALICE, two.make(&options)))
        );

        let both = [both.0, both.1];
        let replayed = |one: &&Result<_, Error>| matches!(one, Err(Error::Ceremony(Reason::ChallengeReplayed)));
        assert_eq!(both.iter().filter(replayed).count(), 1, "{both:?}");
        assert_eq!(list(&provider, ALICE).await.len(), 1);
    }

    async fn a_passkey_that_is_disabled_meanwhile_makes_no_token(db: TestDb) {
        let (provider, _bench) = start(&db, settings()).await;
        let alice = passkey_of_alice(&provider).await;
        let note = NoteToken { passkey: alice.id(), audit_id: "one".to_owned(), expires_at: NOW + 60 };
        provider.send(note.clone()).await.unwrap();
        let disable = UpdatePasskey { user: user(ALICE), id: alice.id(), description: None, state: Some(State::Disabled), now: NOW };
        provider.send(disable).await.unwrap();

        let late = provider.send(note).await;

        assert!(matches!(late, Err(Error::NotFound(_))), "{late:?}");
    }
}
