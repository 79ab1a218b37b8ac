//! Histories at the models of real gateways: the same world, callers, workers and table, and instead of the sandbox
//! one model for each merchant's account, spoken to by the gateway's own adapter.
//!
//! [`facts`] says of each gateway what a plan and a fault must know of it; `plan` draws what it takes, `set_up` is what
//! merchants have set up there, `accounts` holds the models of a history, `network` lets requests arrive, `notices` lets
//! them tell, and `payers` visit their pages. `auditor` keeps the books of their ledgers.

mod accounts;
mod auditor;
mod facts;
mod network;
mod notices;
mod payers;
mod plan;
mod sandbox;
mod set_up;

pub use accounts::Accounts;
pub use auditor::Books;
pub use facts::{Facts, Played};
pub use network::{Earlier, is_key};
pub use notices::Post;
pub use payers::Visit;
pub use set_up::SetUps;

#[cfg(test)]
mod tests;
