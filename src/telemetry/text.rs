//! The log for people: a line an event, with the spans around it and its fields.
//!
//! Each request passes here several times, so nothing is put together twice: what a span is called
//! and has is text from the moment when it is known.

use std::cell::RefCell;
use std::fmt::{self, Debug, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use chrono::DateTime;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::queue::Queue;

/// Room for a line as most are.
const LINE: usize = 512;

/// Writes events as text.
pub(super) struct TextLines(pub Queue);

/// A span's fields, kept with it: ` request.id=req-… client=192.0.2.1`.
struct Fields(String);

/// Appends fields, a blank before each.
struct Writer<'a> {
    text: &'a mut String,
    /// The module that a record of the `log` facade is from, which its metadata do not tell.
    target: Option<String>,
}

/// Text in which nothing can begin a line or command a terminal.
struct Harmless<'a>(&'a mut String);

impl Write for Harmless<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // The first byte of the control characters beyond ASCII is one of other characters, too.
        let is_suspect = |byte: u8| byte.is_ascii_control() || byte == 0xc2;
        if !text.bytes().any(is_suspect) {
            self.0.push_str(text);
            return Ok(());
        }
        for character in text.chars() {
            match character.is_control() {
                true => self.0.extend(character.escape_default()),
                false => self.0.push(character),
            }
        }
        Ok(())
    }
}

/// Whether quoted text is the same with its escapes as without.
fn is_plain(text: &str) -> bool {
    text.bytes()
        .all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\'))
}

impl Writer<'_> {
    fn put(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        let name = field.name();
        if let Some(of_log) = name.strip_prefix("log.") {
            if of_log == "target" {
                self.target = Some(value.to_string());
            }
            return;
        }
        self.text.push(' ');
        if name != "message" {
            self.text.push_str(name);
            self.text.push('=');
        }
        // A value that can't be shown is none.
        let _ = Harmless(self.text).write_fmt(value);
    }
}

impl Visit for Writer<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.put(field, format_args!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" | "log.target" => self.put(field, format_args!("{value}")),
            name if is_plain(value) && !name.starts_with("log.") => {
                self.text.extend([" ", name, "=\"", value, "\""]);
            }
            _ => self.put(field, format_args!("{value:?}")),
        }
    }
}

impl<S> Layer<S> for TextLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut text = String::with_capacity(LINE / 2);
        attributes.record(&mut Writer {
            text: &mut text,
            target: None,
        });
        span.extensions_mut().insert(Fields(text));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(Fields(text)) = span.extensions_mut().get_mut() {
            values.record(&mut Writer { text, target: None });
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        thread_local! {
            static BUFFER: RefCell<String> = const { RefCell::new(String::new()) };
        }
        // What is logged while a line is put together, by what is shown in it, has a line of its own.
        let mut line = BUFFER.take();
        line.clear();
        line.reserve(LINE);
        write_line(&mut line, event, &context);
        self.0.line(line.as_bytes());
        if line.capacity() <= 8 * LINE {
            BUFFER.set(line);
        }
    }
}

/// `2026-01-02T03:04:05.678901Z  INFO request{request.id=…}: keystone_ng::api: answered status=200`
fn write_line<S>(line: &mut String, event: &Event<'_>, context: &Context<'_, S>)
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    write_time(line, SystemTime::now());
    let meta = event.metadata();
    // Writing into a string does not fail.
    let _ = write!(line, " {:>5} ", meta.level().as_str());
    let around = context.event_scope(event);
    let mut is_first = true;
    for span in around.into_iter().flat_map(|scope| scope.from_root()) {
        if !is_first {
            line.push(':');
        }
        is_first = false;
        line.push_str(span.name());
        if let Some(Fields(text)) = span.extensions().get()
            && !text.is_empty()
        {
            line.push('{');
            line.push_str(text.trim_start());
            line.push('}');
        }
    }
    if !is_first {
        line.push_str(": ");
    }
    let at = line.len();
    let mut fields = Writer {
        text: line,
        target: None,
    };
    event.record(&mut fields);
    let target = fields.target.take();
    line.insert(at, ':');
    line.insert_str(at, target.as_deref().unwrap_or(meta.target()));
    line.push('\n');
}

/// In microseconds, UTC (RFC 3339).
pub(super) fn write_time(line: &mut String, time: SystemTime) {
    thread_local! {
        /// The second that was written last, and its text.
        static SECOND: RefCell<(u64, String)> = const { RefCell::new((u64::MAX, String::new())) };
    }
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    SECOND.with_borrow_mut(|(second, text)| {
        if *second != since.as_secs() {
            let time = i64::try_from(since.as_secs()).ok();
            let time = time.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
            *second = since.as_secs();
            *text = time.unwrap_or_default().format("%FT%T").to_string();
        }
        line.push_str(text);
    });
    let _ = write!(line, ".{:06}Z", since.subsec_micros());
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tracing::{info_span, warn};
    use tracing_subscriber::layer::SubscriberExt;

    use super::super::sink::Sink;
    use super::*;

    /// What is logged meanwhile.
    fn logged(name: &str, work: impl FnOnce()) -> String {
        let path = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
        let queue = Queue::start(Sink::open(Some(path.clone()), false).unwrap()).unwrap();
        let subscriber = tracing_subscriber::registry().with(TextLines(queue.clone()));
        tracing::subscriber::with_default(subscriber, work);
        queue.flush();
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(path).unwrap();
        text
    }

    #[test]
    fn a_line_has_time_level_spans_module_message_and_fields() {
        let text = logged("log-line", || {
            let outer = info_span!("request", id = %"req-1", user = tracing::field::Empty);
            let _entered = outer.enter();
            outer.record("user", "alice");
            let _inner = info_span!("inner").entered();
            warn!(count = 3, name = "a b", ratio = 0.5, "it is late");
        });
        let (time, rest) = text.split_once(' ').unwrap();
        assert!(DateTime::parse_from_rfc3339(time).is_ok(), "{time}");
        let module = module_path!();
        let fields = "it is late count=3 name=\"a b\" ratio=0.5";
        assert_eq!(
            rest,
            format!(" WARN request{{id=req-1 user=\"alice\"}}:inner: {module}: {fields}\n")
        );
    }

    #[test]
    fn nothing_in_a_value_begins_a_line_or_reaches_a_terminal() {
        let text = logged("log-harmless", || {
            let evil = "a\nINFO forged\u{1b}[2J\u{9b}31m é";
            warn!(shown = %evil, quoted = evil, "{evil}");
        });
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(!text.trim_end().contains(char::is_control), "{text:?}");
        assert!(text.contains("shown=a\\nINFO forged\\u{1b}[2J\\u{9b}31m é"));
    }

    #[test]
    fn the_time_has_microseconds_and_is_right_after_a_second_too() {
        let mut text = String::new();
        for micros in [0, 1_000_001, 951_782_400_000_042] {
            write_time(&mut text, UNIX_EPOCH + Duration::from_micros(micros));
            text.push(' ');
        }
        assert_eq!(
            text,
            "1970-01-01T00:00:00.000000Z 1970-01-01T00:00:01.000001Z 2000-02-29T00:00:00.000042Z "
        );
    }

    #[test]
    fn a_record_of_the_log_facade_has_its_own_module() {
        let text = logged("log-facade", || {
            warn!(log.target = "some_library", log.line = 3, "by another way");
        });
        assert!(text.ends_with(" some_library: by another way\n"), "{text}");
    }
}
