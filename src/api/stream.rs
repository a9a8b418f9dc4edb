//! Lists, written while they are sent: however long one is, no more of what is written is in memory than
//! a piece.

use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::HttpResponse;
use actix_web::body::{BodySize, MessageBody};
use actix_web::http::Version;
use actix_web::http::header::ContentType;
use bytes::Bytes;
use serde::Serialize;

use super::error::ApiError;
use super::links::Envelope;

/// A list up to this long, in bytes, is sent as a whole, and its length with it.
const WHOLE: usize = 256 * 1024;
/// Of a longer one, about as much at a time.
const PIECE: usize = 64 * 1024;

/// 200 and a list however long, of members that are shown as they are, each made when it is written
/// and gone when it has been. A client that speaks HTTP/1.0, which knows no pieces, gets the whole at
/// once.
///
/// # Errors
/// 500 when its beginning can't be written. If that happens later, the connection is closed.
pub fn list<I>(version: Version, envelope: &Envelope, members: I) -> Result<HttpResponse, ApiError>
where
    I: Iterator + Unpin + 'static,
    I::Item: Serialize,
{
    let enough = if version < Version::HTTP_11 {
        usize::MAX
    } else {
        WHOLE
    };
    let mut pieces = Pieces::new(envelope, members);
    let first = pieces.write(enough);
    let first = first.map_err(|error| ApiError::internal(&error))?;
    let mut response = HttpResponse::Ok();
    response.insert_header(ContentType::json());
    if pieces.end.is_none() {
        return Ok(response.body(first));
    }
    pieces.ready = Some(first);
    Ok(response.body(pieces))
}

/// What is left to be written of a list.
struct Pieces<I> {
    /// What comes before the next member.
    before: Vec<u8>,
    members: I,
    /// What comes behind the last; `None` when it has been written.
    end: Option<Vec<u8>>,
    ready: Option<Bytes>,
    /// Whether other tasks of this thread had a turn since the last piece.
    rested: bool,
}

impl<I> Pieces<I>
where
    I: Iterator,
    I::Item: Serialize,
{
    fn new(envelope: &Envelope, members: I) -> Self {
        let (before, end) = envelope.halves();
        Self {
            before: before.into_bytes(),
            members,
            end: Some(end.into_bytes()),
            ready: None,
            rested: true,
        }
    }

    /// The next that is long enough, or all that is left.
    fn write(&mut self, enough: usize) -> serde_json::Result<Bytes> {
        let mut piece = Vec::new();
        while piece.len() < enough {
            match self.members.next() {
                Some(member) => {
                    piece.append(&mut self.before);
                    serde_json::to_writer(&mut piece, &member)?;
                    self.before.push(b',');
                }
                None => {
                    // Without a member, the beginning is still to be written.
                    self.before.retain(|byte| *byte != b',');
                    piece.append(&mut self.before);
                    piece.append(&mut self.end.take().unwrap_or_default());
                    break;
                }
            }
        }
        Ok(piece.into())
    }
}

impl<I> MessageBody for Pieces<I>
where
    I: Iterator + Unpin,
    I::Item: Serialize,
{
    type Error = serde_json::Error;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<serde_json::Result<Bytes>>> {
        let this = self.get_mut();
        if let Some(piece) = this.ready.take() {
            return Poll::Ready(Some(Ok(piece)));
        }
        if this.end.is_none() {
            return Poll::Ready(None);
        }
        // A fast client would else have this thread for as long as the list is.
        this.rested = !this.rested;
        if this.rested {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let piece = this.write(PIECE).inspect_err(|error| {
            tracing::error!(%error, "a list can't be written to its end");
        });
        Poll::Ready(Some(piece))
    }
}

#[cfg(test)]
mod tests {
    use actix_web::body::to_bytes;
    use serde_json::{Value, json};

    use super::*;

    fn envelope() -> Envelope {
        Envelope {
            name: "numbers",
            url: "http://x/v3/numbers".to_owned(),
            next: Some("http://x/v3/numbers?marker=1".to_owned()),
            truncated: true,
        }
    }

    async fn answer(version: Version, count: usize) -> (BodySize, Value) {
        let members = (0..count).map(|number| json!({"number": number}));
        let answer = list(version, &envelope(), members).unwrap();
        let size = answer.body().size();
        let body = to_bytes(answer.into_body()).await.unwrap();
        assert!(size == BodySize::Stream || size == BodySize::Sized(body.len() as u64));
        (size, serde_json::from_slice(&body).unwrap())
    }

    #[actix_web::test]
    async fn a_list_is_the_same_in_pieces_and_whole() {
        for (version, count, in_pieces) in [
            (Version::HTTP_11, 0, false),
            (Version::HTTP_11, 1, false),
            (Version::HTTP_11, 50_000, true),
            (Version::HTTP_10, 50_000, false),
        ] {
            let (size, body) = answer(version, count).await;

            assert_eq!(size == BodySize::Stream, in_pieces, "{count}");
            let numbers: Vec<_> = (0..count).map(|number| json!({"number": number})).collect();
            let next = "http://x/v3/numbers?marker=1";
            let links = json!({"next": next, "self": "http://x/v3/numbers", "previous": null});
            let expected = json!({"numbers": numbers, "links": links, "truncated": true});
            assert_eq!(body, expected);
        }
    }
}
