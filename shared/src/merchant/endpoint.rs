//! Where a merchant wants to hear of events, and how it knows that it is us who tell.

use super::set_up::Made;
use crate::seal::Sealed;
use crate::time::Timestamp;

/// A webhook endpoint. Nothing is delivered to it yet: this is where it is set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    pub url: String,
    /// None means every event.
    pub events: Vec<EventFilter>,
    pub description: Option<String>,
    pub is_active: bool,
    /// The newest first; the second one signs too, until it ends.
    pub secrets: Vec<EndpointSecret>,
    pub made: Option<Made>,
}

/// A secret that deliveries are signed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointSecret {
    pub sealed: Sealed,
    /// When it stops to sign; none while nothing has replaced it.
    pub until: Option<Timestamp>,
    pub made: Option<Made>,
}

/// Which events are meant: one by its name (`refund.created`), all of a kind (`payment.*`), or every one (`*`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventFilter(String);

impl EventFilter {
    /// Characters at most: names of events are two or three words.
    pub const MAX: usize = 64;

    /// Words of `a-z 0-9 _ -` between dots; the last one may be a star.
    pub fn parse(text: &str) -> Option<Self> {
        let is_word = |word: &str| {
            !word.is_empty()
                && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte))
        };
        let sound = match text.rsplit_once('.') {
            Some((kind, last)) => kind.split('.').all(is_word) && (last == "*" || is_word(last)),
            None => text == "*",
        };
        (sound && text.len() <= Self::MAX).then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}
