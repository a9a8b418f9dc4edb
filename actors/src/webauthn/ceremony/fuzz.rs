//! What is fuzzed: answers of browsers and authenticators.

use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA256, digest};
use url::Url;

use super::super::{Asserted, Attestation, Attested, Settings};
use super::{
    NOBODYS, Stored, authenticator, cbor, challenge_of_login, challenge_of_registration, key,
    library, log_in, object, register,
};

/// 2026: certificates of the corpus are good then.
const NOW: i64 = 1_800_000_000;

const CHALLENGE: &[u8] = b"\0\x01";
const ID: &[u8] = b"credential";

/// What browsers say to [`CHALLENGE`].
const CREATED: &[u8] = br#"{"type":"webauthn.create","challenge":"AAE","origin":"https://cloud.example:8443","crossOrigin":false}"#;
const GOT: &[u8] = br#"{"type":"webauthn.get","challenge":"AAE","origin":"https://cloud.example:8443","crossOrigin":false}"#;

/// User present and verified; and a passkey told of.
const USED: u8 = 0x05;
const MADE: u8 = 0x45;

/// Every form of statement is verified.
static SETTINGS: LazyLock<Settings> = LazyLock::new(|| Settings {
    rp_id: "cloud.example".to_owned(),
    rp_name: "Cloud".to_owned(),
    origins: Url::parse("https://cloud.example:8443")
        .into_iter()
        .collect(),
    attestation: Attestation::Any,
    ..Settings::default()
});

/// Authenticator data without a passkey and without extensions.
fn plain(flags: u8) -> Vec<u8> {
    let mut data = digest(&SHA256, SETTINGS.rp_id.as_bytes()).as_ref().to_vec();
    data.push(flags);
    data.extend_from_slice(&[0; 4]);
    data
}

/// An attestation object of [`NOBODYS`] key that attests nothing.
fn unattested() -> Vec<u8> {
    let length = |bytes: &[u8]| u8::try_from(bytes.len()).unwrap_or_default();
    let made = [
        plain(MADE).as_slice(),
        &[0; 16],
        &[0, length(ID)],
        ID,
        NOBODYS,
    ]
    .concat();
    let head: &[u8] = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58";
    [head, &[length(&made)][..], &made].concat()
}

/// A registration of which this is the attestation object.
fn attested(object: &[u8], raw_id: &[u8]) -> Attested {
    Attested {
        raw_id: raw_id.to_vec(),
        attestation_object: object.to_vec(),
        client_data_json: CREATED.to_vec(),
        transports: Vec::new(),
        discoverable: None,
    }
}

/// A login of which these are the authenticator data and the signature.
fn asserted(authenticator_data: &[u8], signature: &[u8]) -> Asserted {
    Asserted {
        raw_id: ID.to_vec(),
        authenticator_data: authenticator_data.to_vec(),
        client_data_json: GOT.to_vec(),
        signature: signature.to_vec(),
        user_handle: None,
    }
}

/// What a login by [`NOBODYS`] key is compared with.
fn nobodys(backup_eligible: bool) -> Stored<'static> {
    Stored {
        id: ID,
        public_key: NOBODYS,
        backup_eligible,
    }
}

/// For fuzzing: takes `data` as each part of an answer to a ceremony, the others being good. Whatever
/// it is, this returns.
pub fn fuzz_webauthn(data: &[u8]) {
    as_cbor(data);
    as_key(data);
    as_client_data(data);
    as_attestation_object(data);
    let head = authenticator::of_login(data);
    let eligible = head.is_ok_and(|head| head.backup_eligible());
    let _ = log_in(
        &SETTINGS,
        CHALLENGE,
        &asserted(data, b"signature"),
        nobodys(eligible),
    );
    let signed = asserted(&plain(USED), data);
    let _ = log_in(&SETTINGS, CHALLENGE, &signed, nobodys(false));
}

/// What is an item to us is one to the library, which reads it once more.
fn as_cbor(data: &[u8]) {
    let Some((item, own, rest)) = cbor::first(data) else {
        return;
    };
    debug_assert_eq!(own.len() + rest.len(), data.len());
    debug_assert_eq!(cbor::only(own), Some(item));
    debug_assert!(serde_cbor_2::from_slice::<serde_cbor_2::Value>(own).is_ok());
    if let cbor::Item::Map(count, _) = item {
        let members = cbor::members(item).and_then(|all| u64::try_from(all.len()).ok());
        debug_assert_eq!(members, Some(count));
    }
}

fn as_key(data: &[u8]) {
    let _ = key::algorithm(data, &[-7, -8, -35, -36, -257]);
    // As what a row of the database has in it.
    let _ = library::is_key(data);
}

fn as_client_data(data: &[u8]) {
    let mut answer = attested(&unattested(), ID);
    answer.client_data_json = data.to_vec();
    if let Ok(challenge) = challenge_of_registration(&SETTINGS, &answer) {
        let _ = register(&SETTINGS, &challenge, &answer, NOW);
    }
    let mut answer = asserted(&plain(USED), b"signature");
    answer.client_data_json = data.to_vec();
    if let Ok(challenge) = challenge_of_login(&SETTINGS, &answer) {
        let _ = log_in(&SETTINGS, &challenge, &answer, nobodys(false));
    }
}

fn as_attestation_object(data: &[u8]) {
    // The client says the ID beside it: another one would be where the answer ends.
    let told = object::open(data)
        .and_then(|opened| authenticator::of_registration(opened.auth_data))
        .map(|(_, credential)| credential.id);
    let answer = attested(data, told.unwrap_or(ID));
    if let Ok(made) = register(&SETTINGS, CHALLENGE, &answer, NOW) {
        // What was good for a registration is good for logins.
        debug_assert!(library::is_key(&made.public_key));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::super::Reason;
    use super::super::{Failure, Made, Used};
    use super::*;

    macro_rules! seed {
        ($name:literal) => {
            include_bytes!(concat!("../../../../tests/fuzz/corpus/webauthn/", $name)).as_slice()
        };
    }

    fn made(object: &[u8]) -> Result<Made, Reason> {
        register(&SETTINGS, CHALLENGE, &attested(object, ID), NOW)
    }

    fn used(data: &[u8], signature: &[u8]) -> Result<Used, Failure> {
        let answer = asserted(data, signature);
        log_in(&SETTINGS, CHALLENGE, &answer, nobodys(false))
    }

    #[test]
    fn what_is_fuzzed_is_the_real_thing() {
        for (object, format) in [
            (seed!("object-none"), "none"),
            (seed!("object-self"), "packed"),
            (seed!("object-packed"), "packed"),
            (seed!("object-u2f"), "fido-u2f"),
            (seed!("object-extensions"), "none"),
            (unattested().as_slice(), "none"),
        ] {
            let good = made(object);
            assert_eq!(
                good.map(|made| made.attestation_format),
                Ok(format.to_owned())
            );
            for cut in 0..object.len() {
                assert!(made(&object[..cut]).is_err(), "{format}: {cut}");
                fuzz_webauthn(&object[..cut]);
            }
        }
        assert!(used(seed!("data"), seed!("signature")).is_ok());
        assert!(used(seed!("data-extensions"), seed!("signature-extensions")).is_ok());
        assert!(used(seed!("data"), seed!("signature-extensions")).is_err());
        assert_eq!(seed!("data"), plain(USED));
        assert_eq!(seed!("client-create"), CREATED);
        assert_eq!(seed!("client-get"), GOT);
        let offered = [-7, -257];
        assert_eq!(key::algorithm(seed!("key-es256"), &offered), Ok(-7));
        assert_eq!(key::algorithm(seed!("key-rs256"), &offered), Ok(-257));
        assert!(library::is_key(seed!("key-rs256")));
        // Well-formed, all the way to where the library looks at the statement.
        for object in [
            seed!("object-tpm"),
            seed!("object-android"),
            seed!("object-apple"),
        ] {
            assert_eq!(made(object).err(), Some(Reason::BadAttestation));
        }
    }

    /// No answer is good with something behind any of its parts.
    #[test]
    fn nothing_is_behind_what_is_read() {
        let longer = |bytes: &[u8]| [bytes, b"\0"].concat();
        assert!(made(&longer(seed!("object-none"))).is_err());
        assert!(used(&longer(seed!("data")), seed!("signature")).is_err());
        assert!(used(seed!("data"), &longer(seed!("signature"))).is_err());
        assert!(key::algorithm(&longer(seed!("key-es256")), &[-7]).is_err());
        let mut answer = attested(seed!("object-none"), ID);
        answer.client_data_json.push(b'0');
        assert!(challenge_of_registration(&SETTINGS, &answer).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            fuzz_webauthn(&bytes);
        }
    }
}
