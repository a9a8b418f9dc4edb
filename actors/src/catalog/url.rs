//! Endpoint URLs are templates: `http://host:8774/v2.1/$(project_id)s`, or `%(project_id)s`.
//!
//! The rules are those of Python's `%` operator on a dictionary, with the few names that Keystone
//! allows (`keystone.common.utils.format_url`).

/// What the templates of a token's catalog may refer to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Substitutions<'a> {
    /// `project_id`, and `tenant_id` from older days; `None` in domain and system tokens.
    pub project_id: Option<&'a str>,
    /// `user_id`: the user, in a trust the trustor.
    pub user_id: &'a str,
}

/// A compiled template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UrlTemplate(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    ProjectId,
    UserId,
}

impl UrlTemplate {
    /// Compiles a template; `None` if it is malformed or refers to something unknown, and the
    /// endpoint is then left out of every catalog.
    pub fn compile(url: &str, public_endpoint: Option<&str>) -> Option<Self> {
        let mut parts = Vec::new();
        let mut text = String::new();
        let url = url.replace("$(", "%(");
        let mut rest = url.as_str();
        while let Some(at) = rest.find('%') {
            let (before, from) = rest.split_at(at);
            text.push_str(before);
            if let Some(after) = from.strip_prefix("%%") {
                text.push('%');
                rest = after;
                continue;
            }
            let (name, after) = from.strip_prefix("%(")?.split_once(")s")?;
            rest = after;
            let part = match name {
                "project_id" | "tenant_id" => Part::ProjectId,
                "user_id" => Part::UserId,
                "public_endpoint" => {
                    // Python fills in the text of an unset option.
                    text.push_str(public_endpoint.unwrap_or("None"));
                    continue;
                }
                _ => return None,
            };
            parts.push(Part::Text(std::mem::take(&mut text)));
            parts.push(part);
        }
        text.push_str(rest);
        parts.push(Part::Text(text));
        parts.retain(|part| *part != Part::Text(String::new()));
        Some(Self(parts))
    }

    /// Whether a new endpoint may have this URL (`keystone.common.utils.check_endpoint_url`):
    /// well-formed, with known names. `compute_host` is one, though it has no value any more.
    pub fn is_acceptable(url: &str) -> bool {
        Self::compile(&url.replace("(compute_host)s", "(user_id)s"), None).is_some()
    }

    /// Whether it refers to the user.
    pub fn names_user(&self) -> bool {
        self.0.contains(&Part::UserId)
    }

    /// The URL; `None` where it needs a project and there is none.
    pub fn render(&self, with: Substitutions<'_>) -> Option<String> {
        let mut url = String::new();
        for part in &self.0 {
            url.push_str(match part {
                Part::Text(text) => text,
                Part::ProjectId => with.project_id?,
                Part::UserId => with.user_id,
            });
        }
        Some(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROJECT: Substitutions<'_> = Substitutions {
        project_id: Some("p"),
        user_id: "u",
    };

    fn render(url: &str, with: Substitutions<'_>) -> Option<String> {
        UrlTemplate::compile(url, None)?.render(with)
    }

    #[test]
    fn both_spellings_of_a_reference_are_substituted() {
        for url in [
            "http://h/%(project_id)s/$(tenant_id)s/%(user_id)s",
            "http://h/p/p/u",
        ] {
            assert_eq!(render(url, PROJECT).as_deref(), Some("http://h/p/p/u"));
        }
        assert_eq!(render("100%%", PROJECT).as_deref(), Some("100%"));
    }

    #[test]
    fn an_endpoint_that_needs_a_project_has_no_url_without_one() {
        let system = Substitutions {
            project_id: None,
            user_id: "u",
        };
        assert_eq!(render("http://h/$(project_id)s", system), None);
        assert_eq!(render("http://h/", system).as_deref(), Some("http://h/"));
    }

    #[test]
    fn a_new_url_may_refer_to_what_keystone_knows() {
        for (url, acceptable) in [
            ("http://h:80/v2/$(project_id)s", true),
            ("http://%(compute_host)s/", true),
            ("http://%(public_endpoint)s/", true),
            ("http://%(public_bind_host)s/", false),
            ("http://h/%(tenant_id)", false),
        ] {
            assert_eq!(UrlTemplate::is_acceptable(url), acceptable, "{url}");
        }
    }

    #[test]
    fn a_malformed_template_has_no_url() {
        for url in [
            "http://h/%(nope)s",
            "http://h/%(project_id)",
            "http://h/%d",
            "http://h/%",
        ] {
            assert_eq!(render(url, PROJECT), None, "{url}");
        }
    }
}
