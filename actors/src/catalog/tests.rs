use serde_json::{Value, json};

use super::*;
use crate::testdb::each_database;
use crate::testing::Bench;

each_database! {
    async fn a_catalog_has_what_is_enabled_and_well_formed(db: TestDb) {
        let bench = Bench::new(&db).await;
        for (id, kind, enabled, extra) in [
            ("a", "compute", true, r#"{"name": "nova"}"#),
            ("b", "image", true, "{}"),
            ("c", "network", false, "{}"),
        ] {
            db.execute(&format!(
                "INSERT INTO service (id, type, enabled, extra) VALUES ('{id}', '{kind}', {enabled}, '{extra}')"
            )).await;
        }
        for (id, service, enabled, url) in [
            ("1", "a", true, "http://h/$(project_id)s"),
            ("2", "a", true, "http://h/%(nope)s"),
            ("3", "a", false, "http://h"),
        ] {
            db.execute(&format!(
                "INSERT INTO endpoint (id, interface, service_id, url, enabled) VALUES ('{id}', 'public', '{service}', '{url}', {enabled})"
            )).await;
        }
        let catalog = bench.start(CatalogProvider::new(bench.pool("catalog"), bench.cache(), None));

        let catalog = catalog.read(GetCatalog).await.unwrap();
        let shown = |project_id| -> Value {
            let with = Substitutions { project_id, user_id: "u" };
            serde_json::to_value(catalog.render(with).collect::<Vec<_>>()).unwrap()
        };

        assert_eq!(shown(Some("p")), json!([
            {"id": "a", "type": "compute", "name": "nova", "endpoints": [
                {"id": "1", "interface": "public", "region": null, "region_id": null, "url": "http://h/p"}
            ]},
            {"id": "b", "type": "image", "name": "", "endpoints": []},
        ]));
        assert_eq!(shown(None)[0]["endpoints"], json!([]));
    }
}
