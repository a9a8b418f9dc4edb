//! The rule language, from text to [`Check`].
//!
//! ```text
//! rule  = "" | any                      the empty rule always holds
//! any   = all ("or" all)*
//! all   = unary ("and" unary)*
//! unary = "not" unary | "(" any ")" | check
//! check = "@" | "!" | kind ":" match    one word, no blanks
//! ```
//!
//! or, in the older list form, a list of lists of checks: any of the outer, all of the inner.
//!
//! oslo.policy turns what it doesn't understand into a check that is false, or fails when the check is made. Here
//! such a rule is refused when it is loaded, with the reason: a policy that doesn't say what its author meant must
//! not go into force.

use super::check::{Attribute, Check, Literal, Pattern, Piece, Reference};
use super::target::Key;
use super::value::python_float;

/// Longest text of a rule, in bytes. Keystone's longest has 1,300.
pub(super) const MAX_TEXT: usize = 16 * 1024;
/// How deep parentheses and `not` may nest.
const MAX_NESTING: usize = 32;

/// Reads a rule in the text form. The error says why it is none.
pub(super) fn rule(text: &str) -> Result<Check, String> {
    if text.is_empty() {
        return Ok(Check::Always);
    }
    if text.len() > MAX_TEXT {
        return Err(format!("longer than {MAX_TEXT} bytes"));
    }
    let mut parser = Parser {
        tokens: tokens(text)?.into_iter().peekable(),
        nesting: 0,
    };
    let check = parser.any()?;
    match parser.tokens.next() {
        None => Ok(check),
        Some(Token::Close) => Err("a closing parenthesis too many".into()),
        Some(extra) => Err(format!("`and` or `or` expected before {}", extra.shown())),
    }
}

/// Reads a rule in the list form: checks of which any will do, some of them lists of checks that must all hold.
pub(super) fn list_rule(outer: &[Vec<String>]) -> Result<Check, String> {
    if outer.is_empty() {
        return Ok(Check::Always);
    }
    let size: usize = outer.iter().flatten().map(|text| text.len() + 1).sum();
    if size > MAX_TEXT {
        return Err(format!("longer than {MAX_TEXT} bytes"));
    }
    let mut any = Vec::new();
    for inner in outer.iter().filter(|inner| !inner.is_empty()) {
        let checks = inner.iter().map(|word| single(word));
        any.push(one_or(checks.collect::<Result<_, _>>()?, Check::All));
    }
    if any.is_empty() {
        return Ok(Check::Never);
    }
    Ok(one_or(any, Check::Any))
}

fn one_or(mut parts: Vec<Check>, join: fn(Vec<Check>) -> Check) -> Check {
    match (parts.pop(), parts.is_empty()) {
        (Some(only), true) => only,
        (Some(last), false) => {
            parts.push(last);
            join(parts)
        }
        (None, _) => join(parts),
    }
}

enum Token {
    Open,
    Close,
    And,
    Or,
    Not,
    Check(Check),
}

impl Token {
    fn shown(&self) -> String {
        match self {
            Self::Open => "`(`".into(),
            Self::Close => "`)`".into(),
            Self::And => "`and`".into(),
            Self::Or => "`or`".into(),
            Self::Not => "`not`".into(),
            Self::Check(check) => format!("`{check}`"),
        }
    }
}

/// Python's `\s`: what Unicode calls white space, and the four ASCII separators.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\x1c'..='\x1f')
}

/// Parentheses belong to the language at the edges of a word only; within it they belong to the check.
fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    for word in text.split(is_blank) {
        let inner = word.trim_start_matches('(');
        tokens.extend((inner.len()..word.len()).map(|_| Token::Open));
        let bare = inner.trim_end_matches(')');
        match bare.to_ascii_lowercase().as_str() {
            "" => {}
            "and" => tokens.push(Token::And),
            "or" => tokens.push(Token::Or),
            "not" => tokens.push(Token::Not),
            _ if is_quoted(bare) => {
                return Err(format!("{bare} is a text, not a check"));
            }
            _ => tokens.push(Token::Check(single(bare)?)),
        }
        tokens.extend((bare.len()..inner.len()).map(|_| Token::Close));
    }
    Ok(tokens)
}

fn is_quoted(word: &str) -> bool {
    word.len() >= 2
        && ['\'', '"']
            .iter()
            .any(|quote| word.starts_with(*quote) && word.ends_with(*quote))
}

struct Parser {
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
    nesting: usize,
}

impl Parser {
    fn any(&mut self) -> Result<Check, String> {
        let mut parts = vec![self.all()?];
        while self.tokens.next_if(|t| matches!(t, Token::Or)).is_some() {
            parts.push(self.all()?);
        }
        Ok(one_or(parts, Check::Any))
    }

    fn all(&mut self) -> Result<Check, String> {
        let mut parts = vec![self.unary()?];
        while self.tokens.next_if(|t| matches!(t, Token::And)).is_some() {
            parts.push(self.unary()?);
        }
        Ok(one_or(parts, Check::All))
    }

    fn unary(&mut self) -> Result<Check, String> {
        self.nesting += 1;
        if self.nesting > MAX_NESTING {
            return Err(format!("nested deeper than {MAX_NESTING}"));
        }
        let check = match self.tokens.next() {
            Some(Token::Check(check)) => Ok(check),
            Some(Token::Not) => Ok(Check::Not(Box::new(self.unary()?))),
            Some(Token::Open) => {
                let inner = self.any()?;
                match self.tokens.next() {
                    Some(Token::Close) => Ok(inner),
                    Some(other) => Err(format!(
                        "`and`, `or` or `)` expected before {}",
                        other.shown()
                    )),
                    None => Err("a parenthesis is not closed".into()),
                }
            }
            Some(other) => Err(format!("a check expected before {}", other.shown())),
            None => Err("a check expected at the end".into()),
        };
        self.nesting -= 1;
        check
    }
}

/// One check: `@`, `!` or `kind:match`.
fn single(word: &str) -> Result<Check, String> {
    match word {
        "@" => return Ok(Check::Always),
        "!" => return Ok(Check::Never),
        _ => {}
    }
    let Some((kind, matched)) = word.split_once(':') else {
        return Err(format!(
            "`{word}` is no check: `kind:match`, `@` or `!` expected"
        ));
    };
    match kind {
        "rule" => Ok(Check::Rule(Reference {
            name: matched.to_owned(),
            index: None,
        })),
        "role" => Ok(Check::Role(lower(pattern(matched)?))),
        "http" | "https" => Err(format!(
            "`{kind}:` asks another server, which is not supported; express the rule in the language itself"
        )),
        _ => {
            if let Some(literal) = literal(kind)? {
                return Ok(Check::Literal(literal, pattern(matched)?));
            }
            Ok(Check::Attribute(attribute(kind)?, pattern(matched)?))
        }
    }
}

fn lower(pattern: Pattern) -> Pattern {
    match pattern {
        Pattern::Text(text) => Pattern::Text(text.to_lowercase()),
        other => other, // lowered once it is filled in
    }
}

/// The left side where it is a constant, as Python writes constants: a quoted text, `True`, `False`, `None`, a number.
fn literal(kind: &str) -> Result<Option<Literal>, String> {
    let found = |text: String| {
        Ok(Some(Literal {
            source: kind.to_owned(),
            text,
        }))
    };
    if let Some(quote @ ('\'' | '"')) = kind.chars().next() {
        let inner = kind
            .strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote));
        return match inner {
            Some(inner) if !inner.contains([quote, '\\']) && !inner.contains(char::is_control) => {
                found(inner.to_owned())
            }
            _ => Err(format!("{kind} is not a plain quoted text")),
        };
    }
    match kind {
        "None" | "True" | "False" => found(kind.to_owned()),
        _ => number(kind).map_or(Ok(None), found),
    }
}

/// A decimal number as Python prints it back: `1`, `-1`, `1.50` as `1.5`.
fn number(kind: &str) -> Option<String> {
    let (sign, digits) = match kind.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", kind),
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return None;
    }
    if digits.contains('.') {
        return digits
            .parse::<f64>()
            .ok()
            .map(|number| format!("{sign}{}", python_float(number)));
    }
    let trimmed = digits.trim_start_matches('0');
    match trimmed {
        "" => Some("0".into()),
        _ if trimmed.len() == digits.len() => Some(format!("{sign}{digits}")),
        _ => None, // 007 is no number in Python
    }
}

fn attribute(kind: &str) -> Result<Attribute, String> {
    if let Some(attribute) = Attribute::plain(kind) {
        return Ok(attribute);
    }
    if let Some(path) = kind.strip_prefix("token.") {
        return if path.split('.').all(is_path_segment) {
            Ok(Attribute::Token(path.into()))
        } else {
            Err(format!("`{kind}` is not a path into the token"))
        };
    }
    Err(format!(
        "`{kind}:` is neither a kind of check nor an attribute of the caller (user_id, user_domain_id, project_id, \
         project_domain_id, domain_id, system_scope, roles, is_admin, is_admin_project, token.…)"
    ))
}

/// A name that Python can read as part of an expression, for oslo.policy tries that first: letters, digits, `_` and,
/// within, `-`.
fn is_path_segment(segment: &str) -> bool {
    const RESERVED: [&str; 35] = [
        "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class",
        "continue", "def", "del", "elif", "else", "except", "finally", "for", "from", "global",
        "if", "import", "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return",
        "try", "while", "with", "yield",
    ];
    let starts = |part: &str| part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    segment.split('-').all(|part| {
        starts(part)
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && !RESERVED.contains(&part)
    })
}

/// The right side: text with `%(name)s` for an attribute of the target and `%%` for a percent sign.
fn pattern(text: &str) -> Result<Pattern, String> {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        plain.push_str(before);
        if let Some(after) = after.strip_prefix('%') {
            plain.push('%');
            rest = after;
            continue;
        }
        let (name, after) = placeholder(after)
            .ok_or_else(|| format!("`{text}`: `%(name)s` or `%%` expected after `%`"))?;
        if !plain.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut plain)));
        }
        pieces.push(Piece::Target(Key::new(name)));
        rest = after;
    }
    plain.push_str(rest);
    if pieces.is_empty() {
        return Ok(Pattern::Text(plain));
    }
    if !plain.is_empty() {
        pieces.push(Piece::Text(plain));
    }
    match <[Piece; 1]>::try_from(pieces) {
        Ok([Piece::Target(key)]) => Ok(Pattern::Target(key)),
        Ok([text]) => Ok(Pattern::Mixed(vec![text])),
        Err(pieces) => Ok(Pattern::Mixed(pieces)),
    }
}

/// What follows a `%`: `(name)s`, where parentheses within the name are balanced.
fn placeholder(after: &str) -> Option<(&str, &str)> {
    let inner = after.strip_prefix('(')?;
    let mut depth = 0_usize;
    for (at, c) in inner.char_indices() {
        match c {
            '(' => depth += 1,
            ')' if depth == 0 => {
                let (name, rest) = inner.split_at_checked(at)?;
                return Some((name, rest.strip_prefix(")s")?));
            }
            ')' => depth -= 1,
            _ => {}
        }
    }
    None
}
