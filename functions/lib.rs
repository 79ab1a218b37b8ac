//! The Lambda functions of Kessai: one folder and one binary each.
//!
//! A function is its route, the shape of its body and the translation to a domain request; all else is
//! the one [`door`] that every request comes through. The binaries hand events from the Lambda runtime
//! to it ([`lambda`]); the local server hands it the same events, in one process ([`local`]). Whoever sets it up does so
//! by [`command`].

pub mod access;
pub mod authorize;
pub mod batch;
pub mod capture;
#[cfg(feature = "local")]
pub mod command;
#[path = "deliver-event/mod.rs"]
pub mod deliver_event;
pub mod door;
pub mod event;
pub mod events;
#[path = "follow-up/mod.rs"]
pub mod follow_up;
pub mod key;
#[cfg(feature = "lambda")]
pub mod lambda;
#[cfg(feature = "local")]
pub mod local;
#[cfg(feature = "sandbox")]
pub mod models;
pub mod notice;
#[path = "notify-webhook/mod.rs"]
pub mod notify_webhook;
pub mod paying;
#[path = "post-auth/mod.rs"]
pub mod post_auth;
pub mod problem;
pub mod rates;
pub mod recurring;
pub mod refund;
pub mod relay;
pub mod retrieve;
#[path = "retry-rules/mod.rs"]
pub mod retry_rules;
pub mod reverse;
pub mod sale;
#[cfg(feature = "sandbox")]
pub mod sandbox;
#[cfg(feature = "lambda")]
#[path = "scheduler-tick/mod.rs"]
pub mod scheduler_tick;
pub mod schedulers;
pub mod schedules;
#[path = "set-up/mod.rs"]
pub mod set_up;
#[cfg(feature = "local")]
mod socket;
pub mod tokenize;
pub mod wire;

use door::Function;

/// Every function that answers over HTTP: callers, and gateways.
pub const FUNCTIONS: &[&Function] = &[
    &authorize::FUNCTION,
    &capture::FUNCTION,
    &reverse::FUNCTION,
    &sale::FUNCTION,
    &post_auth::FUNCTION,
    &refund::FUNCTION,
    &tokenize::FUNCTION,
    &retrieve::FUNCTION,
    &events::FUNCTION,
    &set_up::FUNCTION,
    &retry_rules::FUNCTION,
    &schedulers::FUNCTION,
    &schedules::FUNCTION,
    &notify_webhook::FUNCTION,
];

/// Every function that works behind them: what the stream, a queue or the time calls.
#[cfg(feature = "lambda")]
pub const WORKERS: &[&str] = &[relay::NAME, follow_up::NAME, deliver_event::NAME, scheduler_tick::NAME];
