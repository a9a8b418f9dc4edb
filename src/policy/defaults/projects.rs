//! Domains, their configuration, projects and tags.

use super::super::rule::Rule;
use super::{ALL, DefaultRule, DeprecatedRule, GRANULAR, SYSTEM_OR_PROJECT};

pub(super) const RULES: &[DefaultRule] = &[
    DefaultRule {
        rule: Rule::GetDomain,
        check: "rule:admin_required or (role:reader and system_scope:all) or \
            token.domain.id:%(target.domain.id)s or token.project.domain.id:%(target.domain.id)s",
        scopes: ALL,
        description: "Read a domain.",
        operations: &["GET /v3/domains/{domain_id}"],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required or token.project.domain.id:%(target.domain.id)s",
            since: "Stein",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::ListDomains,
        check: "rule:admin_required or (role:reader and system_scope:all) or (role:reader and \
            domain_id:%(target.domain.id)s)",
        scopes: ALL,
        description: "List domains.",
        operations: &["GET /v3/domains"],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required",
            since: "Stein",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::CreateDomain,
        check: "rule:admin_required",
        scopes: SYSTEM_OR_PROJECT,
        description: "Create a domain.",
        operations: &["POST /v3/domains"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::UpdateDomain,
        check: "rule:admin_required",
        scopes: SYSTEM_OR_PROJECT,
        description: "Change a domain.",
        operations: &["PATCH /v3/domains/{domain_id}"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::DeleteDomain,
        check: "rule:admin_required",
        scopes: SYSTEM_OR_PROJECT,
        description: "Delete a domain.",
        operations: &["DELETE /v3/domains/{domain_id}"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::CreateDomainConfig,
        check: "rule:admin_required",
        scopes: SYSTEM_OR_PROJECT,
        description: "Set the configuration of a domain.",
        operations: &["PUT /v3/domains/{domain_id}/config"],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::GetDomainConfig,
        check: "rule:admin_required or (role:reader and system_scope:all)",
        scopes: SYSTEM_OR_PROJECT,
        description: "Read the configuration of a domain: all of it, a group, or an option.",
        operations: &[
            "GET /v3/domains/{domain_id}/config",
            "HEAD /v3/domains/{domain_id}/config",
            "GET /v3/domains/{domain_id}/config/{group}",
            "HEAD /v3/domains/{domain_id}/config/{group}",
            "GET /v3/domains/{domain_id}/config/{group}/{option}",
            "HEAD /v3/domains/{domain_id}/config/{group}/{option}",
        ],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required",
            since: "Train",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::GetSecurityComplianceDomainConfig,
        check: "",
        scopes: ALL,
        description: "Read the rules for passwords in a domain.",
        operations: &[
            "GET /v3/domains/{domain_id}/config/security_compliance",
            "HEAD /v3/domains/{domain_id}/config/security_compliance",
            "GET /v3/domains/{domain_id}/config/security_compliance/{option}",
            "HEAD /v3/domains/{domain_id}/config/security_compliance/{option}",
        ],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::UpdateDomainConfig,
        check: "rule:admin_required",
        scopes: SYSTEM_OR_PROJECT,
        description: "Change the configuration of a domain, a group of it or an option.",
        operations: &[
            "PATCH /v3/domains/{domain_id}/config",
            "PATCH /v3/domains/{domain_id}/config/{group}",
            "PATCH /v3/domains/{domain_id}/config/{group}/{option}",
        ],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::DeleteDomainConfig,
        check: "rule:admin_required",
        scopes: SYSTEM_OR_PROJECT,
        description: "Remove the configuration of a domain, a group of it or an option.",
        operations: &[
            "DELETE /v3/domains/{domain_id}/config",
            "DELETE /v3/domains/{domain_id}/config/{group}",
            "DELETE /v3/domains/{domain_id}/config/{group}/{option}",
        ],
        deprecated: None,
    },
    DefaultRule {
        rule: Rule::GetDomainConfigDefault,
        check: "rule:admin_required or (role:reader and system_scope:all)",
        scopes: SYSTEM_OR_PROJECT,
        description: "Read the values a domain has where its configuration says nothing.",
        operations: &[
            "GET /v3/domains/config/default",
            "HEAD /v3/domains/config/default",
            "GET /v3/domains/config/{group}/default",
            "HEAD /v3/domains/config/{group}/default",
            "GET /v3/domains/config/{group}/{option}/default",
            "HEAD /v3/domains/config/{group}/{option}/default",
        ],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required",
            since: "Train",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::GetProject,
        check: "(rule:admin_required) or (role:reader and system_scope:all) or (role:reader and \
            domain_id:%(target.project.domain_id)s and not None:%(target.project.domain_id)s) or \
            project_id:%(target.project.id)s",
        scopes: ALL,
        description: "Read a project.",
        operations: &["GET /v3/projects/{project_id}"],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required or project_id:%(target.project.id)s",
            since: "Stein",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::ListProjects,
        check: "(rule:admin_required) or (role:reader and system_scope:all) or (role:reader and \
            domain_id:%(target.domain_id)s)",
        scopes: ALL,
        description: "List projects.",
        operations: &["GET /v3/projects"],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required",
            since: "Stein",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::ListUserProjects,
        check: "(rule:admin_required) or (role:reader and system_scope:all) or (role:reader and \
            domain_id:%(target.user.domain_id)s) or user_id:%(target.user.id)s",
        scopes: ALL,
        description: "List the projects a user has a role on.",
        operations: &["GET /v3/users/{user_id}/projects"],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_or_owner",
            since: "Stein",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::CreateProject,
        check: "(rule:admin_required) or (role:manager and domain_id:%(target.project.domain_id)s \
            and not None:%(target.project.domain_id)s)",
        scopes: ALL,
        description: "Create a project.",
        operations: &["POST /v3/projects"],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required",
            since: "Stein",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::UpdateProject,
        check: "(rule:admin_required) or (role:manager and domain_id:%(target.project.domain_id)s \
            and not None:%(target.project.domain_id)s)",
        scopes: ALL,
        description: "Change a project.",
        operations: &["PATCH /v3/projects/{project_id}"],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required",
            since: "Stein",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::DeleteProject,
        check: "(rule:admin_required) or (role:manager and domain_id:%(target.project.domain_id)s \
            and not None:%(target.project.domain_id)s)",
        scopes: ALL,
        description: "Delete a project.",
        operations: &["DELETE /v3/projects/{project_id}"],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required",
            since: "Stein",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::ListProjectTags,
        check: "(rule:admin_required) or (role:reader and system_scope:all) or (role:reader and \
            domain_id:%(target.project.domain_id)s and not None:%(target.project.domain_id)s) or \
            project_id:%(target.project.id)s",
        scopes: ALL,
        description: "List the tags of a project.",
        operations: &[
            "GET /v3/projects/{project_id}/tags",
            "HEAD /v3/projects/{project_id}/tags",
        ],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required or project_id:%(target.project.id)s",
            since: "Train",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::GetProjectTag,
        check: "(rule:admin_required) or (role:reader and system_scope:all) or (role:reader and \
            domain_id:%(target.project.domain_id)s and not None:%(target.project.domain_id)s) or \
            project_id:%(target.project.id)s",
        scopes: ALL,
        description: "Learn whether a project has a tag.",
        operations: &[
            "GET /v3/projects/{project_id}/tags/{value}",
            "HEAD /v3/projects/{project_id}/tags/{value}",
        ],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required or project_id:%(target.project.id)s",
            since: "Train",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::UpdateProjectTags,
        check: "(rule:admin_required) or (role:manager and domain_id:%(target.project.domain_id)s \
            and not None:%(target.project.domain_id)s)",
        scopes: ALL,
        description: "Replace the tags of a project.",
        operations: &["PUT /v3/projects/{project_id}/tags"],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required",
            since: "Train",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::CreateProjectTag,
        check: "(rule:admin_required) or (role:manager and domain_id:%(target.project.domain_id)s \
            and not None:%(target.project.domain_id)s)",
        scopes: ALL,
        description: "Add a tag to a project.",
        operations: &["PUT /v3/projects/{project_id}/tags/{value}"],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required",
            since: "Train",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::DeleteProjectTags,
        check: "(rule:admin_required) or (role:manager and domain_id:%(target.project.domain_id)s \
            and not None:%(target.project.domain_id)s)",
        scopes: ALL,
        description: "Remove all tags of a project.",
        operations: &["DELETE /v3/projects/{project_id}/tags"],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required",
            since: "Train",
            reason: GRANULAR,
        }),
    },
    DefaultRule {
        rule: Rule::DeleteProjectTag,
        check: "(rule:admin_required) or (role:manager and domain_id:%(target.project.domain_id)s \
            and not None:%(target.project.domain_id)s)",
        scopes: ALL,
        description: "Remove a tag from a project.",
        operations: &["DELETE /v3/projects/{project_id}/tags/{value}"],
        deprecated: Some(DeprecatedRule {
            check: "rule:admin_required",
            since: "Train",
            reason: GRANULAR,
        }),
    },
];
