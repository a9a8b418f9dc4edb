//! However long a list is, it costs the same number of SQL statements. The server counts them itself:
//! `keystone_pool_statements_total`.

mod seed;

use std::collections::BTreeMap;

use awc::http::Method;
use serde_json::{Value, json};

use crate::support::cloud::Builder;
use crate::support::login::token;
use crate::support::{Api, Cloud, Scope, Session, scoped};
use crate::testdb::each_database;

/// Of every kind. What is asked for at once, projects and domains together say, is less than a thousand of
/// the greater: so many rows are read at a time, and each further thousand may take a statement more.
const FEW: usize = 10;
const MANY: usize = 400;

/// Times that a request is counted; the least counts, since whoever waits for a lock takes statements
/// more, and so does the node itself, which looks once a second how its database is.
const TIMES: usize = 3;

/// Times that one is counted which seems to take more than it should.
const MOST_TIMES: usize = 30;

/// What is asked, and the list in the answer that has to have all of its kind.
const LISTS: [(&str, &str); 57] = [
    ("/v3/users", "/users"),
    ("/v3/users?name__contains=u0", "/users"),
    ("/v3/users?name__icontains=U0", "/users"),
    ("/v3/users?domain_id=default&enabled=true", "/users"),
    ("/v3/users?name=u0003", ""),
    ("/v3/users/u0000/groups", "/groups"),
    ("/v3/users/u0000/projects", "/projects"),
    (
        "/v3/users/{admin}/application_credentials",
        "/application_credentials",
    ),
    ("/v3/users/{admin}/access_rules", "/access_rules"),
    ("/v3/groups", "/groups"),
    ("/v3/groups?name__contains=g0", "/groups"),
    ("/v3/groups/g0000/users", "/users"),
    ("/v3/groups/g0000/users?name__startswith=u0", "/users"),
    ("/v3/projects", "/projects"),
    ("/v3/projects?name__contains=p0", "/projects"),
    ("/v3/projects?domain_id=default", "/projects"),
    ("/v3/projects/p0000?subtree_as_list&include_limits", ""),
    ("/v3/projects/p0000?subtree_as_ids", ""),
    ("/v3/projects/p0009?parents_as_list", ""),
    ("/v3/projects/p0009?parents_as_ids", ""),
    ("/v3/domains", "/domains"),
    ("/v3/auth/projects", "/projects"),
    ("/v3/auth/domains", "/domains"),
    ("/v3/auth/catalog", "/catalog"),
    ("/v3/roles", "/roles"),
    ("/v3/roles/{reader}/implies", ""),
    ("/v3/role_inferences", "/role_inferences"),
    ("/v3/role_assignments", "/role_assignments"),
    ("/v3/role_assignments?include_names", "/role_assignments"),
    ("/v3/role_assignments?user.id=u0000", "/role_assignments"),
    ("/v3/role_assignments?role.id={reader}", "/role_assignments"),
    (
        "/v3/role_assignments?scope.project.id=p0000",
        "/role_assignments",
    ),
    (
        "/v3/role_assignments?scope.project.id=p0000&include_subtree",
        "/role_assignments",
    ),
    ("/v3/role_assignments?effective", "/role_assignments"),
    (
        "/v3/role_assignments?effective&include_names",
        "/role_assignments",
    ),
    (
        "/v3/role_assignments?effective&user.id=u0000",
        "/role_assignments",
    ),
    (
        "/v3/role_assignments?effective&role.id={reader}",
        "/role_assignments",
    ),
    (
        "/v3/role_assignments?effective&scope.project.id=p0000&include_subtree&include_names",
        "/role_assignments",
    ),
    ("/v3/projects/p0001/users/u0001/roles", "/roles"),
    ("/v3/services", "/services"),
    ("/v3/endpoints", "/endpoints"),
    ("/v3/regions", "/regions"),
    ("/v3/OS-EP-FILTER/projects/p0000/endpoints", "/endpoints"),
    ("/v3/OS-EP-FILTER/endpoints/e0000/projects", "/projects"),
    (
        "/v3/OS-EP-FILTER/projects/p0000/endpoint_groups",
        "/endpoint_groups",
    ),
    ("/v3/OS-EP-FILTER/endpoint_groups", "/endpoint_groups"),
    ("/v3/policies", "/policies"),
    ("/v3/registered_limits", "/registered_limits"),
    ("/v3/limits", "/limits"),
    ("/v3/OS-TRUST/trusts?trustor_user_id={admin}", "/trusts"),
    ("/v3/credentials", "/credentials"),
    ("/v3/users/{admin}/credentials/OS-EC2", "/credentials"),
    ("/v3/OS-OAUTH1/consumers", "/consumers"),
    (
        "/v3/OS-FEDERATION/identity_providers",
        "/identity_providers",
    ),
    ("/v3/OS-FEDERATION/mappings", "/mappings"),
    ("/v3/OS-FEDERATION/service_providers", "/service_providers"),
    (
        "/v3/OS-FEDERATION/identity_providers/idp0000/protocols",
        "/protocols",
    ),
];

/// The statements that providers have sent so far; not those of whoever follows other nodes, who works in
/// the background.
async fn statements(metrics: &Api) -> u64 {
    let answer = metrics.get("/metrics").await.expect(200);
    let text = String::from_utf8_lossy(answer.bytes()).into_owned();
    let of_pools = text.lines().filter_map(|line| {
        let line = line.strip_prefix("keystone_pool_statements_total{pool=\"")?;
        let (pool, count) = line.split_once("\"} ")?;
        (pool != "revocation").then(|| count.parse::<f64>().unwrap() as u64)
    });
    of_pools.sum()
}

/// What something takes at least; it may take `due`, where that is known.
async fn cost(metrics: &Api, due: Option<&u64>, mut ask: impl AsyncFnMut()) -> u64 {
    // The first fills what is kept, and prepares what is asked.
    ask().await;
    let mut least = u64::MAX;
    for times in 0..MOST_TIMES {
        if times >= TIMES && due.is_none_or(|due| least <= *due) {
            break;
        }
        let before = statements(metrics).await;
        ask().await;
        least = least.min(statements(metrics).await - before);
    }
    least
}

/// The ID of a credential of the admin's, of which others are copies.
async fn sealed(cloud: &Cloud<'_>) -> String {
    let admin = cloud.api().admin().await;
    let credential = json!({
        "type": "ec2",
        "blob": r#"{"access": "a", "secret": "s"}"#,
        "project_id": "p0000",
        "user_id": admin.text("/user/id"),
    });
    let body = json!({ "credential": credential });
    let made = admin.post("/v3/credentials", &body).await.expect(201);
    made.json()["credential"]["id"].as_str().unwrap().to_owned()
}

/// What everything takes that the server can be asked, with so many of each kind; and what it may take.
async fn costs(
    cloud: &Cloud<'_>,
    of_each: usize,
    due: &BTreeMap<String, u64>,
) -> BTreeMap<String, u64> {
    let (api, metrics) = (cloud.api(), &cloud.metrics());
    let admin = api.admin().await;
    let reader = admin.get("/v3/roles?name=reader").await.expect(200).json();
    let reader = reader["roles"][0]["id"].as_str().unwrap().to_owned();
    let mut costs = BTreeMap::new();
    for (path, list) in LISTS {
        let path = path.replace("{admin}", admin.text("/user/id"));
        let path = path.replace("{reader}", &reader);
        let get = async || {
            let body = admin.get(&path).await.expect(200).json();
            let found = body.pointer(list).and_then(Value::as_array);
            let found = found.map_or(usize::MAX, Vec::len);
            assert!(found >= of_each, "{path}: {found} of {of_each}");
        };
        let cost = cost(metrics, due.get(&path), get).await;
        costs.insert(path.clone(), cost);
    }
    let user = api.login("u0000", Scope::Unscoped).await;
    costs.extend(of_tokens(metrics, &admin, &user, due).await);
    costs
}

/// What a token takes in the midst of the tree, where a role is inherited, and by it others are implied.
async fn of_tokens(
    metrics: &Api,
    admin: &Session,
    user: &Session,
    due: &BTreeMap<String, u64>,
) -> [(String, u64); 2] {
    let body = scoped(token(user.token()), Scope::Project("p0009"));
    let issue = async || {
        user.request(Method::POST, "/v3/auth/tokens")
            .json(&body)
            .send()
            .await
            .expect(201)
    };
    let issued = issue().await;
    let subject = issued.header("X-Subject-Token").unwrap().to_owned();
    let roles = issued.json()["token"]["roles"].as_array().unwrap().len();
    assert_eq!(roles, 3, "manager, member, reader");
    let issuing = async || {
        issue().await;
    };
    let validating = async || {
        admin.validate(&subject).await.expect(200);
    };
    let (issued, validated) = ("a token is issued", "a token is validated");
    [
        (
            issued.to_owned(),
            cost(metrics, due.get(issued), issuing).await,
        ),
        (
            validated.to_owned(),
            cost(metrics, due.get(validated), validating).await,
        ),
    ]
}

each_database! {
    async fn a_long_list_takes_as_many_statements_as_a_short_one(db: TestDb) {
        // Nothing is kept but what is needed again at once.
        let builder = Builder::new(&db)
            .set("cache_coherence", "entries", 0)
            .set("cache_coherence", "foreign_writers", false)
            // However late it looks what other nodes have changed, it takes no statement more.
            .set("cache_coherence", "trust_window", 60)
            .seed([seed::world(), seed::grow(0..FEW)].concat());
        let mut cloud = builder.start().await;
        let sealed = sealed(&cloud).await;
        cloud.execute(&seed::copies(&sealed, 0..FEW)).await;
        let few = costs(&cloud, FEW, &BTreeMap::new()).await;

        cloud.stop().await;
        cloud.execute(&[seed::grow(FEW..MANY), seed::copies(&sealed, FEW..MANY)].concat()).await;
        cloud.start_again().await;
        let many = costs(&cloud, MANY, &few).await;

        let more = few.iter().filter(|(what, cost)| many[*what] > **cost);
        let more: Vec<_> = more.map(|(what, few)| format!("{what}: {few}, of many {}", many[what])).collect();
        assert!(more.is_empty(), "{}", more.join("\n"));
    }
}
