//! The project that a token is to be good for. Shells export an ID and a name at once, and what is
//! on the command line has to beat both.

use clap::error::Error;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, FromArgMatches};
use serde_json::{Value, json};

/// What can be said of it.
#[derive(Args, Debug)]
struct Said {
    /// The project that the token is to be good for, by ID.
    #[arg(long, value_name = "ID", env = "OS_PROJECT_ID")]
    os_project_id: Option<String>,
    /// The same by name. Of a name and an ID the ID counts, but for one from the environment where
    /// the name is on the command line.
    #[arg(long, value_name = "NAME", env = "OS_PROJECT_NAME")]
    os_project_name: Option<String>,
    /// The domain of that project, by name.
    #[arg(long, value_name = "NAME", env = "OS_PROJECT_DOMAIN_NAME")]
    os_project_domain_name: Option<String>,
    /// The same by ID, chosen between as projects are; without either, `default`.
    #[arg(long, value_name = "ID", env = "OS_PROJECT_DOMAIN_ID")]
    os_project_domain_id: Option<String>,
}

/// The project that is meant, if one is.
#[derive(Debug, Default)]
pub struct Project {
    project: Option<Reference>,
    domain: Option<Reference>,
}

/// One of several ways to name something.
#[derive(Debug)]
enum Reference {
    Id(String),
    Name(String),
}

impl Project {
    /// The scope that is asked for.
    pub fn scope(&self) -> Option<Value> {
        let name = match self.project.as_ref()? {
            Reference::Id(id) => return Some(json!({"project": {"id": id}})),
            Reference::Name(name) => name,
        };
        let domain = match &self.domain {
            Some(Reference::Id(id)) => json!({ "id": id }),
            Some(Reference::Name(name)) => json!({ "name": name }),
            None => json!({"id": "default"}),
        };
        Some(json!({"project": {"name": name, "domain": domain}}))
    }
}

/// Which of the two is meant. An empty one is none: shells export such.
fn choose(
    matches: &ArgMatches,
    (id, said_id): (&str, Option<String>),
    (name, said_name): (&str, Option<String>),
) -> Option<Reference> {
    let is_typed = |option| matches.value_source(option) == Some(ValueSource::CommandLine);
    let id_gives_way = is_typed(name) && !is_typed(id);
    let id = said_id.filter(|it| !it.is_empty()).map(Reference::Id);
    let name = said_name.filter(|it| !it.is_empty()).map(Reference::Name);
    match id_gives_way {
        true => name.or(id),
        false => id.or(name),
    }
}

impl FromArgMatches for Project {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let said = Said::from_arg_matches(matches)?;
        Ok(Self {
            project: choose(
                matches,
                ("os_project_id", said.os_project_id),
                ("os_project_name", said.os_project_name),
            ),
            domain: choose(
                matches,
                ("os_project_domain_id", said.os_project_domain_id),
                ("os_project_domain_name", said.os_project_domain_name),
            ),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for Project {
    fn augment_args(command: Command) -> Command {
        Said::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Said::augment_args_for_update(command)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Set wherever tests run, so that it can stand for any variable of the environment.
    const SET: &str = "PATH";

    /// The scope by this command line, where the environment has these options as well.
    fn scope(typed: &[&str], exported: &[&'static str]) -> Option<Value> {
        let mut command = Project::augment_args(Command::new("login"));
        for option in [
            "os_project_id",
            "os_project_name",
            "os_project_domain_name",
            "os_project_domain_id",
        ] {
            command = command.mut_arg(option, |arg| match exported.contains(&option) {
                true => arg.env(SET),
                false => arg.env(None::<&str>),
            });
        }
        let line = ["login"].iter().chain(typed);
        let matches = command.try_get_matches_from(line).unwrap();
        Project::from_arg_matches(&matches).unwrap().scope()
    }

    fn set() -> String {
        std::env::var(SET).unwrap()
    }

    #[test]
    fn of_an_id_and_a_name_in_the_environment_the_id_counts() {
        let both = [
            "os_project_id",
            "os_project_name",
            "os_project_domain_id",
            "os_project_domain_name",
        ];
        assert_eq!(scope(&[], &both), Some(json!({"project": {"id": set()}})));
        assert_eq!(
            scope(&[], &both[1..]),
            Some(json!({"project": {"name": set(), "domain": {"id": set()}}}))
        );
    }

    #[test]
    fn what_is_on_the_command_line_beats_the_environment() {
        let by_name = json!({"project": {"name": "demo", "domain": {"id": "default"}}});
        assert_eq!(
            scope(&["--os-project-name", "demo"], &["os_project_id"]),
            Some(by_name)
        );
        assert_eq!(
            scope(&["--os-project-id", "1"], &["os_project_name"]),
            Some(json!({"project": {"id": "1"}}))
        );
        let typed = [
            "--os-project-name",
            "demo",
            "--os-project-domain-name",
            "sales",
        ];
        assert_eq!(
            scope(&typed, &["os_project_id", "os_project_domain_id"]),
            Some(json!({"project": {"name": "demo", "domain": {"name": "sales"}}}))
        );
    }

    #[test]
    fn both_on_the_command_line_are_no_mistake_and_an_empty_one_is_none() {
        let both = ["--os-project-id", "1", "--os-project-name", "demo"];
        assert_eq!(scope(&both, &[]), Some(json!({"project": {"id": "1"}})));
        assert_eq!(
            scope(&["--os-project-id", "", "--os-project-name", "demo"], &[]),
            Some(json!({"project": {"name": "demo", "domain": {"id": "default"}}}))
        );
        assert_eq!(scope(&[], &[]), None);
    }
}
