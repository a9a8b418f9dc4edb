//! Which options a domain may have, and what it has.

use std::collections::BTreeMap;
use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

use super::Error;

/// Options by group: `{"ldap": {"url": "ldap://h"}}`.
type Groups = Map<String, Value>;

/// A whole configuration, one group of it, or one option.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfigPlace {
    /// The group.
    pub group: Option<String>,
    /// The option in it; means nothing without a group.
    pub option: Option<String>,
}

impl ConfigPlace {
    /// The group and the option, as far as they are named.
    fn names(&self) -> (Option<&str>, Option<&str>) {
        let group = self.group.as_deref();
        (group, group.and(self.option.as_deref()))
    }

    pub(super) fn contains(&self, group: &str, option: &str) -> bool {
        let (of_group, of_option) = self.names();
        of_group.is_none_or(|of| of == group) && of_option.is_none_or(|of| of == option)
    }
}

impl fmt::Display for ConfigPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.names() {
            (Some(group), Some(option)) => write!(f, "option {option} in group {group}"),
            (Some(group), None) => write!(f, "group {group}"),
            (None, _) => f.write_str("any options"),
        }
    }
}

/// The options that a domain may have, and what holds where it has none.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Options that are shown, by group, in the order in which they are.
    pub shown: Vec<(String, Vec<String>)>,
    /// Options that are not, by group.
    pub secret: Vec<(String, Vec<String>)>,
    /// The values of this server's own configuration. What is missing has none.
    pub defaults: Groups,
}

impl Options {
    fn of<'a>(groups: &'a [(String, Vec<String>)], group: &str) -> Option<&'a [String]> {
        let (_, options) = groups.iter().find(|(name, _)| name == group)?;
        Some(options)
    }

    fn has(groups: &[(String, Vec<String>)], group: &str, option: &str) -> bool {
        let options = Self::of(groups, group).unwrap_or_default();
        options.iter().any(|known| known == option)
    }

    pub(super) fn is_secret(&self, group: &str, option: &str) -> bool {
        Self::has(&self.secret, group, option)
    }

    /// Fails unless a domain may have this.
    pub(super) fn check_place(&self, place: &ConfigPlace) -> Result<(), Error> {
        let (Some(group), option) = place.names() else {
            return Ok(());
        };
        let known =
            Self::of(&self.shown, group).is_some() || Self::of(&self.secret, group).is_some();
        if !known {
            return Err(Error::Invalid(format!(
                "Group {group} is not supported for domain specific configurations"
            )));
        }
        match option {
            Some(option)
                if !Self::has(&self.shown, group, option) && !self.is_secret(group, option) =>
            {
                Err(Error::Invalid(format!(
                    "Option {option} in group {group} is not supported for domain specific \
                     configurations"
                )))
            }
            _ => Ok(()),
        }
    }

    /// Fails unless a domain may have all of this.
    pub(super) fn check(&self, config: &Groups) -> Result<(), Error> {
        if config.is_empty() {
            return Err(Error::Invalid("No options specified".to_owned()));
        }
        for (group, options) in config {
            let Some(options) = options.as_object().filter(|options| !options.is_empty()) else {
                return Err(Error::Invalid(format!(
                    "The value of group {group} specified in the config should be a dictionary of \
                     options"
                )));
            };
            for option in options.keys() {
                self.check_place(&ConfigPlace {
                    group: Some(group.clone()),
                    option: Some(option.clone()),
                })?;
            }
        }
        Ok(())
    }

    /// What a change of this place may bring: the place and nothing else. The option of a place
    /// that has one stands in its group here.
    pub(super) fn check_update(&self, config: &Groups, place: &ConfigPlace) -> Result<(), Error> {
        self.check(config)?;
        self.check_place(place)?;
        let (Some(group), option) = place.names() else {
            return Ok(());
        };
        let brought = |group: &str| config.get(group).and_then(Value::as_object);
        let others = config.len() != 1
            || (option.is_some() && brought(group).is_some_and(|options| options.len() != 1));
        let complaint = match (option, brought(group)) {
            (Some(option), _) if others => format!(
                "Trying to update option {option} in group {group}, so that, and only that, option \
                 must be specified  in the config"
            ),
            (None, _) if others => format!(
                "Trying to update group {group}, so that, and only that, group must be specified in \
                 the config"
            ),
            (_, None) => format!(
                "request to update group {group}, but config provided contains group {} instead",
                config.keys().next().map_or("", String::as_str)
            ),
            (Some(option), Some(options)) if !options.contains_key(option) => format!(
                "Trying to update option {option} in group {group}, but config provided contains \
                 option {} instead",
                options.keys().next().map_or("", String::as_str)
            ),
            _ => return Ok(()),
        };
        Err(Error::Invalid(complaint))
    }

    /// The values of this server's own configuration, of shown options only.
    pub(super) fn default_config(&self, place: &ConfigPlace) -> Result<Value, Error> {
        self.check_place(place)?;
        if let (Some(group), Some(option)) = place.names()
            && !Self::has(&self.shown, group, option)
        {
            return Err(Error::Invalid(format!(
                "Reading the default for option {option} in group {group} is not supported"
            )));
        }
        let mut found = Groups::new();
        for (group, options) in &self.shown {
            for option in options
                .iter()
                .filter(|option| place.contains(group, option))
            {
                let default = self.defaults.get(group).and_then(|group| group.get(option));
                put(
                    &mut found,
                    group,
                    option,
                    default.cloned().unwrap_or_default(),
                );
            }
        }
        Ok(show(found, place))
    }
}

fn put(groups: &mut Groups, group: &str, option: &str, value: Value) {
    let options = groups
        .entry(group)
        .or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(options) = options {
        options.insert(option.to_owned(), value);
    }
}

/// What is at a place, in the form that it is shown in: an option without its group.
fn show(groups: Groups, place: &ConfigPlace) -> Value {
    match place.names() {
        (Some(group), Some(_)) => groups.get(group).cloned().unwrap_or_default(),
        _ => Value::Object(groups),
    }
}

/// What a domain has.
#[derive(Default)]
pub struct DomainSettings {
    /// Values by group and option, in JSON.
    pub(super) shown: BTreeMap<(String, String), Value>,
    /// Those that are not shown; likewise.
    pub(super) secret: BTreeMap<(String, String), SecretString>,
}

impl fmt::Debug for DomainSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let options = self.shown.keys().chain(self.secret.keys());
        f.debug_set().entries(options).finish_non_exhaustive()
    }
}

impl DomainSettings {
    /// Whether the domain has a configuration.
    pub fn is_empty(&self) -> bool {
        self.shown.is_empty() && self.secret.is_empty()
    }

    /// Whether there is something at a place, shown or not.
    pub(super) fn has(&self, place: &ConfigPlace) -> bool {
        let mut options = self.shown.keys().chain(self.secret.keys());
        options.any(|(group, option)| place.contains(group, option))
    }

    /// What may be shown at a place; `None` if there is nothing.
    pub(super) fn shown_at(&self, place: &ConfigPlace) -> Option<Value> {
        let mut found = Groups::new();
        for ((group, option), value) in &self.shown {
            if place.contains(group, option) {
                put(&mut found, group, option, value.clone());
            }
        }
        (!found.is_empty()).then(|| show(found, place))
    }

    /// The value of an option as the domain's driver needs it: secret ones too, and with what a
    /// text refers to filled in. `None` if the domain does not have it. Has to be treated as a
    /// secret.
    pub fn value(&self, group: &str, option: &str) -> Option<SecretString> {
        let key = (group.to_owned(), option.to_owned());
        if let Some(value) = self.secret.get(&key) {
            return Some(value.clone());
        }
        Some(match self.shown.get(&key)? {
            Value::String(text) => {
                let filled = self.fill_in(text);
                let text = filled
                    .as_ref()
                    .map_or(text.as_str(), |text| text.expose_secret());
                Value::from(text).to_string().into()
            }
            value => value.to_string().into(),
        })
    }

    /// Python's `text % secrets`; `None` where that fails: Keystone then takes the text as it is.
    fn fill_in(&self, text: &str) -> Option<SecretString> {
        let mut filled = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('%') {
            let (before, from) = rest.split_at(at);
            filled.push_str(before);
            if let Some(after) = from.strip_prefix("%%") {
                filled.push('%');
                rest = after;
                continue;
            }
            let (name, after) = from.strip_prefix("%(")?.split_once(")s")?;
            let mut secrets = self.secret.iter();
            let (_, value) = secrets.find(|((_, option), _)| option == name)?;
            match serde_json::from_str(value.expose_secret()) {
                Ok(Value::String(text)) => filled.push_str(&text),
                _ => filled.push_str(value.expose_secret()),
            }
            rest = after;
        }
        filled.push_str(rest);
        Some(filled.into())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn options() -> Options {
        let groups = |groups: &[(&str, &[&str])]| {
            let group = |(name, options): &(&str, &[&str])| {
                let options = options.iter().map(|option| (*option).to_owned());
                ((*name).to_owned(), options.collect())
            };
            groups.iter().map(group).collect()
        };
        Options {
            shown: groups(&[("identity", &["driver"]), ("ldap", &["url", "user"])]),
            secret: groups(&[("ldap", &["password"])]),
            defaults: json!({"ldap": {"url": "ldap://localhost", "password": "x"}})
                .as_object()
                .unwrap()
                .clone(),
        }
    }

    fn place(names: &[&str]) -> ConfigPlace {
        let name = |at: usize| names.get(at).map(|name| (*name).to_owned());
        ConfigPlace {
            group: name(0),
            option: name(1),
        }
    }

    #[test]
    fn a_change_brings_its_place_and_nothing_else() {
        let (url, suffix) = (json!("ldap://h"), json!("x"));
        for (at, config, complaint) in [
            (vec![], json!({"ldap": {"url": url}}), ""),
            (vec!["ldap"], json!({"ldap": {"url": url, "user": "u"}}), ""),
            (vec!["ldap", "url"], json!({"ldap": {"url": url}}), ""),
            (vec![], json!({}), "No options specified"),
            (
                vec![],
                json!({"ldap": []}),
                "The value of group ldap specified in the config should be a dictionary of options",
            ),
            (
                vec![],
                json!({"x": {"url": url}}),
                "Group x is not supported for domain specific configurations",
            ),
            (
                vec![],
                json!({"ldap": {"suffix": suffix}}),
                "Option suffix in group ldap is not supported for domain specific configurations",
            ),
            (
                vec!["ldap"],
                json!({"ldap": {"url": url}, "identity": {"driver": "sql"}}),
                "Trying to update group ldap, so that, and only that, group must be specified in the \
                 config",
            ),
            (
                vec!["ldap", "url"],
                json!({"ldap": {"url": url, "user": "u"}}),
                "Trying to update option url in group ldap, so that, and only that, option must be \
                 specified  in the config",
            ),
            (
                vec!["ldap"],
                json!({"identity": {"driver": "sql"}}),
                "request to update group ldap, but config provided contains group identity instead",
            ),
            (
                vec!["ldap", "url"],
                json!({"ldap": {"user": "u"}}),
                "Trying to update option url in group ldap, but config provided contains option user \
                 instead",
            ),
        ] {
            let told = options().check_update(config.as_object().unwrap(), &place(&at));
            let told = told.map_or_else(|error| error.to_string(), |()| String::new());
            let expected = match complaint {
                "" => String::new(),
                text => format!("Invalid domain specific configuration: {text}."),
            };
            assert_eq!(told, expected);
        }
    }

    #[test]
    fn defaults_are_those_of_shown_options() {
        let default = |at: &[&str]| options().default_config(&place(at));
        assert_eq!(
            default(&[]).unwrap(),
            json!({"identity": {"driver": null}, "ldap": {"url": "ldap://localhost", "user": null}})
        );
        assert_eq!(
            default(&["identity"]).unwrap(),
            json!({"identity": {"driver": null}})
        );
        assert_eq!(
            default(&["ldap", "url"]).unwrap(),
            json!({"url": "ldap://localhost"})
        );
        let told = default(&["ldap", "password"]).unwrap_err().to_string();
        assert!(told.contains("Reading the default for option password in group ldap is not"));
    }

    #[test]
    fn a_text_may_refer_to_secrets_and_is_taken_as_it_is_where_that_fails() {
        let mut settings = DomainSettings::default();
        let key = |option: &str| ("ldap".to_owned(), option.to_owned());
        settings.secret.insert(key("password"), "\"p\\\"w\"".into());
        for (text, filled) in [
            ("ldap://%(password)s@h/100%%", "ldap://p\"w@h/100%"),
            ("plain", "plain"),
            ("%(nope)s", "%(nope)s"),
            ("%(password)", "%(password)"),
            ("50%", "50%"),
        ] {
            settings.shown.insert(key("url"), json!(text));
            let value = settings.value("ldap", "url").unwrap();
            assert_eq!(value.expose_secret(), json!(filled).to_string());
        }
        settings.shown.insert(key("page_size"), json!(7));
        let value = |option| settings.value("ldap", option);
        assert_eq!(value("page_size").unwrap().expose_secret(), "7");
        assert_eq!(value("password").unwrap().expose_secret(), "\"p\\\"w\"");
        assert!(value("user").is_none());
        assert!(!format!("{settings:?}").contains("p\\\"w"));
    }
}
