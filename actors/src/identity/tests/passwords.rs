use super::look::stored;
use super::*;
use crate::testdb::each_database;

/// An own change.
fn own(id: &str, original: &str, new: &str, now: i64) -> ChangePassword {
    ChangePassword {
        user: id.into(),
        original: secret(original),
        password: secret(new),
        now,
    }
}

async fn changed(identity: &Handle<IdentityProvider>, message: ChangePassword) -> String {
    match identity.send(message).await {
        Ok(PasswordChange::Changed) => "changed".to_owned(),
        Ok(PasswordChange::Refused(refusal)) => format!("{refusal:?}"),
        Err(error) => error.to_string(),
    }
}

/// An administrator's change.
async fn reset(identity: &Handle<IdentityProvider>, password: Value) -> String {
    text(
        identity
            .send(change("alice", json!({"password": password})))
            .await,
    )
}

each_database! {
    async fn a_user_changes_the_password_by_the_original_one(db: TestDb) {
        let (identity, bench) = provider(&db, settings()).await;
        local(&identity, "alice").await;

        assert_eq!(changed(&identity, own("alice", "wrong", "newer", NOW)).await, "WrongPassword");
        assert_eq!(changed(&identity, own("nobody", "right", "newer", NOW)).await, "UnknownUser");
        assert!(revoked(&bench).await.is_empty());
        assert_eq!(changed(&identity, own("alice", "right", "newer", NOW)).await, "changed");

        assert_eq!(revoked(&bench).await, ["alice"]);
        assert_eq!(outcome(&identity, login("alice", "right", NOW)).await, "WrongPassword");
        assert_eq!(outcome(&identity, login("alice", "newer", NOW)).await, "accepted");
        assert_eq!(stored(&bench).await, [(false, Some(NOW)), (true, None)]);
        // Without a history the same one is fine.
        assert_eq!(changed(&identity, own("alice", "newer", "newer", NOW)).await, "changed");
    }

    async fn a_disabled_user_is_told_so_only_with_the_right_password(db: TestDb) {
        let (identity, _bench) = provider(&db, settings()).await;
        local(&identity, "alice").await;
        identity.send(change("alice", json!({"enabled": false}))).await.unwrap();
        assert_eq!(changed(&identity, own("alice", "wrong", "newer", NOW)).await, "WrongPassword");
        assert_eq!(changed(&identity, own("alice", "right", "newer", NOW)).await, "Disabled");
    }

    async fn guessing_the_original_locks_the_account(db: TestDb) {
        let rule = IdentitySettings { lockout: Some(Lockout { attempts: 3, duration: None }), ..settings() };
        let (identity, _bench) = provider(&db, rule).await;
        local(&identity, "alice").await;
        for _ in 0..3 {
            assert_eq!(changed(&identity, own("alice", "wrong", "newer", NOW)).await, "WrongPassword");
        }
        assert_eq!(changed(&identity, own("alice", "right", "newer", NOW + DAY)).await, "Locked");
        assert_eq!(outcome(&identity, login("alice", "right", NOW + DAY)).await, "Locked");

        // An administrator unlocks it, by either of these.
        identity.send(change("alice", json!({"pet": "cat"}))).await.unwrap();
        assert_eq!(outcome(&identity, login("alice", "right", NOW)).await, "Locked");
        identity.send(change("alice", json!({"enabled": true}))).await.unwrap();
        assert_eq!(outcome(&identity, login("alice", "right", NOW)).await, "accepted");
        for _ in 0..3 {
            changed(&identity, own("alice", "wrong", "newer", NOW)).await;
        }
        assert_eq!(reset(&identity, json!("newer")).await, "ok");
        assert_eq!(outcome(&identity, login("alice", "newer", NOW)).await, "accepted");
    }

    async fn an_expired_password_is_good_for_changing_it(db: TestDb) {
        let rule = IdentitySettings { password_expires_days: Some(2), ..settings() };
        let (identity, _bench) = provider(&db, rule).await;
        let user = local(&identity, "alice").await;
        assert_eq!(user.password_expires_at, Some(crate::db::DbTime::from_seconds(NOW + 2 * DAY)));
        let late = NOW + 2 * DAY;

        assert_eq!(outcome(&identity, login("alice", "right", late)).await, "alice's password expired");
        assert_eq!(changed(&identity, own("alice", "right", "newer", late)).await, "changed");
        assert_eq!(outcome(&identity, login("alice", "newer", late)).await, "accepted");
    }

    async fn what_an_administrator_sets_has_to_be_changed_before_use(db: TestDb) {
        let rule = IdentitySettings { change_password_upon_first_use: true, ..settings() };
        let (identity, _bench) = provider(&db, rule).await;
        local(&identity, "alice").await;
        let expired = "alice's password expired";

        assert_eq!(outcome(&identity, login("alice", "right", NOW)).await, expired);
        assert_eq!(changed(&identity, own("alice", "right", "own", NOW)).await, "changed");
        assert_eq!(outcome(&identity, login("alice", "own", NOW)).await, "accepted");
        assert_eq!(reset(&identity, json!("reset")).await, "ok");
        assert_eq!(outcome(&identity, login("alice", "reset", NOW)).await, expired);
        let excepted = json!({"password": "reset", "options": {"ignore_change_password_upon_first_use": true}});
        identity.send(change("alice", excepted)).await.unwrap();
        assert_eq!(outcome(&identity, login("alice", "reset", NOW)).await, "accepted");
    }

    async fn a_reset_ends_tokens_and_old_passwords(db: TestDb) {
        let (identity, bench) = provider(&db, settings()).await;
        local(&identity, "alice").await;

        assert_eq!(reset(&identity, json!("right")).await, "ok");
        assert_eq!(revoked(&bench).await, ["alice"]);
        assert_eq!(reset(&identity, json!("newer")).await, "ok");
        assert_eq!(outcome(&identity, login("alice", "right", NOW)).await, "WrongPassword");
        // One old one is kept, and has ended.
        assert_eq!(stored(&bench).await, [(false, Some(NOW)), (false, None)]);
    }

    async fn a_null_password_is_never_right(db: TestDb) {
        let (identity, bench) = provider(&db, settings()).await;
        local(&identity, "alice").await;
        assert_eq!(reset(&identity, Value::Null).await, "ok");
        assert!(revoked(&bench).await.is_empty());
        for password in ["right", "", "null", "None"] {
            assert_eq!(outcome(&identity, login("alice", password, NOW)).await, "WrongPassword");
        }
        let body = json!({"name": "bob", "password": null});
        identity.send(new_user("bob", body)).await.unwrap();
        identity.send(new_user("carol", json!({"name": "carol"}))).await.unwrap();
        for id in ["bob", "carol"] {
            assert_eq!(outcome(&identity, login(id, "", NOW)).await, "WrongPassword");
        }
        // Both can be given one.
        for id in ["bob", "carol"] {
            identity.send(change(id, json!({"password": "right"}))).await.unwrap();
            assert_eq!(outcome(&identity, login(id, "right", NOW)).await, "accepted");
        }
    }

    async fn a_new_password_differs_from_the_last_ones(db: TestDb) {
        let rule = IdentitySettings { unique_last_password_count: 2, ..settings() };
        let (identity, bench) = provider(&db, rule).await;
        local(&identity, "alice").await;
        let change = async |original: &str, new: &str| changed(&identity, own("alice", original, new, NOW)).await;
        let reused = "The new password cannot be identical to a previous password. The total number which includes \
                      the new password must be unique is 2.";

        assert_eq!(change("right", "right").await, reused);
        assert_eq!(change("right", "second").await, "changed");
        assert_eq!(change("second", "right").await, reused);
        assert_eq!(change("second", "third").await, "changed");
        assert_eq!(change("third", "right").await, "changed");
        assert_eq!(stored(&bench).await.len(), 3);
        // Of an administrator's none of this is asked.
        assert_eq!(reset(&identity, json!("right")).await, "ok");
    }

    async fn an_own_password_has_to_be_used_for_a_time(db: TestDb) {
        let rule = IdentitySettings { minimum_password_age: 2, ..settings() };
        let (identity, _bench) = provider(&db, rule).await;
        local(&identity, "alice").await;

        assert_eq!(changed(&identity, own("alice", "right", "second", NOW)).await, "changed");
        assert_eq!(
            changed(&identity, own("alice", "second", "third", NOW + 1)).await,
            "You cannot change your password at this time due to the minimum password age. Once you change your password, it \
             must be used for 2 day(s) before it can be changed. Please try again in 1 day(s) or contact your administrator \
             to reset your password."
        );
        assert_eq!(changed(&identity, own("alice", "second", "third", NOW + 2 * DAY)).await, "changed");
    }

    async fn a_locked_password_is_the_administrators_to_change(db: TestDb) {
        let (identity, _bench) = provider(&db, settings()).await;
        local(&identity, "alice").await;
        identity.send(change("alice", json!({"options": {"lock_password": true}}))).await.unwrap();
        assert_eq!(
            changed(&identity, own("alice", "right", "newer", NOW)).await,
            "You cannot change your password at this time due to password policy disallowing password changes. Please \
             contact your administrator to reset your password."
        );
        assert_eq!(reset(&identity, json!("newer")).await, "ok");
    }

    async fn every_password_looks_as_the_operator_demands(db: TestDb) {
        let requirement = PasswordRequirement::new(r"^(?=.*\d).{3,}$", Some("three and a digit".to_owned())).unwrap();
        let rule = IdentitySettings { password_requirement: Some(requirement), ..settings() };
        let (identity, _bench) = provider(&db, rule).await;
        let refused = "The password does not match the requirements: three and a digit.";
        let create = async |password: Value| {
            text(identity.send(new_user("alice", json!({"name": "alice", "password": password}))).await)
        };

        assert_eq!(create(json!("abc")).await, refused);
        assert_eq!(create(Value::Null).await, "Password validation error: Password must be a string type.");
        assert_eq!(create(json!("abc1")).await, "ok");
        assert_eq!(reset(&identity, json!("abc")).await, refused);
        assert_eq!(changed(&identity, own("alice", "abc1", "abc", NOW)).await, refused);
        assert_eq!(changed(&identity, own("alice", "wrong", "abc", NOW)).await, "WrongPassword");
        assert_eq!(changed(&identity, own("alice", "abc1", "abc2", NOW)).await, "changed");
    }

    async fn a_long_password_is_taken_whole_or_not_at_all(db: TestDb) {
        let (identity, _bench) = provider(&db, settings()).await;
        local(&identity, "alice").await;
        for length in [71, 72, 73, 128, 4096] {
            let password = "ä".repeat(length / 2) + &"x".repeat(length % 2);
            assert_eq!(reset(&identity, json!(password)).await, "ok");
            assert_eq!(outcome(&identity, login("alice", &password, NOW)).await, "accepted");
            let last = password.char_indices().next_back().unwrap().0;
            let shorter = &password[..last];
            assert_eq!(outcome(&identity, login("alice", shorter, NOW)).await, "WrongPassword", "{length}");
        }
        assert_eq!(
            reset(&identity, json!("x".repeat(4097))).await,
            "The password length must be less than or equal to 4096. The server could not comply with the request because \
             the password is invalid."
        );
    }

    async fn of_two_changes_at_once_one_is_told_that_the_original_is_another(db: TestDb) {
        let (identity, bench) = provider(&db, settings()).await;
        local(&identity, "alice").await;
        let both = ["second", "third"].map(|new| changed(&identity, own("alice", "right", new, NOW)));

        let mut both = futures_util::future::join_all(both).await;

        both.sort();
        assert_eq!(both, ["WrongPassword", "changed"]);
        assert_eq!(stored(&bench).await.len(), 2);
    }
}
