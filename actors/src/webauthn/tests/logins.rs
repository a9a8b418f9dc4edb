use super::authenticator::{BE, BS, UP, UV};
use super::*;
use crate::testdb::each_database;

/// Why a login with what is changed of an authenticator is refused.
async fn refused(
    provider: &Handle<WebauthnProvider>,
    start: &StartLogin,
    authenticator: &Authenticator,
) -> Reason {
    match log_in(provider, start, authenticator).await {
        Verdict::Refused(reason) => reason,
        Verdict::RefusedOwner(_, reason) => reason,
        other @ Verdict::Accepted(_) => panic!("{other:?}"),
    }
}

each_database! {
    async fn who_has_a_passkey_logs_in_named_or_not(db: TestDb) {
        let (provider, _bench) = start(&db, settings()).await;
        let mut alice = passkey_of_alice(&provider).await;
        let mut bob = Authenticator::rs256();
        register(&provider, BOB, &mut bob).await.unwrap();

        assert_eq!(log_in(&provider, &start_anybody(), &alice).await, accepted(ALICE, &alice));
        assert_eq!(log_in(&provider, &start_anybody(), &bob).await, accepted(BOB, &bob));
        assert_eq!(log_in(&provider, &start_login(BOB), &bob).await, accepted(BOB, &bob));
        // Where the user was named an authenticator may leave the handle out.
        alice.user_handle = None;
        assert_eq!(log_in(&provider, &start_login(ALICE), &alice).await, accepted(ALICE, &alice));
        let used = list(&provider, ALICE).await;
        assert_eq!(used[0].last_used_at, Some(NOW * 1_000_000));
    }

    async fn a_login_is_refused_for_whatever_is_wrong_with_it(db: TestDb) {
        let (provider, _bench) = start(&db, settings()).await;
        let mut alice = passkey_of_alice(&provider).await;
        let start = start_login(ALICE);

        alice.flags = UP;
        assert_eq!(refused(&provider, &start, &alice).await, Reason::UserNotVerified);
        alice.flags = UV;
        assert_eq!(refused(&provider, &start, &alice).await, Reason::UserNotPresent);
        alice.flags = UP | UV | BS;
        assert_eq!(refused(&provider, &start, &alice).await, Reason::BackupContradiction);
        alice.flags = UP | UV | BE;
        assert_eq!(refused(&provider, &start, &alice).await, Reason::BackupEligibilityChanged);
        alice.flags = UP | UV;
        for origin in ["https://cloud.example:8444", "http://cloud.example:8443", "https://a.cloud.example:8443"] {
            alice.origin = origin.to_owned();
            assert_eq!(refused(&provider, &start, &alice).await, Reason::WrongOrigin, "{origin}");
        }
        alice.origin = ORIGIN.to_owned();
        alice.rp_id = "evil.example".to_owned();
        assert_eq!(refused(&provider, &start, &alice).await, Reason::WrongRpId);
        alice.rp_id = RP_ID.to_owned();
        alice.client_data.insert("crossOrigin".to_owned(), true.into());
        assert_eq!(refused(&provider, &start, &alice).await, Reason::CrossOrigin);
        alice.client_data.clear();
        alice.client_data.insert("type".to_owned(), "webauthn.create".into());
        assert_eq!(refused(&provider, &start, &alice).await, Reason::WrongType);
        alice.client_data.clear();

        // Nothing of it has harmed the passkey.
        assert_eq!(log_in(&provider, &start, &alice).await, accepted(ALICE, &alice));
    }

    async fn what_was_signed_can_not_be_changed(db: TestDb) {
        let (provider, _bench) = start(&db, settings()).await;
        let mut bob = Authenticator::rs256();
        register(&provider, BOB, &mut bob).await.unwrap();
        let alice = passkey_of_alice(&provider).await;
        for (name, authenticator) in [(ALICE, &alice), (BOB, &bob)] {
            let start = start_login(name);
            let answer = authenticator.answer(&challenge(&provider, &start).await);
            let is = async |change: &dyn Fn(&mut Asserted)| {
                let mut answer = answer.clone();
                change(&mut answer);
                verdict(&provider, end(&start, answer)).await
            };
            let bad = Verdict::Refused(Reason::BadSignature);
            assert_eq!(is(&|answer| answer.client_data_json.push(b' ')).await, bad);
            assert_eq!(is(&|answer| answer.authenticator_data[36] ^= 1).await, bad);
            assert_eq!(is(&|answer| answer.signature = vec![0; 64]).await, bad);
            assert_eq!(is(&|answer| answer.signature.clear()).await, bad);
            assert_eq!(is(&|_| ()).await, accepted(name, authenticator));
        }
    }

    async fn what_is_malformed_is_refused_and_no_failure(db: TestDb) {
        let (provider, _bench) = start(&db, settings()).await;
        let alice = passkey_of_alice(&provider).await;
        let start = start_login(ALICE);
        let answer = alice.answer(&challenge(&provider, &start).await);
        for change in [
            |answer: &mut Asserted| answer.client_data_json = vec![b'{'; 65 * 1024],
            |answer: &mut Asserted| answer.client_data_json = b"\xff".to_vec(),
            |answer: &mut Asserted| answer.authenticator_data = vec![0; 65 * 1024],
            |answer: &mut Asserted| answer.authenticator_data.truncate(36),
            |answer: &mut Asserted| answer.signature = vec![0; 65 * 1024],
        ] {
            let mut answer = answer.clone();
            change(&mut answer);
            let verdict = verdict(&provider, end(&start, answer)).await;
            let due = matches!(verdict, Verdict::Refused(Reason::Malformed(_) | Reason::WrongRpId));
            assert!(due, "{verdict:?}");
        }
        let mut unknown = answer;
        unknown.raw_id = vec![0; 10_000];
        let verdict = verdict(&provider, end(&start, unknown)).await;
        assert_eq!(verdict, Verdict::Refused(Reason::UnknownCredential));
    }

    async fn a_passkey_is_its_users_alone(db: TestDb) {
        let (provider, _bench) = start(&db, settings()).await;
        let mut alice = passkey_of_alice(&provider).await;
        let mut bob = Authenticator::new();
        register(&provider, BOB, &mut bob).await.unwrap();

        assert_eq!(refused(&provider, &start_login(BOB), &alice).await, Reason::OtherUser);
        let unknown = StartLogin { user: None, ..start_login("carol") };
        assert_eq!(refused(&provider, &unknown, &alice).await, Reason::OtherUser);
        let own = alice.user_handle.replace(bob.user_handle.clone().unwrap());
        assert_eq!(refused(&provider, &start_anybody(), &alice).await, Reason::WrongUserHandle);
        assert_eq!(refused(&provider, &start_login(ALICE), &alice).await, Reason::WrongUserHandle);
        alice.user_handle = None;
        assert_eq!(refused(&provider, &start_anybody(), &alice).await, Reason::WrongUserHandle);
        alice.user_handle = own;
        assert_eq!(refused(&provider, &start_login(ALICE), &Authenticator::new()).await, Reason::UnknownCredential);
        assert_eq!(log_in(&provider, &start_anybody(), &alice).await, accepted(ALICE, &alice));
    }

    async fn a_challenge_is_answered_in_time_and_for_what_it_was_made(db: TestDb) {
        let (provider, _bench) = start(&db, settings()).await;
        let alice = passkey_of_alice(&provider).await;
        let start = StartLogin { bound: Some([1; 32]), ..start_login(ALICE) };
        let answer = alice.answer(&challenge(&provider, &start).await);
        let is = async |finish: FinishLogin| verdict(&provider, finish).await;
        let good = end(&start, answer);

        let unknown = Verdict::Refused(Reason::UnknownChallenge);
        assert_eq!(is(FinishLogin { user: None, named: None, ..good.clone() }).await, unknown);
        assert_eq!(is(FinishLogin { user: Some(user(BOB)), ..good.clone() }).await, unknown);
        assert_eq!(is(FinishLogin { bound: None, ..good.clone() }).await, unknown);
        assert_eq!(is(FinishLogin { bound: Some([2; 32]), ..good.clone() }).await, unknown);
        let late = FinishLogin { now: NOW + 301, ..good.clone() };
        assert_eq!(is(late).await, Verdict::Refused(Reason::ChallengeExpired));
        let registration = options(&provider, ALICE).await.challenge;
        let for_other = FinishLogin { credential: alice.answer(&registration), ..good.clone() };
        assert_eq!(is(for_other).await, unknown);
        let invented = FinishLogin { credential: alice.answer(&[1; 58]), ..good.clone() };
        assert_eq!(is(invented).await, unknown);

        let in_time = FinishLogin { now: NOW + 300, ..good.clone() };
        assert_eq!(is(in_time).await, accepted(ALICE, &alice));
        assert_eq!(is(good).await, Verdict::Refused(Reason::ChallengeReplayed));
    }

    async fn a_login_that_was_begun_for_nothing_is_good_for_all_where_that_is_said(db: TestDb) {
        let (provider, _bench) = start(&db, settings()).await;
        let alice = passkey_of_alice(&provider).await;
        let answer_to = async |bound| {
            let start = StartLogin { bound, ..start_login(ALICE) };
            let answer = alice.answer(&challenge(&provider, &start).await);
            FinishLogin { bound: Some([2; 32]), or_unbound: true, ..end(&start, answer) }
        };
        let unbound = answer_to(None).await;
        let strict = FinishLogin { or_unbound: false, ..unbound.clone() };
        let unknown = Verdict::Refused(Reason::UnknownChallenge);
        assert_eq!(verdict(&provider, strict).await, unknown);
        assert_eq!(verdict(&provider, unbound).await, accepted(ALICE, &alice));
        assert_eq!(verdict(&provider, answer_to(Some([1; 32])).await).await, unknown);
        assert_eq!(verdict(&provider, answer_to(Some([2; 32])).await).await, accepted(ALICE, &alice));
    }

    async fn of_two_nodes_that_get_one_answer_at_the_same_time_one_accepts_it(db: TestDb) {
        let (provider, _bench) = start(&db, settings()).await;
        let second = Bench::second_node(&db);
        let other = node(&second, settings());
        let mut alice = passkey_of_alice(&provider).await;
        for counter in [0, 1, 2, 3] {
            alice.counter = counter;
            let start = start_login(ALICE);
            let good = end(&start, alice.answer(&challenge(&provider, &start).await));

            let both = tokio::join!(verdict(&provider, good.clone()), verdict(&other, good));

            let both = [both.0, both.1];
            let replayed = Verdict::Refused(Reason::ChallengeReplayed);
            assert!(both.contains(&accepted(ALICE, &alice)), "{both:?}");
            assert!(both.contains(&replayed), "{both:?}");
        }
    }

    async fn nobody_disturbs_the_login_of_another(db: TestDb) {
        let (provider, _bench) = start(&db, settings()).await;
        let alice = passkey_of_alice(&provider).await;
        let start = start_login(ALICE);
        let mine = challenge(&provider, &start).await;
        for _ in 0..5 {
            let other = challenge(&provider, &start).await;
            let mut junk = alice.answer(&other);
            junk.signature = vec![1; 70];
            let verdict = verdict(&provider, end(&start, junk)).await;
            assert_eq!(verdict, Verdict::Refused(Reason::BadSignature));
            let mut junk = alice.answer(&mine);
            junk.signature = vec![1; 70];
            let verdict = super::verdict(&provider, end(&start, junk)).await;
            assert_eq!(verdict, Verdict::Refused(Reason::BadSignature));
        }
        let verdict = verdict(&provider, end(&start, alice.answer(&mine))).await;
        assert_eq!(verdict, accepted(ALICE, &alice));
    }

    async fn a_counter_goes_forward_or_stays_at_zero(db: TestDb) {
        let (provider, _bench) = start(&db, settings()).await;
        let mut alice = passkey_of_alice(&provider).await;
        let start = start_login(ALICE);
        for counter in [0, 0, 1, 2, 200] {
            alice.counter = counter;
            assert_eq!(log_in(&provider, &start, &alice).await, accepted(ALICE, &alice), "{counter}");
        }
        assert_eq!(list(&provider, ALICE).await[0].state, State::Active);
        for counter in [200, 199, 0] {
            alice.counter = counter;
            let due = Reason::CounterRegression { stored: 200, received: counter.into() };
            assert_eq!(refused(&provider, &start, &alice).await, due);
            assert_eq!(list(&provider, ALICE).await[0].state, State::Suspect);
        }
        alice.counter = 201;
        assert_eq!(log_in(&provider, &start, &alice).await, accepted(ALICE, &alice));
        assert_eq!(list(&provider, ALICE).await[0].sign_count, 201);
    }

    async fn a_passkey_whose_counter_goes_back_is_disabled_where_that_is_the_rule(db: TestDb) {
        let rule = Settings { on_counter_regression: CounterRegression::Disable, ..settings() };
        let (provider, _bench) = start(&db, rule).await;
        let mut alice = Authenticator::new();
        alice.counter = 5;
        register(&provider, ALICE, &mut alice).await.unwrap();
        let start = start_login(ALICE);

        let back = refused(&provider, &start, &alice).await;

        assert_eq!(back, Reason::CounterRegression { stored: 5, received: 5 });
        alice.counter = 6;
        assert_eq!(refused(&provider, &start, &alice).await, Reason::Inactive(State::Disabled));
        assert_eq!(list(&provider, ALICE).await[0].state, State::Disabled);
    }

    async fn a_backup_state_that_changes_is_kept_and_told_once(db: TestDb) {
        let (provider, bench) = start(&db, settings()).await;
        let silent = node(&bench, Settings { on_backup_change: BackupChange::Ignore, ..settings() });
        let mut alice = Authenticator::new();
        alice.flags = UP | UV | BE;
        assert!(!register(&provider, ALICE, &mut alice).await.unwrap().backup_state);
        let told = async |node: &Handle<WebauthnProvider>, alice: &Authenticator| {
            match log_in(node, &start_login(ALICE), alice).await {
                Verdict::Accepted(who) => who.backup_changed_to,
                refused => panic!("{refused:?}"),
            }
        };
        let kept = async || list(&provider, ALICE).await[0].backup_state;

        assert_eq!(told(&provider, &alice).await, None);
        alice.flags = UP | UV | BE | BS;
        assert_eq!(told(&provider, &alice).await, Some(true));
        assert!(kept().await);
        assert_eq!(told(&provider, &alice).await, None);
        alice.flags = UP | UV | BE;
        assert_eq!(told(&silent, &alice).await, None);
        assert!(!kept().await);
        assert_eq!(list(&provider, ALICE).await[0].state, State::Active);
        // Whether it can change is fixed.
        alice.flags = UP | UV;
        assert_eq!(refused(&provider, &start_login(ALICE), &alice).await, Reason::BackupEligibilityChanged);
    }

    async fn a_passkey_whose_backup_state_changes_is_suspect_or_disabled_where_that_is_the_rule(db: TestDb) {
        let rule = |rule| Settings { on_backup_change: rule, ..settings() };
        let (suspecting, bench) = start(&db, rule(BackupChange::Suspect)).await;
        let disabling = node(&bench, rule(BackupChange::Disable));
        let mut alice = Authenticator::new();
        alice.flags = UP | UV | BE;
        register(&suspecting, ALICE, &mut alice).await.unwrap();
        let state = async || list(&suspecting, ALICE).await[0].state;
        let start = start_login(ALICE);

        alice.flags = UP | UV | BE | BS;
        let Verdict::Accepted(who) = log_in(&suspecting, &start, &alice).await else { panic!() };
        assert_eq!((who.backup_changed_to, state().await), (Some(true), State::Suspect));
        // It is the same as before, to whichever node.
        assert_eq!(log_in(&disabling, &start, &alice).await, accepted(ALICE, &alice));

        alice.flags = UP | UV | BE;
        // Whose it is was proven, and is told where nobody was named.
        let due = Verdict::RefusedOwner(user(ALICE), Reason::BackupStateChanged { to: false });
        assert_eq!(log_in(&disabling, &start_anybody(), &alice).await, due);
        assert_eq!(state().await, State::Disabled);
        assert!(!list(&suspecting, ALICE).await[0].backup_state);
        assert_eq!(refused(&disabling, &start, &alice).await, Reason::Inactive(State::Disabled));
    }

    async fn a_counter_that_goes_back_says_nothing_of_the_backup(db: TestDb) {
        let (provider, _bench) = start(&db, settings()).await;
        let mut alice = Authenticator::new();
        (alice.flags, alice.counter) = (UP | UV | BE, 5);
        register(&provider, ALICE, &mut alice).await.unwrap();
        alice.flags = UP | UV | BE | BS;
        let due = Reason::CounterRegression { stored: 5, received: 5 };
        assert_eq!(refused(&provider, &start_login(ALICE), &alice).await, due);
        assert!(!list(&provider, ALICE).await[0].backup_state);
    }

    async fn without_user_verification_a_login_says_so(db: TestDb) {
        let lax = Settings { user_verification: Requirement::Preferred, ..settings() };
        let (provider, bench) = start(&db, lax).await;
        let mut alice = Authenticator::new();
        alice.flags = UP;
        let made = register(&provider, ALICE, &mut alice).await.unwrap();
        assert!(!made.uv_initialized);

        let Verdict::Accepted(who) = log_in(&provider, &start_anybody(), &alice).await else { panic!() };
        assert!(!who.user_verified);
        // What is required now counts, and not what was at the registration.
        let strict = node(&bench, settings());
        assert_eq!(refused(&strict, &start_anybody(), &alice).await, Reason::UserNotVerified);
        alice.flags = UP | UV;
        assert_eq!(log_in(&strict, &start_anybody(), &alice).await, accepted(ALICE, &alice));
        assert!(list(&strict, ALICE).await[0].uv_initialized);
    }

    async fn whoever_is_named_the_answer_looks_alike(db: TestDb) {
        let (provider, bench) = start(&db, settings()).await;
        let alice = passkey_of_alice(&provider).await;
        let allowed = async |start: &StartLogin| provider.send(start.clone()).await.unwrap().allow;
        let carol = StartLogin { user: None, ..start_login("carol") };

        assert_eq!(allowed(&start_login(ALICE)).await[0].id, alice.credential_id);
        let (unknown, without) = (allowed(&carol).await, allowed(&start_login(BOB)).await);
        for made_up in [&unknown, &without] {
            assert!(!made_up.is_empty());
            // As the only passkey that there is.
            assert!(made_up.iter().all(|one| one.id.len() == 32 && one.transports == ["internal"]));
        }
        assert_ne!(unknown, without);
        assert_eq!(unknown, allowed(&carol).await);
        let other_node = node(&bench, settings());
        assert_eq!(other_node.send(carol.clone()).await.unwrap().allow, unknown);
        assert!(allowed(&start_anybody()).await.is_empty());
    }
}
