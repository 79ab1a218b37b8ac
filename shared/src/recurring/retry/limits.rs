//! How often card networks let a declined payment be tried, whatever a merchant's rules say.
//!
//! | network | what it charges for or forbids |
//! |---|---|
//! | Visa, rule of excessive reattempts | any reattempt after a decline of category 1 (the issuer will never approve); of categories 2 to 4, reattempts after the 15th in 30 days, after the 20th since May 2025 |
//! | Mastercard, programme of transaction processing excellence | attempts after the 10th in 24 hours, and after the 35th in 30 days; any after the merchant advice codes 03 (do not try again) and 21 (payment cancellation) |
//!
//! The networks' own documents are for their members; these are the figures as acquirers publish them: CardPointe's
//! "Visa Decline Rules", Checkout.com's "When can I retry a declined transaction?" (both networks), Braintree's and
//! Cielo's notes on the changes of either.
//!
//! The strictest of each is one limit for all, by whatever card or account: at most 10 attempts in any 24 hours, and at
//! most 15 in any 30 days, the first one included. What a network never wants to see again is
//! [`NonRetriable`](super::Decision::NonRetriable) by its gateway's table.

use std::time::Duration;

use crate::time::Timestamp;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const MONTH: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Attempts in any 24 hours: Mastercard's.
pub(super) const IN_A_DAY: usize = 10;

/// Attempts in any 30 days: Visa's older figure, with the first attempt counted.
pub(super) const IN_A_MONTH: usize = 15;

/// When a retry that is planned for `at` may come after these attempts, in whatever order they are. It is put off where
/// the day is full; where the month is, there is none.
pub(super) fn admitted(at: Timestamp, attempts: &[Timestamp]) -> Option<Timestamp> {
    let mut latest_first = attempts.to_vec();
    latest_first.sort_unstable_by(|one, other| other.cmp(one));
    let free_again = |most: usize, window| latest_first.get(most - 1).map(|attempt| attempt.plus(window));
    let at = free_again(IN_A_DAY, DAY).map_or(at, |free| free.max(at));
    free_again(IN_A_MONTH, MONTH).is_none_or(|free| free <= at).then_some(at)
}
