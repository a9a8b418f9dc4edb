//! Recovery codes, and logins that go on in a browser.

use secrecy::{ExposeSecret as _, SecretString};

use super::*;
use crate::testdb::each_database;

fn use_code(code: &str, now: i64) -> UseRecoveryCode {
    UseRecoveryCode {
        user: user(ALICE),
        code: code.into(),
        audit_id: "by code".to_owned(),
        expires_at: NOW + 3600,
        now,
    }
}

async fn new_codes(provider: &Handle<WebauthnProvider>) -> Vec<String> {
    let codes = provider
        .send(NewRecoveryCodes {
            user: user(ALICE),
            now: NOW,
        })
        .await
        .unwrap();
    codes
        .iter()
        .map(|code| code.expose_secret().to_owned())
        .collect()
}

async fn device(provider: &Handle<WebauthnProvider>) -> Device {
    provider
        .send(StartDevice {
            // Nor what turns the order of letters round, or is not seen.
            client: "cli\n\u{202e}\u{2066}\u{200b}\u{feff}\u{e0041}\u{2028}\u{e9}".to_owned(),
            now: NOW,
        })
        .await
        .unwrap()
}

fn look(code: &str, now: i64) -> LookDevice {
    LookDevice {
        user_code: code.to_owned(),
        now,
    }
}

fn answer(code: &str, allow: bool) -> AnswerDevice {
    AnswerDevice {
        user_code: code.to_owned(),
        user: user(ALICE),
        passkey: Some("p".to_owned()),
        allow,
        now: NOW,
    }
}

async fn poll(provider: &Handle<WebauthnProvider>, code: &SecretString, now: i64) -> DevicePoll {
    provider
        .send(PollDevice {
            device_code: code.clone(),
            now,
        })
        .await
        .unwrap()
}

each_database! {
    async fn a_recovery_code_is_good_once_and_until_there_are_new_ones(db: TestDb) {
        let (provider, bench) = start(&db, settings()).await;
        let other_node = node(&bench, settings());
        let old = new_codes(&provider).await;
        let codes = new_codes(&provider).await;
        let is = async |code: &str| provider.send(use_code(code, NOW)).await.unwrap();

        assert_eq!(codes.len(), 10);
        assert!(other_node.send(use_code(&codes[0], NOW)).await.unwrap());
        assert!(!is(&codes[0]).await);
        assert!(!is(&old[0]).await);
        assert!(is(&codes[1].to_lowercase().replace('-', " ")).await);
        let of_bob = UseRecoveryCode { user: user(BOB), ..use_code(&codes[2], NOW) };
        assert!(!provider.send(of_bob).await.unwrap());
        assert_eq!(provider.send(CountRecoveryCodes { user: user(ALICE) }).await.unwrap(), 8);
        let stored = db.number(&format!("SELECT COUNT(*) FROM ng_webauthn_recovery WHERE code_hash = '{}'", codes[2])).await;
        assert_eq!(stored, 0);
    }

    async fn a_token_is_noted_for_a_code_that_is_good_and_for_no_other(db: TestDb) {
        let (provider, bench) = start(&db, settings()).await;
        let other_node = node(&bench, settings());
        let codes = new_codes(&provider).await;
        let noted = async || {
            let look = IsByPasskey { audit_id: "by code".to_owned() };
            let is = other_node.send(look).await.unwrap();
            (is, db.number("SELECT COUNT(*) FROM ng_webauthn_token").await)
        };
        let nobody = UseRecoveryCode { user: user("nobody"), ..use_code(&codes[0], NOW) };
        let of_bob = UseRecoveryCode { user: user(BOB), ..use_code(&codes[0], NOW) };
        let wrong = || use_code("0000-0000-0000", NOW);
        for bad in [nobody, of_bob, wrong(), wrong(), wrong(), wrong(), wrong()] {
            assert!(!provider.send(bad).await.unwrap());
        }
        // Nor one that comes too soon after so many.
        assert!(!provider.send(use_code(&codes[0], NOW)).await.unwrap());
        assert_eq!(noted().await, (false, 0));

        // Two of one chain at once, as by a double click.
        let (one, other) = (use_code(&codes[0], NOW + 900), use_code(&codes[1], NOW + 900));
        let both = tokio::join!(provider.send(one), other_node.send(other));

        assert_eq!((both.0.unwrap(), both.1.unwrap()), (true, true));
        assert_eq!(noted().await, (true, 1));
    }

    async fn of_two_who_use_one_recovery_code_at_the_same_time_one_gets_in(db: TestDb) {
        let (provider, _bench) = start(&db, settings()).await;
        let second = Bench::second_node(&db);
        let other = node(&second, settings());
        for code in new_codes(&provider).await.iter().take(3) {
            let both = tokio::join!(provider.send(use_code(code, NOW)), other.send(use_code(code, NOW + 1000)));
            let both = [both.0.unwrap(), both.1.unwrap()];
            assert_eq!(both.iter().filter(|good| **good).count(), 1, "{both:?}");
        }
    }

    async fn who_is_given_something_twice_at_the_same_time_has_both(db: TestDb) {
        let (provider, _bench) = start(&db, settings()).await;
        let second = Bench::second_node(&db);
        let other = node(&second, settings());
        let invite = || CreateInvitation { user: user(ALICE), created_by: "admin".to_owned(), now: NOW };
        let codes = || NewRecoveryCodes { user: user(ALICE), now: NOW };

        let given = tokio::join!(
            provider.send(invite()), other.send(invite()), provider.send(codes()), other.send(codes()),
        );

        for invitation in [given.0.unwrap(), given.1.unwrap()] {
            let look = LookInvitation { secret: invitation.secret, now: NOW };
            assert_eq!(provider.send(look).await.unwrap(), Some(user(ALICE)));
        }
        let (one, last) = (given.2.unwrap(), given.3.unwrap());
        assert_eq!((one.len(), last.len()), (10, 10));
        assert_eq!(provider.send(CountRecoveryCodes { user: user(ALICE) }).await.unwrap(), 10);
    }

    async fn who_guesses_recovery_codes_has_to_wait(db: TestDb) {
        let (provider, _bench) = start(&db, settings()).await;
        let codes = new_codes(&provider).await;
        for wrong in ["0000-0000-0000", "", "nonsense", "0000-0000-0001", "0000-0000-0002"] {
            assert!(!provider.send(use_code(wrong, NOW)).await.unwrap());
        }

        assert!(!provider.send(use_code(&codes[0], NOW)).await.unwrap());
        assert!(!provider.send(use_code(&codes[0], NOW + 899)).await.unwrap());
        assert!(provider.send(use_code(&codes[0], NOW + 900)).await.unwrap());
        // Of users without codes nothing is written.
        let nobody = UseRecoveryCode { user: user("nobody"), ..use_code("0000-0000-0000", NOW) };
        assert!(!provider.send(nobody).await.unwrap());
        assert_eq!(db.number("SELECT COUNT(*) FROM ng_webauthn_recovery_limit").await, 1);
    }

    async fn a_login_that_goes_on_in_a_browser_is_granted_once(db: TestDb) {
        let (provider, _bench) = start(&db, settings()).await;
        let device = device(&provider).await;
        let code = &device.user_code;
        assert_eq!((device.expires_at, device.interval), (NOW + 600, 5));

        let shown = provider.send(look(&code.to_lowercase(), NOW)).await.unwrap();
        assert_eq!(shown, Some(DeviceInfo { client: "cli\u{e9}".to_owned(), expires_at: NOW + 600 }));
        assert_eq!(poll(&provider, &device.device_code, NOW).await, DevicePoll::Pending);
        assert_eq!(poll(&provider, &device.device_code, NOW + 1).await, DevicePoll::SlowDown);
        assert_eq!(poll(&provider, &device.device_code, NOW + 6).await, DevicePoll::Pending);
        assert!(provider.send(answer(code, true)).await.unwrap());
        assert!(!provider.send(answer(code, true)).await.unwrap());
        assert_eq!(provider.send(look(code, NOW)).await.unwrap(), None);

        let granted = DevicePoll::Granted { user: user(ALICE), passkey: Some("p".to_owned()) };
        assert_eq!(poll(&provider, &device.device_code, NOW + 7).await, granted);
        assert_eq!(poll(&provider, &device.device_code, NOW + 12).await, DevicePoll::Unknown);
    }

    async fn a_login_that_goes_on_in_a_browser_may_be_denied_or_be_over(db: TestDb) {
        let (provider, _bench) = start(&db, settings()).await;
        let denied = device(&provider).await;
        assert!(provider.send(answer(&denied.user_code, false)).await.unwrap());
        assert_eq!(poll(&provider, &denied.device_code, NOW).await, DevicePoll::Denied);
        assert_eq!(poll(&provider, &denied.device_code, NOW).await, DevicePoll::Unknown);

        let late = device(&provider).await;
        let over = NOW + 600;
        assert_eq!(provider.send(look(&late.user_code, over)).await.unwrap(), None);
        assert!(!provider.send(AnswerDevice { now: over, ..answer(&late.user_code, true) }).await.unwrap());
        assert_eq!(poll(&provider, &late.device_code, over).await, DevicePoll::Expired);
        assert_eq!(poll(&provider, &"unknown".into(), NOW).await, DevicePoll::Unknown);
        for code in ["", "AAAA-AAAA", "BCDF-GHJ", "\u{e9}"] {
            assert!(!provider.send(answer(code, true)).await.unwrap(), "{code}");
        }
    }

    async fn of_two_who_ask_for_one_grant_at_the_same_time_one_gets_it(db: TestDb) {
        let (provider, _bench) = start(&db, settings()).await;
        let second = Bench::second_node(&db);
        let other = node(&second, settings());
        let device = device(&provider).await;
        provider.send(answer(&device.user_code, true)).await.unwrap();
        let code = &device.device_code;

        let both = tokio::join!(poll(&provider, code, NOW), poll(&other, code, NOW));

        let both = [both.0, both.1];
        let granted = both.iter().filter(|one| matches!(one, DevicePoll::Granted { .. }));
        assert_eq!(granted.count(), 1, "{both:?}");
    }

    async fn what_is_over_is_removed_by_the_way(db: TestDb) {
        let (provider, shared, _bench) = start_shared(&db).await;
        let alice = passkey_of_alice(&provider).await;
        device(&provider).await;
        done(&shared).await;
        let later = NOW + 100_000;
        let later_login = StartLogin { now: later, ..start_login(ALICE) };
        log_in(&provider, &later_login, &alice).await;
        done(&shared).await;

        assert_eq!(db.number("SELECT COUNT(*) FROM ng_webauthn_device").await, 0);
        // The registration's is gone, the login's is there.
        assert_eq!(db.number("SELECT COUNT(*) FROM ng_webauthn_consumed").await, 1);
    }
}
