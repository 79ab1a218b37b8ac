//! Where a merchant wants to hear of events, and how it knows that it is us who tell.

use super::secret::SealedSecret;
use super::set_up::Made;
use crate::time::Timestamp;

/// A webhook endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    pub url: String,
    /// None means every event.
    pub events: Vec<EventFilter>,
    pub description: Option<String>,
    pub is_active: bool,
    /// When it was last made active: set so by somebody, or made. None where that was before it was kept.
    pub enabled_at: Option<Timestamp>,
    /// The newest first; the second one signs too, until it ends.
    pub secrets: Vec<SealedSecret>,
    pub made: Option<Made>,
}

impl Endpoint {
    /// Whether it has asked for events of this name, be it active or not.
    pub fn wants(&self, event: &str) -> bool {
        self.events.iter().any(|filter| filter.matches(event))
    }
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

    /// Whether the event of this name is meant.
    pub fn matches(&self, name: &str) -> bool {
        match self.0.strip_suffix('*') {
            // With its dot, so that `pay.*` means no `payment.created`.
            Some(kind) => name.starts_with(kind),
            None => name == self.0,
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}
