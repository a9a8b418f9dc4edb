//! JSON Home, beside Python Keystone's.

use awc::http::Method;
use serde_json::{Map, Value};

use crate::support::{Api, Cloud, Options, python};
use crate::testdb::{Backend, TestDb, run};

/// The resources that JSON Home names, by their relations.
async fn home(api: &Api, path: &str) -> Map<String, Value> {
    let request = api.request(Method::GET, path);
    let answer = request
        .header("Accept", "application/json-home")
        .send()
        .await
        .expect(200);
    assert_eq!(answer.header("Content-Type"), Some("application/json-home"));
    answer.json()["resources"].as_object().unwrap().clone()
}

#[test]
fn what_json_home_names_python_keystone_names_alike() {
    if python::is_left_out() {
        return;
    }
    run(Backend::Sqlite, async |db: TestDb| {
        let cloud = Cloud::start(&db).await;
        let pythons = cloud.start_python_beside(Options::default()).await;
        for path in ["/", "/v3"] {
            let (ours, theirs) = (
                home(cloud.api(), path).await,
                home(pythons.api(), path).await,
            );
            assert!(ours.len() > 100, "{}", ours.len());
            for (relation, resource) in ours {
                assert_eq!(Some(&resource), theirs.get(&relation), "{path}: {relation}");
            }
        }
    });
}
