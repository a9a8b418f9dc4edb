use super::*;
use crate::listing::{Comparator, Page, TextFilter};
use crate::testdb::each_database;

async fn listed(resources: &Handle<ResourceProvider>, filter: ProjectFilter) -> Vec<String> {
    page(resources, filter, None, None).await.0
}

async fn page(
    resources: &Handle<ResourceProvider>,
    filter: ProjectFilter,
    marker: Option<&str>,
    limit: Option<usize>,
) -> (Vec<String>, bool) {
    let page = Page {
        marker: marker.map(str::to_owned),
        limit,
    };
    let found = resources.read(ListProjects { filter, page }).await.unwrap();
    let ids = found.members.iter().map(|project| project.id.to_string());
    (ids.collect(), found.full)
}

fn filter() -> ProjectFilter {
    ProjectFilter {
        is_domain: vec![false],
        ..ProjectFilter::default()
    }
}

fn inexact(comparator: Comparator, ignore_case: bool, value: &str) -> Vec<TextFilter> {
    vec![TextFilter {
        comparator,
        ignore_case,
        value: value.to_owned(),
    }]
}

fn tags(all: &[&str], any: &[&str], not_all: &[&str], not_any: &[&str]) -> ProjectFilter {
    let set = |tags: &[&str]| {
        let tags: Vec<String> = tags.iter().copied().map(str::to_owned).collect();
        (!tags.is_empty()).then_some(tags)
    };
    ProjectFilter {
        tags: TagFilter {
            all: set(all),
            any: set(any),
            not_all: set(not_all),
            not_any: set(not_any),
        },
        ..filter()
    }
}

each_database! {
    async fn each_filter_narrows_and_all_together(db: TestDb) {
        let resources = provider(&Bench::new(&db).await);
        tree(&db).await;
        db.execute("UPDATE project SET enabled = false, name = 'Bee_' WHERE id = 'dab'").await;
        let is = |value: &str| vec![TextFilter::equals(value)];

        assert_eq!(listed(&resources, filter()).await, ["da", "dab", "dabc", "ea"]);
        assert_eq!(listed(&resources, ProjectFilter { is_domain: vec![true], ..filter() }).await, ["d", "e"]);
        assert_eq!(listed(&resources, ProjectFilter { domain_id: is("d"), name: is("a"), ..filter() }).await, ["da"]);
        assert_eq!(listed(&resources, ProjectFilter { parent_id: is("dab"), ..filter() }).await, ["dabc"]);
        assert_eq!(listed(&resources, ProjectFilter { enabled: vec![false], ..filter() }).await, ["dab"]);
        assert_eq!(listed(&resources, ProjectFilter { enabled: vec![false, true], ..filter() }).await, [""; 0]);
        assert_eq!(listed(&resources, ProjectFilter { id: Some("e".into()), ..ProjectFilter::default() }).await, ["e"]);
        for (comparator, ignore_case, value, found) in [
            (Comparator::Contains, true, "bee", &["dab"][..]),
            (Comparator::Contains, false, "bee", &[]),
            (Comparator::StartsWith, false, "Bee", &["dab"]),
            (Comparator::EndsWith, true, "E_", &["dab"]),
            (Comparator::Contains, true, "_", &["dab"]),
            (Comparator::Contains, true, "\0", &[]),
        ] {
            let name = inexact(comparator, ignore_case, value);
            assert_eq!(listed(&resources, ProjectFilter { name, ..filter() }).await, found, "{value}");
        }
        // What domains have instead of a domain is nobody's business.
        let root = ProjectFilter { domain_id: inexact(Comparator::Contains, true, "root"), ..ProjectFilter::default() };
        assert_eq!(listed(&resources, root).await, [""; 0]);
    }

    async fn a_list_comes_in_pages(db: TestDb) {
        let resources = provider(&Bench::new(&db).await);
        tree(&db).await;
        let ids = |ids: &[&str]| ids.iter().copied().map(str::to_owned).collect::<Vec<_>>();

        assert_eq!(page(&resources, filter(), None, Some(2)).await, (ids(&["da", "dab"]), true));
        assert_eq!(page(&resources, filter(), Some("dab"), Some(3)).await, (ids(&["dabc", "ea"]), false));
        // A page is cut behind what matches, though the database alone can't tell.
        let name = inexact(Comparator::Contains, false, "a");
        let found = ProjectFilter { name, ..filter() };
        assert_eq!(page(&resources, found.clone(), None, Some(1)).await, (ids(&["da"]), true));
        assert_eq!(page(&resources, found, Some("da"), Some(2)).await, (ids(&["ea"]), false));
        let lost = ListProjects { filter: filter(), page: Page { marker: Some("zz".into()), limit: None } };
        assert!(matches!(resources.read(lost).await, Err(Error::MarkerNotFound(_))));
    }

    async fn more_projects_than_fit_in_a_statement_are_listed(db: TestDb) {
        let resources = provider(&Bench::new(&db).await);
        tree(&db).await;
        for batch in 0..5 {
            let values: Vec<String> = (0..500).map(|n| batch * 500 + n)
                .map(|n| format!("('p{n:04}', 'p{n:04}', true, 'd', 'd', false)")).collect();
            db.execute(&format!(
                "INSERT INTO project (id, name, enabled, domain_id, parent_id, is_domain) VALUES {}",
                values.join(", ")
            )).await;
        }
        db.execute("INSERT INTO project_tag (project_id, name) VALUES ('p0001', 'x'), ('p2499', 'x')").await;

        assert_eq!(listed(&resources, filter()).await.len(), 2504);
        assert_eq!(listed(&resources, tags(&["x"], &[], &[], &[])).await, ["p0001", "p2499"]);
        assert_eq!(listed(&resources, tags(&[], &[], &["x"], &[])).await.len(), 2502);
        let found = resources.read(GetDescendants { of: vec![id("d")] }).await.unwrap();
        assert_eq!(found.len(), 2503);
    }

    async fn tags_narrow_in_four_ways(db: TestDb) {
        let resources = provider(&Bench::new(&db).await);
        tree(&db).await;
        db.execute("INSERT INTO project_tag (project_id, name) VALUES \
                    ('da', 'x'), ('da', 'y'), ('dab', 'x'), ('dabc', 'z')").await;

        for (filter, found) in [
            (tags(&["x"], &[], &[], &[]), &["da", "dab"][..]),
            (tags(&["x", "y"], &[], &[], &[]), &["da"]),
            (tags(&["X"], &[], &[], &[]), &[]),
            (tags(&[], &["y", "z"], &[], &[]), &["da", "dabc"]),
            (tags(&[], &[], &["x", "y"], &[]), &["dab", "dabc", "ea"]),
            (tags(&[], &[], &[], &["x", "y"]), &["dabc", "ea"]),
            (tags(&["x"], &[], &["y"], &[]), &["dab"]),
            (tags(&[], &[], &["x", "y"], &["z"]), &["dab", "ea"]),
        ] {
            assert_eq!(listed(&resources, filter.clone()).await, found, "{:?}", filter.tags);
        }
    }

    async fn domains_are_listed_as_domains(db: TestDb) {
        let resources = provider(&Bench::new(&db).await);
        tree(&db).await;
        let list = async |filter: DomainFilter| {
            let found = resources.read(ListDomains { filter, page: Page::default() }).await.unwrap();
            found.members.iter().map(|domain| domain.name.clone()).collect::<Vec<_>>()
        };
        assert_eq!(list(DomainFilter::default()).await, ["D", "E"]);
        assert_eq!(list(DomainFilter { id: Some("e".into()), ..DomainFilter::default() }).await, ["E"]);
        assert_eq!(list(DomainFilter { id: Some("ea".into()), ..DomainFilter::default() }).await, [""; 0]);
        assert_eq!(list(DomainFilter { name: vec![TextFilter::equals("D")], ..DomainFilter::default() }).await, ["D"]);
    }
}
