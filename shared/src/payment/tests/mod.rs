//! What follows from what, for certain: the whole table of [`step`](super::step), the balances, and
//! thousands of random histories.

mod asked;
mod balances;
pub(crate) mod fixtures;
mod generations;
mod histories;
mod news;
mod outbox;
pub(crate) mod permutations;
mod purchase;
pub(crate) mod random;
mod resolution;
mod table;
