#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use proptest::prelude::*;
use rmp::encode::{write_f32, write_sint};

use super::*;
use crate::token::format::fixtures::{expected, table, unhex, vectors};

/// Vectors that Python would not write itself: odd values that it reads.
const ODD: [&str; 4] = [
    "project-microseconds",
    "unscoped-old-msgpack",
    "integer-expiry",
    "unknown-method-bit",
];

#[test]
fn every_payload_is_written_as_python_writes_it() {
    for vector in vectors()["tokens"].as_array().unwrap() {
        let name = vector["name"].as_str().unwrap();
        let written = expected(&vector["decoded"]).to_bytes(&table()).unwrap();

        let same = written == unhex(vector["msgpack"].as_str().unwrap());
        assert_eq!(same, !ODD.contains(&name), "{name}: {written:02x?}");
    }
}

#[test]
fn every_version_is_read_in_the_form_of_old_msgpack() {
    for vector in vectors()["tokens"].as_array().unwrap() {
        // A binary of 16 bytes becomes a string of 16 bytes.
        let old = vector["msgpack"].as_str().unwrap().replace("c410", "b0");
        let payload = Payload::from_bytes(&unhex(&old), &table());
        assert_eq!(
            payload,
            Ok(expected(&vector["decoded"])),
            "{}",
            vector["name"]
        );
    }
}

#[test]
fn old_msgpack_whose_text_is_not_utf8_is_malformed() {
    let mut bytes = vec![0x95, 0x00, 0x92, 0xc2, 0xa1, 0xff, 0x02, 0xcb];
    bytes.extend(4e9_f64.to_be_bytes());
    bytes.extend([0x91, 0xb0]);
    bytes.extend([0xa1; 16]);
    assert_eq!(read(&bytes), Err(PayloadError::Malformed("user")));
}

fn read(bytes: &[u8]) -> Result<Payload, PayloadError> {
    Payload::from_bytes(bytes, &table())
}

/// An unscoped payload with methods and expiry as `write` leaves them.
fn with(write: impl FnOnce(&mut ByteBuf)) -> Vec<u8> {
    let mut out = ByteBuf::new();
    write_array_len(&mut out, 5).unwrap();
    write_uint(&mut out, 0).unwrap();
    write_id(&mut out, Some("u"));
    write(&mut out);
    write_array_len(&mut out, 1).unwrap();
    write_bin(&mut out, &[7; 16]).unwrap();
    out.into_vec()
}

fn methods_of(write: impl FnOnce(&mut ByteBuf)) -> Result<Vec<String>, PayloadError> {
    read(&with(|out| {
        write(out);
        write_seconds(out, 0);
    }))
    .map(|payload| payload.methods.iter().map(str::to_owned).collect())
}

fn expiry_of(write: impl FnOnce(&mut ByteBuf)) -> Result<i64, PayloadError> {
    read(&with(|out| {
        write_uint(out, 2).unwrap();
        write(out);
    }))
    .map(|payload| payload.expires_at)
}

#[test]
fn methods_are_read_highest_bit_first_and_one_unknown_bit_empties_them() {
    let of = |bits| methods_of(|out| write_uint(out, bits).map(drop).unwrap()).unwrap();

    assert_eq!(of(66), ["totp", "password"]);
    assert_eq!(of(255).len(), 8);
    for bits in [0, 256, 300, 2 + 4096, 128 + 256, u64::MAX] {
        assert_eq!(of(bits), [""; 0], "{bits}");
    }
    let negative = methods_of(|out| write_sint(out, -1).map(drop).unwrap());
    assert_eq!(negative.unwrap(), [""; 0]);
}

#[test]
fn methods_may_be_a_whole_float_or_a_boolean_but_nothing_else() {
    let float = |x| methods_of(|out| write_f64(out, x).unwrap());

    assert_eq!(float(3.0).unwrap(), ["password", "external"]);
    let yes = methods_of(|out| write_bool(out, true).unwrap());
    assert_eq!(yes.unwrap(), ["external"]);
    for odd in [3.5, f64::NAN] {
        assert_eq!(float(odd), Err(PayloadError::Malformed("methods")));
    }
    for vast in [1e300, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(float(vast).unwrap(), [""; 0]);
    }
    let nil = methods_of(|out| write_nil(out).unwrap());
    assert_eq!(nil, Err(PayloadError::Malformed("methods")));
}

#[test]
fn a_method_listed_twice_is_sealed_once() {
    let table = MethodTable::new(["external", "password", "token", "oauth1"]).unwrap();
    let methods: Methods = ["password", "password", "token"].into_iter().collect();
    // Added up, 2 + 2 + 4 would be oauth1.
    assert_eq!(table.bits(&methods), 6);
    let unconfigured: Methods = ["password", "webauthn"].into_iter().collect();
    assert_eq!(table.bits(&unconfigured), 2);
}

#[test]
fn a_method_configured_twice_keeps_its_first_bit_and_moves_the_others() {
    let table = MethodTable::new(["password", "password", "token"]).unwrap();
    let methods: Methods = ["password", "token"].into_iter().collect();
    assert_eq!(table.bits(&methods), 5);
    assert_eq!(
        table.methods(7).iter().collect::<Vec<_>>(),
        ["token", "password"]
    );
    assert!(MethodTable::new((0..64).map(|i| i.to_string())).is_err());
}

#[test]
fn a_fraction_of_the_expiry_is_cut_and_an_impossible_one_refused() {
    let float = |x| expiry_of(|out| write_f64(out, x).unwrap());
    let malformed = Err(PayloadError::Malformed("expiry"));

    assert_eq!(float(4_102_444_799.5), Ok(4_102_444_799));
    assert_eq!(float(-1.5), Ok(-2));
    // Python rounds to microseconds before it cuts.
    assert_eq!(float(0.999_999_9), Ok(1));
    assert_eq!(float(253_402_300_799.0), Ok(253_402_300_799));
    assert_eq!(float(253_402_300_800.0), malformed);
    assert_eq!(float(-62_135_596_801.0), malformed);
    for impossible in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300] {
        assert_eq!(float(impossible), malformed);
    }
    assert_eq!(expiry_of(|out| write_f32(out, 2.5).unwrap()), Ok(2));
    let integer = |n| expiry_of(|out| write_sint(out, n).map(drop).unwrap());
    assert_eq!(integer(-7), Ok(-7));
    assert_eq!(integer(253_402_300_800), malformed);
    assert_eq!(integer(i64::MIN), malformed);
}

#[test]
fn an_id_that_would_come_back_otherwise_is_written_as_text() {
    for id in [
        "11111111-1111-1111-1111-111111111111",
        "ABCDEFABCDEFABCDEFABCDEFABCDEFAB",
        "urn:uuid:11111111-1111-1111-1111-111111111111",
        "{1111111111111111111111111111111}",
        "1111111111111111111111111111111",
        "g1111111111111111111111111111111",
        "",
    ] {
        let mut out = ByteBuf::new();
        write_id(&mut out, Some(id));
        assert_eq!(out.as_slice()[..2], [0x92, 0xc2], "{id}");
        let mut reader = Reader::new(out.as_slice(), Strings::Text);
        assert_eq!(reader.id("id").unwrap(), id);
    }
}

#[test]
fn an_unknown_version_is_shown_as_python_shows_it() {
    let shown = |bytes: &[u8]| match read(bytes) {
        Err(PayloadError::UnknownVersion(shown)) => shown,
        other => panic!("{other:?}"),
    };
    assert_eq!(shown(&[0x91, 0x0b]), "11");
    assert_eq!(shown(&[0x91, 0xff]), "-1");
    assert_eq!(shown(&[0x91, 0xa1, b'0']), "0");
    assert_eq!(shown(&[0x91, 0xc0]), "None");
    assert_eq!(
        shown(b"\x91\x94\xc3\xc4\x08\x11'\\\n~\x00\xffa\xa3\"a\"\xcb\x3f\xf8\0\0\0\0\0\0\x90"),
        r#"[True, b"\x11'\\\n~\x00\xffa", '"a"', 1.5]"#
    );
    // However much there is, the message stays short.
    let mut long = vec![0x91, 0xdc, 0x10, 0x00];
    long.extend([0xc3; 4096]);
    assert!(shown(&long).len() < 600);
    let deep = [vec![0x91], vec![0x91; 10_000]].concat();
    assert!(shown(&deep).len() < 600);
}

#[test]
fn a_payload_ends_where_its_list_ends() {
    let good = with(|out| {
        write_uint(out, 2).unwrap();
        write_seconds(out, 0);
    });
    assert!(read(&good).is_ok());
    assert_eq!(
        read(&[good.as_slice(), &[0xc0]].concat()),
        Err(PayloadError::Malformed("bytes follow the payload"))
    );
    // More elements are passed over, whatever they are, but they have to be there.
    let mut more = good.clone();
    more[0] = 0x99;
    more.extend([
        0x92, 0xc0, 0x81, 0xa1, b'k', 0xd4, 1, 2, 0xca, 0, 0, 0, 0, 0xc4, 1,
    ]);
    assert!(read(&more).is_err());
    more.push(9);
    more.push(0xd9);
    more.extend([1, b'x']);
    assert_eq!(read(&more), read(&good));
    let deep = [&more[..more.len() - 3], &[0x91; 5000], &[0xc0]].concat();
    assert_eq!(
        read(&deep),
        Err(PayloadError::Malformed("the payload nests too deep"))
    );
}

#[test]
fn a_length_without_content_reserves_nothing() {
    // A federated payload of four thousand million groups, of which none follows.
    let mut bytes = vec![0x98, 0x04, 0x92, 0xc2, 0xa1, b'u', 0x10, 0xdd];
    bytes.extend(u32::MAX.to_be_bytes());
    assert_eq!(read(&bytes), Err(PayloadError::Malformed("groups")));
}

#[test]
fn what_would_be_dropped_is_not_sealed() {
    let id = || Some("5".repeat(32));
    let base = || {
        let methods = ["password"].into_iter().collect();
        Payload::new("u".into(), methods, 0, AuditIds::fresh())
    };
    let federation = || {
        Some(FederationRef {
            group_ids: vec![],
            idp_id: "idp".into(),
            protocol_id: "p".into(),
        })
    };
    let project = || PayloadScope::Project("p".into());
    let refused = [
        Payload {
            trust_id: id(),
            app_cred_id: id(),
            ..base()
        },
        Payload {
            access_token_id: id(),
            trust_id: id(),
            ..base()
        },
        Payload {
            app_cred_id: id(),
            thumbprint: id(),
            ..base()
        },
        Payload {
            federation: federation(),
            app_cred_id: id(),
            scope: project(),
            ..base()
        },
        Payload {
            federation: federation(),
            thumbprint: id(),
            scope: project(),
            ..base()
        },
        Payload {
            federation: federation(),
            scope: PayloadScope::System,
            ..base()
        },
        Payload {
            trust_id: id(),
            scope: PayloadScope::System,
            ..base()
        },
        Payload {
            app_cred_id: id(),
            scope: PayloadScope::Domain("d".into()),
            ..base()
        },
        Payload {
            access_token_id: id(),
            scope: PayloadScope::System,
            ..base()
        },
        Payload {
            thumbprint: id(),
            scope: PayloadScope::System,
            ..base()
        },
        Payload {
            oauth2_domain_id: id(),
            scope: project(),
            ..base()
        },
        Payload {
            oauth2_domain_id: id(),
            thumbprint: id(),
            ..base()
        },
    ];
    for payload in refused {
        let sealed = payload.to_bytes(&table());
        assert!(
            matches!(sealed, Err(UnsealablePayload::NotRepresentable(_))),
            "{payload:?}"
        );
    }
    let late = Payload {
        expires_at: 253_402_300_800,
        ..base()
    };
    assert_eq!(
        late.to_bytes(&table()),
        Err(UnsealablePayload::ExpiryOutOfRange)
    );
    // A federated user's trust: the trust's roles count, and Python drops the reference as well.
    let trust = Payload {
        federation: federation(),
        trust_id: id(),
        scope: project(),
        ..base()
    };
    let read = read(&trust.to_bytes(&table()).unwrap()).unwrap();
    assert_eq!(
        read,
        Payload {
            federation: None,
            ..trust
        }
    );
}

#[test]
fn a_token_has_one_audit_id_or_two() {
    let with_audit_ids = |n: u8| {
        let mut out = vec![0x95, 0x00, 0x92, 0xc2, 0xa1, b'u', 0x02, 0x00, 0x90 | n];
        for i in 0..n {
            out.extend([0xc4, 16]);
            out.extend([i; 16]);
        }
        read(&out).map(|payload| payload.audit_ids.iter().count())
    };
    assert_eq!([1, 2].map(with_audit_ids), [Ok(1), Ok(2)]);
    for n in [0, 3] {
        let malformed = Err(PayloadError::Malformed("audit ids"));
        assert_eq!(with_audit_ids(n), malformed, "{n}");
    }
}

#[test]
fn an_audit_id_has_one_spelling() {
    let id = AuditId::from_bytes([0xa1; 16]);
    assert_eq!(id.to_string(), "oaGhoaGhoaGhoaGhoaGhoQ");
    assert_eq!("oaGhoaGhoaGhoaGhoaGhoQ".parse(), Ok(id));
    for other in [
        "oaGhoaGhoaGhoaGhoaGhoR",
        "oaGhoaGhoaGhoaGhoaGhoQ==",
        "oaGhoaGhoaGhoaGhoaGh",
        "",
    ] {
        assert!(other.parse::<AuditId>().is_err(), "{other}");
    }
}

#[test]
fn rescoping_keeps_the_root_of_the_chain() {
    let first = AuditIds::fresh();
    let second = first.rescoped();
    let third = second.rescoped();

    assert_eq!(first.root, None);
    assert_eq!(
        (second.root, third.root),
        (Some(first.own), Some(first.own))
    );
    assert!(first.own != second.own && second.own != third.own);
}

fn id() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9a-f]{32}",
        "[0-9A-Fa-f-]{30,36}",
        "[a-z]{16}",
        "\\PC{0,70}"
    ]
}

prop_compose! {
    fn payload()(
        user_id in id(),
        methods in prop::sample::subsequence(vec!["external", "password", "token", "totp"], 0..=4),
        expires_at in SECONDS,
        own in any::<[u8; 16]>(),
        root in prop::option::of(any::<[u8; 16]>()),
        ids in (id(), id(), id(), "\\PC{0,20}"),
        groups in prop::collection::vec(id(), 0..20),
        scope in 0..4,
        kind in 0..6,
    ) -> Payload {
        let audit_ids = AuditIds {
            own: AuditId::from_bytes(own),
            root: root.map(AuditId::from_bytes),
        };
        // As they come back: highest bit first.
        let methods = methods.into_iter().rev().collect();
        let mut payload = Payload::new(user_id, methods, expires_at, audit_ids);
        let (first, second, third, protocol_id) = ids;
        payload.scope = match (scope, kind) {
            (1, _) => PayloadScope::Project(first),
            (2, 0 | 1 | 5) => PayloadScope::Domain(first),
            (3, 0) => PayloadScope::System,
            _ => PayloadScope::Unscoped,
        };
        match kind {
            1 => payload.federation = Some(FederationRef {
                group_ids: groups,
                idp_id: second,
                protocol_id,
            }),
            2 => payload.trust_id = Some(second),
            3 => payload.access_token_id = Some(second),
            4 => payload.app_cred_id = Some(second),
            5 => {
                payload.thumbprint = Some(second);
                if scope == 1 {
                    payload.oauth2_domain_id = Some(third);
                }
            }
            _ => {}
        }
        payload
    }
}

proptest! {
    #[test]
    fn any_payload_comes_back_as_it_was(payload in payload()) {
        let bytes = payload.to_bytes(&table()).unwrap();
        prop_assert_eq!(read(&bytes), Ok(payload));
    }

    #[test]
    fn a_payload_cut_short_is_malformed(payload in payload(), cut in any::<prop::sample::Index>()) {
        let bytes = payload.to_bytes(&table()).unwrap();
        let cut = &bytes[..cut.index(bytes.len())];
        prop_assert!(matches!(read(cut), Err(PayloadError::Malformed(_))));
    }
}
