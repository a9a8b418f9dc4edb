//! People and projects, put straight into the tables that both Keystones share: so the tests of
//! authentication need nothing of the API that manages them. Statements run on all three
//! databases as they are; the server is not running yet, or has nothing of it in its caches.

use super::Cloud;

/// A domain that is enabled or not.
pub(crate) fn domain(id: &str, enabled: bool) -> Vec<String> {
    vec![format!(
        r#"INSERT INTO "project" ("id", "name", "extra", "description", "enabled", "domain_id", "parent_id", "is_domain")
           VALUES ('{id}', '{id}', '{{}}', '', {enabled}, '<<keystone.domain.root>>', NULL, true)"#
    )]
}

/// A project, whose name is its id, in a domain.
pub(crate) fn project(id: &str, domain: &str, enabled: bool) -> Vec<String> {
    vec![format!(
        r#"INSERT INTO "project" ("id", "name", "extra", "description", "enabled", "domain_id", "parent_id", "is_domain")
           VALUES ('{id}', '{id}', '{{}}', '', {enabled}, '{domain}', '{domain}', false)"#
    )]
}

/// A user, whose name is its id, with the admin's password.
pub(crate) fn user(id: &str, domain: &str, enabled: bool) -> Vec<String> {
    vec![
        format!(
            r#"INSERT INTO "user" ("id", "extra", "enabled", "domain_id", "created_at")
               VALUES ('{id}', '{{}}', {enabled}, '{domain}', '2026-01-01 00:00:00')"#
        ),
        format!(
            r#"INSERT INTO "local_user" ("user_id", "domain_id", "name") VALUES ('{id}', '{domain}', '{id}')"#
        ),
        format!(
            r#"INSERT INTO "password" ("local_user_id", "self_service", "password_hash", "created_at_int", "created_at")
               SELECT (SELECT "id" FROM "local_user" WHERE "name" = '{id}'),
                      false, "password_hash", "created_at_int", "created_at"
                 FROM "password"
                WHERE "local_user_id" = (SELECT "id" FROM "local_user" WHERE "name" = 'admin')"#
        ),
    ]
}

/// A role of a user on a project (`UserProject`) or on a domain (`UserDomain`).
pub(crate) fn grant(kind: &str, user: &str, target: &str, role: &str) -> Vec<String> {
    vec![format!(
        r#"INSERT INTO "assignment" ("type", "actor_id", "target_id", "role_id", "inherited")
           SELECT '{kind}', {}, '{target}', "id", false FROM "role" WHERE "name" = '{role}'"#,
        id_of(user)
    )]
}

/// A role of a user on the whole deployment.
pub(crate) fn system_grant(user: &str, role: &str) -> Vec<String> {
    vec![format!(
        r#"INSERT INTO "system_assignment" ("type", "actor_id", "target_id", "role_id", "inherited")
           SELECT 'UserSystem', {}, 'system', "id", false FROM "role" WHERE "name" = '{role}'"#,
        id_of(user)
    )]
}

/// An application credential of a user on a project, whose name is its id, with one of the user's
/// roles; its secret is the password of all.
pub(crate) fn application_credential(
    id: &str,
    user: &str,
    project: &str,
    role: &str,
) -> Vec<String> {
    vec![
        format!(
            r#"INSERT INTO "application_credential" ("id", "name", "secret_hash", "user_id", "project_id", "unrestricted")
               SELECT '{id}', '{id}', "password_hash", '{user}', '{project}', false FROM "password"
                WHERE "local_user_id" = (SELECT "id" FROM "local_user" WHERE "name" = 'admin')"#
        ),
        format!(
            r#"INSERT INTO "application_credential_role" ("application_credential_id", "role_id")
               SELECT "application_credential"."internal_id", "role"."id" FROM "application_credential", "role"
                WHERE "application_credential"."id" = '{id}' AND "role"."name" = '{role}'"#
        ),
    ]
}

/// An access rule of an application credential of this user.
pub(crate) fn access_rule(
    credential: &str,
    user: &str,
    (service, method, path): (&str, &str, &str),
) -> Vec<String> {
    let rule = format!(
        r#""user_id" = '{user}' AND "service" = '{service}' AND "method" = '{method}' AND "path" = '{path}'"#
    );
    vec![
        format!(
            r#"INSERT INTO "access_rule" ("service", "path", "method", "external_id", "user_id")
               VALUES ('{service}', '{path}', '{method}', '{}', '{user}')"#,
            uuid::Uuid::new_v4().simple()
        ),
        format!(
            r#"INSERT INTO "application_credential_access_rule" ("application_credential_id", "access_rule_id")
               VALUES ((SELECT "internal_id" FROM "application_credential" WHERE "id" = '{credential}'),
                       (SELECT "id" FROM "access_rule" WHERE {rule}))"#
        ),
    ]
}

/// An option of a user, by the four characters under which Keystone stores it, and a JSON value.
pub(crate) fn user_option(user: &str, option: &str, value: &str) -> Vec<String> {
    vec![format!(
        r#"INSERT INTO "user_option" ("user_id", "option_id", "option_value") VALUES ('{user}', '{option}', '{value}')"#
    )]
}

/// The small world of the authentication tests.
///
/// | user | has |
/// | --- | --- |
/// | admin | made by bootstrap: `admin` on project admin and on the system; here on domain default too |
/// | alice | `member` on projects demo, closed (disabled) and attic (of the disabled domain shut), and on shut |
/// | bob | nothing |
/// | dora | `member` on demo, but is disabled |
/// | eve | `member` on demo, but her domain is shut |
pub(crate) fn world() -> Vec<String> {
    [
        domain("shut", false),
        project("demo", "default", true),
        project("closed", "default", false),
        project("attic", "shut", true),
        user("alice", "default", true),
        user("bob", "default", true),
        user("dora", "default", false),
        user("eve", "shut", true),
        grant("UserDomain", "admin", "default", "admin"),
        grant("UserProject", "alice", "demo", "member"),
        grant("UserProject", "alice", "closed", "member"),
        grant("UserProject", "alice", "attic", "member"),
        grant("UserDomain", "alice", "shut", "member"),
        grant("UserProject", "dora", "demo", "member"),
        grant("UserProject", "eve", "demo", "member"),
    ]
    .concat()
}

/// Runs statements while the server is stopped, and starts it again: whatever it keeps in
/// memory, it has read them when this returns.
pub(crate) async fn behind_its_back(cloud: &mut Cloud<'_>, statements: &[String]) {
    cloud.stop().await;
    cloud.execute(statements).await;
    cloud.start_again().await;
}

fn id_of(user: &str) -> String {
    format!(r#"(SELECT "user_id" FROM "local_user" WHERE "name" = '{user}')"#)
}
