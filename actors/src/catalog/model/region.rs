//! Regions: a tree whose roots have no parent.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::attributes::{Extra, double_option, merge_extra};
use crate::ids::RegionId;

/// A region, as v3 shows it (the API adds only `links`).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Region {
    /// Attributes that Keystone does not know.
    #[serde(flatten)]
    pub extra: Extra,
    /// Its ID, chosen by who made it.
    pub id: RegionId,
    /// Free text, up to 255 characters; empty where none was given.
    pub description: String,
    /// The region right above.
    pub parent_region_id: Option<RegionId>,
}

/// A region to create.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct NewRegion {
    /// Given by the creator; else random.
    #[serde(skip)]
    pub id: Option<RegionId>,
    /// See [`Region::description`].
    #[serde(default)]
    pub description: Option<String>,
    /// See [`Region::parent_region_id`].
    #[serde(default)]
    pub parent_region_id: Option<RegionId>,
    /// Attributes that Keystone does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

impl NewRegion {
    /// A region that has nothing but an ID.
    pub fn named(id: RegionId) -> Self {
        Self {
            id: Some(id),
            ..Self::default()
        }
    }
}

impl From<NewRegion> for Region {
    fn from(new: NewRegion) -> Self {
        Self {
            extra: new.extra,
            id: new.id.unwrap_or_else(RegionId::random),
            description: new.description.unwrap_or_default(),
            parent_region_id: new.parent_region_id,
        }
    }
}

/// What of a region changes: absent keeps it, `null` clears it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct RegionPatch {
    /// See [`Region::description`]; cleared, it is empty.
    #[serde(deserialize_with = "double_option")]
    pub description: Option<Option<String>>,
    /// See [`Region::parent_region_id`].
    #[serde(deserialize_with = "double_option")]
    pub parent_region_id: Option<Option<RegionId>>,
    /// Attributes that Keystone does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

impl RegionPatch {
    /// The region after this change.
    pub fn apply(self, region: &Region) -> Region {
        Region {
            extra: merge_extra(region.extra.clone(), self.extra),
            id: region.id.clone(),
            description: match self.description {
                None => region.description.clone(),
                Some(description) => description.unwrap_or_default(),
            },
            parent_region_id: self
                .parent_region_id
                .unwrap_or_else(|| region.parent_region_id.clone()),
        }
    }
}

/// Which region is below which. A loop, which Python Keystone can leave behind, ends every walk.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct RegionTree(HashMap<RegionId, Option<RegionId>>);

impl FromIterator<(RegionId, Option<RegionId>)> for RegionTree {
    fn from_iter<T: IntoIterator<Item = (RegionId, Option<RegionId>)>>(pairs: T) -> Self {
        Self(pairs.into_iter().collect())
    }
}

impl RegionTree {
    /// The region and all above it, the nearest first.
    pub fn upwards(&self, from: &RegionId) -> Vec<RegionId> {
        let mut path: Vec<RegionId> = Vec::new();
        let mut next = Some(from);
        while let Some(id) = next
            && !path.contains(id)
        {
            path.push(id.clone());
            next = self.0.get(id).and_then(Option::as_ref);
        }
        path
    }

    /// The region and all below it.
    pub fn downwards(&self, from: &RegionId) -> HashSet<RegionId> {
        let mut children: HashMap<&RegionId, Vec<&RegionId>> = HashMap::new();
        for (id, parent) in &self.0 {
            if let Some(parent) = parent {
                children.entry(parent).or_default().push(id);
            }
        }
        let mut found = HashSet::new();
        let mut next = vec![from];
        while let Some(id) = next.pop() {
            if found.insert(id.clone()) {
                next.extend(children.get(id).into_iter().flatten());
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(pairs: &[(&str, Option<&str>)]) -> RegionTree {
        let pair = |(id, parent): &(&str, Option<&str>)| ((*id).into(), parent.map(RegionId::from));
        pairs.iter().map(pair).collect()
    }

    fn texts(ids: impl IntoIterator<Item = RegionId>) -> Vec<String> {
        let mut texts: Vec<_> = ids.into_iter().map(|id| id.to_string()).collect();
        texts.sort();
        texts
    }

    #[test]
    fn a_walk_ends_at_the_root_and_in_a_loop() {
        let tree = tree(&[
            ("a", None),
            ("b", Some("a")),
            ("c", Some("b")),
            ("d", Some("a")),
            ("x", Some("y")),
            ("y", Some("x")),
        ]);
        assert_eq!(
            tree.upwards(&"c".into()),
            ["c", "b", "a"].map(RegionId::from)
        );
        assert_eq!(texts(tree.downwards(&"a".into())), ["a", "b", "c", "d"]);
        assert_eq!(texts(tree.downwards(&"c".into())), ["c"]);
        assert_eq!(tree.upwards(&"x".into()), ["x", "y"].map(RegionId::from));
        assert_eq!(texts(tree.downwards(&"x".into())), ["x", "y"]);
    }
}
