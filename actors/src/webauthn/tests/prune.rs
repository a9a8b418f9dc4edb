//! What is removed now and then.

use super::*;
use crate::testdb::each_database;

async fn count(db: &TestDb, table: &str) -> i64 {
    db.number(&format!("SELECT COUNT(*) FROM ng_webauthn_{table}"))
        .await
}

/// Of Bob, whose passkey this is, at this time.
async fn logs_in(provider: &Handle<WebauthnProvider>, bob: &Authenticator, now: i64) -> Verdict {
    let start = StartLogin {
        now,
        ..start_login(BOB)
    };
    log_in(provider, &start, bob).await
}

async fn passkey_of_bob(provider: &Handle<WebauthnProvider>) -> Authenticator {
    let mut bob = Authenticator::new();
    register(provider, BOB, &mut bob).await.unwrap();
    bob
}

/// Adds 11,000 rows with these names to a table, as somebody else would. That is more than one look
/// removes.
async fn add_many(db: &TestDb, table: &str, name: &str, number: &str) {
    let rows: Vec<String> = (0..11_000)
        .map(|one| format!("('{name}{one:05}', {number})"))
        .collect();
    let rows = rows.join(", ");
    db.execute(&format!("INSERT INTO ng_webauthn_{table} VALUES {rows}"))
        .await;
}

each_database! {
    async fn what_users_have_who_were_deleted_elsewhere_is_removed_and_of_no_others(db: TestDb) {
        let (provider, shared, _bench) = start_shared(&db).await;
        let (alice, bob) = (passkey_of_alice(&provider).await, passkey_of_bob(&provider).await);
        for who in [ALICE, BOB] {
            provider.send(NewRecoveryCodes { user: user(who), now: NOW }).await.unwrap();
            let invite = CreateInvitation { user: user(who), created_by: "admin".to_owned(), now: NOW };
            provider.send(invite).await.unwrap();
        }
        for passkey in [alice.id(), bob.id()] {
            let note = NoteToken { audit_id: "one".to_owned(), expires_at: NOW + 3600, passkey };
            provider.send(note).await.unwrap();
        }
        // Python Keystone knows nothing of these tables.
        db.execute(&format!(r#"DELETE FROM "user" WHERE id = '{ALICE}'"#)).await;
        done(&shared).await;

        assert_eq!(logs_in(&provider, &bob, NOW + 60).await, accepted(BOB, &bob));
        done(&shared).await;

        for (table, left) in [
            ("credential", 1), ("user", 1), ("token", 1), ("recovery", 10), ("recovery_limit", 1),
            ("given", 1), ("invitation", 1),
        ] {
            assert_eq!(count(&db, table).await, left, "{table}");
        }
        // The next of this ID is nobody whom an authenticator knows.
        add_user(&db, ALICE, "2026-11-18 12:00:00").await;
        assert_ne!(Some(options(&provider, ALICE).await.user_handle), alice.user_handle);
        assert_eq!(Some(options(&provider, BOB).await.user_handle), bob.user_handle);
    }

    async fn whatever_there_is_that_is_over_is_removed_in_time(db: TestDb) {
        let (provider, bench) = start(&db, settings()).await;
        provider.send(NewRecoveryCodes { user: user(BOB), now: NOW }).await.unwrap();
        add_many(&db, "consumed", "over", "1").await;
        add_many(&db, "given", "gone", "1").await;
        let pool = bench.pool("prune");
        let mut swept = store::Swept::default();

        for left in [1_000, 0] {
            store::prune(&pool, NOW).await.unwrap();
            store::sweep(&pool, &mut swept).await.unwrap();
            assert_eq!(count(&db, "consumed").await, left, "it ends, and the next one goes on");
            assert_eq!(swept == store::Swept::default(), left == 0, "where this one has ended");
        }

        // Bob's.
        assert_eq!(count(&db, "given").await, 1);
        assert_eq!(provider.send(CountRecoveryCodes { user: user(BOB) }).await.unwrap(), 10);
    }

    async fn nobody_waits_for_what_is_removed_and_one_at_a_time_removes(db: TestDb) {
        let (provider, shared, _bench) = start_shared(&db).await;
        let bob = passkey_of_bob(&provider).await;
        // Who registered has begun to remove: that has to end first.
        let other = Arc::clone(&shared.swept).lock_owned().await;
        db.execute("INSERT INTO ng_webauthn_consumed VALUES ('over', 1)").await;
        let over = "SELECT COUNT(*) FROM ng_webauthn_consumed WHERE challenge_hash = 'over'";

        assert_eq!(logs_in(&provider, &bob, NOW + 60).await, accepted(BOB, &bob));
        assert_eq!(db.number(over).await, 1, "somebody else removes");

        drop(other);
        assert_eq!(logs_in(&provider, &bob, NOW + 60).await, accepted(BOB, &bob));
        done(&shared).await;
        assert_eq!(db.number(over).await, 0, "the next one does");
    }

    async fn where_there_are_no_users_at_all_nothing_of_them_is_removed(db: TestDb) {
        let (provider, shared, _bench) = start_shared(&db).await;
        let bob = passkey_of_bob(&provider).await;
        done(&shared).await;
        db.execute(r#"DELETE FROM "user""#).await;

        let gone = Verdict::Refused(Reason::UserGone);
        assert_eq!(logs_in(&provider, &bob, NOW + 60).await, gone);
        done(&shared).await;

        assert_eq!((count(&db, "credential").await, count(&db, "user").await), (1, 1));
        add_user(&db, BOB, "2026-11-01 00:00:00").await;
        assert_eq!(logs_in(&provider, &bob, NOW + 120).await, accepted(BOB, &bob));
    }
}
