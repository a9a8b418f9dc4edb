use super::*;
use crate::testdb::each_database;

each_database! {
    async fn a_project_is_read_with_all_that_belongs_to_it(db: TestDb) {
        let resources = provider(&Bench::new(&db).await);
        tree(&db).await;
        db.execute("UPDATE project SET extra = '{\"colour\": [1]}', description = 'text' WHERE id = 'dab'").await;
        db.execute("INSERT INTO project_tag (project_id, name) VALUES ('dab', 'x'), ('dab', 'y')").await;
        db.execute("INSERT INTO project_option (project_id, option_id, option_value) VALUES ('dab', 'IMMU', 'true')").await;

        let project = resources.read(GetProject { id: id("dab") }).await.unwrap();

        assert_eq!(
            serde_json::to_value(&*project).unwrap(),
            serde_json::json!({
                "colour": [1], "id": "dab", "name": "b", "domain_id": "d", "description": "text", "enabled": true,
                "parent_id": "da", "is_domain": false, "tags": ["x", "y"], "options": {"immutable": true},
            })
        );
        assert!(matches!(resources.read(GetProject { id: id("zz") }).await, Err(Error::NotFound(_))));
    }

    async fn a_domain_is_a_project_but_a_project_is_no_domain(db: TestDb) {
        let resources = provider(&Bench::new(&db).await);
        tree(&db).await;

        let domain = resources.read(GetDomain { id: "d".into() }).await.unwrap();
        assert_eq!(domain.name, "D");
        assert!(resources.read(GetProject { id: id("d") }).await.unwrap().is_domain);
        for other in ["da", "D", "zz", "<<keystone.domain.root>>"] {
            let found = resources.read(GetDomain { id: other.into() }).await;
            assert!(matches!(found, Err(Error::DomainNotFound(_))), "{other}");
        }
    }

    async fn a_name_is_looked_up_among_the_domains_or_in_one_of_them(db: TestDb) {
        let resources = provider(&Bench::new(&db).await);
        tree(&db).await;
        let project = |name: &str, domain: &str| FindProject { name: name.into(), domain_id: domain.into() };

        assert_eq!(resources.read(project("a", "d")).await.unwrap().id, id("da"));
        assert_eq!(resources.read(project("a", "e")).await.unwrap().id, id("ea"));
        assert_eq!(resources.read(FindDomain { name: "E".into() }).await.unwrap().id.as_str(), "e");
        for (name, domain) in [("b", "e"), ("D", "d"), ("D", "<<keystone.domain.root>>")] {
            assert!(matches!(resources.read(project(name, domain)).await, Err(Error::NotFound(_))));
        }
        for name in ["a", "<<keystone.domain.root>>"] {
            let found = resources.read(FindDomain { name: name.into() }).await;
            assert!(matches!(found, Err(Error::DomainNotFound(_))));
        }
    }

    async fn ancestors_lead_from_the_nearest_to_the_domain(db: TestDb) {
        let resources = provider(&Bench::new(&db).await);
        tree(&db).await;
        let above = async |project| resources.read(GetAncestors { project: id(project) }).await;

        assert_eq!(*above("dabc").await.unwrap(), [id("dab"), id("da"), id("d")]);
        assert_eq!(*above("ea").await.unwrap(), [id("e")]);
        assert!(above("d").await.unwrap().is_empty());
        assert!(matches!(above("zz").await, Err(Error::NotFound(_))));
    }

    async fn descendants_are_all_that_is_below(db: TestDb) {
        let resources = provider(&Bench::new(&db).await);
        tree(&db).await;
        let below = async |of: &[&str]| {
            let of = of.iter().copied().map(id).collect();
            let found = resources.read(GetDescendants { of }).await.unwrap();
            found.into_iter().map(|project| project.id.to_string()).collect::<Vec<_>>()
        };

        assert_eq!(below(&["d"]).await, ["da", "dab", "dabc"]);
        assert_eq!(below(&["dab", "e", "da"]).await, ["dab", "dabc", "ea"]);
        assert!(below(&["dabc"]).await.is_empty());
        assert!(below(&[]).await.is_empty());
    }

    async fn a_loop_in_the_tree_ends(db: TestDb) {
        let resources = provider(&Bench::new(&db).await);
        tree(&db).await;
        db.execute("UPDATE project SET parent_id = 'dabc' WHERE id = 'da'").await;

        let above = resources.read(GetAncestors { project: id("dab") }).await.unwrap();
        let below = resources.read(GetDescendants { of: vec![id("dab")] }).await.unwrap();

        assert_eq!(*above, [id("da"), id("dabc"), id("dab")]);
        assert_eq!(below.len(), 3);
    }
}
