//! What can be wrong with a policy.

use std::io;
use std::path::PathBuf;

/// Why a policy is not put into force. At the start it stops the server; at a reload the old policy stays.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// The file or directory can't be read.
    #[error("policy {}: {source}", path.display())]
    Read {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is larger than a policy can reasonably be.
    #[error("policy {}: larger than {limit} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The most a file may hold, in bytes.
        limit: u64,
    },
    /// The file is no YAML or JSON, or one of its rules is none.
    #[error("policy {}, line {line}: {message}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Counted from 1; 0 where it isn't known.
        line: usize,
        /// What is wrong there.
        message: String,
    },
    /// One or more rules can't be put into force together.
    #[error("{}", list(.0))]
    Rules(Vec<Problem>),
}

/// A rule that can't be put into force.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Rules that refer to each other in a circle; the first is named again at the end.
    #[error("policy rules refer to each other in a circle: {}", .0.join(" -> "))]
    Cycle(Vec<String>),
    /// Rules that refer to rules that refer to rules, too far.
    #[error("policy rule {rule}: refers to rules more than {limit} levels deep")]
    TooDeep {
        /// The rule.
        rule: String,
        /// The most levels.
        limit: usize,
    },
    /// A rule that takes too many checks to decide, those it refers to included.
    #[error("policy rule {rule}: takes more than {limit} checks to decide")]
    TooCostly {
        /// The rule.
        rule: String,
        /// The most checks.
        limit: usize,
    },
    /// `not` before a rule that doesn't exist: the missing rule would let everybody in.
    #[error(
        "policy rule {rule}: stands under `not` and refers to {missing}, which does not exist; define it"
    )]
    NegatesMissing {
        /// The rule with the reference.
        rule: String,
        /// The rule referred to.
        missing: String,
    },
    /// A default rule that isn't well formed: a mistake in the server itself.
    #[error("default policy rule {rule}: {message}")]
    Default {
        /// The rule.
        rule: String,
        /// What is wrong.
        message: String,
    },
    /// More rules than a policy can reasonably have.
    #[error("the policy has more than {0} rules")]
    TooManyRules(usize),
}

/// Something in a policy that works, but hardly as meant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Warning {
    /// The configuration names a file that does not exist; the defaults are in force.
    #[error("there is no {}, which policy_file names: the defaults are in force", .0.display())]
    NoFile(PathBuf),
    /// A rule of a file that no operation of the server asks for and no other rule refers to.
    #[error("policy rule {rule} in {}: the server has no rule of this name, and no other rule refers to it", file.display())]
    Unknown {
        /// The rule.
        rule: String,
        /// Where it stands.
        file: PathBuf,
    },
    /// A reference to a rule that doesn't exist. The check is false.
    #[error("policy rule {rule}: refers to {missing}, which does not exist and therefore denies")]
    MissingReference {
        /// The rule with the reference.
        rule: String,
        /// The rule referred to.
        missing: String,
    },
    /// A rule of a file that says what the default says anyway.
    #[error("policy rule {rule} in {}: is the same as the default; remove it", file.display())]
    Redundant {
        /// The rule.
        rule: String,
        /// Where it stands.
        file: PathBuf,
    },
    /// A check that no token admitted by the rule's scope types can pass.
    #[error("policy rule {rule} in {}: `{check}` never holds, for the rule admits tokens scoped to {admits} only", file.display())]
    NeverInScope {
        /// The rule.
        rule: String,
        /// Where it stands.
        file: PathBuf,
        /// The check.
        check: String,
        /// The scope types the rule admits.
        admits: String,
    },
    /// A rule of a file that holds for everybody, where the default doesn't.
    #[error("policy rule {rule} in {}: lets everybody in who has a token; the default does not", file.display())]
    Open {
        /// The rule.
        rule: String,
        /// Where it stands.
        file: PathBuf,
    },
}

fn list(problems: &[Problem]) -> String {
    let lines: Vec<String> = problems.iter().map(Problem::to_string).collect();
    lines.join("\n")
}
