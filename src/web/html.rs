//! HTML made of templates of ours and texts of others. An [`Html`] comes from nowhere else, so what
//! others wrote is escaped wherever it stands.

use std::fmt::Write as _;

use chrono::DateTime;

/// A piece of HTML.
#[derive(Clone, Debug, Default)]
pub struct Html(String);

/// What is put into a template.
#[derive(Clone, Copy, Debug)]
pub enum Slot<'a> {
    /// Somebody's text.
    Text(&'a str),
    /// HTML that is made already.
    Html(&'a Html),
}

impl<'a> From<&'a str> for Slot<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a String> for Slot<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a Html> for Slot<'a> {
    fn from(html: &'a Html) -> Self {
        Self::Html(html)
    }
}

impl Html {
    /// A template with its `{{name}}`s filled; one that has no slot stays empty. Templates have them
    /// between tags and in attributes in double quotes, nowhere else.
    pub fn fill(template: &'static str, slots: &[(&str, Slot<'_>)]) -> Self {
        let mut html = String::with_capacity(template.len() + 256);
        let mut rest = template;
        while let Some((before, after)) = rest.split_once("{{") {
            html.push_str(before);
            let Some((name, behind)) = after.split_once("}}") else {
                break;
            };
            match slots.iter().find(|slot| slot.0 == name).map(|slot| slot.1) {
                Some(Slot::Text(text)) => escape(text, &mut html),
                Some(Slot::Html(Html(inner))) => html.push_str(inner),
                None => {}
            }
            rest = behind;
        }
        html.push_str(rest);
        Self(html)
    }

    /// A template without slots.
    pub fn of(template: &'static str) -> Self {
        Self(template.to_owned())
    }

    /// A time that the script shows in the reader's own zone. `micros` since 1970.
    pub fn time(micros: i64) -> Self {
        let Some(at) = DateTime::from_timestamp_micros(micros) else {
            return Self::default();
        };
        let machine = at.format("%Y-%m-%dT%H:%M:%SZ").to_string();
        let shown = at.format("%-d %b %Y, %H:%M UTC").to_string();
        Self::fill(
            r#"<time datetime="{{machine}}">{{shown}}</time>"#,
            &[("machine", (&machine).into()), ("shown", (&shown).into())],
        )
    }

    /// Pieces one after another.
    pub fn join(pieces: impl IntoIterator<Item = Self>) -> Self {
        Self(pieces.into_iter().map(|piece| piece.0).collect())
    }

    /// As a text.
    pub fn into_string(self) -> String {
        self.0
    }
}

fn escape(text: &str, into: &mut String) {
    for character in text.chars() {
        match character {
            '&' => into.push_str("&amp;"),
            '<' => into.push_str("&lt;"),
            '>' => into.push_str("&gt;"),
            '"' => into.push_str("&quot;"),
            '\'' => into.push_str("&#39;"),
            // Would be read as another character, or as none.
            '\0'..='\x08' | '\x0b'..='\x1f' | '\x7f' => {
                let _ = write!(into, "\u{fffd}");
            }
            other => into.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_others_is_text_wherever_it_stands() {
        let evil = r#"<b> & "x' {{y}}"#;
        let html = Html::fill(
            r#"<p title="{{x}}">{{x}}</p>{{y}}"#,
            &[("x", evil.into()), ("y", "once".into())],
        );
        let text = "&lt;b&gt; &amp; &quot;x&#39; {{y}}";
        assert_eq!(
            html.into_string(),
            format!(r#"<p title="{text}">{text}</p>once"#)
        );
    }

    #[test]
    fn html_that_is_made_already_is_not_escaped_again() {
        let inner = Html::fill("<i>{{x}}</i>", &[("x", "&".into())]);
        let outer = Html::fill("<p>{{x}}</p>", &[("x", (&inner).into())]);
        assert_eq!(outer.into_string(), "<p><i>&amp;</i></p>");
    }

    #[test]
    fn a_time_is_for_people_and_for_the_script() {
        let html = Html::time(1_000_000_000_000_000).into_string();
        assert_eq!(
            html,
            r#"<time datetime="2001-09-09T01:46:40Z">9 Sep 2001, 01:46 UTC</time>"#
        );
    }
}
