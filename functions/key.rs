//! The idempotency key of a request: from one of two headers or the body, never from two places.

use kessai_shared::payment::IdempotencyKey;

use crate::event::HttpEvent;
use crate::problem::Problem;
use crate::wire::members::Members;

/// The wire's own header.
const WIRE_HEADER: &str = "sfdc-payments-idempotency-key";
/// The header of the IETF draft: a structured string, which callers send with and without its quotes.
const DRAFT_HEADER: &str = "idempotency-key";
const MEMBER: &str = "idempotencyKey";

const FORM: &str = "1 to 255 characters without control characters";

/// The key that the caller gave, if it gave one.
pub fn given(event: &HttpEvent, members: &mut Members<'_>) -> Result<Option<IdempotencyKey>, Problem> {
    let from_header = |name, read: fn(&str) -> Option<&str>| {
        let key = event.header(name).map(|text| read(text).and_then(IdempotencyKey::parse).ok_or(name));
        key.transpose().map_err(|name| Problem::invalid(name, format!("must be given once, as {FORM} and no comma")))
    };
    let places = [
        (WIRE_HEADER, from_header(WIRE_HEADER, bare)?),
        (DRAFT_HEADER, from_header(DRAFT_HEADER, unquoted)?),
        (MEMBER, members.parsed(MEMBER, IdempotencyKey::MAX, FORM, IdempotencyKey::parse)?),
    ];
    let mut given = places.into_iter().filter_map(|(name, key)| Some((name, key?)));
    match (given.next(), given.next()) {
        (Some((first, _)), Some((second, _))) => {
            Err(Problem::invalid(second, format!("must not be given together with {first}")))
        }
        (first, _) => Ok(first.map(|(_, key)| key)),
    }
}

/// A header that came twice arrives joined by a comma: two keys, of which neither may be guessed.
fn bare(text: &str) -> Option<&str> {
    (!text.contains(',')).then_some(text)
}

fn unquoted(text: &str) -> Option<&str> {
    match text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inner) => (!inner.contains('"')).then_some(inner),
        None => bare(text),
    }
}
