use serde_json::{from_value, json};

use super::*;
use crate::catalog::{
    CreateEndpoint, CreateRegion, CreateService, DeleteEndpoint, DeleteRegion, DeleteService,
    NewRegion,
};
use crate::testdb::{TestDb, each_database};
use crate::testing::Bench;

/// A service with an endpoint in the lower of two regions.
struct Tests {
    policies: Handle<PolicyStoreProvider>,
    catalog: Handle<CatalogProvider>,
    service: ServiceId,
    endpoint: EndpointId,
}

impl Tests {
    async fn new(db: &TestDb) -> Self {
        let bench = Bench::new(db).await;
        let catalog = bench.start_catalog(true);
        for (id, parent) in [("upper", None), ("lower", Some("upper"))] {
            let region = NewRegion {
                parent_region_id: parent.map(RegionId::from),
                ..NewRegion::named(id.into())
            };
            catalog.send(CreateRegion { region }).await.unwrap();
        }
        let service = from_value(json!({"type": "compute"})).unwrap();
        let service = catalog.send(CreateService { service }).await.unwrap();
        let endpoint = from_value(json!({
            "interface": "public", "service_id": service.id, "region_id": "lower", "url": "http://h",
        }))
        .unwrap();
        let endpoint = catalog.send(CreateEndpoint { endpoint }).await.unwrap();
        Self {
            policies: bench.start(PolicyStoreProvider::new(
                bench.pool("policy"),
                catalog.clone(),
            )),
            catalog,
            service: service.id.clone(),
            endpoint: endpoint.endpoint.id.clone(),
        }
    }

    async fn policy(&self, kind: &str) -> PolicyId {
        let policy = from_value(json!({"blob": "{}", "type": kind})).unwrap();
        let policy = self.policies.send(CreatePolicy { policy }).await;
        policy.unwrap().id
    }

    fn targets(&self) -> [PolicyTarget; 4] {
        let in_region = |id: &str| PolicyTarget::ServiceInRegion(self.service.clone(), id.into());
        [
            PolicyTarget::Service(self.service.clone()),
            in_region("upper"),
            in_region("lower"),
            PolicyTarget::Endpoint(self.endpoint.clone()),
        ]
    }

    async fn associate(&self, policy: &PolicyId, target: &PolicyTarget) -> Result<(), Error> {
        let (policy, target) = (policy.clone(), target.clone());
        self.policies.send(Associate { policy, target }).await
    }

    async fn check(&self, policy: &PolicyId, target: &PolicyTarget) -> Result<(), Error> {
        let (policy, target) = (policy.clone(), target.clone());
        self.policies
            .read(CheckAssociation { policy, target })
            .await
    }

    /// The ID of the policy for the endpoint, or why there is none.
    async fn effective(&self) -> Result<PolicyId, String> {
        let get = GetPolicyOfEndpoint {
            endpoint: self.endpoint.clone(),
        };
        let policy = self.policies.read(get).await;
        policy
            .map(|policy| policy.id)
            .map_err(|error| error.to_string())
    }

    async fn endpoints(&self, policy: &PolicyId) -> usize {
        let list = ListEndpointsOfPolicy {
            policy: policy.clone(),
        };
        self.policies.read(list).await.unwrap().len()
    }
}

fn text<T: std::fmt::Debug>(outcome: Result<T, Error>) -> String {
    outcome.unwrap_err().to_string()
}

each_database! {
    async fn a_policy_is_kept_as_it_is_given(db: TestDb) {
        let tests = Tests::new(&db).await;
        let policy = from_value(json!({"blob": "{\"a\": \"é\"}", "type": "t", "colour": null})).unwrap();
        let created = tests.policies.send(CreatePolicy { policy }).await.unwrap();
        let get = async |id: &PolicyId| tests.policies.read(GetPolicy { id: id.clone() }).await;
        assert_eq!(get(&created.id).await.unwrap(), created);

        let patch = from_value(json!({"blob": "x", "size": 1})).unwrap();
        let changed = tests.policies.send(UpdatePolicy { id: created.id.clone(), patch }).await.unwrap();

        assert_eq!(json!(changed), json!({"colour": null, "size": 1, "id": created.id, "blob": "x", "type": "t"}));
        assert_eq!(tests.policies.read(ListPolicies).await.unwrap(), [changed]);
        tests.policies.send(DeletePolicy { id: created.id.clone() }).await.unwrap();
        let told = format!("Could not find policy: {}.", created.id);
        assert_eq!(text(get(&created.id).await), told);
        let update = UpdatePolicy { id: created.id.clone(), patch: PolicyPatch::default() };
        assert_eq!(text(tests.policies.send(update).await), told);
        assert_eq!(text(tests.policies.send(DeletePolicy { id: created.id }).await), told);
    }

    async fn the_nearest_policy_is_the_endpoints(db: TestDb) {
        let tests = Tests::new(&db).await;
        assert_eq!(tests.effective().await, Err(format!("No policy is associated with endpoint {}.", tests.endpoint)));

        let mut policies = Vec::new();
        for target in tests.targets() {
            let policy = tests.policy("t").await;
            tests.associate(&policy, &target).await.unwrap();
            assert_eq!(tests.effective().await, Ok(policy.clone()), "{target:?}");
            assert_eq!(tests.endpoints(&policy).await, 1, "{target:?}");
            policies.push(policy);
        }

        // From the nearest on, each takes its place back.
        for target in tests.targets().into_iter().rev() {
            let policy = policies.pop().unwrap();
            assert_eq!(tests.effective().await, Ok(policy.clone()));
            let dissociate = || Dissociate { policy: policy.clone(), target: target.clone() };
            tests.policies.send(dissociate()).await.unwrap();
            tests.policies.send(dissociate()).await.unwrap();
        }
        assert!(tests.effective().await.is_err());
    }

    async fn there_is_one_policy_for_each_target(db: TestDb) {
        let tests = Tests::new(&db).await;
        let (first, second) = (tests.policy("a").await, tests.policy("b").await);
        for target in tests.targets() {
            tests.associate(&first, &target).await.unwrap();
            tests.associate(&first, &target).await.unwrap();
            tests.check(&first, &target).await.unwrap();

            tests.associate(&second, &target).await.unwrap();

            tests.check(&second, &target).await.unwrap();
            assert_eq!(text(tests.check(&first, &target).await), "Could not find policy association.");
        }
        assert_eq!((tests.endpoints(&first).await, tests.endpoints(&second).await), (0, 4));
    }

    async fn what_there_is_not_can_have_no_policy(db: TestDb) {
        let tests = Tests::new(&db).await;
        let policy = tests.policy("t").await;
        let service = tests.service.clone();
        for (target, told) in [
            (PolicyTarget::Endpoint("x".into()), "Could not find endpoint: x."),
            (PolicyTarget::Service("x".into()), "Could not find service: x."),
            (PolicyTarget::ServiceInRegion("x".into(), "y".into()), "Could not find service: x."),
            (PolicyTarget::ServiceInRegion(service, "y".into()), "Could not find region: y."),
        ] {
            assert_eq!(text(tests.associate(&policy, &target).await), told);
            assert_eq!(text(tests.check(&policy, &target).await), told);
            assert_eq!(text(tests.associate(&"z".into(), &target).await), "Could not find policy: z.");
            assert_eq!(text(tests.check(&"z".into(), &target).await), "Could not find policy: z.");
        }
        let region = NewRegion::named("r".repeat(65).into());
        let long = tests.catalog.send(CreateRegion { region }).await.unwrap().id.clone();
        let target = PolicyTarget::ServiceInRegion(tests.service.clone(), long);
        assert!(matches!(tests.associate(&policy, &target).await, Err(Error::RegionIdTooLong)));
    }

    async fn associations_go_with_either_side(db: TestDb) {
        let tests = Tests::new(&db).await;
        let policy = tests.policy("t").await;
        let other = tests.policy("u").await;
        let [service, upper, lower, endpoint] = tests.targets();
        for target in [&service, &upper, &endpoint] {
            tests.associate(&policy, target).await.unwrap();
        }
        tests.associate(&other, &lower).await.unwrap();

        tests.policies.send(DeletePolicy { id: other.clone() }).await.unwrap();
        assert_eq!((tests.effective().await, tests.endpoints(&policy).await), (Ok(policy.clone()), 3));
        tests.catalog.send(DeleteEndpoint { id: tests.endpoint.clone() }).await.unwrap();
        tests.catalog.send(DeleteRegion { id: "upper".into() }).await.unwrap();
        tests.catalog.send(DeleteService { id: tests.service.clone() }).await.unwrap();

        // Nothing is left that a thing of the same ID could come into.
        db.execute(&format!("INSERT INTO service (id, type, enabled) VALUES ('{}', 't', true)", tests.service)).await;
        db.execute("INSERT INTO region (id, description) VALUES ('upper', ''), ('lower', '')").await;
        let columns = "id, interface, service_id, region_id, url, enabled";
        let values = format!("'{}', 'public', '{}', 'lower', 'http://h', true", tests.endpoint, tests.service);
        db.execute(&format!("INSERT INTO endpoint ({columns}) VALUES ({values})")).await;
        tests.catalog.send(CreateRegion { region: NewRegion::named("anew".into()) }).await.unwrap();
        assert_eq!(tests.endpoints(&policy).await, 0);
        assert!(tests.effective().await.is_err());
    }
}
