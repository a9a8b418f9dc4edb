mod grants;
mod lists;

use serde_json::{from_value, json};

use super::*;
use crate::identity::{DeleteGroup, DeleteUser, IdentitySettings};
use crate::ids::{GroupId, ProjectId, RoleId};
use crate::resource::ResourceSettings;
use crate::role::{CreateImplication, CreateRole, DeleteRole};
use crate::testdb::{TestDb, each_database};
use crate::testing::Bench;
use crate::with_conn;

/// The four providers, on a tree of projects.
struct Cloud {
    bench: Bench,
    assignments: Handle<AssignmentProvider>,
    roles: Handle<RoleProvider>,
    identity: Handle<IdentityProvider>,
}

impl Cloud {
    /// Domain `d` with `a` and `a/b`, and domain `e` with `x`.
    async fn start(db: &TestDb) -> Self {
        let bench = Bench::new(db).await;
        let roles = bench.start(RoleProvider::new(
            bench.pool("role"),
            bench.cache(),
            bench.invalidations.clone(),
            Arc::default(),
        ));
        let resources = bench.resources(ResourceSettings::default());
        let identity = bench.identity(&resources, IdentitySettings::default());
        let assignments = bench.start(AssignmentProvider::new(
            bench.pool("assignment"),
            bench.cache(),
            Some(bench.cache()),
            bench.invalidations.clone(),
            roles.clone(),
            resources,
            identity.clone(),
        ));
        let root = "<<keystone.domain.root>>";
        for (id, domain, parent) in [
            ("d", root, "NULL"),
            ("e", root, "NULL"),
            ("a", "d", "'d'"),
            ("b", "d", "'a'"),
            ("x", "e", "'e'"),
        ] {
            let is_domain = domain == root;
            db.execute(&format!(
                "INSERT INTO project (id, name, extra, description, enabled, domain_id, parent_id, is_domain) \
                 VALUES ('{id}', '{id}', '{{}}', '', true, '{domain}', {parent}, {is_domain})"
            ))
            .await;
        }
        Self {
            bench,
            assignments,
            roles,
            identity,
        }
    }

    async fn role(&self, name: &str, domain: Option<&str>) -> RoleId {
        let role = from_value(json!({"name": name, "domain_id": domain})).unwrap();
        let role = self.roles.send(CreateRole { role }).await.unwrap();
        role.id.clone()
    }

    async fn implies(&self, prior: &RoleId, implied: &RoleId) {
        let (prior, implied) = (prior.clone(), implied.clone());
        let implication = CreateImplication { prior, implied };
        self.roles.send(implication).await.unwrap();
    }

    /// The names of the roles of user `u`, who is in group `g`.
    async fn effective(&self, target: GrantTarget) -> Vec<String> {
        let (user, groups) = ("u".into(), [GroupId::from("g")].into());
        let question = GetEffectiveRoles {
            user,
            groups,
            target,
        };
        let answer = self.assignments.read(question).await.unwrap();
        let names = answer.visible().map(|role| role.name.clone());
        names.collect()
    }

    async fn list(&self, filter: AssignmentFilter) -> Vec<Assignment> {
        let question = ListAssignments { filter, now: 0 };
        let found = self.assignments.read(question).await.unwrap();
        found.iter().collect()
    }

    /// The IDs of all application credentials.
    async fn credentials(&self) -> Vec<String> {
        use diesel::prelude::*;
        use diesel_async::RunQueryDsl;

        use crate::db::schema::application_credential::dsl;
        let ids: Result<Vec<String>, Error> = with_conn!(&self.bench.pool("look"), |conn| {
            Ok(dsl::application_credential
                .select(dsl::id)
                .load(conn)
                .await?)
        });
        ids.unwrap()
    }

    async fn scopes(&self) -> Scopes {
        let (user, groups) = ("u".into(), [GroupId::from("g")].into());
        let question = ListScopes { user, groups };
        self.assignments.read(question).await.unwrap()
    }

    /// Those of `x` and of the projects of `d` and `d` itself, the lowest first, on which user `u` has a
    /// role; asked also as the chain that the latter are.
    async fn retained(&self) -> Vec<ProjectId> {
        let ask = async |ids: &[&str], is_chain| {
            let (user, groups) = ("u".into(), [GroupId::from("g")].into());
            let projects = projects(ids);
            let question = RetainWithRole {
                user,
                groups,
                projects,
                is_chain,
            };
            self.assignments.read(question).await.unwrap()
        };
        let retained = ask(&["x", "b", "a", "d"], false).await;
        assert_eq!(ask(&["b", "a", "d"], true).await, retained);
        retained
    }
}

async fn grant(db: &TestDb, kind: &str, actor: &str, target: &str, role: &RoleId, inherited: bool) {
    let table = if target == "system" {
        "system_assignment"
    } else {
        "assignment"
    };
    db.execute(&format!(
        "INSERT INTO {table} (type, actor_id, target_id, role_id, inherited) \
         VALUES ('{kind}', '{actor}', '{target}', '{role}', {inherited})"
    ))
    .await;
}

fn project(id: &str) -> GrantTarget {
    GrantTarget::Project(id.into())
}

fn domain(id: &str) -> GrantTarget {
    GrantTarget::Domain(id.into())
}

fn projects(ids: &[&str]) -> Vec<ProjectId> {
    ids.iter().copied().map(ProjectId::from).collect()
}

each_database! {
    async fn what_is_inherited_from_a_domain_reaches_its_projects_and_not_the_domain(db: TestDb) {
        let cloud = Cloud::start(&db).await;
        let reader = cloud.role("reader", None).await;
        grant(&db, "UserDomain", "u", "d", &reader, true).await;

        for reached in ["a", "b"] {
            assert_eq!(cloud.effective(project(reached)).await, ["reader"]);
        }
        for not in [domain("d"), domain("e"), project("x"), GrantTarget::System] {
            assert!(cloud.effective(not).await.is_empty());
        }
        let scopes = Scopes { projects: projects(&["a", "b"]), ..Scopes::default() };
        assert_eq!(cloud.scopes().await, scopes);
        assert_eq!(cloud.retained().await, projects(&["b", "a"]));
    }

    async fn what_is_inherited_from_a_project_reaches_its_children_and_not_itself(db: TestDb) {
        let cloud = Cloud::start(&db).await;
        let reader = cloud.role("reader", None).await;
        grant(&db, "UserProject", "u", "a", &reader, true).await;

        assert_eq!(cloud.effective(project("b")).await, ["reader"]);
        assert!(cloud.effective(project("a")).await.is_empty());
        assert_eq!(cloud.scopes().await.projects, projects(&["b"]));
        assert_eq!(cloud.retained().await, projects(&["b"]));
    }

    async fn a_direct_grant_reaches_its_target_alone(db: TestDb) {
        let cloud = Cloud::start(&db).await;
        let reader = cloud.role("reader", None).await;
        grant(&db, "UserProject", "u", "a", &reader, false).await;
        grant(&db, "UserDomain", "u", "e", &reader, false).await;
        grant(&db, "UserSystem", "u", "system", &reader, false).await;

        for reached in [project("a"), domain("e"), GrantTarget::System] {
            assert_eq!(cloud.effective(reached).await, ["reader"]);
        }
        for not in [project("b"), project("x"), domain("d")] {
            assert!(cloud.effective(not).await.is_empty());
        }
        let scopes = Scopes { projects: projects(&["a"]), domains: vec!["e".into()], system: true };
        assert_eq!(cloud.scopes().await, scopes);
        assert_eq!(cloud.retained().await, projects(&["a"]));
    }

    async fn a_groups_grants_are_its_members(db: TestDb) {
        let cloud = Cloud::start(&db).await;
        let (reader, member) = (cloud.role("reader", None).await, cloud.role("member", None).await);
        grant(&db, "GroupProject", "g", "a", &reader, false).await;
        grant(&db, "GroupDomain", "g", "d", &member, true).await;
        grant(&db, "GroupSystem", "g", "system", &reader, false).await;
        grant(&db, "GroupProject", "other", "x", &reader, false).await;

        assert_eq!(cloud.effective(project("a")).await, ["member", "reader"]);
        assert_eq!(cloud.effective(GrantTarget::System).await, ["reader"]);
        assert!(cloud.effective(project("x")).await.is_empty());
        assert_eq!(cloud.scopes().await.projects, projects(&["a", "b"]));
    }

    async fn implied_roles_come_along_and_a_loop_of_them_ends(db: TestDb) {
        let cloud = Cloud::start(&db).await;
        let mut chain = Vec::new();
        for name in ["1", "2", "3"] {
            chain.push(cloud.role(name, None).await);
        }
        for (prior, implied) in [(0, 1), (1, 2), (2, 0)] {
            cloud.implies(&chain[prior], &chain[implied]).await;
        }
        grant(&db, "UserProject", "u", "a", &chain[1], false).await;

        assert_eq!(cloud.effective(project("a")).await, ["1", "2", "3"]);
    }

    async fn a_domains_role_shows_only_through_what_it_implies(db: TestDb) {
        let cloud = Cloud::start(&db).await;
        let (own, bare) = (cloud.role("own", Some("d")).await, cloud.role("bare", Some("d")).await);
        let reader = cloud.role("reader", None).await;
        cloud.implies(&own, &reader).await;
        grant(&db, "UserProject", "u", "a", &own, false).await;
        grant(&db, "UserProject", "u", "b", &bare, false).await;

        assert_eq!(cloud.effective(project("a")).await, ["reader"]);
        assert!(cloud.effective(project("b")).await.is_empty());
        assert_eq!(cloud.scopes().await.projects, projects(&["a"]));
    }

    async fn an_unknown_project_is_no_target(db: TestDb) {
        let cloud = Cloud::start(&db).await;
        let question = GetEffectiveRoles { user: "u".into(), groups: Arc::default(), target: project("zz") };
        let answer = cloud.assignments.read(question).await;
        assert!(matches!(answer, Err(Error::Resource(resource::Error::NotFound(_)))));
    }
}
