//! The promises of Kessai, kept by the real binaries over real sockets: each file is one promise.

#![expect(clippy::expect_used, clippy::panic, reason = "a test ends where the world fails")]

mod harness;

mod access;
mod balances;
mod batches;
mod bus;
mod canary;
mod clock;
mod command;
mod cost;
mod crash;
mod credentials;
mod deliveries;
mod demo;
mod events;
mod idempotency;
mod in_process;
mod keys;
mod lambda;
mod limits;
mod listening;
mod log;
mod lost_answers;
mod malformed;
mod models;
mod notice_secrets;
mod notify;
mod over_the_limit;
mod platform;
mod resources;
mod retry_rules;
mod runs;
mod samples;
mod sandbox_magic;
mod schedulers;
mod schedules;
mod set_up;
mod storm;
mod tidy;
mod tokenize;
