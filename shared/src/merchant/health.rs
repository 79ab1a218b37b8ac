//! Whether anything gets through to an endpoint, and when to stop trying.
//!
//! An endpoint to which nothing was delivered for three days is disabled: nothing is sent to it until somebody makes it
//! active again. What is kept says when a row of failures began and when the endpoint was disabled, so it is written
//! only when something changes, however much is delivered.

use super::Endpoint;
use crate::payment::outbox::TRY_FOR;
use crate::time::Timestamp;

/// What came of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Came {
    Through,
    /// It failed, and will be tried again.
    Failed,
    /// It failed for as long as anything is tried. Only this disables an endpoint: that everything failed may be no
    /// more than a success that somebody did not see in time to write it down.
    GivenUp,
}

/// How an endpoint has fared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Counts its writes; 0 where nothing was ever written.
    pub version: u64,
    /// Since when everything has failed; none where the last thing got through.
    pub failing_since: Option<Timestamp>,
    pub disabled_at: Option<Timestamp>,
}

impl Health {
    /// Whether nothing is sent to this endpoint any more: it was disabled, and nobody has made it active since.
    pub fn is_disabled(&self, endpoint: &Endpoint) -> bool {
        let is_since = |at| endpoint.enabled_at.is_none_or(|enabled| at > enabled);
        self.disabled_at.is_some_and(is_since)
    }

    /// What is to be written after a delivery to the endpoint; none where nothing changes.
    #[must_use]
    pub fn after(&self, endpoint: &Endpoint, came: Came, now: Timestamp) -> Option<Self> {
        let Self { version, failing_since, disabled_at } = *self;
        let next =
            |failing_since, disabled_at| Some(Self { version: version.saturating_add(1), failing_since, disabled_at });
        // What was before it was made active counts no more.
        let since = failing_since.filter(|since| endpoint.enabled_at.is_none_or(|enabled| *since >= enabled));
        match since {
            _ if self.is_disabled(endpoint) => None,
            _ if came == Came::Through => failing_since.and_then(|_| next(None, disabled_at)),
            None => next(Some(now), disabled_at),
            Some(since) if came == Came::GivenUp && now.since(since) >= TRY_FOR => next(Some(since), Some(now)),
            Some(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merchant::tests::{endpoint, later};

    const DAY: u64 = 24 * 60 * 60;

    fn enabled(at: Option<u64>) -> Endpoint {
        Endpoint { enabled_at: at.map(later), ..endpoint(1) }
    }

    fn health(version: u64, failing_since: Option<u64>, disabled_at: Option<u64>) -> Health {
        Health { version, failing_since: failing_since.map(later), disabled_at: disabled_at.map(later) }
    }

    #[test]
    fn it_is_written_when_something_changes_and_only_then() {
        let rows = [
            ("nothing was ever wrong", health(0, None, None), Came::Through, 5, None),
            ("the first failure", health(0, None, None), Came::Failed, 5, Some(health(1, Some(5), None))),
            ("one more", health(1, Some(5), None), Came::Failed, 9, None),
            ("it gets through again", health(1, Some(5), None), Came::Through, 9, Some(health(2, None, None))),
            ("almost three days", health(1, Some(5), None), Came::GivenUp, 3 * DAY + 4, None),
            ("three days, of something new", health(1, Some(5), None), Came::Failed, 3 * DAY + 5, None),
            (
                "three days",
                health(1, Some(5), None),
                Came::GivenUp,
                3 * DAY + 5,
                Some(health(2, Some(5), Some(3 * DAY + 5))),
            ),
            ("it was disabled, and a last delivery fails", health(2, Some(5), Some(9)), Came::Failed, 10, None),
            ("or gets through", health(2, Some(5), Some(9)), Came::Through, 10, None),
        ];
        for (what, before, came, now, after) in rows {
            assert_eq!(before.after(&enabled(Some(0)), came, later(now)), after, "{what}");
            assert_eq!(before.after(&enabled(None), came, later(now)), after, "{what}");
        }
    }

    #[test]
    fn it_is_disabled_until_somebody_makes_it_active_again() {
        let disabled = health(2, Some(5), Some(3 * DAY));
        for (at, expected) in [(None, true), (Some(0), true), (Some(3 * DAY), false), (Some(4 * DAY), false)] {
            assert_eq!(disabled.is_disabled(&enabled(at)), expected, "{at:?}");
        }
        let again = enabled(Some(4 * DAY));
        let next = disabled.after(&again, Came::Failed, later(9 * DAY)).expect("a new row of failures");
        assert_eq!(next, health(3, Some(9 * DAY), Some(3 * DAY)), "it begins with the first failure after that");
        assert!(!next.is_disabled(&again));
        let last = next.after(&again, Came::GivenUp, later(12 * DAY)).expect("three more days");
        assert!(last.is_disabled(&again));
    }
}
