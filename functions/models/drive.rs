//! The way from an adapter to a model and back, without a socket.

use kessai_shared::ports::{HttpRequest, HttpResponse};

use super::{Answer, Request};

/// A request as the model at this address sees it.
#[must_use]
pub fn arriving(request: &HttpRequest, base_url: &str) -> Request {
    let url = request.url.strip_prefix(base_url).unwrap_or(&request.url);
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    Request {
        method: request.method.name().to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: request.headers.iter().map(|(name, value)| (name.to_lowercase(), value.clone())).collect(),
        body: request.body.to_vec(),
    }
}

/// An answer as the adapter sees it.
#[must_use]
pub fn answered(answer: Answer) -> HttpResponse {
    HttpResponse { status: answer.status, body: answer.body.into_bytes() }
}
