//! The query of a request: filters, flags and pages, as Keystone reads them.

use std::num::IntErrorKind;

use keystone_actors::listing::{Page, TextFilter};
use serde_json::{Map, Value};
use url::form_urlencoded;

use super::error::ApiError;
use super::schema::Schema;

/// Parameters beyond this number are not looked at.
const MOST: usize = 1000;

/// The parameters of a request, decoded, in their order.
#[derive(Clone, Debug, Default)]
pub struct Query(Vec<(String, String)>);

/// Which page is asked for, and what the answer says of the next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Paging {
    /// For the provider.
    pub page: Page,
    /// What `limit` the link to the next page has; `None` where nobody asked for pages.
    limit: Option<usize>,
}

impl Query {
    /// Reads a raw query.
    pub fn parse(raw: &str) -> Self {
        let pairs = form_urlencoded::parse(raw.as_bytes()).into_owned();
        Self(pairs.take(MOST).collect())
    }

    /// The first value of a parameter.
    pub fn first(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// All values of a parameter.
    pub fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        let matching = self.0.iter().filter(move |(key, _)| key == name);
        matching.map(|(_, value)| value.as_str())
    }

    /// All parameters, in their order.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// Whether a flag such as `effective` is there; `0` alone takes it back.
    pub fn flag(&self, name: &str) -> bool {
        self.first(name).is_some_and(|value| value != "0")
    }

    /// A filter on a boolean attribute: `0 f false off n no` are false, all else is true.
    pub fn boolean(&self, name: &str) -> Option<bool> {
        self.first(name).map(is_true)
    }

    /// The filters on a boolean attribute: `enabled=…`, and inexact ones such as
    /// `enabled__icontains=…`, to which it is `1` or `0`. All of them have to match.
    ///
    /// # Errors
    /// 400 for inexact ones that heed case, which a boolean has not.
    pub fn booleans(&self, attribute: &str) -> Result<Vec<bool>, ApiError> {
        let mut wanted: Vec<bool> = self.boolean(attribute).into_iter().collect();
        for filter in self.texts(attribute) {
            if filter.exactly().is_some() {
                continue;
            }
            if !filter.ignore_case {
                return Err(ApiError::bad_request(format!("{attribute} is no text.")));
            }
            let values = [(true, "1"), (false, "0")];
            let unmet = values.iter().filter(|(_, text)| !filter.matches(text));
            wanted.extend(unmet.map(|(value, _)| !value));
        }
        Ok(wanted)
    }

    /// All values of a parameter, with whatever comparator it is written.
    pub fn compared<'a>(&'a self, attribute: &str) -> impl Iterator<Item = &'a str> {
        let is_of = move |name: &str| {
            let rest = name.strip_prefix(attribute);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("__"))
        };
        let matching = self.0.iter().filter(move |(name, _)| is_of(name));
        matching.map(|(_, value)| value.as_str())
    }

    /// The filters on a text attribute: `name=…`, and inexact ones such as `name__icontains=…`.
    /// All of them have to match.
    pub fn texts(&self, attribute: &str) -> Vec<TextFilter> {
        let filter = |(name, value): &(String, String)| {
            let rest = name.strip_prefix(attribute)?;
            if rest.is_empty() {
                return Some(TextFilter::equals(value.clone()));
            }
            let (comparator, ignore_case) = TextFilter::comparator_named(rest.strip_prefix("__")?)?;
            Some(TextFilter {
                comparator,
                ignore_case,
                value: value.clone(),
            })
        };
        self.0.iter().filter_map(filter).collect()
    }

    /// Compares the parameters with a schema; the first value of each counts.
    ///
    /// # Errors
    /// 400 in Keystone's words.
    pub fn check(&self, schema: &Schema) -> Result<(), ApiError> {
        let mut members = Map::new();
        for (name, value) in &self.0 {
            if !members.contains_key(name) {
                members.insert(name.clone(), Value::from(value.as_str()));
            }
        }
        schema.check(&Value::Object(members))
    }

    /// The page that is asked for: `marker`, `limit`, the operator's `list_limit` where the client
    /// names none (0 is none), and never more than `max` (`[DEFAULT] max_db_limit`).
    ///
    /// # Errors
    /// 400 when `limit` is no whole number from 0 on.
    pub fn paging(&self, list_limit: Option<usize>, max: usize) -> Result<Paging, ApiError> {
        let asked = match self.first("limit") {
            None | Some("") => None,
            Some(text) => Some(size(text).ok_or_else(|| {
                ApiError::bad_request("limit has to be a whole number from 0 on.")
            })?),
        };
        let asked = asked.filter(|limit| *limit > 0);
        let limit = asked.or(list_limit).map(|limit| limit.min(max));
        Ok(Paging {
            page: Page {
                marker: self
                    .first("marker")
                    .filter(|marker| !marker.is_empty())
                    .map(str::to_owned),
                limit: Some(limit.unwrap_or(max)),
            },
            limit,
        })
    }

    /// The query of the page behind `last`, or `None` where nobody asked for pages. Each parameter
    /// is there once, where it was.
    pub(super) fn next(&self, paging: &Paging, last: Option<&str>) -> Option<String> {
        let limit = paging.limit?.to_string();
        let mut set: Vec<(&str, &str)> = Vec::new();
        let own = [("limit", Some(&*limit)), ("marker", last)];
        let own = own
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        for (name, value) in self.pairs() {
            if !set.iter().any(|(known, _)| *known == name) {
                set.push((name, value));
            }
        }
        for (name, value) in own {
            match set.iter_mut().find(|(known, _)| *known == name) {
                Some(pair) => pair.1 = value,
                None => set.push((name, value)),
            }
        }
        let mut next = form_urlencoded::Serializer::new(String::new());
        next.extend_pairs(set);
        Some(next.finish())
    }
}

impl Paging {
    /// Whether the client or the operator asked for pages, so that a full one is said to be.
    pub(super) fn is_asked(&self) -> bool {
        self.limit.is_some()
    }

    /// The page of a list that Keystone gives whole where nobody asks for pages, of however many
    /// members.
    pub fn page_of_whole(&self) -> Page {
        Page {
            marker: self.page.marker.clone(),
            limit: self.limit,
        }
    }

    /// The page of a list that the server holds whole, sorted by `id`; and whether it is full.
    ///
    /// # Errors
    /// 404 when the marker is no member.
    pub fn cut<T>(
        &self,
        mut members: Vec<T>,
        id: impl Fn(&T) -> &str,
    ) -> Result<(Vec<T>, bool), ApiError> {
        members.sort_by(|a, b| id(a).cmp(id(b)));
        if let Some(marker) = &self.page.marker {
            let at = members.binary_search_by(|member| id(member).cmp(marker));
            let at = at
                .map_err(|_| ApiError::not_found(format!("Marker {marker} could not be found.")))?;
            members.drain(..=at);
        }
        let limit = self.limit.unwrap_or(usize::MAX);
        let full = members.len() > limit;
        members.truncate(limit);
        Ok((members, full))
    }
}

/// How Keystone reads a number in a query: blanks around it do not matter, and none is too big.
fn size(text: &str) -> Option<usize> {
    match text.trim().parse::<usize>() {
        Ok(size) => Some(size),
        Err(error) if *error.kind() == IntErrorKind::PosOverflow => Some(usize::MAX),
        Err(_) => None,
    }
}

/// How Keystone reads a boolean in a query.
fn is_true(text: &str) -> bool {
    const FALSE: [&str; 6] = ["0", "f", "false", "off", "n", "no"];
    !FALSE.iter().any(|word| text.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use keystone_actors::listing::Comparator;

    use super::*;

    #[test]
    fn filters_are_exact_or_inexact_and_add_up() {
        let query = Query::parse("name=a&name__icontains=B%25&name__sounds=x&names=c&name=d");
        let filters = query.texts("name");
        let found: Vec<_> = filters
            .iter()
            .map(|one| (one.comparator, &*one.value))
            .collect();
        assert_eq!(
            found,
            [
                (Comparator::Equals, "a"),
                (Comparator::Contains, "B%"),
                (Comparator::Equals, "d")
            ]
        );
    }

    #[test]
    fn a_flag_is_set_by_its_name_and_cleared_by_0_alone() {
        let set = |raw| Query::parse(raw).flag("effective");
        assert!(set("effective") && set("effective=") && set("effective=false"));
        assert!(!set("effective=0") && !set(""));
        let on = |raw| Query::parse(raw).boolean("enabled");
        assert_eq!(
            (on(""), on("enabled"), on("enabled=No")),
            (None, Some(true), Some(false))
        );
    }

    #[test]
    fn a_boolean_is_1_or_0_to_an_inexact_filter() {
        let wanted = |raw| Query::parse(raw).booleans("enabled").unwrap();
        assert_eq!(wanted("enabled__icontains=1"), [true]);
        assert_eq!(wanted("enabled__iendswith=0"), [false]);
        assert_eq!(wanted("enabled=yes&enabled__icontains="), [true]);
        assert_eq!(wanted("enabled__icontains=true"), [false, true], "nothing");
        assert!(wanted("enabled__sounds=1").is_empty());
        let heeds_case = Query::parse("enabled__contains=1").booleans("enabled");
        assert!(heeds_case.is_err());
    }

    #[test]
    fn a_page_is_bounded_and_leads_to_the_next() {
        let query = Query::parse("name=a%20b&limit=5000&marker=m");
        let paging = query.paging(None, 1000).unwrap();
        assert_eq!(paging.page.limit, Some(1000));
        let next = query.next(&paging, Some("z"));
        assert_eq!(next.as_deref(), Some("name=a+b&limit=1000&marker=z"));

        let query = Query::parse("limit=2&name=a&name=b");
        let paging = query.paging(None, 1000).unwrap();
        let next = query.next(&paging, Some("z"));
        assert_eq!(next.as_deref(), Some("limit=2&name=a&marker=z"));

        let none = Query::parse("limit=0").paging(None, 1000).unwrap();
        assert!(
            !none.is_asked(),
            "a page of nothing would lead to itself for ever"
        );

        let unasked = Query::parse("").paging(None, 1000).unwrap();
        assert_eq!(unasked.page.limit, Some(1000));
        assert_eq!(Query::parse("").next(&unasked, Some("z")), None);
        assert!(Query::parse("limit=-1").paging(None, 10).is_err());
        for (raw, most) in [
            ("limit=+7", 7),
            ("limit=%207", 7),
            ("limit=99999999999999999999", 10),
            ("limit=", 10),
        ] {
            let paging = Query::parse(raw).paging(None, 10).unwrap();
            assert_eq!(paging.page.limit, Some(most), "{raw}");
        }
        let first = Query::parse("marker=").paging(None, 10).unwrap();
        assert_eq!(first.page.marker, None, "an empty marker is none");
    }

    #[test]
    fn a_list_that_is_held_whole_is_cut_into_pages() {
        let page = |raw: &str| {
            let paging = Query::parse(raw).paging(None, 1000).unwrap();
            paging.cut(vec!["c", "a", "b"], |id| id)
        };
        assert_eq!(page("limit=2").unwrap(), (vec!["a", "b"], true));
        assert_eq!(page("limit=2&marker=b").unwrap(), (vec!["c"], false));
        assert!(page("marker=x").is_err());
    }
}
