//! The sample file: every option with its meaning and default, commented out.

use super::all_sections;
use super::options::{Kind, OptionMeta, SectionMeta};

const HEADER: &str = "\
# Configuration of Keystone-NG: every option, with its default, commented out.
#
# The notation is that of oslo.config, and files of Python Keystone work unchanged. Any option can
# also be given by the environment, as OS_<SECTION>__<OPTION>. In a value, $name and
# ${section.name} stand for another option's value; write $$ for a dollar sign.
#
# Made from the definitions in src/config/sections; don't edit it by hand.
";

/// The sample file, as it is in `config/keystone.conf.sample`: each option with its documentation,
/// what is allowed, and its default, commented out. `[DEFAULT]` first, the others by name; within
/// a section, options without effect come last.
pub fn sample() -> String {
    let mut names: Vec<&str> = all_sections().map(|section| section.name).collect();
    names.sort_by_key(|name| (*name != "DEFAULT", *name));
    names.dedup();
    let mut text = HEADER.to_owned();
    for name in names {
        text.push_str(&format!("\n\n[{name}]\n"));
        for section in all_sections().filter(|section| section.name == name) {
            write_section(&mut text, section);
        }
    }
    text
}

fn write_section(text: &mut String, section: &SectionMeta) {
    if section
        .options
        .iter()
        .all(|option| option.inert && option.doc == section.doc)
    {
        text.push_str("\n# Known, but without effect here:\n");
        write_doc(text, section.doc);
        for option in section.options {
            write_default(text, option);
        }
        return;
    }
    write_doc(text, section.doc);
    if section.ours {
        text.push_str("# (Keystone-NG's own section; Python Keystone ignores it.)\n");
    }
    for option in section.options {
        text.push('\n');
        write_doc(text, option.doc);
        text.push_str(&format!("# ({}", option.allowed()));
        if option.inert {
            text.push_str("; no effect here");
            if let Some(instead) = option.instead {
                text.push_str(&format!(", set {instead} instead"));
            }
        }
        if option.reload {
            text.push_str("; read again on SIGHUP");
        }
        text.push_str(")\n");
        for (section, name) in option.deprecated_names {
            text.push_str(&format!("# Was [{section}] {name}.\n"));
        }
        write_default(text, option);
    }
}

fn write_doc(text: &mut String, doc: &[&str]) {
    for line in doc {
        text.push_str(format!("# {}", line.trim()).trim_end());
        text.push('\n');
    }
}

fn write_default(text: &mut String, option: &OptionMeta) {
    let default = option.default().unwrap_or_default().replace('$', "$$");
    let values: Vec<&str> = match option.kind {
        Kind::Multi if !default.is_empty() => default.lines().collect(),
        _ => vec![default.as_str()],
    };
    for value in values {
        // Quotes keep blanks at the ends.
        let line = if value.trim() == value {
            format!("#{} = {value}", option.name)
        } else {
            format!("#{} = \"{value}\"", option.name)
        };
        text.push_str(line.trim_end());
        text.push('\n');
    }
}
