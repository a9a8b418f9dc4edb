mod changes;
mod deletion;
mod lists;
mod reads;

use super::*;
use crate::actor::Handle;
use crate::testdb::TestDb;
use crate::testing::Bench;

fn provider(bench: &Bench) -> Handle<ResourceProvider> {
    bench.resources(ResourceSettings::default())
}

/// Domain `d` with `a` and `a/b` and `a/b/c`; domain `e` with `a` of the same name.
async fn tree(db: &TestDb) {
    let root = "<<keystone.domain.root>>";
    for (id, name, domain, parent) in [
        ("d", "D", root, "NULL"),
        ("e", "E", root, "NULL"),
        ("da", "a", "d", "'d'"),
        ("dab", "b", "d", "'da'"),
        ("dabc", "c", "d", "'dab'"),
        ("ea", "a", "e", "'e'"),
    ] {
        let is_domain = domain == root;
        db.execute(&format!(
            "INSERT INTO project (id, name, extra, description, enabled, domain_id, parent_id, is_domain) \
             VALUES ('{id}', '{name}', '{{}}', '', true, '{domain}', {parent}, {is_domain})"
        ))
        .await;
    }
}

fn id(id: &str) -> ProjectId {
    id.into()
}
