//! The promises of Kessai, kept by the real binaries over real sockets: each file is one promise.

#![expect(clippy::disallowed_methods, reason = "tests stand outside the program and use the world directly")]

mod harness;

mod balances;
mod cost;
mod crash;
mod idempotency;
mod lost_answers;
mod malformed;
mod resources;
mod samples;
mod sandbox_magic;
mod tidy;
