//! What the identity provider answers.

mod groups;
mod passwords;
mod users;

pub use groups::{
    AddUserToGroup, CheckUserInGroup, CreateGroup, DeleteGroup, FindGroup, GetGroup, GetGroups,
    GetMemberships, ListGroups, ListGroupsOfUser, ListMembers, ListUserGroups, ListUsersInGroup,
    RemoveUserFromGroup, UpdateGroup,
};
pub use passwords::{AdmitUser, AuthenticatePassword, ChangePassword};
pub use users::{
    CreateUser, DeleteUser, FindUser, GetUser, IdentifyUser, ListUsers, NameUsers,
    RevokeUserTokens, UpdateUser,
};
