use super::*;

/// How an assignment is told here: who, what, where, and by which ways.
fn told(assignment: &Assignment, names: &[(&str, &RoleId)]) -> String {
    let name = |id: &RoleId| names.iter().find(|(_, known)| *known == id).unwrap().0;
    let target = |target: &GrantTarget| match target {
        GrantTarget::Project(id) => id.to_string(),
        GrantTarget::Domain(id) => format!("domain {id}"),
        GrantTarget::System => "system".to_owned(),
    };
    let mut told = format!(
        "{} {} {}",
        assignment.actor.id(),
        name(&assignment.role_id),
        target(&assignment.target)
    );
    if assignment.inherited {
        told += " (for below)";
    }
    if let Some(group) = &assignment.group {
        told += &format!(" by {group}");
    }
    if let Some(from) = &assignment.inherited_from {
        told += &format!(" from {}", target(from));
    }
    if let Some(prior) = &assignment.implied_by {
        told += &format!(" as {}", name(prior));
    }
    told
}

struct World {
    cloud: Cloud,
    roles: Vec<(&'static str, RoleId)>,
}

impl World {
    /// `u` and `v` are in `g`; `manager` implies `reader`.
    async fn start(db: &TestDb) -> Self {
        let cloud = Cloud::start(db).await;
        let mut roles = Vec::new();
        for (name, domain) in [("reader", None), ("manager", None), ("own", Some("d"))] {
            roles.push((name, cloud.role(name, domain).await));
        }
        cloud.implies(&roles[1].1, &roles[0].1).await;
        cloud.implies(&roles[2].1, &roles[0].1).await;
        for sql in [
            r#"INSERT INTO "user" (id, enabled, domain_id) VALUES ('u', true, 'd'), ('v', true, 'd')"#,
            r#"INSERT INTO "group" (id, domain_id, name) VALUES ('g', 'd', 'g')"#,
            "INSERT INTO user_group_membership (user_id, group_id) VALUES ('u', 'g'), ('v', 'g')",
        ] {
            db.execute(sql).await;
        }
        let (reader, manager, own) = (&roles[0].1, &roles[1].1, &roles[2].1);
        grant(db, "UserProject", "u", "a", manager, false).await;
        grant(db, "GroupProject", "g", "a", reader, true).await;
        grant(db, "GroupDomain", "g", "e", reader, false).await;
        grant(db, "UserDomain", "v", "e", reader, true).await;
        grant(db, "UserProject", "v", "b", own, false).await;
        grant(db, "UserSystem", "u", "system", reader, false).await;
        Self { cloud, roles }
    }

    async fn list(&self, filter: AssignmentFilter) -> Vec<String> {
        let names: Vec<_> = self.roles.iter().map(|(name, id)| (*name, id)).collect();
        let found = self.cloud.list(filter).await;
        let mut told: Vec<_> = found.iter().map(|one| told(one, &names)).collect();
        told.sort();
        told
    }
}

fn all() -> AssignmentFilter {
    AssignmentFilter::default()
}

fn on(target: GrantTarget) -> AssignmentFilter {
    AssignmentFilter {
        target: Some(target),
        ..all()
    }
}

fn effective(filter: AssignmentFilter) -> AssignmentFilter {
    AssignmentFilter {
        effective: true,
        ..filter
    }
}

each_database! {
    async fn assignments_are_listed_as_they_were_granted(db: TestDb) {
        let world = World::start(&db).await;
        let actor = |actor| AssignmentFilter { actor: Some(actor), ..all() };

        assert_eq!(world.list(all()).await, [
            "g reader a (for below)", "g reader domain e", "u manager a", "u reader system", "v own b",
            "v reader domain e (for below)",
        ]);
        assert_eq!(world.list(actor(Actor::User("u".into()))).await, ["u manager a", "u reader system"]);
        assert_eq!(world.list(actor(Actor::Group("g".into()))).await, ["g reader a (for below)", "g reader domain e"]);
        assert_eq!(world.list(on(project("a"))).await, ["g reader a (for below)", "u manager a"]);
        assert_eq!(world.list(on(domain("e"))).await, ["g reader domain e", "v reader domain e (for below)"]);
        assert_eq!(world.list(on(GrantTarget::System)).await, ["u reader system"]);
        let subtree = AssignmentFilter { subtree: true, ..on(project("a")) };
        assert_eq!(world.list(subtree).await, ["g reader a (for below)", "u manager a", "v own b"]);
        let role = AssignmentFilter { role: Some(world.roles[1].1.clone()), ..all() };
        assert_eq!(world.list(role).await, ["u manager a"]);
        // Those on the system are neither inherited nor not, as for Keystone.
        let inherited = AssignmentFilter { inherited: Some(true), ..all() };
        assert_eq!(world.list(inherited).await, [
            "g reader a (for below)", "u reader system", "v reader domain e (for below)",
        ]);
        let within = AssignmentFilter { within: Some("d".into()), ..all() };
        assert_eq!(world.list(within).await, ["g reader a (for below)", "u manager a", "v own b"]);
    }

    async fn a_list_that_is_kept_is_found_anew_when_anybodys_grants_change(db: TestDb) {
        let world = World::start(&db).await;
        let (assignments, roles) = (&world.cloud.assignments, &world.cloud.roles);
        let manager = world.roles[1].1.clone();
        let role = AssignmentFilter { role: Some(manager.clone()), ..all() };
        let before = (world.list(on(project("x"))).await, world.list(role.clone()).await);
        assert_eq!(before, (vec![], vec!["u manager a".to_owned()]));

        // Nobody tells of this one.
        grant(&db, "UserProject", "v", "x", &manager, false).await;
        assert_eq!(world.list(on(project("x"))).await, before.0);

        let (actor, on_x) = (Actor::Group("g".into()), Grant { target: project("x"), role_id: manager.clone(), inherited: false });
        assignments.send(CreateGrant { actor: actor.clone(), grant: on_x.clone() }).await.unwrap();
        assert_eq!(world.list(on(project("x"))).await, ["g manager x", "v manager x"]);
        assert_eq!(world.list(role.clone()).await, ["g manager x", "u manager a", "v manager x"]);

        assignments.send(DeleteGrant { actor, grant: on_x }).await.unwrap();
        assert_eq!(world.list(on(project("x"))).await, ["v manager x"]);

        roles.send(DeleteRole { id: manager }).await.unwrap();
        assert!(world.list(on(project("x"))).await.is_empty());
        assert!(world.list(role).await.is_empty());
    }

    async fn what_reaches_a_project_is_kept_however_much_stays_above_it(db: TestDb) {
        let world = World::start(&db).await;
        let (assignments, reader) = (&world.cloud.assignments, world.roles[0].1.clone());
        // More than is kept of one question.
        let many: Vec<String> = (0..=1000)
            .map(|one| format!("('UserDomain', 'w{one}', 'd', '{reader}', false), ('UserProject', 'w{one}', 'a', '{reader}', false)"))
            .collect();
        let columns = "assignment (type, actor_id, target_id, role_id, inherited)";
        db.execute(&format!("INSERT INTO {columns} VALUES {}", many.join(", "))).await;
        let questions = || [effective(on(project("b"))), AssignmentFilter { within: Some("e".into()), ..effective(all()) }];
        let ask = async || {
            let [on_b, within_e] = questions();
            (world.list(on_b).await, world.list(within_e).await)
        };
        let before = ask().await;
        assert_eq!(before.0, ["u reader b by g from a", "v reader b as own", "v reader b by g from a"]);
        assert_eq!(before.1, ["u reader domain e by g", "v reader domain e by g", "v reader x from domain e"]);

        // Nobody tells of these.
        grant(&db, "UserProject", "u", "b", &reader, false).await;
        grant(&db, "UserDomain", "u", "e", &reader, true).await;
        assert_eq!(ask().await, before);

        let (actor, on_d) = (Actor::User("v".into()), Grant { target: domain("d"), role_id: reader.clone(), inherited: true });
        assignments.send(CreateGrant { actor, grant: on_d }).await.unwrap();
        let after = ask().await;
        assert_eq!(after.0, [
            "u reader b", "u reader b by g from a", "v reader b as own", "v reader b by g from a", "v reader b from domain d",
        ]);
        assert_eq!(after.1, [
            "u reader domain e by g", "u reader x from domain e", "v reader domain e by g", "v reader x from domain e",
        ]);
    }

    async fn effective_ones_are_what_they_amount_to_for_each_user(db: TestDb) {
        let world = World::start(&db).await;

        assert_eq!(world.list(effective(all())).await, [
            "u manager a",
            "u reader a as manager",
            "u reader b by g from a",
            "u reader domain e by g",
            "v reader b as own",
            "v reader b by g from a",
            "v reader domain e by g",
            "v reader x from domain e",
        ]);
        let of_v = AssignmentFilter { actor: Some(Actor::User("v".into())), ..effective(on(project("b"))) };
        assert_eq!(world.list(of_v).await, ["v reader b as own", "v reader b by g from a"]);
        assert_eq!(world.list(effective(on(project("a")))).await, ["u manager a", "u reader a as manager"]);
        assert_eq!(world.list(effective(on(project("x")))).await, ["v reader x from domain e"]);
        assert_eq!(world.list(effective(on(domain("e")))).await, ["u reader domain e by g", "v reader domain e by g"]);
        let below = AssignmentFilter { inherited: Some(true), ..effective(on(domain("e"))) };
        assert!(world.list(below).await.is_empty());
        let role = AssignmentFilter { role: Some(world.roles[1].1.clone()), ..effective(all()) };
        assert_eq!(world.list(role).await, ["u manager a"]);
        let subtree = AssignmentFilter { subtree: true, ..effective(on(project("a"))) };
        assert_eq!(world.list(subtree).await, [
            "u manager a", "u reader a as manager", "u reader b by g from a", "v reader b as own",
            "v reader b by g from a",
        ]);
        let direct = AssignmentFilter { inherited: Some(false), ..effective(on(project("b"))) };
        assert_eq!(world.list(direct).await, ["v reader b as own"]);
        let within = AssignmentFilter { within: Some("e".into()), ..effective(all()) };
        assert_eq!(world.list(within).await, [
            "u reader domain e by g", "v reader domain e by g", "v reader x from domain e",
        ]);
    }

    async fn what_is_inherited_from_above_reaches_all_of_a_subtree(db: TestDb) {
        let world = World::start(&db).await;
        grant(&db, "UserDomain", "v", "d", &world.roles[0].1, true).await;
        let of_v = AssignmentFilter {
            actor: Some(Actor::User("v".into())),
            subtree: true,
            inherited: Some(true),
            ..effective(on(project("a")))
        };
        assert_eq!(world.list(of_v).await, [
            "v reader a from domain d", "v reader b by g from a", "v reader b from domain d",
        ]);
    }

    async fn the_effective_roles_on_an_unknown_project_are_not_found(db: TestDb) {
        let world = World::start(&db).await;
        for filter in [effective(on(project("zz"))), AssignmentFilter { subtree: true, ..on(project("zz")) }] {
            let answer = world.cloud.assignments.read(ListAssignments { filter, now: 0 }).await;
            assert!(matches!(answer, Err(Error::Resource(resource::Error::NotFound(_)))));
        }
        assert!(world.list(on(project("zz"))).await.is_empty());
        assert!(world.list(effective(on(domain("zz")))).await.is_empty());
    }
}
