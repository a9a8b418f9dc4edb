use super::*;
use crate::actor::Handle;
use crate::db::outbox::Change;
use crate::epoch::{Entity, Kind};
use crate::ids::{RoleId, UserId};
use crate::testdb::{TestDb, each_database};
use crate::testing::Bench;

/// The longest chain is of three links.
const MAX: i32 = 2;
const NOW: i64 = 1_000_000_000;

fn provider(bench: &Bench) -> Handle<TrustProvider> {
    bench.start(TrustProvider::new(bench.pool("trust"), bench.cache(), MAX))
}

/// A row as Python Keystone writes it, with a role `r`, for project `p`.
async fn row(
    db: &TestDb,
    id: &str,
    from: &str,
    to: &str,
    parent: Option<&str>,
    count: i32,
    columns: &[(&str, &str)],
) {
    let parent = parent.map_or("NULL".to_owned(), |id| format!("'{id}'"));
    let names: String = columns
        .iter()
        .map(|(name, _)| format!(", {name}"))
        .collect();
    let values: String = columns
        .iter()
        .map(|(_, value)| format!(", {value}"))
        .collect();
    db.execute(&format!(
        "INSERT INTO trust (id, trustor_user_id, trustee_user_id, project_id, impersonation, extra, redelegated_trust_id, redelegation_count{names}) \
         VALUES ('{id}', '{from}', '{to}', 'p', false, '{{}}', {parent}, {count}{values})"
    ))
    .await;
    db.execute(&format!(
        "INSERT INTO trust_role (trust_id, role_id) VALUES ('{id}', 'r')"
    ))
    .await;
}

fn get(id: &str) -> GetTrust {
    GetTrust {
        id: id.into(),
        now: NOW,
    }
}

fn not_found(answer: Result<Arc<Trust>, Error>, id: &str) -> bool {
    matches!(answer, Err(Error::NotFound(missing)) if missing.as_str() == id)
}

each_database! {
    async fn a_trust_of_python_keystone_is_read_with_all_that_it_has(db: TestDb) {
        let bench = Bench::new(&db).await;
        row(&db, "t", "alice", "bob", None, 0, &[
            ("remaining_uses", "3"), ("expires_at", "'2033-05-18 03:33:20'"), ("expires_at_int", "2000000000123456"),
        ]).await;
        db.execute("UPDATE trust SET extra = '{\"colour\": \"red\"}'").await;

        let trust = provider(&bench).read(get("t")).await.unwrap();

        assert_eq!(trust.extra["colour"], "red");
        assert_eq!((trust.trustor_user_id.as_str(), trust.trustee_user_id.as_str()), ("alice", "bob"));
        assert_eq!(trust.project_id, Some("p".into()));
        assert_eq!((trust.expires_at, trust.remaining_uses), (Some(2_000_000_000), Some(3)));
        assert_eq!(trust.roles, [RoleId::from("r")]);
        assert_eq!((&trust.original_trustor, trust.intermediaries.len()), (&None, 0));
    }

    async fn a_trust_is_good_until_it_is_deleted_expired_or_used_up(db: TestDb) {
        let bench = Bench::new(&db).await;
        let (before, at) = (format!("{}", (NOW + 1) * 1_000_000), format!("{}", NOW * 1_000_000));
        row(&db, "good", "a", "b", None, 0, &[("expires_at_int", &before), ("remaining_uses", "1")]).await;
        row(&db, "deleted", "a", "b", None, 0, &[("deleted_at", "'2001-01-01 00:00:00'")]).await;
        row(&db, "expired", "a", "b", None, 0, &[("expires_at_int", &at)]).await;
        row(&db, "old", "a", "b", None, 0, &[("expires_at", "'2001-01-01 00:00:00'")]).await;
        row(&db, "used", "a", "b", None, 0, &[("remaining_uses", "0")]).await;
        let trusts = provider(&bench);

        assert!(trusts.read(get("good")).await.is_ok());
        for id in ["deleted", "expired", "old", "used", "unknown"] {
            assert!(not_found(trusts.read(get(id)).await, id), "{id}");
        }
        // What is cached expires as well.
        assert!(not_found(trusts.read(GetTrust { id: "good".into(), now: NOW + 1 }).await, "good"));
    }

    async fn the_token_of_the_last_use_still_has_its_trust(db: TestDb) {
        let bench = Bench::new(&db).await;
        row(&db, "used", "a", "b", None, 0, &[("remaining_uses", "0")]).await;
        let trusts = provider(&bench);
        let of_token = |id: &str| GetTrustOfToken { id: id.into(), now: NOW };

        assert!(trusts.read(of_token("used")).await.is_ok());
        assert!(not_found(trusts.read(of_token("unknown")).await, "unknown"));
    }

    async fn a_chain_tells_whose_roles_they_are_and_through_whose_hands_they_went(db: TestDb) {
        let bench = Bench::new(&db).await;
        let end = format!("{}", (NOW + 5) * 1_000_000);
        row(&db, "first", "alice", "bob", None, 2, &[("expires_at_int", &end)]).await;
        row(&db, "second", "bob", "carol", Some("first"), 1, &[]).await;
        row(&db, "third", "carol", "dave", Some("second"), 0, &[]).await;
        let trusts = provider(&bench);

        let third = trusts.read(get("third")).await.unwrap();

        assert_eq!(third.original_trustor, Some(UserId::from("alice")));
        assert_eq!(third.intermediaries, ["carol", "bob"].map(UserId::from));
        assert_eq!(third.expires_at, Some(NOW + 5));
        assert!(not_found(trusts.read(GetTrust { id: "third".into(), now: NOW + 5 }).await, "third"));
    }

    async fn a_trust_falls_with_any_above_it(db: TestDb) {
        let bench = Bench::new(&db).await;
        row(&db, "first", "a", "b", None, 2, &[]).await;
        row(&db, "second", "b", "c", Some("first"), 1, &[]).await;
        row(&db, "third", "c", "d", Some("second"), 0, &[]).await;
        let trusts = provider(&bench);
        trusts.read(get("third")).await.unwrap(); // cached from here on

        db.execute("UPDATE trust SET deleted_at = '2001-01-01 00:00:00' WHERE id = 'first'").await;
        bench.invalidations.publish(&Change::of([Entity::new(Kind::Trust, "first")]));

        assert!(not_found(trusts.read(get("third")).await, "first"));
    }

    async fn a_chain_that_is_too_long_or_goes_round_is_refused(db: TestDb) {
        let bench = Bench::new(&db).await;
        row(&db, "ring", "a", "a", Some("ring"), 1, &[]).await;
        row(&db, "1", "a", "b", None, 2, &[]).await;
        for (id, above) in [("2", "1"), ("3", "2"), ("4", "3")] {
            row(&db, id, "a", "b", Some(above), 1, &[]).await;
        }
        let trusts = provider(&bench);

        assert!(trusts.read(get("3")).await.is_ok());
        for id in ["ring", "4"] {
            let answer = trusts.read(get(id)).await;
            assert!(matches!(answer, Err(Error::Redelegation(RedelegationFault::Depth))), "{id}");
        }
    }
}
