//! What a method answers when all is well, as its registration says it.

use crate::api::links::Collection;
use crate::api::schema::Schema;

/// A status, and what comes with it.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    pub(super) status: u16,
    pub(super) content: Content,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Content {
    Nothing,
    /// `{"role": {…}}`.
    One(Collection),
    /// `{"roles": […], "links": {…}}`; with pages or without.
    List(Collection, Pages),
    /// `{"limits": […]}`.
    Several(Collection),
    Json(fn() -> Schema),
    /// Something of this media type.
    Other(&'static str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pages {
    /// `limit` and `marker` are heeded.
    Asked,
    /// The list is always whole.
    None,
}

const fn answer(status: u16, content: Content) -> Answer {
    Answer { status, content }
}

/// 204.
pub const NOTHING: Answer = answer(204, Content::Nothing);

/// 200 and one of these.
pub const fn one(of: Collection) -> Answer {
    answer(200, Content::One(of))
}

/// 201 and the new one.
pub const fn created(of: Collection) -> Answer {
    answer(201, Content::One(of))
}

/// 201 and the new ones.
pub const fn created_all(of: Collection) -> Answer {
    answer(201, Content::Several(of))
}

/// 200 and a list of these, in pages where they are asked for.
pub const fn pages(of: Collection) -> Answer {
    answer(200, Content::List(of, Pages::Asked))
}

/// 200 and a list of these, whole.
pub const fn list(of: Collection) -> Answer {
    answer(200, Content::List(of, Pages::None))
}

/// 200 and JSON that looks like this.
pub const fn json(schema: fn() -> Schema) -> Answer {
    answer(200, Content::Json(schema))
}

/// 200 and something of this media type.
pub const fn file(media_type: &'static str) -> Answer {
    answer(200, Content::Other(media_type))
}

/// An error, told as all are.
pub const fn error(status: u16) -> Answer {
    answer(status, Content::Nothing)
}

impl Answer {
    /// The same with another status.
    pub const fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    pub(super) const fn is_good(self) -> bool {
        self.status < 400
    }
}
