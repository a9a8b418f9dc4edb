//! As many of each kind as are wanted, put straight into the tables: see [`crate::support::seed`].

use std::ops::Range;

use crate::support::seed::grant;

/// Rows of a table, in one statement.
fn rows(
    table: &str,
    columns: &str,
    numbers: Range<usize>,
    values: impl Fn(usize) -> String,
) -> String {
    let values: Vec<String> = numbers
        .map(|number| format!("({})", values(number)))
        .collect();
    format!(
        r#"INSERT INTO "{table}" ({columns}) VALUES {}"#,
        values.join(", ")
    )
}

/// What [`grow`] builds on.
pub(super) fn world() -> Vec<String> {
    let inherited = |kind, actor: &str, target, role| {
        grant(kind, actor, target, role)
            .into_iter()
            .map(|sql| sql.replace("\"id\", false", "\"id\", true"))
    };
    let below_default = inherited("UserDomain", "admin", "default", "admin");
    below_default.collect()
}

/// As many credentials: copies of this one, which the server made, as it alone has the keys. Each has the
/// ID of a project.
pub(super) fn copies(sealed: &str, numbers: Range<usize>) -> Vec<String> {
    vec![format!(
        r#"INSERT INTO "credential" ("id", "user_id", "project_id", "type", "extra", "key_hash", "encrypted_blob")
           SELECT many."id", one."user_id", one."project_id", one."type", one."extra", one."key_hash", one."encrypted_blob"
             FROM "credential" one JOIN "project" many ON many."id" >= 'p{:04}' AND many."id" < 'p{:04}'
            WHERE one."id" = '{sealed}'"#,
        numbers.start, numbers.end
    )]
}

/// These of each kind. In the tree of projects each has four below it. `u0000` is `member` of all, manages
/// (inherited) what is below `p0000`, and is in all groups; all are in `g0000`, and read `p0000`; `admin`
/// has all domains, trusts, application credentials and access rules.
pub(super) fn grow(numbers: Range<usize>) -> Vec<String> {
    let rows = |table, columns, values: &dyn Fn(usize) -> String| {
        self::rows(table, columns, numbers.clone(), values)
    };
    let role = |name: &str| format!(r#"(SELECT "id" FROM "role" WHERE "name" = '{name}')"#);
    let (reader, member, admins) = (role("reader"), role("member"), role("admin"));
    let admin = r#"(SELECT "user_id" FROM "local_user" WHERE "name" = 'admin')"#;
    let hash = r#"(SELECT MIN("password_hash") FROM "password")"#;
    let password = format!(
        r#"INSERT INTO "password" ("local_user_id", "self_service", "password_hash", "created_at_int", "created_at")
           SELECT new."id", false, old."password_hash", old."created_at_int", old."created_at"
             FROM "local_user" new, "password" old
             JOIN "local_user" admin ON old."local_user_id" = admin."id" AND admin."name" = 'admin'
            WHERE new."name" >= 'u{:04}' AND new."name" < 'u{:04}'"#,
        numbers.start, numbers.end
    );
    let mut made = vec![
        rows(
            "project",
            r#""id", "name", "extra", "description", "enabled", "domain_id", "parent_id", "is_domain""#,
            &|n| {
                let parent = n
                    .checked_sub(1)
                    .map_or("default".to_owned(), |n| format!("p{:04}", n / 4));
                format!("'p{n:04}', 'p{n:04}', '{{}}', '', true, 'default', '{parent}', false")
            },
        ),
        rows(
            "project",
            r#""id", "name", "extra", "description", "enabled", "domain_id", "parent_id", "is_domain""#,
            &|n| {
                format!(
                    "'d{n:04}', 'd{n:04}', '{{}}', '', true, '<<keystone.domain.root>>', NULL, true"
                )
            },
        ),
        rows("project_tag", r#""project_id", "name""#, &|n| {
            format!("'p{n:04}', 'tag'")
        }),
        rows(
            "user",
            r#""id", "extra", "enabled", "domain_id", "created_at""#,
            &|n| format!("'u{n:04}', '{{}}', true, 'default', '2026-01-01 00:00:00'"),
        ),
        rows("local_user", r#""user_id", "domain_id", "name""#, &|n| {
            format!("'u{n:04}', 'default', 'u{n:04}'")
        }),
        password,
        rows(
            "user_option",
            r#""user_id", "option_id", "option_value""#,
            &|n| format!("'u{n:04}', '1001', 'true'"),
        ),
        rows(
            "group",
            r#""id", "domain_id", "name", "description", "extra""#,
            &|n| format!("'g{n:04}', 'default', 'g{n:04}', '', '{{}}'"),
        ),
        rows("role", r#""id", "name", "extra", "domain_id""#, &|n| {
            format!("'r{n:04}', 'r{n:04}', '{{}}', '<<null>>'")
        }),
        rows(
            "implied_role",
            r#""prior_role_id", "implied_role_id""#,
            &|n| format!("'r{n:04}', {reader}"),
        ),
    ];
    let memberships = r#""user_id", "group_id""#;
    let of_u0000 = self::rows("user_group_membership", memberships, numbers.clone(), |n| {
        format!("'u0000', 'g{n:04}'")
    });
    let others = numbers.start.max(1)..numbers.end;
    let in_g0000 = self::rows("user_group_membership", memberships, others, |n| {
        format!("'u{n:04}', 'g0000'")
    });
    made.extend([of_u0000, in_g0000]);
    let assignment = r#""type", "actor_id", "target_id", "role_id", "inherited""#;
    made.extend([
        rows("assignment", assignment, &|n| {
            format!("'UserProject', 'u{n:04}', 'p0000', {reader}, false")
        }),
        rows("assignment", assignment, &|n| {
            format!("'UserProject', 'u0000', 'p{n:04}', {member}, false")
        }),
        rows("assignment", assignment, &|n| {
            format!("'UserProject', 'u0001', 'p0001', 'r{n:04}', false")
        }),
        rows("assignment", assignment, &|n| {
            format!("'UserDomain', {admin}, 'd{n:04}', {admins}, false")
        }),
    ]);
    if numbers.start == 0 {
        made.extend(
            grant("GroupProject", "admin", "p0000", "reader")
                .into_iter()
                .map(|sql| sql.replace(admin, "'g0000'")),
        );
        let manages = grant("UserProject", "u0000", "p0000", "manager").into_iter();
        made.extend(manages.map(|sql| sql.replace("\"id\", false", "\"id\", true")));
    }
    made.extend([
        rows("region", r#""id", "description", "extra""#, &|n| format!("'R{n:04}', '', '{{}}'")),
        rows("service", r#""id", "type", "enabled", "extra""#, &|n| format!("'s{n:04}', 't{n:04}', true, '{{}}'")),
        rows("endpoint", r#""id", "interface", "service_id", "url", "extra", "enabled", "region_id""#, &|n| {
            format!("'e{n:04}', 'public', 's{n:04}', 'http://x', '{{}}', true, 'R{n:04}'")
        }),
        rows("project_endpoint", r#""endpoint_id", "project_id""#, &|n| format!("'e{n:04}', 'p0000'")),
        rows("project_endpoint", r#""endpoint_id", "project_id""#, &|n| format!("'e0000', 'p{:04}'", n + 1)),
        rows("policy", r#""id", "type", "blob", "extra""#, &|n| format!("'y{n:04}', 'text/plain', '', '{{}}'")),
        rows("registered_limit", r#""internal_id", "id", "service_id", "resource_name", "default_limit""#, &|n| {
            format!("{}, 'l{n:04}', 's{n:04}', 'cores', 1", n + 1)
        }),
        rows("limit", r#""internal_id", "id", "project_id", "resource_limit", "registered_limit_id""#, &|n| {
            format!("{}, 'l{n:04}', 'p{n:04}', 2, 'l{n:04}'", n + 1)
        }),
        rows("trust", r#""id", "trustor_user_id", "trustee_user_id", "impersonation", "extra""#, &|n| {
            format!("'t{n:04}', {admin}, 'u0000', true, '{{}}'")
        }),
        rows("trust_role", r#""trust_id", "role_id""#, &|n| format!("'t{n:04}', {reader}")),
        rows(
            "application_credential",
            r#""internal_id", "id", "name", "secret_hash", "user_id", "project_id", "unrestricted""#,
            &|n| format!("{}, 'a{n:04}', 'a{n:04}', {hash}, {admin}, 'p0000', false", n + 1),
        ),
        rows("application_credential_role", r#""application_credential_id", "role_id""#, &|n| {
            format!("{}, {reader}", n + 1)
        }),
        rows("access_rule", r#""id", "service", "path", "method", "external_id", "user_id""#, &|n| {
            format!("{}, 'compute', '/{n}', 'GET', 'c{n:04}', {admin}", n + 1)
        }),
        rows("application_credential_access_rule", r#""application_credential_id", "access_rule_id""#, &|n| {
            format!("{}, {}", n + 1, n + 1)
        }),
        rows("identity_provider", r#""id", "enabled", "domain_id""#, &|n| format!("'idp{n:04}', true, 'default'")),
        rows("idp_remote_ids", r#""idp_id", "remote_id""#, &|n| format!("'idp{n:04}', 'remote{n:04}'")),
        rows("mapping", r#""id", "rules", "schema_version""#, &|n| format!("'m{n:04}', '[]', '1.0'")),
        rows(
            "service_provider",
            r#""auth_url", "id", "enabled", "description", "sp_url", "relay_state_prefix""#,
            &|n| format!("'http://x', 'sp{n:04}', true, '', 'http://x', 'ss:mem:'"),
        ),
        rows("endpoint_group", r#""id", "name", "description", "filters""#, &|n| {
            format!(r#"'eg{n:04}', 'eg{n:04}', '', '{{"interface": "admin"}}'"#)
        }),
        rows("project_endpoint_group", r#""endpoint_group_id", "project_id""#, &|n| format!("'eg{n:04}', 'p0000'")),
        rows("consumer", r#""id", "description", "secret", "extra""#, &|n| format!("'c{n:04}', '', 's', '{{}}'")),
        rows("federation_protocol", r#""id", "idp_id", "mapping_id""#, &|n| format!("'f{n:04}', 'idp0000', 'm{n:04}'")),
    ]);
    made
}
