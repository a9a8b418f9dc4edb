use super::*;
use crate::actor::Handle;
use crate::attributes::Extra;
use crate::db::outbox::Change;
use crate::epoch::{Entity, Kind};
use crate::ids::{RoleId, UserId};
use crate::testdb::{TestDb, each_database};
use crate::testing::Bench;
use crate::{transaction, with_conn};

/// The longest chain is of three links.
const MAX: i32 = 2;
const NOW: i64 = 1_000_000_000;

fn provider(bench: &Bench) -> Handle<TrustProvider> {
    bench.start(TrustProvider::new(
        bench.pool("trust"),
        bench.cache(),
        bench.invalidations.clone(),
        MAX,
    ))
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

/// The users `alice`, `bob` and `carol`, and the project `p`.
async fn people(db: &TestDb) {
    for id in ["alice", "bob", "carol"] {
        db.execute(&format!(
            r#"INSERT INTO "user" (id, enabled, domain_id) VALUES ('{id}', true, 'default')"#
        ))
        .await;
    }
    db.execute(
        "INSERT INTO project (id, name, enabled, domain_id, is_domain) \
         VALUES ('p', 'p', true, '<<keystone.domain.root>>', false)",
    )
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
        assert_eq!(third.above, ["second", "first"].map(TrustId::from));
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

    async fn what_is_created_is_read_and_listed_to_both_sides(db: TestDb) {
        let trusts = provider(&Bench::new(&db).await);
        people(&db).await;
        let mut offer = offer("alice", "bob");
        offer.extra.insert("colour".to_owned(), "red".into());
        offer.expires_at = Some(NOW + 5);

        let created = create(&trusts, offer, None).await.unwrap();

        assert_eq!(*trusts.read(GetTrust { id: created.id.clone(), now: NOW }).await.unwrap(), *created);
        let list = async |of| trusts.read(ListTrusts { of }).await.unwrap();
        for of in [TrustsOf::All, TrustsOf::Trustor("alice".into()), TrustsOf::Trustee("bob".into())] {
            assert_eq!(list(of).await, std::slice::from_ref(&created.terms));
        }
        for of in [TrustsOf::Trustor("bob".into()), TrustsOf::Trustee("alice".into())] {
            assert!(list(of).await.is_empty());
        }
    }

    async fn lists_show_what_is_expired_or_used_up_and_nothing_deleted(db: TestDb) {
        let bench = Bench::new(&db).await;
        row(&db, "deleted", "a", "b", None, 0, &[("deleted_at", "'2001-01-01 00:00:00'")]).await;
        row(&db, "expired", "a", "b", None, 0, &[("expires_at", "'2001-01-01 00:00:00'")]).await;
        row(&db, "used", "a", "b", None, 0, &[("remaining_uses", "0")]).await;

        let listed = provider(&bench).read(ListTrusts { of: TrustsOf::All }).await.unwrap();

        let ids: Vec<_> = listed.iter().map(|trust| trust.id.as_str()).collect();
        assert_eq!(ids, ["expired", "used"]);
    }

    async fn a_trust_is_given_once_for_each_end(db: TestDb) {
        let trusts = provider(&Bench::new(&db).await);
        people(&db).await;
        let until = |expires_at| NewTrust { expires_at, ..offer("alice", "bob") };

        assert!(create(&trusts, until(Some(NOW + 5)), None).await.is_ok());
        assert!(create(&trusts, until(Some(NOW + 6)), None).await.is_ok());
        assert!(matches!(create(&trusts, until(Some(NOW + 5)), None).await, Err(Error::Duplicate(_))));
        for _ in 0..2 {
            assert!(create(&trusts, until(None), None).await.is_ok());
        }
    }

    async fn nobody_who_is_gone_gives_or_is_given_a_trust_nor_on_a_project_that_is_gone(db: TestDb) {
        let bench = Bench::new(&db).await;
        let trusts = provider(&bench);
        people(&db).await;
        let refused = async |offer| create(&trusts, offer, None).await.unwrap_err().to_string();

        assert_eq!(refused(offer("alice", "zoe")).await, "Could not find user: zoe.");
        assert_eq!(refused(offer("zoe", "alice")).await, "Could not find user: zoe.");
        let elsewhere = NewTrust { project_id: Some("q".into()), ..offer("alice", "bob") };
        assert_eq!(refused(elsewhere).await, "Could not find project: q.");
        for no_project in ["<<keystone.domain.root>>", "p\0"] {
            let nowhere = NewTrust { project_id: Some(no_project.into()), ..offer("alice", "bob") };
            assert_eq!(refused(nowhere).await, format!("Could not find project: {no_project}."));
        }
        assert!(trusts.read(ListTrusts { of: TrustsOf::All }).await.unwrap().is_empty());
        // To oneself, and on nothing.
        let own = NewTrust { project_id: None, ..offer("alice", "alice") };
        assert!(create(&trusts, own, None).await.is_ok());
    }

    async fn a_trust_is_handed_on_only_from_one_that_is_good(db: TestDb) {
        let bench = Bench::new(&db).await;
        people(&db).await;
        let end = format!("{}", NOW * 1_000_000);
        row(&db, "good", "alice", "bob", None, 1, &[]).await;
        row(&db, "last", "alice", "bob", None, 0, &[]).await;
        row(&db, "expired", "alice", "bob", None, 1, &[("expires_at_int", &end)]).await;
        row(&db, "deleted", "alice", "bob", None, 1, &[("deleted_at", "'2001-01-01 00:00:00'")]).await;
        let trusts = provider(&bench);
        let from = async |source| create(&trusts, offer("bob", "carol"), Some(source)).await;

        let child = from("good").await.unwrap();
        assert_eq!(*trusts.read(GetTrust { id: child.id.clone(), now: NOW }).await.unwrap(), *child);
        assert_eq!(child.original_trustor, Some("alice".into()));
        assert!(matches!(from("last").await, Err(Error::Redelegation(RedelegationFault::Depth))));
        for source in ["expired", "deleted", "unknown"] {
            assert!(not_found(from(source).await, source), "{source}");
        }
    }

    async fn of_many_at_once_as_many_use_a_trust_as_it_allows(db: TestDb) {
        let bench = Bench::new(&db).await;
        row(&db, "t", "a", "b", None, 0, &[("remaining_uses", "3")]).await;
        let trusts = provider(&bench);
        trusts.read(get("t")).await.unwrap(); // cached from here on

        let attempts = (0..6).map(|_| async {
            // A deadlock's victim asks again.
            loop {
                match trusts.send(ConsumeTrustUse { id: "t".into() }).await {
                    Err(Error::Unavailable(_)) => {}
                    answer => return answer,
                }
            }
        });
        let answers = futures_util::future::join_all(attempts).await;

        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 3);
        assert!(answers.iter().all(|answer| matches!(answer, Ok(()) | Err(Error::UseLimitReached(_)))));
        assert!(not_found(trusts.read(get("t")).await, "t"));
    }

    async fn uses_of_a_trust_that_does_not_count_them_are_free(db: TestDb) {
        let bench = Bench::new(&db).await;
        row(&db, "t", "a", "b", None, 0, &[]).await;
        row(&db, "deleted", "a", "b", None, 0, &[("deleted_at", "'2001-01-01 00:00:00'"), ("remaining_uses", "1")]).await;
        let trusts = provider(&bench);
        let consume = async |id: &str| trusts.send(ConsumeTrustUse { id: id.into() }).await;

        assert!(consume("t").await.is_ok());
        trusts.read(get("t")).await.unwrap(); // cached from here on
        assert!(consume("t").await.is_ok());
        for id in ["deleted", "unknown"] {
            assert!(matches!(consume(id).await, Err(Error::NotFound(_))));
        }
    }

    async fn a_deleted_trust_takes_along_what_was_made_from_it_and_their_tokens(db: TestDb) {
        let bench = Bench::new(&db).await;
        row(&db, "first", "alice", "bob", None, 2, &[]).await;
        row(&db, "second", "bob", "carol", Some("first"), 1, &[]).await;
        row(&db, "impersonating", "alice", "dave", Some("first"), 0, &[]).await;
        row(&db, "third", "carol", "erin", Some("second"), 0, &[]).await;
        row(&db, "other", "alice", "bob", None, 0, &[]).await;
        let trusts = provider(&bench);
        for id in ["first", "third", "other"] {
            trusts.read(get(id)).await.unwrap(); // cached from here on
        }

        let mut along = trusts.send(DeleteTrust { id: "first".into(), now: NOW }).await.unwrap();
        // What was made of one goes before it.
        assert_eq!(along.remove(0), TrustId::from("third"));
        along.sort();
        assert_eq!(along, ["impersonating", "second"].map(TrustId::from));

        let left = trusts.read(ListTrusts { of: TrustsOf::All }).await.unwrap();
        assert_eq!(left.iter().map(|trust| trust.id.as_str()).collect::<Vec<_>>(), ["other"]);
        for id in ["first", "third"] {
            assert!(not_found(trusts.read(get(id)).await, id), "{id}");
        }
        assert!(trusts.read(get("other")).await.is_ok());
        let revoked = revoked_trusts(&bench.pool("look")).await;
        assert_eq!(revoked, ["first", "impersonating", "second", "third"].map(|id| Some(id.to_owned())));
    }

    async fn an_expired_or_deleted_trust_is_not_deleted_and_a_used_up_one_is(db: TestDb) {
        let bench = Bench::new(&db).await;
        let end = format!("{}", NOW * 1_000_000);
        row(&db, "expired", "a", "b", None, 0, &[("expires_at_int", &end)]).await;
        row(&db, "used", "a", "b", None, 0, &[("remaining_uses", "0")]).await;
        let trusts = provider(&bench);
        let delete = async |id: &str| trusts.send(DeleteTrust { id: id.into(), now: NOW }).await;

        assert!(delete("used").await.is_ok());
        for id in ["used", "expired", "unknown"] {
            assert!(matches!(delete(id).await, Err(Error::NotFound(_))), "{id}");
        }
    }

    async fn trusts_go_with_either_of_their_users_and_with_their_project(db: TestDb) {
        let bench = Bench::new(&db).await;
        row(&db, "given", "alice", "bob", None, 0, &[]).await;
        row(&db, "taken", "carol", "alice", None, 0, &[]).await;
        row(&db, "else", "bob", "carol", None, 0, &[]).await;
        row(&db, "gone", "alice", "bob", None, 0, &[("deleted_at", "'2001-01-01 00:00:00'")]).await;
        let trusts = provider(&bench);
        let pool = bench.pool("other");
        let left = async || {
            let listed = trusts.read(ListTrusts { of: TrustsOf::All }).await.unwrap();
            listed.iter().map(|trust| trust.id.to_string()).collect::<Vec<_>>()
        };

        let mut of_user = with_user(&pool, "alice").await;
        assert_eq!(left().await, ["else"]);
        let nothing = with_project(&pool, "q").await;
        assert_eq!(left().await, ["else"]);
        let of_project = with_project(&pool, "p").await;
        assert!(left().await.is_empty());

        of_user.sort_by(|a, b| a.id.cmp(&b.id));
        assert_eq!(of_user, ["given", "taken"].map(|id| Entity::new(Kind::Trust, id)));
        assert_eq!(of_project, [Entity::new(Kind::Trust, "else")]);
        assert!(nothing.is_empty());
    }
}

fn offer(from: &str, to: &str) -> NewTrust {
    NewTrust {
        extra: Extra::new(),
        trustor_user_id: from.into(),
        trustee_user_id: to.into(),
        project_id: Some("p".into()),
        impersonation: false,
        expires_at: None,
        remaining_uses: None,
        allow_redelegation: false,
        redelegation_count: None,
        roles: vec!["r".into(), "r".into()],
    }
}

async fn create(
    trusts: &Handle<TrustProvider>,
    trust: NewTrust,
    source: Option<&str>,
) -> Result<Arc<Trust>, Error> {
    let source = source.map(TrustId::from);
    trusts
        .send(CreateTrust {
            trust,
            source,
            now: NOW,
        })
        .await
}

async fn with_user(pool: &Db, id: &str) -> Vec<Entity> {
    transaction!(pool, |conn| Ok::<_, Error>(
        delete_of_users(conn, &[id.to_owned()], NOW).await?
    ))
    .unwrap()
}

async fn with_project(pool: &Db, id: &str) -> Vec<Entity> {
    transaction!(pool, |conn| Ok::<_, Error>(
        delete_of_projects(conn, &[id.to_owned()], NOW).await?
    ))
    .unwrap()
}

/// What revocation events name, sorted.
async fn revoked_trusts(pool: &Db) -> Vec<Option<String>> {
    use diesel::prelude::*;
    use diesel_async::RunQueryDsl;

    use crate::db::schema::revocation_event;
    let mut named: Vec<Option<String>> = with_conn!(pool, |conn| {
        let named = revocation_event::table.select(revocation_event::trust_id);
        named.load(conn).await.map_err(Error::from)
    })
    .unwrap();
    named.sort();
    named
}
