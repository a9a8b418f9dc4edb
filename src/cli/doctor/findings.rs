//! What was found, and how it is told.

use serde::Serialize;
use serde_json::json;

/// How good it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    /// As it should be.
    Ok,
    /// The server runs; an operator should look at it.
    Warn,
    /// The server does not run, or not rightly.
    Fail,
}

#[derive(Serialize)]
struct Finding {
    check: &'static str,
    level: Level,
    message: String,
    /// What to do; what is as it should be needs none.
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<String>,
}

/// Everything found so far.
#[derive(Default)]
pub(super) struct Findings(Vec<Finding>);

impl Findings {
    /// As it should be.
    pub fn good(&mut self, check: &'static str, message: impl ToString) {
        self.add(check, Level::Ok, message, None);
    }

    /// To be looked at.
    pub fn odd(&mut self, check: &'static str, message: impl ToString, advice: impl ToString) {
        self.add(check, Level::Warn, message, Some(advice.to_string()));
    }

    /// To be mended.
    pub fn bad(&mut self, check: &'static str, message: impl ToString, advice: impl ToString) {
        self.add(check, Level::Fail, message, Some(advice.to_string()));
    }

    /// To be mended; what is wrong says as well what to do.
    pub fn error(&mut self, check: &'static str, error: impl ToString) {
        let text = error.to_string();
        match text.split_once("; ") {
            Some((message, advice)) => self.bad(check, message, advice),
            None => self.add(check, Level::Fail, text, None),
        }
    }

    fn add(
        &mut self,
        check: &'static str,
        level: Level,
        message: impl ToString,
        advice: Option<String>,
    ) {
        self.0.push(Finding {
            check,
            level,
            message: message.to_string(),
            advice,
        });
    }

    fn count(&self, level: Level) -> usize {
        self.0.iter().filter(|found| found.level == level).count()
    }

    /// How many there are to be mended.
    pub fn failures(&self) -> usize {
        self.count(Level::Fail)
    }

    /// For people: a line each, and below it what to do.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for found in &self.0 {
            let mark = match found.level {
                Level::Ok => "ok  ",
                Level::Warn => "warn",
                Level::Fail => "FAIL",
            };
            text += &format!("{mark}  {}: {}\n", found.check, found.message);
            if let Some(advice) = &found.advice {
                text += &format!("      -> {advice}\n");
            }
        }
        text
    }

    /// For programs.
    pub fn json(&self) -> String {
        let all = json!({
            "findings": self.0,
            "failures": self.failures(),
            "warnings": self.count(Level::Warn),
        });
        format!("{all:#}\n")
    }
}
