//! The world outside the domain: the ports of `kessai_shared` made of DynamoDB, HTTP and the operating
//! system.
//!
//! | room | plays | with |
//! |---|---|---|
//! | [`dynamodb`] | `Store`, `Directory`, `Vault`, `Archive` | one table, one item at a time |
//! | [`bus`] | `Bus` | events on EventBridge, one at a time |
//! | [`directory`] | `Directory` | what another directory said within the last minute |
//! | [`http`] | `Http` | requests that are sent once and never again |
//! | [`reminders`] | `Queue` | messages of SQS and calls of functions, in batches |
//! | [`system`] | `Clock`, `Entropy` | the operating system |
//! | [`webhook`] | `Deliveries` | one connection each, to the public internet only |
//! | [`watch`] | `Journal` | a line of JSON for each request and each call, with metrics |
//!
//! [`aws`] knows the account, [`secrets`] what is fetched at the start, and `signed` how AWS is asked for a single call:
//! `sqs` and `invoke` are such calls.
//!
//! Nothing here decides anything about a payment. What a room must get right is what it says when
//! something went wrong: a write that may have happened is a fault, never a refusal, and a request that
//! may have left is lost, never unsent. The feature `contract` adds the suite that every store passes.

pub mod aws;
pub mod bus;
#[cfg(feature = "contract")]
pub mod contract;
pub mod directory;
pub mod dynamodb;
pub mod http;
mod invoke;
pub mod reminders;
pub mod sdk;
pub mod secrets;
mod signed;
mod sqs;
pub mod system;
pub mod watch;
pub mod webhook;
