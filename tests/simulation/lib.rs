//! A world in which everything that can go wrong does, and an auditor who keeps his own books.
//!
//! One number, the seed, makes one *history*: merchants ask, workers answer and are killed, the table
//! loses acknowledgements, the gateway loses answers, clocks differ, messages come twice. The workers run
//! the functions that are deployed, from the door to the codecs; only the [`ports`](kessai_shared::ports)
//! are played here, and the gateway is the sandbox's model. Nothing reads a real clock or real chance, so
//! the same seed is the same history, to the byte.
//!
//! [`plan`] draws what merchants want, [`chance`] which faults strike; [`world`] lets time pass. Its parts are
//! `cast` (who there is), `callers`, `requests` and `heard` (what they ask and hear), `platform` and `queue`
//! (who works, and who is told to), `port` (what a worker sees), `table`, `archive`, `network`, `moved`, `notices`,
//! `payers` and `endpoints`. [`auditor`]
//! watches the table, the gateway's ledger and the answers; of the code under test he uses the names of
//! things (ids, keys of items), not its decisions. [`cells`] says what of the protocol was reached.
//! [`story`] tells a history, [`timeline`] draws it, [`shrink`] finds a shorter one that fails too.

#![expect(
    clippy::expect_used,
    reason = "a world stands outside the program that it tests: where it is wrong itself, it ends"
)]

mod archive;
pub mod auditor;
mod callers;
mod cast;
pub mod cells;
pub mod chance;
pub mod endpoints;
mod heard;
pub mod models;
mod moved;
mod network;
mod notices;
mod payers;
pub mod plan;
mod platform;
mod port;
mod queue;
mod requests;
pub mod runs;
pub mod shrink;
pub mod story;
mod table;
pub mod timeline;
pub mod world;

pub use world::{Report, World, run, run_scripted};
