//! Logins that no authenticator and no browser sends. Each is refused, and nothing fails.

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::json;

use super::super::ceremony::{self, Failure, Stored};
use super::authenticator::{AT, BE, BS, UP, UV};
use super::*;

const CHALLENGE: &[u8] = &[9; 58];
const ED: u8 = 0x80;

/// Why an answer of this passkey is refused; `None`: it is accepted.
fn verdict(answer: &Asserted, key: &[u8], backup_eligible: bool) -> Option<Reason> {
    let stored = Stored {
        id: &answer.raw_id,
        public_key: key,
        backup_eligible,
    };
    match ceremony::log_in(&settings(), CHALLENGE, answer, stored) {
        Ok(_) => None,
        Err(Failure::Refused(reason)) => Some(reason),
        Err(Failure::Damaged) => panic!("the key is damaged"),
    }
}

fn key(authenticator: &Authenticator) -> Vec<u8> {
    serde_cbor_2::to_vec(&authenticator.public_key()).unwrap()
}

/// An answer with this data, signed.
fn signed(authenticator: &Authenticator, data: Vec<u8>) -> Asserted {
    let client_data = authenticator.client_data("webauthn.get", CHALLENGE);
    over(authenticator, data, client_data)
}

/// The same with other client data.
fn over(authenticator: &Authenticator, data: Vec<u8>, client_data_json: Vec<u8>) -> Asserted {
    let hash = digest(&SHA256, &client_data_json);
    Asserted {
        raw_id: authenticator.credential_id.clone(),
        signature: authenticator.sign(&[&data[..], hash.as_ref()].concat()),
        authenticator_data: data,
        client_data_json,
        user_handle: None,
    }
}

#[test]
fn of_all_flags_those_are_taken_that_say_what_is_asked_and_nothing_else() {
    let one = Authenticator::new();
    let key = key(&one);
    for flags in 0..=u8::MAX {
        let answer = signed(&one, one.authenticator_data(flags));
        let has = |flag: u8| flags & flag != 0;
        for eligible in [false, true] {
            let good = has(UP)
                && has(UV)
                && !has(AT)
                && !has(ED)
                && has(BE) == eligible
                && (has(BE) || !has(BS));
            let told = verdict(&answer, &key, eligible);
            assert_eq!(told.is_none(), good, "{flags:08b} {eligible}: {told:?}");
        }
    }
}

#[test]
fn what_an_authenticator_signs_is_whole_and_no_more() {
    let (one, other) = (Authenticator::new(), Authenticator::new());
    let key_of_one = key(&one);
    let data = |flags| one.authenticator_data(flags);
    let is = |data: Vec<u8>| verdict(&signed(&one, data), &key_of_one, false);
    let bad = Some(Reason::Malformed("authenticatorData"));
    let good = data(UP | UV);
    for length in 0..good.len() {
        assert_eq!(is(good[..length].to_vec()), bad, "{length}");
    }
    assert_eq!(is([&good[..], &[0]].concat()), bad);
    assert_eq!(is([&good[..], b"\xa0"].concat()), bad);
    let extended = |bytes: &[u8]| is([&data(UP | UV | ED)[..], bytes].concat());
    assert_eq!(extended(b"\xa1\x63uvm\x81\x83\x02\x04\x02"), None);
    for wrong in [
        &b""[..],
        b"\x00",
        b"\x80",
        b"\xa0\xa0",
        b"\xa2\x61a\x00\x61a\x00",
        b"\xbf\xff",
    ] {
        assert_eq!(extended(wrong), bad, "{wrong:x?}");
    }
    // Another passkey's key is told, as if one were being made.
    let id = [&[0; 16][..], &[0, 32], &other.credential_id, &key(&other)].concat();
    assert_eq!(is([&data(UP | UV | AT)[..], &id].concat()), bad);
}

/// Two numbers as ECDSA's signatures have them in DER; `long`: with the length in more bytes than
/// it needs.
fn der(r: &[u8], s: &[u8], long: bool) -> Vec<u8> {
    let number = |bytes: &[u8]| [&[2, u8::try_from(bytes.len()).unwrap()][..], bytes].concat();
    let both = [number(r), number(s)].concat();
    let length = u8::try_from(both.len()).unwrap();
    let head = if long {
        vec![0x30, 0x81, length]
    } else {
        vec![0x30, length]
    };
    [head, both].concat()
}

/// The two numbers of such a signature.
fn numbers(der: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let length = usize::from(der[3]);
    (der[4..4 + length].to_vec(), der[6 + length..].to_vec())
}

/// The order of P-256 less this number: what makes of a signature the other one that verifies.
fn negated(number: &[u8]) -> Vec<u8> {
    const ORDER: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc,
        0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    ];
    let mut from = vec![0; 33 - number.len()];
    from.extend(number);
    let mut borrow = 0;
    let mut less = vec![0; 33];
    for index in (1..33).rev() {
        let value = i32::from(ORDER[index - 1]) - i32::from(from[index]) - borrow;
        borrow = i32::from(value < 0);
        less[index] = u8::try_from(value.rem_euclid(256)).unwrap();
    }
    // As DER has numbers: no zeros in front but the one that keeps it positive.
    let zeros = less.iter().take_while(|byte| **byte == 0).count();
    let positive = usize::from(less[zeros] & 0x80 != 0);
    less.split_off(zeros - positive)
}

#[test]
fn a_signature_is_the_keys_in_one_form_alone() {
    let (one, other, rsa) = (
        Authenticator::new(),
        Authenticator::new(),
        Authenticator::rs256(),
    );
    let key_of_one = key(&one);
    let good = signed(&one, one.authenticator_data(UP | UV));
    let is = |signature: Vec<u8>| {
        let answer = Asserted {
            signature,
            ..good.clone()
        };
        verdict(&answer, &key_of_one, false)
    };
    let bad = Some(Reason::BadSignature);
    let (r, s) = numbers(&good.signature);
    assert_eq!(is(der(&r, &s, false)), None);
    // Who has one signature can make the other; the challenge is used up by either.
    assert_eq!(is(der(&r, &negated(&s), false)), None);
    let raw = [vec![1; 32], vec![1; 32]].concat();
    let zero = [0];
    let order = negated(&zero);
    let longer = [&[0][..], &s].concat();
    let negative = [&[0x80][..], &s[1..]].concat();
    for (what, signature) in [
        ("empty", Vec::new()),
        ("two numbers", raw),
        ("r is zero", der(&zero, &s, false)),
        ("s is zero", der(&r, &zero, false)),
        ("both are zero", der(&zero, &zero, false)),
        ("r is nothing", der(&[], &s, false)),
        ("r is the order", der(&order, &s, false)),
        ("s is the order", der(&r, &order, false)),
        ("the wrong way round", der(&s, &r, false)),
        ("a zero in front", der(&r, &longer, false)),
        ("below zero", der(&r, &negative, false)),
        ("a long length", der(&r, &s, true)),
        ("something behind", [&good.signature[..], &[0]].concat()),
        (
            "cut off",
            good.signature[..good.signature.len() - 1].to_vec(),
        ),
        ("huge", vec![0x30; 64 * 1024]),
        (
            "another key's",
            signed(&other, good.authenticator_data.clone()).signature,
        ),
        (
            "another algorithm's",
            signed(&rsa, good.authenticator_data.clone()).signature,
        ),
        ("of the data alone", one.sign(&good.authenticator_data)),
        ("of the client data alone", one.sign(&good.client_data_json)),
        (
            "of what was not hashed",
            one.sign(&[&good.authenticator_data[..], &good.client_data_json].concat()),
        ),
    ] {
        assert_eq!(is(signature), bad, "{what}");
    }
    let too_long = Some(Reason::Malformed("signature"));
    assert_eq!(is(vec![0x30; 64 * 1024 + 1]), too_long);

    let good = signed(&rsa, rsa.authenticator_data(UP | UV));
    let key_of_rsa = key(&rsa);
    assert_eq!(verdict(&good, &key_of_rsa, false), None);
    let es256 = signed(&one, good.authenticator_data.clone()).signature;
    let behind = [&good.signature[..], &[0]].concat();
    let before = [&[0][..], &good.signature].concat();
    let (zero, most) = (vec![0; 256], vec![0xff; 256]);
    for signature in [
        Vec::new(),
        es256,
        behind,
        before,
        zero,
        most,
        vec![1],
        vec![1; 64 * 1024],
    ] {
        let answer = Asserted {
            signature,
            ..good.clone()
        };
        assert_eq!(verdict(&answer, &key_of_rsa, false), bad);
    }
}

#[test]
fn what_a_browser_says_is_what_was_asked() {
    let one = Authenticator::new();
    let told = |client_data_json: &[u8]| {
        let mut answer = signed(&one, one.authenticator_data(UP | UV));
        answer.client_data_json = client_data_json.to_vec();
        ceremony::challenge_of_login(&settings(), &answer)
    };
    let fine: serde_json::Value =
        serde_json::from_slice(&one.client_data("webauthn.get", CHALLENGE)).unwrap();
    assert_eq!(told(fine.to_string().as_bytes()), Ok(CHALLENGE.to_vec()));
    let challenge = fine["challenge"].as_str().unwrap();
    for (name, value) in [
        ("type", json!("webauthn.create")),
        ("type", json!("WebAuthn.get")),
        ("type", json!("payment.get")),
        ("type", json!("")),
        ("type", json!(["webauthn.get"])),
        ("type", json!(null)),
        ("challenge", json!(format!("{challenge}=="))),
        ("challenge", json!(format!("{challenge}\n"))),
        ("challenge", json!("+/+/")),
        ("challenge", json!("A")),
        ("challenge", json!(5)),
        ("challenge", json!(null)),
        ("origin", json!("https://cloud.example")),
        ("origin", json!("https://cloud.example:443")),
        ("origin", json!("http://cloud.example:8443")),
        ("origin", json!("https://evil.cloud.example:8443")),
        ("origin", json!("https://cloud.example.:8443")),
        ("origin", json!("https://cloud.example:8443@evil.example")),
        ("origin", json!("https://x@cloud.example:8443")),
        ("origin", json!("https://Cloud.Example:8443")),
        ("origin", json!("https://cloud.example:8443/")),
        ("origin", json!("android:apk-key-hash:AAAA")),
        ("origin", json!(["https://cloud.example:8443"])),
        ("origin", json!(null)),
        ("crossOrigin", json!(true)),
        ("crossOrigin", json!("true")),
        ("crossOrigin", json!(1)),
        ("topOrigin", json!("https://cloud.example:8443")),
        ("topOrigin", json!({})),
        ("tokenBinding", json!({"status": "present", "id": "AAAA"})),
        ("tokenBinding", json!("present")),
    ] {
        let mut forged = fine.clone();
        forged[name] = value;
        let told = told(forged.to_string().as_bytes());
        assert!(told.is_err(), "{forged}");
    }
    let text = fine.to_string();
    let twice = |member: &str| text.replacen('{', &format!("{{{member},"), 1);
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for wrong in [
        twice(r#""type":"webauthn.get""#).into_bytes(),
        twice(r#""origin":"https://cloud.example:8443""#).into_bytes(),
        twice(r#""challenge":"AAAA""#).into_bytes(),
        twice(r#""crossOrigin":false"#).into_bytes(),
        format!("\u{feff}{text}").into_bytes(),
        format!("{text}{text}").into_bytes(),
        format!("[{text}]").into_bytes(),
        text.replace(':', "=").into_bytes(),
        [&b"\xff"[..], text.as_bytes()].concat(),
        utf16,
        vec![b' '; 64 * 1024 + 1],
        b"null".to_vec(),
        b"".to_vec(),
    ] {
        assert!(told(&wrong).is_err(), "{}", String::from_utf8_lossy(&wrong));
    }
    // What browsers add to keep others from comparing texts.
    let more = twice(r#""other_keys_can_be_added_here":"do not compare clientDataJSON""#);
    assert_eq!(told(more.as_bytes()), Ok(CHALLENGE.to_vec()));
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let deep = twice(&format!(r#""more":{deep}"#)).into_bytes();
    let deep = over(&one, one.authenticator_data(UP | UV), deep);
    let bad = Some(Reason::Malformed("clientDataJSON"));
    assert_eq!(verdict(&deep, &key(&one), false), bad);
}
