//! How answers are written.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::ContentType;
use keystone_actors::listing::Listed;
use serde::Serialize;
use serde_json::{Value, json};

use super::Call;
use crate::api::error::ApiError;
use crate::api::links::{Collection, Linked, List, own_url};
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

    /// 200 and a list; `show` gives a member's ID and how it is shown.
    ///
    /// # Errors
    /// 500 when it can't be written.
    pub fn list<'a, T, V: Serialize>(
        &self,
        collection: Collection,
        found: &'a Listed<T>,
        paging: &Paging,
        show: impl Fn(&'a T) -> (&'a str, V) + Clone,
    ) -> Result<HttpResponse, ApiError> {
        let truncated = found.full && paging.is_asked();
        let base = &self.base();
        let url = own_url(&self.request, base);
        let last = found.members.last().map(|last| show(last).0);
        let next = if truncated {
            self.query.next(paging, last)
        } else {
            None
        };
        let members = found.members.iter().map(|member| {
            let (id, shown) = show(member);
            Linked::listed(base, collection, id, shown)
        });
        let path = url.split('?').next().unwrap_or_default();
        answer(
            StatusCode::OK,
            &List {
                name: collection.list,
                members,
                next: next.map(|query| format!("{path}?{query}")),
                url,
                truncated,
            },
        )
    }

    /// 200 and a page of a list that the server holds whole; `show` as in [`Self::list`].
    ///
    /// # Errors
    /// 404 when the marker is no member, 500 when it can't be written.
    pub fn list_held<'a, T: 'a, V: Serialize>(
        &self,
        collection: Collection,
        members: impl Iterator<Item = &'a T>,
        paging: &Paging,
        show: impl Fn(&'a T) -> (&'a str, V) + Clone,
    ) -> Result<HttpResponse, ApiError> {
        let (members, full) = paging.cut(members.collect(), |member: &&'a T| show(*member).0)?;
        let found = Listed { members, full };
        self.list(collection, &found, paging, |member: &&'a T| show(*member))
    }

    /// 200 and a whole list, of which Keystone has no pages; `show` as in [`Self::list`].
    ///
    /// # Errors
    /// 500 when it can't be written.
    pub fn list_whole<'a, T: 'a, V: Serialize>(
        &self,
        collection: Collection,
        members: impl Iterator<Item = &'a T>,
        show: impl Fn(&'a T) -> (&'a str, V) + Clone,
    ) -> Result<HttpResponse, ApiError> {
        let (members, full) = (members.collect(), false);
        let found = Listed { members, full };
        let show = |member: &&'a T| show(*member);
        self.list(collection, &found, &Paging::default(), show)
    }

    /// 200 and a whole list, of members that are shown as they are, each made when it is written:
    /// [`stream::list`].
    ///
    /// # Errors
    /// 500 when it can't be written.
    pub fn stream<I>(&self, name: &str, members: I) -> Result<HttpResponse, ApiError>
    where
        I: Iterator + Unpin + 'static,
        I::Item: Serialize,
    {
        let url = own_url(&self.request, &self.base());
        stream::list(self.request.version(), name, members, &url)
    }

    /// 200 and a whole list, of members that are shown as they are.
    ///
    /// # Errors
    /// 500 when it can't be written.
    pub fn plain_list(
        &self,
        name: &'static str,
        members: &[impl Serialize],
    ) -> Result<HttpResponse, ApiError> {
        answer(
            StatusCode::OK,
            &List {
                name,
                members,
                url: own_url(&self.request, &self.base()),
                next: None,
                truncated: false,
            },
        )
    }
}

struct Member<T>(&'static str, T);

impl<T: Serialize> Serialize for Member<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
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
