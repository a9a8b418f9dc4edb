//! `/openapi.json`, and the page that shows it.

use crate::support::{Answer, Cloud};
use crate::testdb::each_database;

each_database! {
    async fn the_page_loads_what_is_in_the_program_and_nothing_else(db: TestDb) {
        let cloud = Cloud::start(&db).await;
        let page = cloud.api().get("/docs").await.expect(200);
        let text = |answer: &Answer| String::from_utf8_lossy(answer.bytes()).into_owned();
        let mut paths: Vec<String> = text(&page)
            .split('"')
            .filter(|text| text.starts_with("docs/") || text.ends_with(".json"))
            .map(|path| format!("/{path}"))
            .collect();
        paths.push("/docs".to_owned());
        assert_eq!(paths.len(), 4, "{paths:?}");

        for path in paths {
            let answer = cloud.api().get(&path).await.expect(200);
            if path.ends_with(".json") {
                assert_eq!(answer.header("Content-Type"), Some("application/json"));
                continue;
            }
            assert!(!text(&answer).contains("http"), "{path}");
            let policy = answer.header("Content-Security-Policy").unwrap_or_default();
            for rule in ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"] {
                assert!(policy.contains(rule), "{path}: {policy}");
            }
            assert!(!policy.contains("unsafe"), "{path}: {policy}");
            assert_eq!(answer.header("X-Content-Type-Options"), Some("nosniff"), "{path}");
        }
    }
}
