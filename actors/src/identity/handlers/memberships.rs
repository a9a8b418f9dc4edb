use std::collections::HashMap;
use std::sync::Arc;

use super::super::store::{self, GroupRequest, UserRequest};
use super::super::{
    AddUserToGroup, CheckUserInGroup, Error, GetMemberships, GroupFilter, GroupOfUser,
    IdentityProvider, ListGroupsOfUser, ListMembers, ListUserGroups, ListUsersInGroup, Memberships,
    RemoveUserFromGroup, User,
};
use crate::actor::Serve;
use crate::db::DbTime;
use crate::epoch::Kind;
use crate::ids::{GroupId, UserId};
use crate::listing::{Listed, Page};

impl IdentityProvider {
    async fn memberships(&self, user: &UserId) -> Result<Arc<Memberships>, Error> {
        let load = async || {
            let ttl = self.settings.default_authorization_ttl;
            let memberships = store::memberships(&self.db, user, ttl).await?;
            // How long a membership lasts is up to its identity provider.
            let providers = memberships
                .expiring
                .iter()
                .map(|membership| (Kind::IdentityProvider, membership.idp_id.as_str()));
            let on = providers.chain([(Kind::Membership, user.as_str())]);
            let on = self.caches.memberships.epochs().dependencies(on);
            Ok((Arc::new(memberships), on))
        };
        self.caches.memberships.get_or_load(user, load).await
    }
}

impl Serve<ListGroupsOfUser> for IdentityProvider {
    async fn serve(self, message: ListGroupsOfUser) -> Result<Arc<[GroupId]>, Error> {
        let ListGroupsOfUser { user, now } = message;
        Ok(self.memberships(&user).await?.at(now))
    }
}

impl Serve<ListMembers> for IdentityProvider {
    async fn serve(self, message: ListMembers) -> Result<Vec<(GroupId, UserId)>, Error> {
        store::list_members(&self.db, &message.groups).await
    }
}

impl Serve<GetMemberships> for IdentityProvider {
    async fn serve(
        self,
        GetMemberships { user }: GetMemberships,
    ) -> Result<Arc<Memberships>, Error> {
        self.memberships(&user).await
    }
}

impl Serve<ListUserGroups> for IdentityProvider {
    async fn serve(self, message: ListUserGroups) -> Result<Vec<GroupOfUser>, Error> {
        let ListUserGroups { user, name, now } = message;
        let user = self.user(&user).await?;
        let memberships = self.memberships(&user.id).await?;
        // The end of those that end; of several the latest.
        let mut ends: HashMap<&str, DbTime> = HashMap::new();
        for membership in memberships.valid(now) {
            let end = ends
                .entry(membership.group_id.as_str())
                .or_insert(membership.expires_at);
            *end = membership.expires_at.max(*end);
        }
        for group in memberships.permanent.iter() {
            ends.remove(group.as_str());
        }
        let groups = memberships.at(now);
        let request = GroupRequest {
            filter: &GroupFilter {
                name,
                ..GroupFilter::default()
            },
            among: Some(groups.iter().map(GroupId::as_str).collect()),
            page: &Page::default(),
        };
        let mut groups = store::list_groups(&self.db, &request).await?.members;
        groups.sort_by(|a, b| a.id.cmp(&b.id));
        let groups = groups.into_iter().map(|group| GroupOfUser {
            membership_expires_at: ends.get(group.id.as_str()).copied(),
            group: Arc::new(group),
        });
        Ok(groups.collect())
    }
}

impl Serve<ListUsersInGroup> for IdentityProvider {
    async fn serve(self, message: ListUsersInGroup) -> Result<Listed<Arc<User>>, Error> {
        let ListUsersInGroup {
            group,
            filter,
            page,
            after,
        } = message;
        let group = self.group(&group).await?;
        let limit = page.limit.unwrap_or(usize::MAX);
        let request = UserRequest {
            filter: &filter,
            group: Some(&group.id),
            page: &Page {
                // One more shows whether there are more.
                limit: page.limit.map(|limit| limit.saturating_add(1)),
                ..page
            },
            after: after.as_ref(),
            days: self.settings.inactivity_days(),
        };
        let mut members = store::list_users(&self.db, &request).await?.members;
        let full = members.len() > limit;
        members.truncate(limit);
        Ok(Listed {
            members: members.into_iter().map(Arc::new).collect(),
            full,
        })
    }
}

impl Serve<CheckUserInGroup> for IdentityProvider {
    async fn serve(self, message: CheckUserInGroup) -> Result<(), Error> {
        let CheckUserInGroup { group, user, now } = message;
        let found = self.group(&group).await?;
        let member = self.user(&user).await?;
        let memberships = self.memberships(&member.id).await?;
        match memberships.at(now).contains(&found.id) {
            true => Ok(()),
            false => Err(Error::NotInGroup { user, group }),
        }
    }
}

impl Serve<AddUserToGroup> for IdentityProvider {
    async fn serve(self, AddUserToGroup { group, user }: AddUserToGroup) -> Result<(), Error> {
        let node = self.invalidations.node();
        let change = store::add_to_group(&self.db, node, &group, &user).await?;
        self.invalidations.publish(&change);
        Ok(())
    }
}

impl Serve<RemoveUserFromGroup> for IdentityProvider {
    async fn serve(self, message: RemoveUserFromGroup) -> Result<(), Error> {
        let RemoveUserFromGroup { group, user, now } = message;
        let node = self.invalidations.node();
        let change = store::remove_from_group(&self.db, node, &group, &user, now).await?;
        self.invalidations.publish(&change);
        Ok(())
    }
}
