use futures_util::future::join_all;

use super::*;
use crate::testdb::each_database;

fn locking() -> IdentitySettings {
    IdentitySettings {
        lockout: Some(Lockout {
            attempts: 3,
            duration: Some(60),
        }),
        ..settings()
    }
}

each_database! {
    async fn the_right_password_of_an_enabled_user_is_taken(db: TestDb) {
        let (users, _bench) = provider(&db, settings()).await;
        local(&users, "alice").await;
        let by_name = AuthenticatePassword {
            user: UserLookup::ByName { name: "alice".to_owned(), domain_id: "d".into() },
            ..login("", "right", NOW)
        };

        assert_eq!(outcome(&users, login("alice", "right", NOW)).await, "accepted");
        assert_eq!(outcome(&users, by_name.clone()).await, "accepted");
        assert_eq!(outcome(&users, login("alice", "wrong", NOW)).await, "WrongPassword");
        assert_eq!(outcome(&users, login("nobody", "right", NOW)).await, "UnknownUser");
        let disabled = AuthenticatePassword { domain_enabled: false, ..by_name.clone() };
        assert_eq!(outcome(&users, disabled).await, "Disabled");
        let elsewhere = UserLookup::ByName { name: "alice".to_owned(), domain_id: "e".into() };
        assert_eq!(outcome(&users, AuthenticatePassword { user: elsewhere, ..by_name }).await, "UnknownUser");
        db.execute(r#"UPDATE "user" SET enabled = false WHERE id = 'alice'"#).await;
        assert_eq!(outcome(&users, login("alice", "right", NOW)).await, "Disabled");
    }

    async fn a_user_without_a_password_has_no_right_one(db: TestDb) {
        let (users, _bench) = provider(&db, locking()).await;
        local(&users, "alice").await;
        db.execute("UPDATE password SET password_hash = NULL").await;
        db.execute(r#"INSERT INTO "user" (id, enabled, domain_id) VALUES ('fed', true, 'd')"#).await;

        assert_eq!(outcome(&users, login("alice", "", NOW)).await, "WrongPassword");
        for _ in 0..5 {
            assert_eq!(outcome(&users, login("fed", "", NOW)).await, "WrongPassword");
        }
    }

    async fn a_hash_that_no_one_can_read_is_a_wrong_password(db: TestDb) {
        let (users, _bench) = provider(&db, settings()).await;
        local(&users, "alice").await;
        db.execute("UPDATE password SET password_hash = '$6$right'").await;
        assert_eq!(outcome(&users, login("alice", "right", NOW)).await, "WrongPassword");
    }

    async fn the_newest_password_counts_and_its_expiry(db: TestDb) {
        let (users, _bench) = provider(&db, settings()).await;
        local(&users, "alice").await;
        let newer = hashing().hash(secret("newer")).await.unwrap();
        db.execute(&format!(
            "INSERT INTO password (local_user_id, self_service, password_hash, created_at_int, expires_at_int, created_at)
             SELECT id, false, '{newer}', {}, {}, '2026-11-01 00:00:00' FROM local_user", NOW * 1_000_000 + 1, NOW * 1_000_000
        )).await;

        assert_eq!(outcome(&users, login("alice", "right", NOW - 1)).await, "WrongPassword");
        assert_eq!(outcome(&users, login("alice", "newer", NOW - 1)).await, "accepted");
        assert_eq!(outcome(&users, login("alice", "newer", NOW)).await, "alice's password expired");
        assert_eq!(outcome(&users, login("alice", "right", NOW)).await, "WrongPassword");
        db.execute("INSERT INTO user_option (user_id, option_id, option_value) VALUES ('alice', '1001', 'true')").await;
        assert_eq!(outcome(&users, login("alice", "newer", NOW)).await, "accepted");
    }

    async fn failures_lock_for_a_time_and_a_good_login_forgets_them(db: TestDb) {
        let (users, _bench) = provider(&db, locking()).await;
        local(&users, "alice").await;
        let wrong = || login("alice", "wrong", NOW);

        for _ in 0..2 {
            for _ in 0..2 {
                assert_eq!(outcome(&users, wrong()).await, "WrongPassword");
            }
            assert_eq!(outcome(&users, login("alice", "right", NOW)).await, "accepted");
        }
        for _ in 0..3 {
            assert_eq!(outcome(&users, wrong()).await, "WrongPassword");
        }
        assert_eq!(outcome(&users, login("alice", "right", NOW + 59)).await, "Locked");
        // Failures while locked don't prolong it, and afterwards counting begins anew.
        assert_eq!(outcome(&users, login("alice", "wrong", NOW + 59)).await, "Locked");
        for _ in 0..2 {
            assert_eq!(outcome(&users, login("alice", "wrong", NOW + 60)).await, "WrongPassword");
        }
        assert_eq!(outcome(&users, login("alice", "right", NOW + 60)).await, "accepted");
    }

    async fn of_parallel_guesses_no_more_are_told_than_the_rule_allows(db: TestDb) {
        let (users, _bench) = provider(&db, locking()).await;
        local(&users, "alice").await;

        let guesses = (0..64).map(|_| outcome(&users, login("alice", "wrong", NOW)));
        let outcomes = join_all(guesses).await;

        let told = outcomes.iter().filter(|outcome| *outcome == "WrongPassword").count();
        let locked = outcomes.iter().filter(|outcome| *outcome == "Locked").count();
        assert_eq!((told, locked), (3, 61));
        assert_eq!(outcome(&users, login("alice", "right", NOW)).await, "Locked");
    }

    async fn parallel_good_logins_lock_nobody_out(db: TestDb) {
        let (users, _bench) = provider(&db, locking()).await;
        local(&users, "alice").await;
        let outcomes = join_all((0..16).map(|_| outcome(&users, login("alice", "right", NOW)))).await;
        assert!(outcomes.iter().all(|outcome| outcome == "accepted"), "{outcomes:?}");
    }

    async fn who_is_excepted_is_never_locked(db: TestDb) {
        let (users, _bench) = provider(&db, locking()).await;
        local(&users, "admin").await;
        db.execute("INSERT INTO user_option (user_id, option_id, option_value) VALUES ('admin', '1002', 'true')").await;
        for _ in 0..5 {
            assert_eq!(outcome(&users, login("admin", "wrong", NOW)).await, "WrongPassword");
        }
        assert_eq!(outcome(&users, login("admin", "right", NOW)).await, "accepted");
    }

    async fn a_login_keeps_a_user_active(db: TestDb) {
        let settings = IdentitySettings { disable_user_account_days_inactive: Some(30), ..settings() };
        let (users, _bench) = provider(&db, settings).await;
        local(&users, "alice").await;
        let enabled = async |now| users.read(GetUser { id: "alice".into() }).await.unwrap().is_enabled(now);
        assert!(!enabled(NOW + 30 * DAY).await);

        assert_eq!(outcome(&users, login("alice", "right", NOW + 29 * DAY)).await, "accepted");

        assert!(enabled(NOW + 58 * DAY).await);
        assert_eq!(outcome(&users, login("alice", "right", NOW + 59 * DAY)).await, "Disabled");
    }
}

#[test]
fn a_full_queue_is_no_refusal() {
    let busy = HashError::Busy {
        retry_after_seconds: 3,
    };
    assert!(matches!(
        Error::from(busy),
        Error::Unavailable(Unavailable::Queued { .. })
    ));
}
