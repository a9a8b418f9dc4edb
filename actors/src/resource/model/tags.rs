//! Tags of projects.

use super::super::Error;
use super::Project;

/// The most tags that a project may have.
pub const MOST_TAGS: usize = 80;

/// A change of a project's tags. Blanks around a tag are taken away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TagEdit {
    /// One more, which it hasn't yet.
    Add(String),
    /// One less, which it has.
    Remove(String),
    /// These instead.
    Replace(Vec<String>),
}

impl TagEdit {
    /// The tags after this change.
    pub fn apply(&self, project: &Project) -> Result<Vec<String>, Error> {
        let verb = match self {
            Self::Add(_) => "create",
            Self::Remove(_) => "delete",
            Self::Replace(_) => "update",
        };
        if project.options.is_immutable() {
            let id = project.id.clone();
            return Err(Error::ImmutableTags { verb, id });
        }
        let mut tags = project.tags.clone();
        match self {
            Self::Add(tag) => {
                let tag = tag.trim();
                if tags.iter().any(|known| known == tag) {
                    return Err(Error::TagExists(tag.to_owned()));
                }
                tags.push(tag.to_owned());
            }
            Self::Remove(tag) => {
                let at = tags.iter().position(|known| known == tag);
                tags.remove(at.ok_or_else(|| Error::TagNotFound(tag.clone()))?);
            }
            Self::Replace(others) => {
                tags = others.iter().map(|tag| tag.trim().to_owned()).collect();
            }
        }
        if tags.len() > MOST_TAGS {
            return Err(Error::TooManyTags(MOST_TAGS));
        }
        Ok(tags)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::super::super::ResourceSettings;
    use super::super::NewProject;
    use super::*;

    fn tagged(tags: &[String], immutable: bool) -> Project {
        let body = json!({"name": "p", "tags": tags, "options": {"immutable": immutable}});
        let new: NewProject = from_value(body).unwrap();
        new.into_project(&ResourceSettings::default()).unwrap()
    }

    #[test]
    fn tags_come_go_and_are_replaced() {
        let project = tagged(&["a".to_owned(), "b".to_owned()], false);
        let after = |edit: TagEdit| edit.apply(&project);

        assert_eq!(
            after(TagEdit::Add(" c ".to_owned())).unwrap(),
            ["a", "b", "c"]
        );
        assert_eq!(after(TagEdit::Remove("a".to_owned())).unwrap(), ["b"]);
        assert_eq!(
            after(TagEdit::Replace(vec![" z".to_owned()])).unwrap(),
            ["z"]
        );
        assert!(matches!(
            after(TagEdit::Add("a".to_owned())),
            Err(Error::TagExists(_))
        ));
        assert!(matches!(
            after(TagEdit::Remove("A".to_owned())),
            Err(Error::TagNotFound(_))
        ));
    }

    #[test]
    fn eighty_are_enough_and_an_immutable_project_keeps_its_own() {
        let many: Vec<String> = (0..MOST_TAGS).map(|n| n.to_string()).collect();
        let more = TagEdit::Add("x".to_owned());
        assert!(matches!(
            more.apply(&tagged(&many, false)),
            Err(Error::TooManyTags(80))
        ));
        let refused = more.apply(&tagged(&[], true)).unwrap_err();
        assert!(
            refused
                .to_string()
                .starts_with("Cannot create project tags for")
        );
    }
}
