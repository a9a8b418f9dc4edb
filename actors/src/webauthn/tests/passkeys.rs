use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use secrecy::SecretString;

use super::*;
use crate::identity::{DeleteUser, IdentitySettings};
use crate::resource::ResourceSettings;
use crate::testdb::each_database;

fn get(id: &str) -> GetPasskey {
    GetPasskey {
        user: user(ALICE),
        id: id.to_owned(),
    }
}

fn update(id: &str) -> UpdatePasskey {
    UpdatePasskey {
        user: user(ALICE),
        id: id.to_owned(),
        description: None,
        state: None,
        now: NOW + 1,
    }
}

fn delete(id: &str, revoke_tokens: bool) -> DeletePasskey {
    DeletePasskey {
        user: user(ALICE),
        id: id.to_owned(),
        revoke_tokens,
        now: NOW,
    }
}

fn note(passkey: &str, audit_id: &str) -> NoteToken {
    NoteToken {
        passkey: passkey.to_owned(),
        audit_id: audit_id.to_owned(),
        expires_at: NOW + 3600,
    }
}

fn use_code(code: &SecretString, audit_id: &str) -> UseRecoveryCode {
    UseRecoveryCode {
        user: user(ALICE),
        code: code.clone(),
        audit_id: audit_id.to_owned(),
        expires_at: NOW + 3600,
        now: NOW,
    }
}

/// How many rows there are that revoke this token, and as many the chain that begins with it: to
/// Python Keystone the first one is none of its chain.
async fn revoked(db: &TestDb, token: &str) -> i64 {
    let count = "SELECT COUNT(*) FROM revocation_event WHERE";
    let itself = db.number(&format!("{count} audit_id = '{token}'")).await;
    let chain = db
        .number(&format!("{count} audit_chain_id = '{token}'"))
        .await;
    assert_eq!(itself, chain, "{token}");
    itself
}

each_database! {
    async fn a_passkey_is_found_by_either_of_its_ids_by_its_user_alone(db: TestDb) {
        let (provider, _bench) = start(&db, settings()).await;
        let alice = passkey_of_alice(&provider).await;

        for id in [alice.id(), URL_SAFE_NO_PAD.encode(&alice.credential_id), URL_SAFE.encode(&alice.credential_id)] {
            assert_eq!(provider.send(get(&id)).await.unwrap().id, alice.id(), "{id}");
            let other = GetPasskey { user: user(BOB), ..get(&id) };
            assert!(matches!(provider.send(other).await, Err(Error::NotFound(_))), "{id}");
        }
        for id in ["", "x", "a\0b", &"A".repeat(5000)] {
            assert!(matches!(provider.send(get(id)).await, Err(Error::NotFound(_))), "{id}");
        }
    }

    async fn what_is_named_of_a_passkey_changes_and_nothing_else(db: TestDb) {
        let (provider, _bench) = start(&db, settings()).await;
        let alice = passkey_of_alice(&provider).await;
        let id = alice.id();
        let before = provider.send(get(&id)).await.unwrap();

        let renamed = UpdatePasskey { description: Some(Some("blue".to_owned())), ..update(&id) };
        let renamed = provider.send(renamed).await.unwrap();
        let due = Passkey {
            description: Some("blue".to_owned()),
            updated_at: Some((NOW + 1) * 1_000_000),
            ..(*before).clone()
        };
        assert_eq!(*renamed, due);
        let nameless = provider.send(UpdatePasskey { description: Some(None), ..update(&id) }).await.unwrap();
        assert_eq!(nameless.description, None);
        let of_bob = UpdatePasskey { user: user(BOB), ..update(&id) };
        assert!(matches!(provider.send(of_bob).await, Err(Error::NotFound(_))));
        let long = UpdatePasskey { description: Some(Some("x".repeat(256))), ..update(&id) };
        assert!(matches!(provider.send(long).await, Err(Error::Ceremony(_))));
    }

    async fn a_disabled_passkey_lets_nobody_in_until_it_is_enabled(db: TestDb) {
        let (provider, _bench) = start(&db, settings()).await;
        let alice = passkey_of_alice(&provider).await;
        let put = async |state| {
            let change = UpdatePasskey { state: Some(state), ..update(&alice.id()) };
            assert_eq!(provider.send(change).await.unwrap().state, state);
        };

        put(State::Disabled).await;
        let refused = Verdict::Refused(Reason::Inactive(State::Disabled));
        assert_eq!(log_in(&provider, &start_login(ALICE), &alice).await, refused);
        let offered = provider.send(start_login(ALICE)).await.unwrap().allow;
        assert!(offered.iter().all(|one| one.id != alice.credential_id));
        put(State::Active).await;
        assert_eq!(log_in(&provider, &start_login(ALICE), &alice).await, accepted(ALICE, &alice));
    }

    async fn tokens_go_with_their_passkey_unless_they_are_to_stay(db: TestDb) {
        let (provider, _bench) = start(&db, settings()).await;
        let (lost, sold) = (passkey_of_alice(&provider).await.id(), passkey_of_alice(&provider).await.id());
        for (passkey, token) in [(&lost, "one"), (&lost, "two"), (&lost, "two"), (&sold, "three")] {
            provider.send(note(passkey, token)).await.unwrap();
        }
        let over = NoteToken { expires_at: NOW, ..note(&lost, "over") };
        provider.send(over).await.unwrap();

        provider.send(delete(&lost, true)).await.unwrap();
        provider.send(delete(&sold, false)).await.unwrap();

        assert!(list(&provider, ALICE).await.is_empty());
        for (token, due) in [("one", 1), ("two", 1), ("three", 0), ("over", 0)] {
            assert_eq!(revoked(&db, token).await, due, "{token}");
        }
        assert!(matches!(provider.send(delete(&lost, true)).await, Err(Error::NotFound(_))));
        // A login that was under way gets no token.
        let late = provider.send(note(&lost, "late")).await;
        assert!(matches!(late, Err(Error::NotFound(_))), "{late:?}");
    }

    async fn a_token_is_known_that_was_made_with_a_passkey_or_a_code_in_its_place(db: TestDb) {
        let (provider, bench) = start(&db, settings()).await;
        let other_node = node(&bench, settings());
        let passkey = passkey_of_alice(&provider).await.id();
        let is = async |audit_id: &str| {
            let look = IsByPasskey { audit_id: audit_id.to_owned() };
            other_node.send(look).await.unwrap()
        };
        let codes = provider.send(NewRecoveryCodes { user: user(ALICE), now: NOW }).await.unwrap();
        provider.send(note(&passkey, "by passkey")).await.unwrap();
        for code in &codes[..2] {
            assert!(provider.send(use_code(code, "by code")).await.unwrap());
        }

        for (audit_id, due) in [("by passkey", true), ("by code", true), ("By code", false), ("other", false), ("", false)] {
            assert_eq!(is(audit_id).await, due, "{audit_id:?}");
        }
        // What is spared is good still, and not by the passkey that is gone.
        provider.send(delete(&passkey, false)).await.unwrap();
        assert!(!is("by passkey").await);
        assert!(is("by code").await);
    }

    async fn a_chain_is_remembered_until_the_last_of_its_tokens_is_over(db: TestDb) {
        let (provider, bench) = start(&db, settings()).await;
        let (one, two) = (passkey_of_alice(&provider).await.id(), passkey_of_alice(&provider).await.id());
        let note = |passkey: &str, expires_at| NoteToken { expires_at, ..note(passkey, "root") };
        // One after the other, with the first passkey and with both.
        for (passkey, expires_at) in [(&one, NOW + 60), (&two, NOW + 60), (&two, NOW + 3600), (&two, NOW + 60)] {
            provider.send(note(passkey, expires_at)).await.unwrap();
        }
        assert_eq!(db.number("SELECT MAX(expires_at) FROM ng_webauthn_token").await, NOW + 3600);
        let pool = bench.pool("prune");
        let left = async |now| {
            store::prune(&pool, now).await.unwrap();
            db.number("SELECT COUNT(*) FROM ng_webauthn_token").await
        };

        assert_eq!(left(NOW + 61).await, 1);
        let look = || IsByPasskey { audit_id: "root".to_owned() };
        assert!(provider.send(look()).await.unwrap());
        assert_eq!(left(NOW + 3600).await, 1);

        let late = DeletePasskey { now: NOW + 61, ..delete(&two, true) };
        provider.send(late).await.unwrap();
        assert_eq!(revoked(&db, "root").await, 1);
        provider.send(note(&one, NOW + 60)).await.unwrap();
        assert_eq!(left(NOW + 61).await, 0);
        assert!(!provider.send(look()).await.unwrap());
    }

    async fn a_receipt_is_as_good_as_its_passkey(db: TestDb) {
        let (provider, bench) = start(&db, settings()).await;
        let other_node = node(&bench, settings());
        let passkey = passkey_of_alice(&provider).await.id();
        let note = |receipt: &str| NoteReceipt {
            passkey: passkey.clone(),
            receipt: receipt.into(),
            expires_at: NOW + 300,
        };
        let of = async |receipt: &str, now| {
            let look = PasskeyOfReceipt { receipt: receipt.into(), now };
            other_node.send(look).await.unwrap()
        };
        provider.send(note("gAAAA")).await.unwrap();
        provider.send(note("gAAAA")).await.unwrap();

        assert_eq!(of("gAAAA", NOW).await.as_ref(), Some(&passkey));
        assert_eq!(of("gAAAA", NOW + 300).await, None);
        assert_eq!(of("gAAAB", NOW).await, None);
        let kept = db.number("SELECT COUNT(*) FROM ng_webauthn_token WHERE audit_id LIKE '%gAAAA%'").await;
        assert_eq!(kept, 0);
        let put = async |state| {
            let change = UpdatePasskey { state: Some(state), ..update(&passkey) };
            provider.send(change).await.unwrap();
        };
        put(State::Disabled).await;
        assert_eq!(of("gAAAA", NOW).await, None);
        put(State::Active).await;
        assert_eq!(of("gAAAA", NOW).await.as_ref(), Some(&passkey));

        provider.send(delete(&passkey, true)).await.unwrap();
        assert_eq!(of("gAAAA", NOW).await, None);
        // No token has its name.
        assert_eq!(db.number("SELECT COUNT(*) FROM revocation_event").await, 0);
        assert!(matches!(provider.send(note("late")).await, Err(Error::NotFound(_))));
    }

    async fn who_has_a_passkey_has_one_to_log_in_with(db: TestDb) {
        let (provider, bench) = start(&db, settings()).await;
        let elsewhere = node(&bench, Settings { rp_id: "other.example".to_owned(), ..settings() });
        let has = async |provider: &Handle<WebauthnProvider>, who: &str| {
            provider.send(HasPasskey { user: user(who) }).await.unwrap()
        };
        assert!(!has(&provider, ALICE).await);
        let id = passkey_of_alice(&provider).await.id();
        assert!(has(&provider, ALICE).await);
        assert!(!has(&provider, BOB).await);
        assert!(!has(&provider, "nobody").await);
        assert!(!has(&elsewhere, ALICE).await);
        provider.send(UpdatePasskey { state: Some(State::Disabled), ..update(&id) }).await.unwrap();
        assert!(!has(&provider, ALICE).await);
    }

    async fn all_that_a_user_has_of_passkeys_can_be_deleted(db: TestDb) {
        let (provider, _bench) = start(&db, settings()).await;
        let alice = passkey_of_alice(&provider).await;
        passkey_of_alice(&provider).await;
        register(&provider, BOB, &mut Authenticator::new()).await.unwrap();
        provider.send(note(&alice.id(), "one")).await.unwrap();
        let invite = CreateInvitation { user: user(ALICE), created_by: "admin".to_owned(), now: NOW };
        let invitation = provider.send(invite).await.unwrap();
        provider.send(NewRecoveryCodes { user: user(ALICE), now: NOW }).await.unwrap();

        let deleted = provider.send(DeletePasskeys { user: user(ALICE), now: NOW }).await.unwrap();

        assert_eq!(deleted, 2);
        assert_eq!(revoked(&db, "one").await, 1);
        let look = LookInvitation { secret: invitation.secret, now: NOW };
        assert_eq!(provider.send(look).await.unwrap(), None);
        assert_eq!(provider.send(CountRecoveryCodes { user: user(ALICE) }).await.unwrap(), 0);
        assert_eq!((list(&provider, ALICE).await.len(), list(&provider, BOB).await.len()), (0, 1));
        let unknown = Verdict::Refused(Reason::UnknownCredential);
        assert_eq!(log_in(&provider, &start_anybody(), &alice).await, unknown);
    }

    async fn passkeys_go_with_their_user(db: TestDb) {
        let (provider, bench) = start(&db, settings()).await;
        let alice = passkey_of_alice(&provider).await;
        provider.send(note(&alice.id(), "one")).await.unwrap();
        provider.send(NewRecoveryCodes { user: user(ALICE), now: NOW }).await.unwrap();
        let resources = bench.resources(ResourceSettings::default());
        let identity = bench.identity(&resources, IdentitySettings::default());

        identity.send(DeleteUser { id: user(ALICE), now: NOW }).await.unwrap();

        for table in ["credential", "user", "token", "recovery", "recovery_limit", "given"] {
            let left = db.number(&format!("SELECT COUNT(*) FROM ng_webauthn_{table}")).await;
            assert_eq!(left, 0, "{table}");
        }
    }

    async fn what_a_user_had_that_others_deleted_is_of_no_use_to_the_next_of_this_id(db: TestDb) {
        let (provider, _bench) = start(&db, settings()).await;
        let alice = passkey_of_alice(&provider).await;
        let invite = || CreateInvitation { user: user(ALICE), created_by: "admin".to_owned(), now: NOW };
        let look = |invitation: &Invitation| LookInvitation { secret: invitation.secret.clone(), now: NOW };
        let new_codes = |now| NewRecoveryCodes { user: user(ALICE), now };
        let use_code = |code| use_code(code, "by code");
        let invitation = provider.send(invite()).await.unwrap();
        let codes = provider.send(new_codes(NOW)).await.unwrap();

        // Python Keystone knows nothing of these tables.
        db.execute(&format!(r#"DELETE FROM "user" WHERE id = '{ALICE}'"#)).await;
        assert!(list(&provider, ALICE).await.is_empty());
        let gone = Verdict::Refused(Reason::UserGone);
        assert_eq!(log_in(&provider, &start_anybody(), &alice).await, gone);
        assert!(!provider.send(use_code(&codes[0])).await.unwrap());
        assert!(provider.send(new_codes(NOW)).await.is_err());
        add_user(&db, ALICE, "2026-11-18 12:00:00").await;

        assert_eq!(log_in(&provider, &start_anybody(), &alice).await, gone);
        assert!(list(&provider, ALICE).await.is_empty());
        assert!(!provider.send(HasPasskey { user: user(ALICE) }).await.unwrap());
        assert_eq!(provider.send(look(&invitation)).await.unwrap(), None);
        assert_eq!(provider.send(CountRecoveryCodes { user: user(ALICE) }).await.unwrap(), 0);
        assert!(!provider.send(use_code(&codes[0])).await.unwrap());
        let start = StartRegistration { user: user(ALICE), user_name: "a".to_owned(), now: NOW + 7200 };
        let mut next = Authenticator::new();
        let made = next.make(&provider.send(start).await.unwrap());
        let by_invitation = FinishRegistration {
            invitation: Some(invitation.secret.clone()), now: NOW + 7200, ..finish(ALICE, made.clone())
        };
        assert!(matches!(provider.send(by_invitation).await, Err(Error::Invitation)));
        let registered = FinishRegistration { now: NOW + 7200, ..finish(ALICE, made) };
        let registered = provider.send(registered).await.unwrap();
        assert_eq!(list(&provider, ALICE).await[..], [registered]);
        assert_eq!(db.number("SELECT COUNT(*) FROM ng_webauthn_credential").await, 1);
        // What the next one is given is good, also where this node's clock is behind.
        let next = provider.send(invite()).await.unwrap();
        assert_eq!(provider.send(look(&next)).await.unwrap(), Some(user(ALICE)));
        assert_eq!(provider.send(look(&invitation)).await.unwrap(), None);
        let next = provider.send(new_codes(NOW + 7200)).await.unwrap();
        assert!(!provider.send(use_code(&codes[0])).await.unwrap());
        assert!(provider.send(use_code(&next[0])).await.unwrap());
        assert_eq!(provider.send(CountRecoveryCodes { user: user(ALICE) }).await.unwrap(), 9);
    }
}
