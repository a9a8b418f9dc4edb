//! How answers are written.

use std::borrow::Borrow;
use std::marker::PhantomData;
use std::rc::Rc;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::ContentType;
use keystone_actors::listing::Listed;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::Call;
use crate::api::error::ApiError;
use crate::api::links::{Collection, Envelope, Linked, own_url};
use crate::api::query::Paging;
use crate::api::stream;

impl<B> Call<B> {
    /// 201 and several new resources, without the links of a list; `show` as in [`Self::list`].
    ///
    /// # Errors
    /// 500 when it can't be written.
    pub fn created_all<'a, T, V: Serialize>(
        &self,
        collection: Collection,
        created: &'a [T],
        show: impl Fn(&'a T) -> (&'a str, V),
    ) -> Result<HttpResponse, ApiError> {
        let base = self.base();
        let created = created.iter().map(|resource| {
            let (id, shown) = show(resource);
            Linked::new(&base, collection, id, shown)
        });
        let created: Vec<_> = created.collect();
        answer(StatusCode::CREATED, &Member(collection.list, created))
    }

    /// 200 and one resource: `{"role": {…, "links": {…}}}`.
    ///
    /// # Errors
    /// 500 when it can't be written.
    pub fn one(
        &self,
        collection: Collection,
        id: &str,
        resource: impl Serialize,
    ) -> Result<HttpResponse, ApiError> {
        self.answer(StatusCode::OK, collection, id, resource)
    }

    /// 201 and the new resource.
    ///
    /// # Errors
    /// 500 when it can't be written.
    pub fn created(
        &self,
        collection: Collection,
        id: &str,
        resource: impl Serialize,
    ) -> Result<HttpResponse, ApiError> {
        self.answer(StatusCode::CREATED, collection, id, resource)
    }

    fn answer(
        &self,
        status: StatusCode,
        collection: Collection,
        id: &str,
        resource: impl Serialize,
    ) -> Result<HttpResponse, ApiError> {
        let linked = Linked::new(&self.base(), collection, id, resource);
        answer(status, &Member(collection.member, linked))
    }

    /// 200 and a list, of which each member is written as it is sent ([`stream::list`]), and gone when
    /// it has been.
    ///
    /// # Errors
    /// 500 when it can't be written.
    pub fn list<M, T, F>(
        &self,
        collection: Collection,
        found: Listed<M>,
        paging: &Paging,
        show: F,
    ) -> Result<HttpResponse, ApiError>
    where
        M: Borrow<T> + Unpin + 'static,
        T: 'static,
        F: for<'a> Show<'a, T> + Copy + Unpin + 'static,
    {
        let last = found.members.last();
        let last = last.map(|last| show(last.borrow()).0);
        let envelope = self.envelope(collection.list, found.full, paging, last);
        let base: Rc<str> = self.base().into();
        let members = found.members.into_iter().map(move |member| Row {
            member,
            show,
            collection,
            base: Rc::clone(&base),
            of: PhantomData,
        });
        stream::list(self.request.version(), &envelope, members)
    }

    /// What is around a list, or a page of it that is `full` and ends with this ID.
    fn envelope(
        &self,
        name: &'static str,
        full: bool,
        paging: &Paging,
        last: Option<&str>,
    ) -> Envelope {
        let url = own_url(&self.request, &self.base());
        let truncated = full && paging.is_asked();
        let next = truncated.then(|| self.query.next(paging, last)).flatten();
        let path = url.split('?').next().unwrap_or_default();
        Envelope {
            name,
            next: next.map(|query| format!("{path}?{query}")),
            url,
            truncated,
        }
    }

    /// 200 and a page of a list that the server holds whole, which may be all of it.
    ///
    /// # Errors
    /// 404 when the marker is no member, 500 when it can't be written.
    pub fn list_held<M, T, F>(
        &self,
        collection: Collection,
        members: impl Iterator<Item = M>,
        paging: &Paging,
        show: F,
    ) -> Result<HttpResponse, ApiError>
    where
        M: Borrow<T> + Unpin + 'static,
        T: 'static,
        F: for<'a> Show<'a, T> + Copy + Unpin + 'static,
    {
        let (members, full) =
            paging.cut(members.collect(), |member: &M| show(member.borrow()).0)?;
        let found = Listed { members, full };
        self.list(collection, found, paging, show)
    }

    /// The same of a list of which Keystone has no pages, and in its own order.
    ///
    /// # Errors
    /// 500 when it can't be written.
    pub fn list_whole<M, T, F>(
        &self,
        collection: Collection,
        members: impl Iterator<Item = M>,
        show: F,
    ) -> Result<HttpResponse, ApiError>
    where
        M: Borrow<T> + Unpin + 'static,
        T: 'static,
        F: for<'a> Show<'a, T> + Copy + Unpin + 'static,
    {
        let (members, full) = (members.collect(), false);
        let found = Listed { members, full };
        self.list(collection, found, &Paging::default(), show)
    }

    /// 200 and a whole list, of members that are shown as they are, each made when it is written:
    /// [`stream::list`].
    ///
    /// # Errors
    /// 500 when it can't be written.
    pub fn stream<I>(&self, name: &'static str, members: I) -> Result<HttpResponse, ApiError>
    where
        I: Iterator + Unpin + 'static,
        I::Item: Serialize,
    {
        let envelope = self.envelope(name, false, &Paging::default(), None);
        stream::list(self.request.version(), &envelope, members)
    }
}

/// How a member of a list is shown: a function that gives its ID, and what is to be seen of it. (One
/// with a name: of a closure that borrows from what it is given, the compiler learns too little.)
pub trait Show<'a, T: 'a>: Fn(&'a T) -> (&'a str, Self::Shown) {
    /// What is to be seen.
    type Shown: Serialize;
}

impl<'a, T: 'a, V: Serialize, F: Fn(&'a T) -> (&'a str, V)> Show<'a, T> for F {
    type Shown = V;
}

/// A member of a list that is made into JSON when it is its turn.
struct Row<M, T, F> {
    member: M,
    show: F,
    collection: Collection,
    base: Rc<str>,
    of: PhantomData<fn() -> T>,
}

impl<M, T, F> Serialize for Row<M, T, F>
where
    M: Borrow<T>,
    T: 'static,
    F: for<'a> Show<'a, T>,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (id, shown) = (self.show)(self.member.borrow());
        Linked::listed(&self.base, self.collection, id, shown).serialize(serializer)
    }
}

struct Member<T>(&'static str, T);

impl<T: Serialize> Serialize for Member<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map([(self.0, &self.1)])
    }
}

/// An answer in JSON.
///
/// # Errors
/// 500 when it can't be written: a defect of ours.
pub fn answer(status: StatusCode, body: &impl Serialize) -> Result<HttpResponse, ApiError> {
    let body = serde_json::to_vec(body).map_err(|error| ApiError::internal(&error))?;
    Ok(HttpResponse::build(status)
        .insert_header(ContentType::json())
        .body(body))
}

/// 204.
pub fn no_content() -> HttpResponse {
    HttpResponse::NoContent().finish()
}

/// The `links` of an answer that is neither a member nor a page of a list.
pub fn self_link(url: String) -> Value {
    json!({ "self": url })
}
