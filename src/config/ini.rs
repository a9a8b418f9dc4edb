//! oslo.config's INI dialect: text to assignments, and nothing more.
//!
//! A line is a section (`[name]`), a comment (`#` or `;` in its first column), an assignment
//! (`key = value` or `key: value`, whichever sign comes first), or, if it begins with a blank or a
//! tab, the continuation of the value before it. One pair of quotes around the first line of a
//! value is removed. Section names are compared without regard to case, except `DEFAULT`.
//!
//! Where oslo.config stops at the first mistake, this goes on, so that all are told at once. It is
//! more lenient in two points: a byte order mark is skipped, and assignments before the first
//! section count as `[DEFAULT]`, with a warning, since Python Keystone refuses such a file.

/// The largest file that is read, in bytes.
pub const MAX_FILE: usize = 1 << 20;
/// Mistakes told of one file; then reading stops.
const MAX_FAULTS: usize = 20;

/// One `key = value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// Section in lower case, or `DEFAULT`.
    pub section: String,
    /// Left of the sign, as written.
    pub key: String,
    /// Right of it; continuation lines are joined with a line feed.
    pub value: String,
    /// Line of the key, from 1.
    pub line: usize,
}

/// A line that can't be understood. The text itself is left out: it may be a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Line, from 1.
    pub line: usize,
    /// What is wrong, and what to do.
    pub message: String,
}

/// A file taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    /// In the order of the file; a key may come several times.
    pub assignments: Vec<Assignment>,
    /// Lines that can't be understood.
    pub faults: Vec<Fault>,
    /// Line of the first assignment that stands before any section, if there is one.
    pub headless: Option<usize>,
}

/// The section that lines belong to.
enum Section {
    /// None was named yet.
    Start,
    Named(String),
    /// The header was unreadable, so that what follows belongs nowhere.
    Broken,
}

struct Parser {
    document: Document,
    section: Section,
    pending: Option<Assignment>,
}

/// Takes a file apart. Never fails: mistakes are in [`Document::faults`].
pub fn parse(data: &[u8]) -> Document {
    let mut parser = Parser {
        document: Document::default(),
        section: Section::Start,
        pending: None,
    };
    if data.len() > MAX_FILE {
        parser.fault(
            1,
            format!("the file is larger than {MAX_FILE} bytes; split it"),
        );
        return parser.document;
    }
    match std::str::from_utf8(data) {
        Ok(text) => parser.run(text.strip_prefix('\u{feff}').unwrap_or(text)),
        Err(error) => {
            let valid = data.get(..error.valid_up_to()).unwrap_or_default();
            let line = 1 + valid.iter().filter(|byte| **byte == b'\n').count();
            parser.fault(line, "the file is not UTF-8; save it as such".to_owned());
        }
    }
    parser.document
}

impl Parser {
    fn run(&mut self, text: &str) {
        // Python's universal newlines.
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        for (index, line) in text.split('\n').enumerate() {
            self.line(index + 1, line.trim_end_matches(is_space));
            if self.document.faults.len() >= MAX_FAULTS {
                self.fault(
                    index + 1,
                    "too many mistakes; the rest was not read".to_owned(),
                );
                break;
            }
        }
        self.flush();
    }

    fn line(&mut self, number: usize, line: &str) {
        if line.is_empty() {
            self.flush();
        } else if line.starts_with([' ', '\t']) {
            match &mut self.pending {
                Some(assignment) => {
                    assignment.value.push('\n');
                    assignment.value.push_str(line.trim_start_matches(is_space));
                }
                None => self.fault(
                    number,
                    "a line that begins with a blank continues the value above it, but there is \
                     none; remove the blank"
                        .to_owned(),
                ),
            }
        } else {
            self.flush();
            if let Some(header) = line.strip_prefix('[') {
                self.header(number, header);
            } else if !line.starts_with(['#', ';']) {
                self.assignment(number, line);
            }
        }
    }

    fn header(&mut self, number: usize, header: &str) {
        self.section = match header.strip_suffix(']') {
            Some("") => {
                self.fault(number, "the section has no name; write [name]".to_owned());
                Section::Broken
            }
            Some("DEFAULT") => Section::Named("DEFAULT".to_owned()),
            Some(name) => Section::Named(name.to_lowercase()),
            None => {
                self.fault(
                    number,
                    "a section has to end with ] and nothing may follow it".to_owned(),
                );
                Section::Broken
            }
        };
    }

    fn assignment(&mut self, number: usize, line: &str) {
        let Some((key, value)) = line.split_once(['=', ':']) else {
            return self.fault(
                number,
                "there is no = or : here; write name = value, or begin a comment with #".to_owned(),
            );
        };
        let key = key.trim_matches(is_space);
        if key.is_empty() {
            return self.fault(number, "there is no name before the sign".to_owned());
        }
        let section = match &self.section {
            Section::Named(name) => name.clone(),
            Section::Start => {
                self.document.headless.get_or_insert(number);
                "DEFAULT".to_owned()
            }
            // Told already; its values are of no use.
            Section::Broken => String::new(),
        };
        self.pending = Some(Assignment {
            section,
            key: key.to_owned(),
            value: unquote(value.trim_matches(is_space)).to_owned(),
            line: number,
        });
    }

    /// Ends the assignment under way.
    fn flush(&mut self) {
        if let Some(assignment) = self.pending.take()
            && !assignment.section.is_empty()
        {
            self.document.assignments.push(assignment);
        }
    }

    fn fault(&mut self, line: usize, message: String) {
        self.document.faults.push(Fault { line, message });
    }
}

/// Removes one pair of equal quotes; a lone one vanishes too, as in oslo.config.
fn unquote(value: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some(rest) = value.strip_prefix(quote) {
            return match rest.strip_suffix(quote) {
                Some(inside) => inside,
                None if rest.is_empty() => "",
                None => value,
            };
        }
    }
    value
}

/// What Python's `str.strip` removes: Unicode's white space, and four separators besides.
pub(super) fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}
