//! What is above and below a project, as `GET /v3/projects/{project_id}` shows it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chrono::Utc;
use keystone_actors::assignment::{ListScopes, RetainWithRole};
use keystone_actors::identity::ListGroupsOfUser;
use keystone_actors::ids::{GroupId, ProjectId, UserId};
use keystone_actors::limit::{Limit, LimitFilter, ListLimits};
use keystone_actors::resource::{Descendant, GetAncestors, GetDescendants, GetProjects, Project};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::api::call::Call;
use crate::api::error::ApiError;
use crate::api::links::{Collection, Linked};

/// What is above and below a project, as far as it is asked for.
#[derive(Debug, Default, Serialize)]
pub(super) struct Relatives {
    #[serde(skip_serializing_if = "Option::is_none")]
    parents: Option<Branch>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subtree: Option<Branch>,
}

/// Relatives by their IDs, within each other, or as a list.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Branch {
    Ids(Value),
    Projects(Vec<Wrapped>),
}

/// A project as it would be shown by itself, written from what the cache holds.
#[derive(Debug, Serialize)]
struct Wrapped {
    project: Linked<WithLimits>,
}

#[derive(Debug, Serialize)]
struct WithLimits {
    #[serde(flatten)]
    project: Arc<Project>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limits: Option<Vec<Limit>>,
}

/// What the query asks for of the relatives of a project.
pub(super) async fn relatives(call: &Call, project: &Project) -> Result<Relatives, ApiError> {
    let flag = |name: &str| call.query.flag(name);
    for relatives in ["parents", "subtree"] {
        let (list, ids) = (
            format!("{relatives}_as_list"),
            format!("{relatives}_as_ids"),
        );
        if flag(&list) && flag(&ids) {
            return Err(ApiError::bad_request(format!(
                "Cannot use {list} and {ids} query params at the same time."
            )));
        }
    }
    let mut relatives = Relatives::default();
    let resources = &call.providers().resource;
    if flag("parents_as_list") || flag("parents_as_ids") {
        let above = GetAncestors {
            project: project.id.clone(),
        };
        let above = resources.read(above).await?;
        relatives.parents = Some(if flag("parents_as_ids") {
            Branch::Ids(nest(&above))
        } else {
            own_projects(call, above.to_vec(), true).await?
        });
    }
    if flag("subtree_as_list") || flag("subtree_as_ids") {
        let of = vec![project.id.clone()];
        let below = resources.read(GetDescendants { of }).await?;
        let below = children(&below);
        relatives.subtree = Some(if flag("subtree_as_ids") {
            Branch::Ids(branches(&below, &project.id))
        } else {
            own_projects(call, level_by_level(&below, &project.id), false).await?
        });
    }
    Ok(relatives)
}

/// Of these projects those on which the caller has a role, wrapped as each would be by itself; if
/// asked for, with their limits. `is_chain`: each is below those that follow.
async fn own_projects(
    call: &Call,
    ids: Vec<ProjectId>,
    is_chain: bool,
) -> Result<Branch, ApiError> {
    let user = call.caller.token.acting_user.clone();
    let retain = RetainWithRole {
        groups: groups_of(call, &user).await?,
        user,
        projects: ids,
        is_chain,
    };
    let ids = call.providers().assignment.read(retain).await?;
    let get = GetProjects { ids: ids.clone() };
    let found = call.providers().resource.read(get).await?;
    let found = found
        .into_iter()
        .map(|project| (project.id.clone(), project));
    let mut by_id: HashMap<ProjectId, Arc<Project>> = found.collect();
    let mut limits = match call.query.flag("include_limits") {
        true => Some(limits_of(call, &ids).await?),
        false => None,
    };
    let base = call.base();
    let wrapped = ids.iter().filter_map(|id| {
        let project = WithLimits {
            project: by_id.remove(id)?,
            limits: limits
                .as_mut()
                .map(|limits| limits.remove(id.as_str()).unwrap_or_default()),
        };
        let project = Linked::new(&base, Collection::PROJECTS, id.as_str(), project);
        Some(Wrapped { project })
    });
    Ok(Branch::Projects(wrapped.collect()))
}

/// The limits of each of these projects.
async fn limits_of(
    call: &Call,
    projects: &[ProjectId],
) -> Result<BTreeMap<String, Vec<Limit>>, ApiError> {
    let list = ListLimits {
        filter: LimitFilter::default(),
        owners: Some(projects.iter().map(ProjectId::to_string).collect()),
    };
    let mut limits: BTreeMap<String, Vec<Limit>> = BTreeMap::new();
    for limit in call.providers().limit.read(list).await? {
        if let Some(project) = &limit.project_id {
            limits.entry(project.to_string()).or_default().push(limit);
        }
    }
    Ok(limits)
}

/// The projects on which a user has any role, by whatever way.
pub(super) async fn projects_of(
    call: &Call,
    user: &UserId,
) -> Result<BTreeSet<ProjectId>, ApiError> {
    let list = ListScopes {
        user: user.clone(),
        groups: groups_of(call, user).await?,
    };
    let scopes = call.providers().assignment.read(list).await?;
    Ok(scopes.projects.into_iter().collect())
}

async fn groups_of(call: &Call, user: &UserId) -> Result<Arc<[GroupId]>, ApiError> {
    let groups = ListGroupsOfUser {
        user: user.clone(),
        now: Utc::now().timestamp(),
    };
    Ok(call.providers().identity.read(groups).await?)
}

/// `{"parent": {"grandparent": {"domain": null}}}`; `null` for a domain.
fn nest(above: &[ProjectId]) -> Value {
    let ids = above.iter().rev();
    ids.fold(Value::Null, |above, id| json!({ id.as_str(): above }))
}

fn children(below: &[Descendant]) -> BTreeMap<&str, Vec<&ProjectId>> {
    let mut children: BTreeMap<&str, Vec<&ProjectId>> = BTreeMap::new();
    for project in below {
        let of = children.entry(project.parent_id.as_str());
        of.or_default().push(&project.id);
    }
    children
}

/// `{"child": {"grandchild": null}}`; `null` without any. The tree is as deep as
/// `max_project_tree_depth`, and where it has a loop, cut.
fn branches(children: &BTreeMap<&str, Vec<&ProjectId>>, root: &ProjectId) -> Value {
    let mut levels: Vec<(&ProjectId, &ProjectId)> = Vec::new();
    let mut seen = BTreeSet::from([root]);
    let mut next = vec![root];
    while let Some(parent) = next.pop() {
        for child in children.get(parent.as_str()).into_iter().flatten() {
            if seen.insert(child) {
                levels.push((parent, child));
                next.push(child);
            }
        }
    }
    // Each is complete before it is put below its parent.
    let mut below: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for (parent, child) in levels.into_iter().rev() {
        let own = below.remove(child.as_str());
        let own = own.map_or(Value::Null, Value::Object);
        let of = below.entry(parent.as_str()).or_default();
        of.insert(child.to_string(), own);
    }
    let own = below.remove(root.as_str());
    own.map_or(Value::Null, Value::Object)
}

fn level_by_level(children: &BTreeMap<&str, Vec<&ProjectId>>, root: &ProjectId) -> Vec<ProjectId> {
    let mut found: Vec<ProjectId> = Vec::new();
    let mut seen = BTreeSet::from([root.clone()]);
    let mut level = vec![root.clone()];
    while !level.is_empty() {
        let below = level.iter().filter_map(|id| children.get(id.as_str()));
        let below = below.flatten().copied().cloned();
        level = below.filter(|id| seen.insert(id.clone())).collect();
        found.extend_from_slice(&level);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(id: &str, parent: &str) -> Descendant {
        Descendant {
            id: id.into(),
            parent_id: parent.into(),
        }
    }

    #[test]
    fn a_tree_is_nested_or_listed_level_by_level() {
        let below = [
            project("c", "a"),
            project("b", "a"),
            project("d", "b"),
            project("e", "d"),
        ];
        let (root, below) = ("a".into(), children(&below));
        assert_eq!(
            branches(&below, &root),
            json!({"b": {"d": {"e": null}}, "c": null})
        );
        let ids: Vec<_> = level_by_level(&below, &root);
        assert_eq!(ids, ["c", "b", "d", "e"].map(ProjectId::from));
        assert_eq!(branches(&below, &"e".into()), Value::Null);
        assert_eq!(nest(&["b".into(), "a".into()]), json!({"b": {"a": null}}));
    }

    #[test]
    fn a_loop_in_a_tree_ends() {
        let below = [project("b", "a"), project("a", "b")];
        let (root, below) = ("a".into(), children(&below));
        assert_eq!(branches(&below, &root), json!({"b": null}));
        assert_eq!(level_by_level(&below, &root), [ProjectId::from("b")]);
    }
}
