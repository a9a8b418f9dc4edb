use serde_json::{Value, from_value, json};

use super::*;
use crate::testdb::each_database;

fn new(body: Value) -> CreateProject {
    let project = from_value(body).unwrap();
    CreateProject { project }
}

fn patch(id: &str, body: Value) -> UpdateProject {
    UpdateProject {
        id: id.into(),
        patch: from_value(body).unwrap(),
    }
}

fn text<T>(answer: Result<T, Error>) -> String {
    match answer {
        Ok(_) => "ok".to_owned(),
        Err(error) => error.to_string(),
    }
}

async fn enabled(resources: &Handle<ResourceProvider>, project: &str) -> bool {
    let get = GetProject { id: id(project) };
    resources.read(get).await.unwrap().enabled
}

each_database! {
    async fn what_is_created_is_read_back(db: TestDb) {
        let resources = provider(&Bench::new(&db).await);
        tree(&db).await;
        let create = new(json!({
            "name": " p ", "domain_id": "d", "parent_id": "da", "description": null, "enabled": false,
            "tags": ["y", "x"], "options": {"immutable": true}, "colour": [1, null],
        }));

        let project = resources.send(create).await.unwrap();

        let mut read = (*resources.read(GetProject { id: project.id.clone() }).await.unwrap()).clone();
        read.tags.reverse(); // read in the order of their names
        assert_eq!(read, *project);
        assert_eq!((&*read.name, &read.description, read.extra.len()), ("p", &None, 1));
        let ancestors = resources.read(GetAncestors { project: project.id.clone() }).await.unwrap();
        assert_eq!(*ancestors, [id("da"), id("d")]);
    }

    async fn a_name_is_taken_once_in_a_domain_and_once_among_the_domains(db: TestDb) {
        let resources = provider(&Bench::new(&db).await);
        tree(&db).await;

        let deeper = new(json!({"name": "a", "domain_id": "d", "parent_id": "dab"}));
        assert!(text(resources.send(deeper).await).contains("in the same domain: name is a, project id "));
        assert!(resources.send(new(json!({"name": "b", "domain_id": "e"}))).await.is_ok());
        assert!(resources.send(new(json!({"name": "a", "is_domain": true}))).await.is_ok());
        let domain = CreateDomain { domain: from_value(json!({"name": "a"})).unwrap() };
        assert!(text(resources.send(domain).await).ends_with("acting as domains with the same name: a."));
        let rename = resources.send(patch("dab", json!({"name": "a"}))).await;
        assert!(matches!(rename, Err(Error::NameTaken { is_domain: false, .. })));
    }

    async fn a_project_has_its_place_in_the_tree(db: TestDb) {
        let resources = provider(&Bench::new(&db).await);
        tree(&db).await;
        db.execute("UPDATE project SET enabled = false WHERE id = 'dab'").await;
        let try_below = async |domain: &str, parent: &str| {
            text(resources.send(new(json!({"name": "new", "domain_id": domain, "parent_id": parent}))).await)
        };

        assert_eq!(try_below("zz", "da").await, "Could not find domain: zz.");
        assert_eq!(try_below("da", "da").await, "Could not find domain: da.");
        assert_eq!(try_below("d", "zz").await, "Could not find project: zz.");
        assert!(try_below("e", "da").await.contains("specifies a parent in a different domain (d)"));
        assert!(try_below("e", "d").await.contains("(d) is acting as a domain"));
        assert_eq!(
            try_below("d", "dabc").await,
            "cannot create a project in a branch containing a disabled project: dab"
        );
        db.execute("UPDATE project SET enabled = true WHERE id = 'dab'").await;
        db.execute("INSERT INTO project (id, name, enabled, domain_id, parent_id, is_domain) \
                    VALUES ('4', '4', true, 'd', 'dabc', false), ('5', '5', true, 'd', '4', false)").await;
        assert_eq!(try_below("d", "5").await, "Max hierarchy depth reached for 5 branch.");
        assert_eq!(try_below("d", "4").await, "ok");
    }

    async fn a_renamed_project_is_never_read_under_its_old_name(db: TestDb) {
        let resources = provider(&Bench::new(&db).await);
        tree(&db).await;
        let find = |name: &str| FindProject { name: name.into(), domain_id: "d".into() };
        resources.read(find("a")).await.unwrap(); // cached from here on

        resources.send(patch("da", json!({"name": "z", "tags": ["t"], "options": {"immutable": true}}))).await.unwrap();

        assert_eq!(text(resources.read(find("a")).await), "Could not find project: a.");
        let project = resources.read(find("z")).await.unwrap();
        assert_eq!((&project.tags, project.options.immutable), (&vec!["t".to_owned()], Some(true)));
        assert!(matches!(resources.send(patch("da", json!({"name": "a"}))).await, Err(Error::Immutable { .. })));
        assert!(text(resources.send(patch("zz", json!({}))).await).starts_with("Could not find project"));
    }

    async fn what_is_below_is_disabled_first_and_what_is_above_is_enabled_first(db: TestDb) {
        let resources = provider(&Bench::new(&db).await);
        tree(&db).await;
        let switch = async |id: &str, on: bool| text(resources.send(patch(id, json!({"enabled": on}))).await);

        assert_eq!(
            switch("da", false).await,
            "Cannot disable project da since its subtree contains enabled projects."
        );
        for project in ["dabc", "dab", "da"] {
            assert_eq!(switch(project, false).await, "ok");
        }
        assert_eq!(switch("dabc", true).await, "Cannot enable project dabc since it has disabled parents");
        for project in ["da", "dab", "dabc"] {
            assert_eq!(switch(project, true).await, "ok");
        }

        // A domain is disabled whatever is in it, and what is in it isn't.
        assert_eq!(switch("d", false).await, "ok");
        assert!(enabled(&resources, "da").await);
        assert!(!resources.read(GetDomain { id: "d".into() }).await.unwrap().enabled);
    }

    async fn nothing_is_created_below_what_is_disabled_at_the_same_time(db: TestDb) {
        let resources = provider(&Bench::new(&db).await);
        tree(&db).await;
        for round in 0..10 {
            let parent = new(json!({"name": format!("parent {round}"), "domain_id": "d"}));
            let parent = resources.send(parent).await.unwrap().id.clone();
            let child = json!({"name": format!("child {round}"), "domain_id": "d", "parent_id": parent});

            let (created, disabled) = futures_util::join!(
                resources.send(new(child)),
                resources.send(patch(parent.as_str(), json!({"enabled": false})))
            );

            assert!(created.is_ok() != disabled.is_ok(), "{} {}", text(created), text(disabled));
        }
    }

    async fn tags_are_edited_one_by_one_or_all(db: TestDb) {
        let resources = provider(&Bench::new(&db).await);
        tree(&db).await;
        let edit = async |edit| resources.send(EditTags { project: id("da"), edit }).await.unwrap();

        edit(TagEdit::Add("x".into())).await;
        edit(TagEdit::Add("y".into())).await;
        assert_eq!(edit(TagEdit::Remove("x".into())).await.tags, ["y"]);
        edit(TagEdit::Replace(vec!["b".into(), "a".into()])).await;
        let read = resources.read(GetProject { id: id("da") }).await.unwrap();
        assert_eq!(read.tags, ["a", "b"]);
        let unknown = EditTags { project: id("zz"), edit: TagEdit::Replace(Vec::new()) };
        assert!(matches!(resources.send(unknown).await, Err(Error::NotFound(_))));
    }

    async fn a_domain_is_created_changed_and_no_project(db: TestDb) {
        let resources = provider(&Bench::new(&db).await);
        tree(&db).await;
        let own = "0ddf9a1e4b544ac6b1fb5ba6bbc0d9a3";
        let domain = || CreateDomain { domain: from_value(json!({"name": "F", "explicit_domain_id": own})).unwrap() };
        let created = resources.send(domain()).await.unwrap();
        assert_eq!(*created, *resources.read(GetDomain { id: own.into() }).await.unwrap());
        assert!(matches!(resources.send(domain()).await, Err(Error::NameTaken { is_domain: true, .. })));

        let patch = |id: &str| UpdateDomain { id: id.into(), patch: from_value(json!({"name": "G"})).unwrap() };
        assert_eq!(resources.send(patch(own)).await.unwrap().name, "G");
        assert_eq!(text(resources.send(patch("da")).await), "Could not find domain: da.");
        assert!(text(resources.read(FindDomain { name: "F".into() }).await).starts_with("Could not find"));
    }
}
