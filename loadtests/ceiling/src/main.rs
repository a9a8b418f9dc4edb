//! A server that does nothing: it gives every request to `/v3/auth/tokens` the same answer, which
//! it read from a file at its start. What it reaches is what actix-web, the kernel and the load
//! generator leave to a token service on this machine; a real one can only come near.
//!
//!     ceiling ADDRESS WORKERS ANSWER_FILE
//!
//! The file has lines of `name: value`, an empty line, then the body.

use std::io::{Error, ErrorKind};
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpResponse, HttpServer};

// The server's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

struct Answer {
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
}

impl Answer {
    fn parse(file: &str) -> Option<Self> {
        let (head, body) = file.split_once("\n\n")?;
        let headers = head
            .lines()
            .map(|line| {
                let (name, value) = line.split_once(": ")?;
                Some((name.parse().ok()?, value.parse().ok()?))
            })
            .collect::<Option<_>>()?;
        Some(Self {
            headers,
            body: Bytes::copy_from_slice(body.as_bytes()),
        })
    }

    fn respond(&self, status: StatusCode) -> HttpResponse {
        let mut response = HttpResponse::build(status);
        for (name, value) in &self.headers {
            response.insert_header((name.clone(), value.clone()));
        }
        response.body(self.body.clone())
    }
}

async fn validate(answer: Data<Answer>) -> HttpResponse {
    answer.respond(StatusCode::OK)
}

/// Reads the request's body, as whoever issues a token has to, and does nothing with it.
async fn issue(answer: Data<Answer>, _body: Bytes) -> HttpResponse {
    answer.respond(StatusCode::CREATED)
}

fn unusable(what: &'static str) -> Error {
    Error::new(ErrorKind::InvalidInput, what)
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [address, workers, file] = arguments.as_slice() else {
        return Err(unusable("usage: ceiling ADDRESS WORKERS ANSWER_FILE"));
    };
    let workers = workers
        .parse()
        .map_err(|_| unusable("WORKERS is no number"))?;
    let answer = Answer::parse(&std::fs::read_to_string(file)?).ok_or_else(|| {
        unusable("ANSWER_FILE has to be lines of 'name: value', an empty one, the body")
    })?;
    let answer = Data::from(Arc::new(answer));
    HttpServer::new(move || {
        App::new()
            .app_data(answer.clone())
            .route("/v3/auth/tokens", web::get().to(validate))
            .route("/v3/auth/tokens", web::post().to(issue))
    })
    .workers(workers)
    .bind(address.as_str())?
    .run()
    .await
}
