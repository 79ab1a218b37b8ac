//! What holds for every input, and not only for the ones somebody thought of.
//!
//! Properties of pure functions are given to proptest, which shrinks what breaks them: [`deciding`]
//! and [`resting`] put arbitrary [`histories`] to the step and the store's format, [`decoding`] and
//! [`conversing`] arbitrary answers and whole conversations to the gateways' codecs, [`money`]
//! arbitrary decimals. What reads bytes from outside is given to bolero ([`knocking`], [`items`],
//! [`notices`], [`sandbox`]): `cargo test` runs each a [`fixed`] number of times over the same inputs,
//! `cargo bolero test -p tests {name}` for as long as anybody likes, led by coverage. Nothing here
//! reads a clock or is left to chance.

#![expect(clippy::expect_used, clippy::panic, reason = "a test ends where the world fails")]

#[macro_use]
mod fixed;
mod fixtures;
mod happenings;
mod histories;
mod world;

mod conversing;
mod deciding;
mod decoding;
mod items;
mod knocking;
mod money;
mod notices;
mod resting;
mod sandbox;
