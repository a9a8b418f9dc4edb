//! Attestation objects, WebAuthn level 3 section 6.5.4: opened, not verified.

use super::super::Reason;
use super::cbor::{self, Item};

const WHAT: Reason = Reason::Malformed("attestationObject");

/// What is in one.
pub(super) struct Opened<'a> {
    pub format: &'a str,
    pub auth_data: &'a [u8],
}

/// Opens one. Its members are named by texts and by nothing else: the library takes numbers for
/// names, too, and would find others by them.
pub(super) fn open(bytes: &[u8]) -> Result<Opened<'_>, Reason> {
    let members = cbor::only(bytes).and_then(cbor::members).ok_or(WHAT)?;
    if !members.iter().all(|it| matches!(it.0, Item::Text(_))) {
        return Err(WHAT);
    }
    let of = |name: &str| {
        let found = members.iter().find(|it| it.0 == Item::Text(name));
        found.and_then(|it| cbor::only(it.1)).ok_or(WHAT)
    };
    let (Item::Text(format), Item::Bytes(auth_data), Item::Map(count, _)) =
        (of("fmt")?, of("authData")?, of("attStmt")?)
    else {
        return Err(WHAT);
    };
    // Section 8.7: who attests nothing says nothing.
    if format == "none" && count > 0 {
        return Err(Reason::BadAttestation);
    }
    Ok(Opened { format, auth_data })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &[u8] = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x41a";

    #[test]
    fn an_object_is_a_map_of_three_names() {
        let opened = open(GOOD).unwrap();
        assert_eq!((opened.format, opened.auth_data), ("none", &b"a"[..]));
        let more = b"\xa4\x63fmt\x64none\x67attStmt\xa0\x68authData\x41a\x65epAtt\xf4";
        assert!(open(more).is_ok());
        // In another order.
        assert!(open(b"\xa3\x68authData\x41a\x63fmt\x64none\x67attStmt\xa0").is_ok());
    }

    #[test]
    fn what_could_be_taken_for_another_object_is_none() {
        let cases: [&[u8]; 10] = [
            b"",
            b"\xa0",
            &[GOOD, b"\x00"].concat(),
            // A list, or numbers for names, or bytes.
            b"\x82\x64none\x41a",
            b"\xa3\x00\x64none\x01\xa0\x02\x41a",
            b"\xa5\x63fmt\x64none\x67attStmt\xa0\x68authData\x41a\x01\x41b\x02\x41c",
            b"\xa3\x43fmt\x64none\x67attStmt\xa0\x68authData\x41a",
            b"\xa4\x63fmt\x64none\x67attStmt\xa0\x68authData\x41a\x68authData\x41b",
            b"\xbf\x63fmt\x64none\x67attStmt\xa0\x68authData\x41a\xff",
            b"\xa3\x63fmt\x64none\x67attStmt\x80\x68authData\x41a",
        ];
        for bytes in cases {
            assert_eq!(open(bytes).err(), Some(WHAT), "{bytes:x?}");
        }
        let said = b"\xa3\x63fmt\x64none\x67attStmt\xa1\x61a\x00\x68authData\x41a";
        assert_eq!(open(said).err(), Some(Reason::BadAttestation));
    }
}
