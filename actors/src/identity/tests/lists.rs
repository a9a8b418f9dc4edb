use super::*;
use crate::listing::{Comparator, Page, TextFilter};
use crate::testdb::each_database;

fn text_filter(comparator: Comparator, ignore_case: bool, value: &str) -> TextFilter {
    TextFilter {
        comparator,
        ignore_case,
        value: value.to_owned(),
    }
}

fn named(filter: TextFilter) -> UserFilter {
    UserFilter {
        name: vec![filter],
        ..UserFilter::default()
    }
}

/// The IDs of the users that match, and whether the page is full.
async fn page(
    identity: &Handle<IdentityProvider>,
    filter: UserFilter,
    marker: Option<&str>,
    limit: Option<usize>,
) -> (Vec<String>, bool) {
    let marker = marker.map(str::to_owned);
    let page = Page { marker, limit };
    let listed = identity.read(ListUsers { filter, page }).await.unwrap();
    let ids = listed.members.iter().map(|user| user.id.to_string());
    (ids.collect(), listed.full)
}

async fn ids(identity: &Handle<IdentityProvider>, filter: UserFilter) -> Vec<String> {
    page(identity, filter, None, None).await.0
}

/// More than a statement reads at once, and than `[DEFAULT] max_db_limit` is.
const MANY: usize = 1001;

/// The IDs of the users in the group `g` that match, and whether there are more.
async fn members(
    identity: &Handle<IdentityProvider>,
    filter: UserFilter,
    marker: Option<&str>,
    limit: Option<usize>,
) -> (Vec<String>, bool) {
    let marker = marker.map(str::to_owned);
    let list = ListUsersInGroup {
        group: "g".into(),
        filter,
        page: Page { marker, limit },
        after: None,
    };
    let listed = identity.read(list).await.unwrap();
    let ids = listed.members.iter().map(|user| user.id.to_string());
    (ids.collect(), listed.full)
}

/// `a` to `c` in `d`, local; `e1` in `e`, local and disabled; `fed` in `d`, federated as Fred, and
/// `dir` in `d`, from a directory, as Doris.
async fn some(db: &TestDb, identity: &Handle<IdentityProvider>) {
    federation(db, "10").await;
    for (id, name) in [("a", "Anna"), ("b", "bAnNe"), ("c", "100%_c")] {
        identity
            .send(new_user(id, json!({"name": name})))
            .await
            .unwrap();
    }
    let elsewhere = json!({"name": "Anna", "domain_id": "e", "enabled": false});
    identity.send(new_user("e1", elsewhere)).await.unwrap();
    for id in ["fed", "dir"] {
        db.execute(&format!(
            r#"INSERT INTO "user" (id, enabled, domain_id) VALUES ('{id}', true, 'd')"#
        ))
        .await;
    }
    for (protocol, unique) in [("saml", "f1"), ("oidc", "f2")] {
        db.execute(&format!(
            "INSERT INTO federated_user (user_id, idp_id, protocol_id, unique_id, display_name)
             VALUES ('fed', 'idp', '{protocol}', '{unique}', 'Fred')"
        ))
        .await;
    }
    db.execute("INSERT INTO nonlocal_user (user_id, domain_id, name) VALUES ('dir', 'd', 'Doris')")
        .await;
}

each_database! {
    async fn users_are_listed_in_pages(db: TestDb) {
        let (identity, _bench) = provider(&db, settings()).await;
        some(&db, &identity).await;
        let all = UserFilter::default;

        assert_eq!(ids(&identity, all()).await, ["a", "b", "c", "dir", "e1", "fed"]);
        assert_eq!(page(&identity, all(), None, Some(4)).await, (["a", "b", "c", "dir"].map(String::from).to_vec(), true));
        assert_eq!(page(&identity, all(), Some("dir"), Some(4)).await, (["e1", "fed"].map(String::from).to_vec(), false));
        let page = Page { marker: Some("x".to_owned()), limit: None };
        let lost = identity.read(ListUsers { filter: all(), page }).await;
        assert_eq!(text(lost), "Marker x could not be found.");
    }

    async fn a_listed_user_is_whole(db: TestDb) {
        let (identity, _bench) = provider(&db, IdentitySettings { password_expires_days: Some(1), ..settings() }).await;
        federation(&db, "10").await;
        let body = json!({"name": "alice", "password": "right", "options": {"lock_password": true}, "email": "a@example.org",
            "federated": [{"idp_id": "idp", "protocols": [{"protocol_id": "saml", "unique_id": "a"}]}]});
        let created = identity.send(new_user("alice", body)).await.unwrap();
        let listed = identity.read(ListUsers { filter: UserFilter::default(), page: Page::default() }).await.unwrap();
        assert_eq!(listed.members, [created]);
    }

    async fn names_are_compared_exactly_and_inexactly(db: TestDb) {
        use Comparator::{Contains, EndsWith, Equals, StartsWith};
        let (identity, _bench) = provider(&db, settings()).await;
        some(&db, &identity).await;
        let found = async |comparator, ignore_case, value: &str| ids(&identity, named(text_filter(comparator, ignore_case, value))).await;

        assert_eq!(found(Equals, false, "Anna").await, ["a", "e1"]);
        assert_eq!(found(Equals, false, "Fred").await, ["fed"]);
        assert_eq!(found(Equals, false, "Doris").await, ["dir"]);
        assert_eq!(found(Contains, true, "ann").await, ["a", "b", "e1"]);
        assert_eq!(found(Contains, false, "ann").await, Vec::<String>::new());
        assert_eq!(found(Contains, false, "nn").await, ["a", "e1"]);
        assert_eq!(found(StartsWith, true, "AN").await, ["a", "e1"]);
        assert_eq!(found(StartsWith, false, "An").await, ["a", "e1"]);
        assert_eq!(found(EndsWith, true, "NE").await, ["b"]);
        assert_eq!(found(EndsWith, false, "Ne").await, ["b"]);
        assert_eq!(found(StartsWith, false, "F").await, ["fed"]);
        // Wildcards mean themselves.
        assert_eq!(found(Contains, true, "0%_").await, ["c"]);
        assert_eq!(found(Contains, true, "%nn%").await, Vec::<String>::new());
        assert_eq!(found(Contains, true, "\\").await, Vec::<String>::new());
        assert_eq!(found(Contains, true, "'; --").await, Vec::<String>::new());
        // No such name fits the column.
        let long = "x".repeat(300);
        assert_eq!(found(Contains, true, long.as_str()).await, Vec::<String>::new());
        assert_eq!(found(Equals, false, long.as_str()).await, Vec::<String>::new());
        // Both of two have to hold.
        let both = UserFilter { name: vec![TextFilter::equals("Anna"), TextFilter::equals("Fred")], ..UserFilter::default() };
        assert_eq!(ids(&identity, both).await, Vec::<String>::new());
    }

    async fn a_page_that_heeds_case_is_cut_behind_what_matches(db: TestDb) {
        let (identity, _bench) = provider(&db, settings()).await;
        for (id, name) in [("1", "pA"), ("2", "qa"), ("3", "ra"), ("4", "sa")] {
            identity.send(new_user(id, json!({"name": name}))).await.unwrap();
        }
        let filter = || named(text_filter(Comparator::EndsWith, false, "a"));
        assert_eq!(page(&identity, filter(), None, Some(2)).await, (["2", "3"].map(String::from).to_vec(), true));
        assert_eq!(page(&identity, filter(), Some("3"), Some(2)).await, (["4"].map(String::from).to_vec(), false));
    }

    async fn users_are_filtered_by_domain_and_enabled(db: TestDb) {
        let (identity, _bench) = provider(&db, settings()).await;
        some(&db, &identity).await;
        let domain = |filter| UserFilter { domain_id: vec![filter], ..UserFilter::default() };
        let enabled = |enabled: &[bool]| UserFilter { enabled: enabled.to_vec(), ..UserFilter::default() };

        assert_eq!(ids(&identity, domain(TextFilter::equals("e"))).await, ["e1"]);
        assert_eq!(ids(&identity, domain(text_filter(Comparator::Contains, false, "E"))).await, Vec::<String>::new());
        assert_eq!(ids(&identity, domain(TextFilter::equals("x"))).await, Vec::<String>::new());
        assert_eq!(ids(&identity, enabled(&[false])).await, ["e1"]);
        assert_eq!(ids(&identity, enabled(&[true])).await.len(), 5);
        assert_eq!(ids(&identity, enabled(&[true, false])).await, Vec::<String>::new());
        let both = UserFilter { domain_id: vec![TextFilter::equals("d")], ..named(TextFilter::equals("Anna")) };
        assert_eq!(ids(&identity, both).await, ["a"]);
    }

    async fn federated_users_are_filtered_by_where_they_come_from(db: TestDb) {
        let (identity, _bench) = provider(&db, settings()).await;
        some(&db, &identity).await;
        let filter = |idp: &[&str], protocol: &[&str], unique: &[&str]| {
            let own = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
            UserFilter { idp_id: own(idp), protocol_id: own(protocol), unique_id: own(unique), ..UserFilter::default() }
        };

        assert_eq!(page(&identity, filter(&["idp"], &[], &[]), None, Some(1)).await, (vec!["fed".to_owned()], true));
        assert_eq!(ids(&identity, filter(&["x"], &[], &[])).await, Vec::<String>::new());
        assert_eq!(ids(&identity, filter(&[], &["oidc"], &["f2"])).await, ["fed"]);
        assert_eq!(ids(&identity, filter(&[], &["oidc"], &["f1"])).await, Vec::<String>::new());
        let other = UserFilter { name: vec![TextFilter::equals("Anna")], ..filter(&["idp"], &[], &[]) };
        assert_eq!(ids(&identity, other).await, Vec::<String>::new());
    }

    async fn users_are_filtered_by_when_a_password_expires(db: TestDb) {
        use TimeComparison::{After, Before, Equal, NotAfter, NotBefore, NotEqual};
        let (identity, _bench) = provider(&db, IdentitySettings { password_expires_days: Some(1), ..settings() }).await;
        for (id, now) in [("a", NOW), ("b", NOW + 1)] {
            let create = new_user(id, json!({"name": id, "password": "right"}));
            identity.send(CreateUser { now, ..create }).await.unwrap();
        }
        identity.send(new_user("never", json!({"name": "never"}))).await.unwrap();
        let found = async |comparison| {
            let time = (NOW + DAY) * 1_000_000;
            let password_expires_at = vec![ExpiryFilter { comparison, time }];
            ids(&identity, UserFilter { password_expires_at, ..UserFilter::default() }).await
        };

        assert_eq!(found(Before).await, Vec::<String>::new());
        assert_eq!(found(NotAfter).await, ["a"]);
        assert_eq!(found(Equal).await, ["a"]);
        assert_eq!(found(NotEqual).await, ["b"]);
        assert_eq!(found(After).await, ["b"]);
        assert_eq!(found(NotBefore).await, ["a", "b"]);
    }

    async fn the_users_of_a_group_are_those_that_are_in_it_for_good(db: TestDb) {
        let (identity, _bench) = provider(&db, settings()).await;
        some(&db, &identity).await;
        group(&identity, "g").await;
        for id in ["a", "b", "e1"] {
            add(&identity, "g", id).await.unwrap();
        }
        add_for_a_time(&db, "g", "fed").await;
        let all = UserFilter::default;
        let list = async |filter: UserFilter, limit| members(&identity, filter, None, limit).await;
        let behind = async |marker: &str, limit| members(&identity, all(), Some(marker), limit).await;
        let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();

        assert_eq!(list(all(), None).await.0, ["a", "b", "e1"]);
        assert_eq!(list(all(), Some(2)).await, (ids(&["a", "b"]), true));
        assert_eq!(behind("b", Some(2)).await, (ids(&["e1"]), false));
        assert_eq!(behind("a", Some(2)).await, (ids(&["b", "e1"]), false));
        assert_eq!(list(named(TextFilter::equals("Anna")), None).await.0, ["a", "e1"]);
        let list = |group: &str, marker: Option<&str>| {
            let page = Page { marker: marker.map(str::to_owned), limit: None };
            identity.read(ListUsersInGroup { group: group.into(), filter: all(), page, after: None })
        };
        assert_eq!(text(list("x", None).await), "Could not find group: x.");
        assert_eq!(text(list("g", Some("x")).await), "Marker x could not be found.");
    }

    async fn of_a_large_group_nobody_is_lost(db: TestDb) {
        let (identity, _bench) = provider(&db, settings()).await;
        group(&identity, "g").await;
        let rows = |row: &dyn Fn(usize) -> String| (0..MANY).map(row).collect::<Vec<_>>().join(", ");
        let users = rows(&|n| format!("('u{n:04}', '{{}}', true, 'd')"));
        db.execute(&format!(r#"INSERT INTO "user" (id, extra, enabled, domain_id) VALUES {users}"#)).await;
        let members_of = rows(&|n| format!("('u{n:04}', 'g')"));
        db.execute(&format!("INSERT INTO user_group_membership (user_id, group_id) VALUES {members_of}")).await;
        let list = async |marker: Option<&str>, limit| members(&identity, UserFilter::default(), marker, limit).await;

        let (all, full) = list(None, None).await;
        assert_eq!((all.len(), full), (MANY, false));
        assert!(!list(None, Some(MANY)).await.1);
        let (first, full) = list(None, Some(MANY - 1)).await;
        assert_eq!((first.len(), full), (MANY - 1, true));
        let (rest, full) = list(first.last().map(String::as_str), Some(MANY - 1)).await;
        assert_eq!((rest, full), (vec![format!("u{:04}", MANY - 1)], false));

        // Whoever reads on is not lost where the last one of before is gone.
        db.execute("DELETE FROM user_group_membership WHERE user_id = 'u0998'").await;
        db.execute(r#"DELETE FROM "user" WHERE id = 'u0998'"#).await;
        let page = Page { limit: Some(MANY), ..Page::default() };
        let filter = UserFilter::default();
        let list = ListUsersInGroup { group: "g".into(), filter, page, after: Some("u0998".into()) };
        let rest = identity.read(list).await.unwrap();
        let ids: Vec<_> = rest.members.iter().map(|user| user.id.as_str()).collect();
        assert_eq!((ids, rest.full), (vec!["u0999", "u1000"], false));
    }

    async fn groups_are_listed_in_pages_and_filtered(db: TestDb) {
        let (identity, _bench) = provider(&db, settings()).await;
        for id in ["a", "aB", "b"] {
            group(&identity, id).await;
        }
        let list = async |name: Option<TextFilter>, marker: Option<&str>, limit| {
            let filter = GroupFilter { name: name.into_iter().collect(), domain_id: vec![TextFilter::equals("d")] };
            let page = Page { marker: marker.map(str::to_owned), limit };
            let listed = identity.read(ListGroups { filter, page }).await?;
            let ids: Vec<_> = listed.members.iter().map(|group| group.id.to_string()).collect();
            Ok::<_, Error>((ids, listed.full))
        };
        let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        let heeding = text_filter(Comparator::Contains, false, "b");
        let ignoring = text_filter(Comparator::Contains, true, "b");

        assert_eq!(list(None, None, Some(2)).await.unwrap(), (ids(&["a", "aB"]), true));
        assert_eq!(list(None, Some("aB"), Some(2)).await.unwrap(), (ids(&["b"]), false));
        assert_eq!(list(Some(heeding), None, Some(1)).await.unwrap(), (ids(&["b"]), true));
        assert_eq!(list(Some(ignoring), None, None).await.unwrap().0, ids(&["aB", "b"]));
        assert_eq!(text(list(None, Some("x"), None).await), "Marker x could not be found.");
    }
}
