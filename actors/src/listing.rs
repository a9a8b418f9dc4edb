//! What lists have in common: filters by text, exact and inexact, and pages.
//!
//! Keystone's inexact filters are `attribute__contains`, `__startswith`, `__endswith` (heeding
//! case) and `__icontains`, `__istartswith`, `__iendswith` (not heeding it). `%` and `_` in a
//! value mean themselves.

/// How an attribute is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparator {
    /// The whole value; what that means for case is up to the database's collation.
    Equals,
    /// Anywhere inside.
    Contains,
    /// At the beginning.
    StartsWith,
    /// At the end.
    EndsWith,
}

/// One condition on a text attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextFilter {
    /// How it is compared.
    pub comparator: Comparator,
    /// Whether case does not matter; with [`Comparator::Equals`] the database decides.
    pub ignore_case: bool,
    /// What it is compared with.
    pub value: String,
}

impl TextFilter {
    /// The whole value.
    pub fn equals(value: impl Into<String>) -> Self {
        Self {
            comparator: Comparator::Equals,
            ignore_case: false,
            value: value.into(),
        }
    }

    /// The value, if it is this and no other that is asked for.
    pub fn exactly(&self) -> Option<&str> {
        (self.comparator == Comparator::Equals).then_some(self.value.as_str())
    }

    /// The comparator of Keystone's name for it, such as `istartswith`, and whether it ignores
    /// case; `None` for names that it does not know.
    pub fn comparator_named(name: &str) -> Option<(Comparator, bool)> {
        Some(match name {
            "contains" => (Comparator::Contains, false),
            "startswith" => (Comparator::StartsWith, false),
            "endswith" => (Comparator::EndsWith, false),
            "icontains" => (Comparator::Contains, true),
            "istartswith" => (Comparator::StartsWith, true),
            "iendswith" => (Comparator::EndsWith, true),
            _ => return None,
        })
    }

    /// Whether a value that the server itself holds meets this condition.
    pub fn matches(&self, value: &str) -> bool {
        let compare = |value: &str, wanted: &str| match self.comparator {
            Comparator::Equals => value == wanted,
            Comparator::Contains => value.contains(wanted),
            Comparator::StartsWith => value.starts_with(wanted),
            Comparator::EndsWith => value.ends_with(wanted),
        };
        if self.ignore_case {
            compare(&value.to_lowercase(), &self.value.to_lowercase())
        } else {
            compare(value, &self.value)
        }
    }

    /// The pattern for SQL's `LIKE` with `\` as escape. It heeds no case more than the
    /// database does: whoever needs [`Self::matches`] exactly asks it of what comes back.
    pub fn like_pattern(&self) -> String {
        let mut escaped = String::with_capacity(self.value.len() + 2);
        for character in self.value.chars() {
            if matches!(character, '%' | '_' | '\\') {
                escaped.push('\\');
            }
            escaped.push(character);
        }
        match self.comparator {
            Comparator::Equals => escaped,
            Comparator::Contains => format!("%{escaped}%"),
            Comparator::StartsWith => format!("{escaped}%"),
            Comparator::EndsWith => format!("%{escaped}"),
        }
    }
}

impl TextFilter {
    /// Whether this condition heeds case, which the database's own comparison may not do: whoever
    /// has such a condition looks a second time, with [`meets`], at what comes back.
    pub(crate) fn heeds_case(&self) -> bool {
        self.comparator != Comparator::Equals && !self.ignore_case
    }
}

/// Whether a whole value is asked for, which an index can find.
pub(crate) fn name_one(filters: &[TextFilter]) -> bool {
    let is_whole = |filter: &TextFilter| filter.comparator == Comparator::Equals;
    filters.iter().any(is_whole)
}

/// Whether nothing can match: PostgreSQL stores no NUL, and refuses to look for one.
pub(crate) fn match_nothing(filters: &[TextFilter]) -> bool {
    filters.iter().any(|filter| filter.value.contains('\0'))
}

/// The second look at a value that the database found.
pub(crate) fn meets(filters: &[TextFilter], value: &str) -> bool {
    filters
        .iter()
        .all(|filter| !filter.heeds_case() || filter.matches(value))
}

/// Narrows a boxed query by conditions on a text column.
macro_rules! narrow_by_text {
    ($query:ident, $column:expr, $filters:expr) => {
        for filter in $filters {
            use $crate::listing::{Comparator, lower};
            let pattern = filter.like_pattern();
            $query = match (filter.comparator, filter.ignore_case) {
                (Comparator::Equals, _) => $query.filter($column.eq(filter.value.clone())),
                (_, true) => $query.filter(lower($column).like(lower(pattern)).escape('\\')),
                (_, false) => $query.filter($column.like(pattern).escape('\\')),
            };
        }
    };
}
pub(crate) use narrow_by_text;

/// Which part of a list, in the order of the IDs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The ID of the last member of the page before; it has to exist.
    pub marker: Option<String>,
    /// The most members to return.
    pub limit: Option<usize>,
}

/// A page of a list.
#[derive(Clone, Debug)]
pub struct Listed<T> {
    /// The members, in the order of their IDs.
    pub members: Vec<T>,
    /// Whether the page is full: there may be more.
    pub full: bool,
}

diesel::define_sql_function! {
    /// SQL's `LOWER`, the same on all three databases for ASCII.
    fn lower(text: diesel::sql_types::Text) -> diesel::sql_types::Text;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_in_a_value_mean_themselves() {
        let filter = TextFilter {
            comparator: Comparator::Contains,
            ignore_case: true,
            value: r"50%_\".to_owned(),
        };
        assert_eq!(filter.like_pattern(), r"%50\%\_\\%");
        assert!(filter.matches(r"a 50%_\ b"));
        assert!(!filter.matches("a 500 b"));
    }
}
