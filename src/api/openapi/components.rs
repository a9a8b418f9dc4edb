//! What operations share: the resources, as they are shown, and how operations lead to one another.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value, json};

use super::answers::Content;
use super::describe::module;
use crate::api::links::Collection;
use crate::api::routes::Operation;
use crate::api::schema::{Schema, boolean, object, text};

/// Of all operations.
pub(super) struct Components<'a> {
    operations: &'a [Operation],
    /// How many paths a handler has with a method.
    handled: HashMap<(&'static str, &'static str), usize>,
    /// Resources by the name of one.
    resources: BTreeMap<&'static str, Schema>,
}

impl<'a> Components<'a> {
    pub(super) fn of(operations: &'a [Operation]) -> Self {
        let mut handled: HashMap<_, usize> = HashMap::new();
        let mut resources = BTreeMap::new();
        for operation in operations {
            *handled
                .entry((operation.handler, operation.method))
                .or_default() += 1;
            for answer in &operation.answers {
                if let Content::One(of) | Content::List(of, _) | Content::Several(of) =
                    answer.content
                {
                    resources
                        .entry(of.member)
                        .or_insert_with(|| resource(of, operations));
                }
            }
        }
        Self {
            operations,
            handled,
            resources,
        }
    }

    /// The ID of an operation: where it is at several paths, each is one by itself.
    pub(super) fn id_of(&self, operation: &Operation) -> String {
        let name = operation.handler.rsplit("::").next().unwrap_or_default();
        let method = operation.method.to_lowercase();
        let mut id = format!("{}_{name}_{method}", module(operation));
        let paths = self.handled.get(&(operation.handler, operation.method));
        if paths.is_some_and(|paths| *paths > 1) {
            let words = operation.path.split(|c: char| !c.is_alphanumeric());
            for word in words.filter(|word| !word.is_empty()) {
                id.push('_');
                id.push_str(word);
            }
        }
        id
    }

    pub(super) fn example_of(&self, collection: Collection) -> Value {
        let resource = self.resources.get(collection.member);
        resource.map(Schema::example).unwrap_or_default()
    }

    /// What can be done with a new one: what is at its own path.
    pub(super) fn links_of(&self, collection: Collection) -> Map<String, Value> {
        let own = format!("/v3/{}/{{", collection.path);
        let id = format!("$response.body#/{}/id", collection.member);
        let at_its_path = self.operations.iter().filter_map(|operation| {
            let name = operation.path.strip_prefix(&own)?.strip_suffix('}')?;
            (!name.contains('}')).then_some((operation, name))
        });
        at_its_path
            .filter(|(operation, _)| operation.method != "PUT")
            .map(|(operation, name)| {
                let link = json!({"operationId": self.id_of(operation), "parameters": {name: id}});
                (operation.method.to_lowercase(), link)
            })
            .collect()
    }

    /// The schemas.
    pub(super) fn schemas(&self) -> Map<String, Value> {
        let resources = self.resources.iter();
        let mut schemas: Map<String, Value> = resources
            .map(|(name, schema)| (title(name), schema.to_json()))
            .collect();
        schemas.insert("Error".to_owned(), super::errors::schema().to_json());
        schemas.insert("List".to_owned(), envelope().to_json());
        schemas
    }
}

/// How a resource is shown: with the attributes that requests may have, its ID and links.
fn resource(of: Collection, operations: &[Operation]) -> Schema {
    let bodies = operations.iter().filter_map(|operation| operation.body);
    let asked = bodies.filter_map(|body| {
        let one = body.member(of.member);
        one.or_else(|| body.member(of.list)?.item())
    });
    let mut shown = object().required("id", text());
    for schema in asked {
        for (name, schema) in schema.shown().members() {
            if shown.member(name).is_none() {
                shown = shown.optional(name, schema.clone());
            }
        }
    }
    shown.required("links", object().optional("self", text()))
}

fn envelope() -> Schema {
    let links = object()
        .required("self", text())
        .required("next", text().nullable())
        .required("previous", text().nullable());
    object()
        .required("links", links)
        .optional("truncated", boolean())
}

/// A reference to the schema of a resource.
pub(super) fn reference(of: Collection) -> Value {
    json!({"$ref": format!("#/components/schemas/{}", title(of.member))})
}

/// `role_assignment` as `RoleAssignment`.
fn title(name: &str) -> String {
    let words = name.split('_').map(|word| {
        let mut letters = word.chars();
        let first = letters.next().map(|first| first.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    });
    words.collect()
}
