//! The one definition of an option: `section!` makes of it the field, its default, the parser,
//! the check of its bounds, its documentation, the sample file, and what `doctor` lists.

/// What an option's text has to look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `true`/`1`/`on`/`yes` or `false`/`0`/`off`/`no`, in any case.
    Boolean,
    /// A whole number.
    Integer,
    /// A whole number, `-1` for "no limit".
    Limit,
    /// A number.
    Float,
    /// A time in seconds: whole for options of Python Keystone, fractions allowed for ours.
    Seconds,
    /// Any text.
    Text,
    /// A word of a fixed list.
    Choice,
    /// Any text, never shown.
    Secret,
    /// A path in the file system.
    Path,
    /// An `http://` or `https://` URL.
    Uri,
    /// Items separated by commas.
    List,
    /// Any text; the option may be repeated, each line adds a value.
    Multi,
    /// `name:[item,item]` pairs separated by commas.
    Dict,
    /// A database URL as SQLAlchemy writes them; it may contain a password, so it is never shown.
    Database,
    /// `address:port`.
    Address,
}

impl Kind {
    /// What is allowed, in words that follow "has to be".
    pub fn describe(self) -> &'static str {
        match self {
            Self::Boolean => "true or false",
            Self::Integer => "a whole number",
            Self::Limit => "-1 for no limit, or a whole number",
            Self::Float => "a number",
            Self::Seconds => "a time in seconds",
            Self::Text | Self::Secret => "text",
            Self::Choice => "one of a fixed list",
            Self::Path => "a path",
            Self::Uri => "an http:// or https:// URL",
            Self::List => "a list, separated by commas",
            Self::Multi => "text; repeat the option for more than one",
            Self::Dict => "a list of name:[item,item] pairs, separated by commas",
            Self::Database => "a database URL",
            Self::Address => "address:port",
        }
    }
}

/// Everything known about an option but its value.
#[derive(Debug)]
pub struct OptionMeta {
    /// Section, in lower case but for `DEFAULT`.
    pub section: &'static str,
    /// Name within the section.
    pub name: &'static str,
    /// Shape of the value.
    pub kind: Kind,
    /// The default as one would write it; `None`: unset. See [`OptionMeta::default`].
    pub default_text: fn() -> Option<String>,
    /// Lines of documentation.
    pub doc: &'static [&'static str],
    /// The value must never be shown.
    pub secret: bool,
    /// Words allowed; empty where any value of the kind is.
    pub choices: &'static [&'static str],
    /// Smallest value allowed, in the option's unit.
    pub min: Option<f64>,
    /// Largest value allowed, in the option's unit.
    pub max: Option<f64>,
    /// Former `(section, name)`s, which still work.
    pub deprecated_names: &'static [(&'static str, &'static str)],
    /// Keystone-NG's own; Python Keystone does not know it.
    pub ours: bool,
    /// Known, but of no effect here. Its text is not even looked at, unless another refers to it.
    pub inert: bool,
    /// For an inert one: what to set in its stead, as `[section] name`.
    pub instead: Option<&'static str>,
    /// A change of it takes effect on SIGHUP, without a restart.
    pub reload: bool,
}

impl OptionMeta {
    /// What a definition does not say.
    pub(super) const BASE: Self = Self {
        section: "",
        name: "",
        kind: Kind::Text,
        default_text: || None,
        doc: &[],
        secret: false,
        choices: &[],
        min: None,
        max: None,
        deprecated_names: &[],
        ours: false,
        inert: false,
        instead: None,
        reload: false,
    };

    /// `[section] name`, as messages write it.
    pub fn title(&self) -> String {
        format!("[{}] {}", self.section, self.name)
    }

    /// The default as one would write it; `None`: unset.
    pub fn default(&self) -> Option<String> {
        (self.default_text)()
    }

    /// What is allowed, in words that follow "has to be".
    pub fn allowed(&self) -> String {
        let mut text = match (self.kind, self.choices) {
            (kind, []) => kind.describe().to_owned(),
            (Kind::List, words) => format!("a list of {}, separated by commas", words.join(", ")),
            (_, words) => format!("one of {}", words.join(", ")),
        };
        match (self.min, self.max) {
            (Some(min), Some(max)) => text.push_str(&format!(" from {min} to {max}")),
            (Some(min), None) => text.push_str(&format!(", {min} or more")),
            (None, Some(max)) => text.push_str(&format!(", {max} or less")),
            (None, None) => {}
        }
        text
    }

    /// Whether a number is within the bounds.
    pub(super) fn admits(&self, number: f64) -> bool {
        self.min.is_none_or(|min| number >= min) && self.max.is_none_or(|max| number <= max)
    }
}

/// A section as a whole.
#[derive(Debug)]
pub struct SectionMeta {
    /// Its name.
    pub name: &'static str,
    /// Lines of documentation.
    pub doc: &'static [&'static str],
    /// Keystone-NG's own.
    pub ours: bool,
    /// Its options, in the order of their definition.
    pub options: &'static [OptionMeta],
}

/// Why a value is refused.
#[derive(Debug)]
pub(super) enum Refused {
    /// It is not what [`OptionMeta::allowed`] says.
    NotAllowed,
    /// A reason of its own, which contains nothing secret.
    Because(String),
}

/// A type that an option can have.
pub(super) trait Value: Sized {
    /// Its shape.
    const KIND: Kind;
    /// Never to be shown.
    const SECRET: bool = false;
    /// Smallest value that the type has, unless the definition says more.
    const MIN: Option<f64> = None;
    /// Words allowed, if they are few.
    const CHOICES: &'static [&'static str] = &[];

    /// Reads one value. The bounds are those of `meta`.
    fn read(text: &str, meta: &OptionMeta) -> Result<Self, Refused>;

    /// Reads an option that is given several times; the last wins, unless the type collects them.
    fn read_all(texts: &[String], meta: &OptionMeta) -> Result<Self, Refused> {
        match texts.last() {
            Some(text) => Self::read(text, meta),
            None => Err(Refused::NotAllowed),
        }
    }

    /// As one would write it; `None`: unset.
    fn render(&self) -> Option<String>;
}

/// A section: a struct with a field an option.
pub(super) trait Section: Default {
    /// What is known of it.
    const META: &'static SectionMeta;

    /// Takes each option's value from `source`, in the order of definition.
    fn read(source: &mut super::resolve::Reader<'_>) -> Self;
}

/// Defines a section: a struct whose fields are the options of `[section]`.
///
/// After the default stand further fields of [`OptionMeta`], such as `min = Some(0.0)`.
macro_rules! section {
    (
        $(#[doc = $about:literal])+
        pub struct $struct:ident in $section:literal, ours = $ours:literal {
            $(
                $(#[doc = $doc:literal])+
                pub $field:ident: $type:ty = $default:expr $(, $key:ident = $value:expr)*;
            )+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug)]
        pub struct $struct {
            $( $(#[doc = $doc])+ pub $field: $type, )+
        }

        impl Default for $struct {
            fn default() -> Self {
                Self { $( $field: $default, )+ }
            }
        }

        impl $crate::config::options::Section for $struct {
            const META: &'static $crate::config::options::SectionMeta =
                &$crate::config::options::SectionMeta {
                    name: $section,
                    doc: &[$($about),+],
                    ours: $ours,
                    options: &[$(
                        $crate::config::options::OptionMeta {
                            section: $section,
                            name: stringify!($field),
                            kind: <$type as $crate::config::options::Value>::KIND,
                            default_text: || {
                                let value: $type = $default;
                                $crate::config::options::Value::render(&value)
                            },
                            doc: &[$($doc),+],
                            secret: <$type as $crate::config::options::Value>::SECRET,
                            choices: <$type as $crate::config::options::Value>::CHOICES,
                            ours: $ours,
                            $($key: $value,)*
                            // A bound in the definition takes the place of this one.
                            ..$crate::config::options::OptionMeta {
                                min: <$type as $crate::config::options::Value>::MIN,
                                ..$crate::config::options::OptionMeta::BASE
                            }
                        },
                    )+],
                };

            fn read(source: &mut $crate::config::resolve::Reader<'_>) -> Self {
                let defaults = Self::default();
                let mut options = Self::META.options.iter();
                Self { $( $field: source.take(options.next(), defaults.$field), )+ }
            }
        }
    };
}

/// Defines the words that an option may have, as an enum.
macro_rules! choices {
    (
        $(#[doc = $about:literal])+
        pub enum $enum:ident { $( $(#[doc = $doc:literal])+ $variant:ident = $word:literal, )+ }
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $enum { $( $(#[doc = $doc])+ $variant, )+ }

        impl $enum {
            /// The word in the file.
            pub fn as_str(self) -> &'static str {
                match self { $( Self::$variant => $word, )+ }
            }
        }

        impl std::fmt::Display for $enum {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl $crate::config::options::Value for $enum {
            const KIND: $crate::config::options::Kind = $crate::config::options::Kind::Choice;
            const CHOICES: &'static [&'static str] = &[$($word),+];

            fn read(
                text: &str,
                _: &$crate::config::options::OptionMeta,
            ) -> Result<Self, $crate::config::options::Refused> {
                match text {
                    $( $word => Ok(Self::$variant), )+
                    _ => Err($crate::config::options::Refused::NotAllowed),
                }
            }

            fn render(&self) -> Option<String> {
                Some(self.as_str().to_owned())
            }
        }

        impl $crate::config::values::Item for $enum {}
    };
}

/// Defines options that are known and have no effect, by section:
/// `"section", "why" => { name: Kind = default, further = fields; … }`.
macro_rules! accepted {
    ($(
        $section:literal, $why:literal => {
            $( $name:ident: $kind:ident = $default:expr $(, $key:ident = $value:expr)*; )+
        }
    )+) => {
        &[$(
            $crate::config::options::SectionMeta {
                name: $section,
                doc: &[$why],
                ours: false,
                options: &[$(
                    $crate::config::options::OptionMeta {
                        section: $section,
                        name: stringify!($name),
                        kind: $crate::config::options::Kind::$kind,
                        default_text: || {
                            let text: Option<&str> = $default;
                            text.map(str::to_owned)
                        },
                        doc: &[$why],
                        inert: true,
                        $($key: $value,)*
                        ..$crate::config::options::OptionMeta::BASE
                    },
                )+],
            },
        )+]
    };
}

pub(super) use {accepted, choices, section};
