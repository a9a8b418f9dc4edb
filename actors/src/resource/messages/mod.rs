//! What the resource provider answers.

mod changes;
mod reads;

pub use changes::{
    CreateDomain, CreateProject, DeleteDomain, DeleteProject, EditTags, UpdateDomain, UpdateProject,
};
pub use reads::{
    FindDomain, FindProject, GetAncestors, GetDescendants, GetDomain, GetProject, GetProjects,
    ListDomains, ListProjects,
};
