//! Statements of makers. `makers/` has an authority (`root.pem`), another of the same name, and what an
//! authenticator of the model 07…07 is made with: its certificate, with that of its series behind it,
//! and its key.

use super::authenticator::Maker;
use super::*;
use crate::testdb::each_database;

const ROOT: &[u8] = include_bytes!("makers/root.pem");
const SAME_NAME: &[u8] = include_bytes!("makers/same-name.pem");

/// Good for models of 7s and 8s, by makers with these authorities.
fn listed(roots: &[&[u8]]) -> Settings {
    Settings {
        attestation: Attestation::Listed,
        aaguid_allow: [[7; 16], [8; 16], [0; 16]]
            .map(uuid::Uuid::from_bytes)
            .to_vec(),
        attestation_roots: Roots::read(roots).unwrap(),
        ..settings()
    }
}

fn any(roots: &[&[u8]]) -> Settings {
    Settings {
        attestation: Attestation::Any,
        ..listed(roots)
    }
}

fn made_by(change: impl FnOnce(&mut Maker)) -> Authenticator {
    let mut maker = Maker::of_7();
    change(&mut maker);
    let mut authenticator = Authenticator::new();
    authenticator.maker = Some(maker);
    authenticator
}

async fn refused(provider: &Handle<WebauthnProvider>, authenticator: &mut Authenticator) -> Reason {
    match register(provider, ALICE, authenticator).await {
        Err(Error::Ceremony(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

each_database! {
    async fn a_model_is_believed_where_the_certificates_end_in_an_authority(db: TestDb) {
        let (provider, bench) = start(&db, listed(&[ROOT])).await;
        let made = register(&provider, ALICE, &mut made_by(|_| ())).await.unwrap();
        assert_eq!(made.attestation_format.as_deref(), Some("packed"));
        // Another one of the same name is not in the way, and that it is sent along does no harm.
        let both = node(&bench, listed(&[SAME_NAME, ROOT]));
        register(&both, ALICE, &mut made_by(|_| ())).await.unwrap();
        let both = node(&bench, listed(&[&[SAME_NAME, ROOT].concat()]));
        register(&both, ALICE, &mut made_by(|maker| maker.also(ROOT))).await.unwrap();

        let untrusted = Reason::UntrustedAttestation;
        for roots in [&[SAME_NAME][..], &[]] {
            let other = node(&bench, listed(roots));
            assert_eq!(refused(&other, &mut made_by(|_| ())).await, untrusted);
            // Nor is an authority believed because it was sent.
            assert_eq!(refused(&other, &mut made_by(|maker| maker.also(ROOT))).await, untrusted);
        }
        assert_eq!(refused(&provider, &mut made_by(|maker| maker.chain.truncate(1))).await, untrusted);
        let many = |maker: &mut Maker| (0..9).for_each(|_| maker.also(ROOT));
        assert_eq!(refused(&provider, &mut made_by(many)).await, untrusted);
        // By its certificate it is another model.
        let mut other = made_by(|_| ());
        other.aaguid = [8; 16];
        assert_eq!(refused(&provider, &mut other).await, Reason::BadAttestation);
    }

    async fn who_attests_itself_or_nothing_is_no_model_that_is_listed(db: TestDb) {
        let (provider, bench) = start(&db, listed(&[ROOT])).await;
        let with_roots = node(&bench, any(&[ROOT]));
        for provider in [provider, with_roots] {
            let mut itself = Authenticator::new();
            itself.packed = true;
            assert_eq!(refused(&provider, &mut itself).await, Reason::UntrustedAttestation);
            assert_eq!(refused(&provider, &mut Authenticator::new()).await, Reason::BadAttestation);
        }
        // Where nobody is named, whoever attests something is taken.
        let without = node(&bench, any(&[]));
        register(&without, ALICE, &mut made_by(|_| ())).await.unwrap();
        register(&without, ALICE, &mut Authenticator::new()).await.unwrap();
    }

    async fn certificates_are_good_in_their_time(db: TestDb) {
        let (provider, _bench) = start(&db, listed(&[ROOT])).await;
        // 2122: they end with 2119.
        let now = 4_800_000_000;
        let start = StartRegistration { user: user(ALICE), user_name: String::new(), now };
        let made = made_by(|_| ()).make(&provider.send(start).await.unwrap());
        let late = provider.send(FinishRegistration { now, ..finish(ALICE, made) }).await;
        assert!(matches!(late, Err(Error::Ceremony(Reason::UntrustedAttestation))), "{late:?}");
    }

    async fn what_a_u2f_key_signs_says_nothing_of_a_model(db: TestDb) {
        let (provider, _bench) = start(&db, any(&[])).await;
        let u2f = |maker: &mut Maker| {
            maker.chain.truncate(1);
            maker.u2f = true;
        };
        assert_eq!(refused(&provider, &mut made_by(u2f)).await, Reason::BadAttestation);
        let mut nameless = made_by(u2f);
        nameless.aaguid = [0; 16];
        let made = register(&provider, ALICE, &mut nameless).await.unwrap();
        assert_eq!((made.attestation_format.as_deref(), made.aaguid), (Some("fido-u2f"), None));
    }
}

#[test]
fn what_is_no_certificate_is_no_authority() {
    let of = |files: &[&[u8]]| Roots::read(files).map(|roots| roots.is_empty());
    assert_eq!(of(&[]), Ok(true));
    assert_eq!(of(&[ROOT, SAME_NAME]), Ok(false));
    assert_eq!(of(&[ROOT, b"nothing"]), Err((1, RootsError::Nothing)));
    let wrong = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let second = [ROOT, wrong].concat();
    assert_eq!(of(&[&second]), Err((0, RootsError::Unreadable(2))));
}
