//! "Did you mean …?"

use super::options::OptionMeta;

/// Longer names are not compared: they are no misspelling of ours.
const MAX_NAME: usize = 80;

/// The option that `[section] name` probably means: the same name in another section, else the
/// one that is the fewest letters away, if that is near enough.
pub(super) fn suggest(
    options: &[&'static OptionMeta],
    section: &str,
    name: &str,
) -> Option<String> {
    if section.len() > MAX_NAME || name.len() > MAX_NAME {
        return None;
    }
    let spelt = name.replace('-', "_").to_lowercase();
    let near = options
        .iter()
        .map(|meta| {
            let apart = distance(&spelt, meta.name);
            let elsewhere = if section.eq_ignore_ascii_case(meta.section) {
                0
            } else {
                distance(section, meta.section).min(2)
            };
            (apart + elsewhere, apart, meta)
        })
        .min_by_key(|(all, apart, _)| (*all, *apart))?;
    let (all, _, meta) = near;
    (all <= 2.max(spelt.chars().count() / 4)).then(|| meta.title())
}

/// Levenshtein's distance: letters to add, drop or replace.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (index, from) in a.chars().enumerate() {
        let mut diagonal = index;
        let mut left = index + 1;
        let mut next = Vec::with_capacity(row.len());
        next.push(left);
        for (to, up) in b.iter().zip(row.iter().skip(1)) {
            left = (diagonal + usize::from(from != *to))
                .min(up + 1)
                .min(left + 1);
            diagonal = *up;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_counts_letters_added_dropped_and_replaced() {
        for (a, b, expected) in [
            ("", "", 0),
            ("", "abc", 3),
            ("expiration", "expiraton", 1),
            ("kitten", "sitting", 3),
            ("ä", "a", 1),
        ] {
            assert_eq!(distance(a, b), expected, "{a} {b}");
            assert_eq!(distance(b, a), expected, "{b} {a}");
        }
    }
}
