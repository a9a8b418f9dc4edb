use tokio::sync::Notify;

use super::*;
use crate::db::share_by_id;
use crate::role::GetRoleGraph;
use crate::testdb::{Backend, each_server};
use crate::transaction;

fn grant_of(role: &RoleId, target: GrantTarget, inherited: bool) -> Grant {
    Grant {
        target,
        role_id: role.clone(),
        inherited,
    }
}

fn user(id: &str) -> Actor {
    Actor::User(id.into())
}

fn group(id: &str) -> Actor {
    Actor::Group(id.into())
}

/// User `u` and group `g` of the domain `d`.
async fn people(db: &TestDb) {
    db.execute(r#"INSERT INTO "user" (id, enabled, domain_id) VALUES ('u', true, 'd')"#)
        .await;
    db.execute(r#"INSERT INTO "group" (id, domain_id, name) VALUES ('g', 'd', 'g')"#)
        .await;
}

async fn give(cloud: &Cloud, actor: Actor, grant: Grant) -> Result<(), Error> {
    cloud.assignments.send(CreateGrant { actor, grant }).await
}

async fn take(cloud: &Cloud, actor: Actor, grant: Grant) -> Result<(), Error> {
    cloud.assignments.send(DeleteGrant { actor, grant }).await
}

async fn has(cloud: &Cloud, actor: Actor, grant: Grant) -> bool {
    match cloud.assignments.read(CheckGrant { actor, grant }).await {
        Ok(()) => true,
        Err(Error::NotGranted { .. }) => false,
        Err(error) => panic!("{error}"),
    }
}

fn text<T>(answer: Result<T, Error>) -> String {
    match answer {
        Ok(_) => "ok".to_owned(),
        Err(error) => error.to_string(),
    }
}

each_database! {
    async fn what_is_given_counts_at_once_until_it_is_taken(db: TestDb) {
        let cloud = Cloud::start(&db).await;
        people(&db).await;
        let reader = cloud.role("reader", None).await;
        for actor in [user("u"), group("g")] {
            for (target, inherited, reaches) in [
                (project("a"), false, project("a")),
                (domain("d"), false, domain("d")),
                (GrantTarget::System, false, GrantTarget::System),
                (project("a"), true, project("b")),
                (domain("d"), true, project("b")),
            ] {
                let grant = grant_of(&reader, target.clone(), inherited);
                assert!(cloud.effective(reaches.clone()).await.is_empty()); // cached from here on

                give(&cloud, actor.clone(), grant.clone()).await.unwrap();
                give(&cloud, actor.clone(), grant.clone()).await.unwrap();
                assert!(has(&cloud, actor.clone(), grant.clone()).await);
                assert_eq!(cloud.effective(reaches.clone()).await, ["reader"]);
                let list = ListGrants { actor: actor.clone(), target: target.clone(), inherited };
                assert_eq!(cloud.assignments.read(list).await.unwrap().len(), 1);
                let list = ListGrants { actor: actor.clone(), target, inherited: !inherited };
                assert!(cloud.assignments.read(list).await.unwrap().is_empty());

                take(&cloud, actor.clone(), grant.clone()).await.unwrap();
                assert!(!has(&cloud, actor.clone(), grant.clone()).await);
                assert!(cloud.effective(reaches).await.is_empty());
                assert!(matches!(take(&cloud, actor.clone(), grant).await, Err(Error::NotGranted { .. })));
            }
        }
    }

    async fn nothing_is_given_of_on_or_to_what_there_is_not(db: TestDb) {
        let cloud = Cloud::start(&db).await;
        people(&db).await;
        let reader = cloud.role("reader", None).await;
        let on = |target| grant_of(&reader, target, false);
        let no_role = grant_of(&"zz".into(), project("a"), false);

        assert_eq!(text(give(&cloud, user("u"), no_role).await), "Could not find role: zz.");
        assert_eq!(text(give(&cloud, user("u"), on(project("zz"))).await), "Could not find project: zz.");
        for no_domain in ["zz", "a", "D"] {
            let refused = text(give(&cloud, user("u"), on(domain(no_domain))).await);
            assert_eq!(refused, format!("Could not find domain: {no_domain}."));
        }
        assert_eq!(text(give(&cloud, user("zz"), on(project("a"))).await), "Could not find user: zz.");
        assert_eq!(text(give(&cloud, group("u"), on(GrantTarget::System)).await), "Could not find group: u.");
        assert_eq!(
            text(take(&cloud, user("zz"), on(GrantTarget::System)).await),
            format!("Could not find role assignment with role: {reader}, user or group: zz, project, domain, or system: system.")
        );
    }

    async fn a_role_that_another_program_deleted_is_not_given_whatever_is_cached_of_it(db: TestDb) {
        let cloud = Cloud::start(&db).await;
        people(&db).await;
        let gone = cloud.role("gone", None).await;
        cloud.roles.read(GetRoleGraph).await.unwrap(); // cached from here on
        db.execute(&format!("DELETE FROM role WHERE id = '{gone}'")).await;

        for target in [project("a"), domain("d"), GrantTarget::System] {
            let refused = text(give(&cloud, user("u"), grant_of(&gone, target, false)).await);
            assert_eq!(refused, format!("Could not find role: {gone}."));
        }
        assert!(cloud.list(AssignmentFilter::default()).await.is_empty());
    }

    async fn a_domains_role_is_for_its_own_projects(db: TestDb) {
        let cloud = Cloud::start(&db).await;
        people(&db).await;
        let own = cloud.role("own", Some("d")).await;

        assert_eq!(text(give(&cloud, user("u"), grant_of(&own, project("a"), false)).await), "ok");
        assert_eq!(text(give(&cloud, user("u"), grant_of(&own, domain("e"), false)).await), "ok");
        assert_eq!(
            text(give(&cloud, user("u"), grant_of(&own, project("x"), false)).await),
            format!("Project x must be in the same domain as the role {own} being assigned.")
        );
        let system = text(give(&cloud, user("u"), grant_of(&own, GrantTarget::System, false)).await);
        assert!(system.ends_with("Unable to use a domain-specific role in a system assignment."));
    }

    async fn grants_go_with_their_role_their_user_and_their_group(db: TestDb) {
        let cloud = Cloud::start(&db).await;
        people(&db).await;
        let (reader, member) = (cloud.role("reader", None).await, cloud.role("member", None).await);
        for role in [&reader, &member] {
            for actor in [user("u"), group("g")] {
                for target in [project("a"), domain("e"), GrantTarget::System] {
                    give(&cloud, actor.clone(), grant_of(role, target, false)).await.unwrap();
                }
            }
        }
        assert_eq!(cloud.list(AssignmentFilter::default()).await.len(), 12);

        cloud.roles.send(DeleteRole { id: member.clone() }).await.unwrap();
        assert_eq!(cloud.effective(project("a")).await, ["reader"]);
        assert_eq!(cloud.list(AssignmentFilter::default()).await.len(), 6);
        cloud.identity.send(DeleteUser { id: "u".into(), now: 0 }).await.unwrap();
        assert_eq!(cloud.list(AssignmentFilter::default()).await.len(), 3);
        assert_eq!(cloud.effective(GrantTarget::System).await, ["reader"]);
        cloud.identity.send(DeleteGroup { id: "g".into(), now: 0 }).await.unwrap();
        assert!(cloud.list(AssignmentFilter::default()).await.is_empty());
        assert_eq!(cloud.scopes().await, Scopes::default());
    }

    async fn a_role_takes_the_application_credentials_of_its_bearers_along(db: TestDb) {
        let cloud = Cloud::start(&db).await;
        people(&db).await;
        let reader = cloud.role("reader", None).await;
        give(&cloud, user("u"), grant_of(&reader, project("a"), false)).await.unwrap();
        db.execute("INSERT INTO application_credential (internal_id, id, name, secret_hash, user_id, project_id) \
                    VALUES (1, 'here', 'x', '', 'u', 'a'), (2, 'there', 'y', '', 'u', 'b')").await;

        cloud.roles.send(DeleteRole { id: reader }).await.unwrap();

        assert_eq!(cloud.credentials().await, ["there"]);
    }
}

each_server! {
    async fn one_role_is_given_to_many_at_once_and_meanwhile_nobody_changes_it(db: TestDb) {
        use diesel_async::RunQueryDsl;

        let cloud = Cloud::start(&db).await;
        people(&db).await;
        let reader = cloud.role("reader", None).await;
        let (other, third) = (cloud.bench.pool("other"), cloud.bench.pool("third"));
        let lock = match db.backend() {
            Backend::Postgres => "FOR NO KEY UPDATE NOWAIT", // as an UPDATE locks that keeps the ID
            _ => "FOR UPDATE NOWAIT",
        };
        let lock = format!("SELECT id FROM role WHERE id = '{reader}' {lock}");
        let may_change = async || {
            let locked: Result<usize, Error> = with_conn!(&third, |conn| {
                Ok(diesel::sql_query(lock.as_str()).execute(conn).await?)
            });
            locked.is_ok()
        };
        assert!(may_change().await);

        // Another gives it, and is not through yet.
        let (shared, through) = (Notify::new(), Notify::new());
        let another = async {
            let found: Result<bool, Error> = transaction!(&other, |conn| {
                let found = share_by_id!(conn, role, reader);
                shared.notify_one();
                through.notified().await;
                Ok(found)
            });
            found.unwrap()
        };
        let meanwhile = async {
            shared.notified().await;
            let given = give(&cloud, user("u"), grant_of(&reader, project("a"), false)).await;
            let may_change = may_change().await;
            through.notify_one();
            (text(given), may_change)
        };
        let (found, meanwhile) = futures_util::future::join(another, meanwhile).await;

        assert!(found);
        assert_eq!(meanwhile, ("ok".to_owned(), false));
        assert!(may_change().await);
    }
}
