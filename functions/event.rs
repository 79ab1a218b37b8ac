//! Requests and responses as API Gateway passes them to a function: HTTP API, payload format 2.0.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use serde::{Deserialize, Deserializer, Serialize};

use zeroize::Zeroizing;

use crate::problem::Problem;

/// Largest body that is read, in bytes: every member at its limit in four-byte characters, and room.
pub const MAX_BODY: usize = 128 * 1024;

/// Largest body of a notice, in bytes: hundreds of the largest that any gateway documents.
pub const MAX_NOTICE: usize = 256 * 1024;

/// What API Gateway says of a request, as far as a function or the local server needs it. The body may
/// hold a card number: it cannot be printed, and is wiped when dropped.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HttpEvent {
    pub version: String,
    pub route_key: String,
    pub raw_path: String,
    pub raw_query_string: String,
    /// Names in lower case; repeated headers are joined by a comma.
    pub headers: BTreeMap<String, String>,
    pub request_context: RequestContext,
    #[serde(deserialize_with = "null_is_empty")]
    pub path_parameters: BTreeMap<String, String>,
    pub body: Option<Zeroizing<String>>,
    pub is_base64_encoded: bool,
}

/// AWS leaves out what is empty, and those who stand in for it say null.
fn null_is_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RequestContext {
    pub request_id: String,
    pub http: HttpContext,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HttpContext {
    pub method: String,
    pub path: String,
    pub source_ip: String,
}

/// What a function answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpAnswer {
    pub status_code: u16,
    pub headers: BTreeMap<&'static str, String>,
    pub body: String,
}

impl HttpEvent {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    pub fn path_parameter(&self, name: &str) -> Option<&str> {
        self.path_parameters.get(name).map(String::as_str)
    }

    /// A parameter of the query, as it stands there: what we ask for needs no escapes.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let pairs = self.raw_query_string.split('&').filter_map(|pair| pair.split_once('='));
        pairs.filter(|(_, value)| !value.is_empty()).find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// The body as text: JSON, UTF-8, of a size that can be meant.
    pub fn json_body(&self) -> Result<Zeroizing<String>, Problem> {
        let body = self.body_within(MAX_BODY)?;
        if self.header("content-type").is_some_and(|content_type| !is_json(content_type)) {
            return Err(Problem::new(415, "UNSUPPORTED_MEDIA_TYPE", "content-type: must be application/json"));
        }
        if !self.is_base64_encoded {
            return Ok(Zeroizing::new(body.to_owned()));
        }
        let bytes = decoded(body, MAX_BODY)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| Problem::unreadable("body: must be UTF-8"))?;
        Ok(Zeroizing::new(text.to_owned()))
    }

    /// The body byte for byte as it was sent, whatever it is: somebody may have signed it.
    pub fn raw_body(&self, most: usize) -> Result<Zeroizing<Vec<u8>>, Problem> {
        let body = self.body_within(most)?;
        if self.is_base64_encoded { decoded(body, most) } else { Ok(Zeroizing::new(body.as_bytes().to_vec())) }
    }

    /// The body as it stands in the event, where it can be of at most so many bytes.
    fn body_within(&self, most: usize) -> Result<&str, Problem> {
        let body = self.body.as_ref().map(|body| body.as_str()).unwrap_or_default();
        // Base 64 takes four characters for three bytes.
        let most_characters = if self.is_base64_encoded { most.div_ceil(3) * 4 } else { most };
        if body.len() > most_characters { Err(too_large(most)) } else { Ok(body) }
    }
}

fn decoded(body: &str, most: usize) -> Result<Zeroizing<Vec<u8>>, Problem> {
    let bytes = BASE64.decode(body.as_bytes()).map_err(|_| Problem::unreadable("body: must be base 64"))?;
    let bytes = Zeroizing::new(bytes);
    if bytes.len() > most { Err(too_large(most)) } else { Ok(bytes) }
}

fn too_large(most: usize) -> Problem {
    Problem::new(413, "REQUEST_TOO_LARGE", format!("body: must not exceed {most} bytes"))
}

fn is_json(content_type: &str) -> bool {
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    media_type.eq_ignore_ascii_case("application/json")
}

impl HttpAnswer {
    pub fn json(status: u16, body: String) -> Self {
        Self::of(status, "application/json", body)
    }

    pub fn text(status: u16, body: &str) -> Self {
        Self::of(status, "text/plain", body.to_owned())
    }

    fn of(status: u16, content_type: &str, body: String) -> Self {
        Self { status_code: status, headers: BTreeMap::from([("content-type", content_type.to_owned())]), body }
    }

    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.insert(name, value.into());
        self
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ErrorBody<'a> {
    error_code: &'a str,
    message: &'a str,
}

/// The wire's error body: an array, with `Retry-After` where asking again makes sense.
impl From<Problem> for HttpAnswer {
    fn from(problem: Problem) -> Self {
        let body = [ErrorBody { error_code: problem.code, message: &problem.message }];
        let answer = Self::json(problem.status, serde_json::to_string(&body).unwrap_or_default());
        match problem.retry_after {
            Some(after) => answer.with_header("retry-after", after.as_millis().div_ceil(1000).max(1).to_string()),
            None => answer,
        }
    }
}
