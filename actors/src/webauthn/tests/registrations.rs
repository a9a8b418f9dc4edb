use secrecy::SecretString;

use super::authenticator::{BE, BS, UP, UV};
use super::*;
use crate::testdb::each_database;

async fn refused(
    provider: &Handle<WebauthnProvider>,
    change: impl FnOnce(&mut Authenticator),
) -> Reason {
    let mut authenticator = Authenticator::new();
    change(&mut authenticator);
    match register(provider, ALICE, &mut authenticator).await {
        Err(Error::Ceremony(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

each_database! {
    async fn a_passkey_is_kept_as_it_was_made(db: TestDb) {
        let (provider, _bench) = start(&db, settings()).await;
        let mut authenticator = Authenticator::new();
        authenticator.flags = UP | UV | BE | BS;
        authenticator.counter = 3;

        let made = register(&provider, BOB, &mut authenticator).await.unwrap();

        let due = Passkey {
            id: authenticator.id(),
            credential_id: authenticator.credential_id.clone(),
            user_id: user(BOB),
            description: Some("key".to_owned()),
            state: State::Active,
            transports: vec!["internal".to_owned()],
            aaguid: Some(uuid::Uuid::from_bytes([7; 16])),
            backup_eligible: true,
            backup_state: true,
            discoverable: Some(true),
            uv_initialized: true,
            attestation_format: Some("none".to_owned()),
            alg: -7,
            sign_count: 3,
            created_at: NOW * 1_000_000,
            created_by: Some(BOB.to_owned()),
            last_used_at: None,
            updated_at: None,
        };
        assert_eq!(*made, due);
        assert_eq!(list(&provider, BOB).await[..], [Arc::new(due)]);
        assert!(list(&provider, ALICE).await.is_empty());
    }

    async fn a_user_has_one_handle_of_64_random_bytes(db: TestDb) {
        let (provider, _bench) = start(&db, settings()).await;
        let (first, again) = (options(&provider, ALICE).await, options(&provider, ALICE).await);
        let of_bob = options(&provider, BOB).await;

        assert_eq!((first.user_handle.len(), first.challenge.len()), (64, 58));
        assert_eq!(first.user_handle, again.user_handle);
        assert_ne!(first.user_handle, of_bob.user_handle);
        assert_ne!(first.challenge, again.challenge);
        let nobody = StartRegistration { user: user("nobody"), user_name: "nobody".to_owned(), now: NOW };
        assert!(matches!(provider.send(nobody).await, Err(Error::Ceremony(Reason::UserGone))));
    }

    async fn an_authenticator_that_does_not_do_what_was_asked_is_refused(db: TestDb) {
        let (provider, _bench) = start(&db, settings()).await;
        let wrong = |origin: &str| {
            let origin = origin.to_owned();
            move |a: &mut Authenticator| a.origin = origin
        };
        assert_eq!(refused(&provider, wrong("https://cloud.example")).await, Reason::WrongOrigin);
        assert_eq!(refused(&provider, wrong("https://evil.example:8443")).await, Reason::WrongOrigin);
        assert_eq!(refused(&provider, |a| a.rp_id = "evil.example".to_owned()).await, Reason::WrongRpId);
        assert_eq!(refused(&provider, |a| a.flags = UV).await, Reason::UserNotPresent);
        assert_eq!(refused(&provider, |a| a.flags = UP).await, Reason::UserNotVerified);
        assert_eq!(refused(&provider, |a| a.flags = UP | UV | BS).await, Reason::BackupContradiction);
        assert_eq!(refused(&provider, |a| a.alg = Some(-35)).await, Reason::WrongAlgorithm);
        assert_eq!(refused(&provider, |a| a.alg = Some(-65535)).await, Reason::WrongAlgorithm);
        let oversized = |a: &mut Authenticator| a.credential_id = vec![1; 1024];
        assert_eq!(refused(&provider, oversized).await, Reason::Malformed("rawId"));
        let embedded = |a: &mut Authenticator| {
            a.client_data.insert("crossOrigin".to_owned(), true.into());
        };
        assert_eq!(refused(&provider, embedded).await, Reason::CrossOrigin);
        let wrong_type = |a: &mut Authenticator| {
            a.client_data.insert("type".to_owned(), "webauthn.get".into());
        };
        assert_eq!(refused(&provider, wrong_type).await, Reason::WrongType);
        assert!(list(&provider, ALICE).await.is_empty());
    }

    async fn the_longest_credential_id_is_taken(db: TestDb) {
        let (provider, _bench) = start(&db, settings()).await;
        let mut authenticator = Authenticator::new();
        authenticator.credential_id = vec![1; 1023];
        register(&provider, ALICE, &mut authenticator).await.unwrap();
        assert_eq!(log_in(&provider, &start_anybody(), &authenticator).await, accepted(ALICE, &authenticator));
    }

    async fn a_challenge_is_answered_by_whom_and_for_what_it_was_made_and_once(db: TestDb) {
        let (provider, _bench) = start(&db, settings()).await;
        let mut authenticator = Authenticator::new();
        let of_alice = options(&provider, ALICE).await;
        let made = authenticator.make(&of_alice);
        let is = async |finish: FinishRegistration| match provider.send(finish).await {
            Err(Error::Ceremony(reason)) => reason,
            other => panic!("{other:?}"),
        };

        assert_eq!(is(finish(BOB, made.clone())).await, Reason::UnknownChallenge);
        let late = FinishRegistration { now: NOW + 301, ..finish(ALICE, made.clone()) };
        assert_eq!(is(late).await, Reason::ChallengeExpired);
        let login = challenge(&provider, &start_login(ALICE)).await;
        let for_login = authenticator.make(&CreationOptions { challenge: login, ..of_alice.clone() });
        assert_eq!(is(finish(ALICE, for_login)).await, Reason::UnknownChallenge);

        provider.send(finish(ALICE, made)).await.unwrap();
        let another = Authenticator::new().make(&of_alice);
        assert_eq!(is(finish(ALICE, another)).await, Reason::ChallengeReplayed);
        assert_eq!(list(&provider, ALICE).await.len(), 1);
    }

    async fn an_authenticator_is_registered_once_whoever_has_it(db: TestDb) {
        let (provider, _bench) = start(&db, settings()).await;
        let mut authenticator = passkey_of_alice(&provider).await;
        let again = register(&provider, BOB, &mut authenticator).await;
        assert!(matches!(again, Err(Error::AlreadyRegistered)), "{again:?}");
        let excluded = options(&provider, ALICE).await.exclude;
        assert_eq!(excluded, [Descriptor { id: authenticator.credential_id, transports: vec!["internal".to_owned()] }]);
    }

    async fn there_is_an_end_of_a_users_passkeys(db: TestDb) {
        let (provider, _bench) = start(&db, Settings { max_per_user: 2, ..settings() }).await;
        let options = options(&provider, ALICE).await;
        passkey_of_alice(&provider).await;
        passkey_of_alice(&provider).await;

        let begun = Authenticator::new().make(&options);
        assert!(matches!(provider.send(finish(ALICE, begun)).await, Err(Error::TooMany(2))));
        let start = StartRegistration { user: user(ALICE), user_name: String::new(), now: NOW };
        assert!(matches!(provider.send(start).await, Err(Error::TooMany(2))));
        register(&provider, BOB, &mut Authenticator::new()).await.unwrap();
    }

    async fn which_authenticators_are_taken_is_a_matter_of_settings(db: TestDb) {
        let (model, other) = (uuid::Uuid::from_bytes([7; 16]), uuid::Uuid::from_bytes([8; 16]));
        let (_any, bench) = start(&db, settings()).await;
        let denied = node(&bench, Settings { aaguid_deny: vec![model], ..settings() });
        assert_eq!(refused(&denied, |_| ()).await, Reason::ModelRefused);
        let allowed = node(&bench, Settings { aaguid_allow: vec![other], ..settings() });
        assert_eq!(refused(&allowed, |_| ()).await, Reason::ModelRefused);
        let hardware = node(&bench, Settings { hardware_bound_only: true, ..settings() });
        assert_eq!(refused(&hardware, |a| a.flags = UP | UV | BE).await, Reason::NotHardwareBound);

        let listed = Settings { attestation: Attestation::Listed, ..settings() };
        let none = node(&bench, listed.clone());
        assert_eq!(refused(&none, |a| a.packed = true).await, Reason::ModelRefused);
        let some = node(&bench, Settings { aaguid_allow: vec![model], ..listed });
        assert_eq!(refused(&some, |_| ()).await, Reason::BadAttestation);
        // Of those that may be believed there is none.
        assert_eq!(refused(&some, |a| a.packed = true).await, Reason::UntrustedAttestation);
    }

    async fn a_statement_that_does_not_verify_is_refused(db: TestDb) {
        let (provider, _bench) = start(&db, Settings { attestation: Attestation::Any, ..settings() }).await;
        let mut authenticator = Authenticator::new();
        authenticator.packed = true;
        let mut made = authenticator.make(&options(&provider, ALICE).await);
        // White space: the same client data, and not what was signed.
        made.client_data_json.push(b' ');
        let refused = provider.send(finish(ALICE, made)).await;
        assert!(matches!(refused, Err(Error::Ceremony(Reason::BadAttestation))), "{refused:?}");
        register(&provider, ALICE, &mut authenticator).await.unwrap();
    }

    async fn an_invitation_is_its_users_and_good_for_one_passkey_in_its_time(db: TestDb) {
        let (provider, _bench) = start(&db, settings()).await;
        let invite = CreateInvitation { user: user(ALICE), created_by: "admin".to_owned(), now: NOW };
        let invitation = provider.send(invite).await.unwrap();
        assert_eq!(invitation.expires_at, NOW + 86400);
        let look = |now| LookInvitation { secret: invitation.secret.clone(), now };
        let with = async |who: &str, secret: &SecretString, now: i64| {
            let start = StartRegistration { user: user(who), user_name: who.to_owned(), now };
            let made = Authenticator::new().make(&provider.send(start).await.unwrap());
            let invitation = Some(secret.clone());
            provider.send(FinishRegistration { invitation, now, ..finish(who, made) }).await
        };

        assert_eq!(provider.send(look(NOW)).await.unwrap(), Some(user(ALICE)));
        assert_eq!(provider.send(look(NOW + 86400)).await.unwrap(), None);
        let wrong = "wrong".into();
        for (who, secret, now) in [
            (BOB, &invitation.secret, NOW),
            (ALICE, &wrong, NOW),
            (ALICE, &invitation.secret, NOW + 86400),
        ] {
            let refused = with(who, secret, now).await;
            assert!(matches!(refused, Err(Error::Invitation)), "{refused:?}");
        }
        with(ALICE, &invitation.secret, NOW).await.unwrap();
        assert!(matches!(with(ALICE, &invitation.secret, NOW).await, Err(Error::Invitation)));
        assert_eq!(provider.send(look(NOW)).await.unwrap(), None);
        assert_eq!(list(&provider, ALICE).await.len(), 1);
    }
}
