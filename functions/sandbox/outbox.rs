//! Of which operations something is to be told, and when: a plain value, so that whoever sends needs no memory.
//!
//! An entry says only that it is time to look at an operation. What is owed by then is read from the books, so that an
//! entry too many does no harm, and of one operation no two bodies are on their way at once.

use std::collections::{BTreeMap, BTreeSet};

/// Pauses between attempts; the last one repeats for as long as anything is owed.
const PAUSES_MS: [i64; 5] = [1_000, 2_000, 5_000, 15_000, 60_000];

#[derive(Debug, Default)]
pub struct Outbox {
    due: BTreeSet<(i64, usize)>,
    under_way: BTreeSet<usize>,
    refusals: BTreeMap<usize, usize>,
}

impl Outbox {
    /// It is time to look at the operation at that place from that moment on.
    pub fn add(&mut self, place: usize, at_ms: i64) {
        self.due.insert((at_ms, place));
    }

    /// The moment of the next look.
    pub fn next_ms(&self) -> Option<i64> {
        self.due.first().map(|(at_ms, _)| *at_ms)
    }

    /// Takes the operation that has waited longest; nobody else is given it until it is put back.
    pub fn take(&mut self, now_ms: i64) -> Option<usize> {
        while let Some((_, place)) = self.due.first().copied().filter(|(at_ms, _)| *at_ms <= now_ms) {
            self.due.pop_first();
            // What is under way is looked at again when it is put back.
            if self.under_way.insert(place) {
                return Some(place);
            }
        }
        None
    }

    /// Puts an operation back of which nothing is to be told before that moment, if ever.
    pub fn rest(&mut self, place: usize, until_ms: Option<i64>) {
        self.under_way.remove(&place);
        if let Some(at_ms) = until_ms {
            self.add(place, at_ms);
        }
    }

    /// Puts an operation back whose news were taken: there may be more.
    pub fn taken(&mut self, place: usize, now_ms: i64) {
        self.refusals.remove(&place);
        self.rest(place, Some(now_ms));
    }

    /// Puts an operation back whose news were not taken.
    pub fn refused(&mut self, place: usize, now_ms: i64) {
        let refusals = self.refusals.entry(place).or_default();
        let [.., longest] = PAUSES_MS;
        let pause_ms = PAUSES_MS.get(*refusals).copied().unwrap_or(longest);
        *refusals += 1;
        self.rest(place, Some(now_ms.saturating_add(pause_ms)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_refused_is_told_again_after_pauses_that_grow_until_it_is_taken() {
        let mut outbox = Outbox::default();
        outbox.add(7, 0);
        let mut now_ms = 0;
        for pause_ms in [1_000, 2_000, 5_000, 15_000, 60_000, 60_000, 60_000] {
            assert_eq!(outbox.take(now_ms), Some(7));
            outbox.refused(7, now_ms);
            assert_eq!(outbox.next_ms(), Some(now_ms + pause_ms));
            assert_eq!(outbox.take(now_ms + pause_ms - 1), None);
            now_ms += pause_ms;
        }
        assert_eq!(outbox.take(now_ms), Some(7));
        outbox.taken(7, now_ms);
        assert_eq!(outbox.take(now_ms), Some(7));
        outbox.refused(7, now_ms);
        assert_eq!(outbox.next_ms(), Some(now_ms + 1_000), "pauses begin anew");
    }

    #[test]
    fn nobody_is_given_what_another_has() {
        let mut outbox = Outbox::default();
        for (place, at_ms) in [(1, 5), (1, 6), (2, 6), (3, 8)] {
            outbox.add(place, at_ms);
        }
        assert_eq!((outbox.take(4), outbox.next_ms()), (None, Some(5)));
        assert_eq!((outbox.take(7), outbox.take(7), outbox.take(7)), (Some(1), Some(2), None));
        outbox.rest(1, None);
        outbox.rest(2, Some(9));
        assert_eq!((outbox.take(9), outbox.take(9), outbox.take(9)), (Some(3), Some(2), None));
        assert_eq!(outbox.next_ms(), None);
    }
}
