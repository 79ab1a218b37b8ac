//! What the simulated world shows: a slice of seeds, every crash point, every race of two callers, and the
//! named failures of others, replayed.

#![expect(clippy::expect_used, clippy::panic, reason = "a test ends where it is wrong itself")]

mod crashes;
mod races;
mod regressions;
mod runs;
mod scenario;
mod seeds;
