//! Stored methods as pure decisions: what follows from what, in a table, and by name.

mod asked;
mod changes;
pub(crate) mod fixtures;
mod news;
mod permutations;
mod table;
