//! The domain of Kessai: payments, what may be asked of them, and what follows.
//!
//! [`payment::step`] decides; [`shell`] carries out; [`ports`] are what it needs of the world;
//! [`gateways`] translate; [`stored`] is what rests. Nothing here knows a runtime, a network or AWS.

pub mod bank;
pub mod card;
mod choice;
pub mod delivery;
pub mod event;
pub mod fingerprint;
pub mod gateways;
pub mod ids;
pub mod mac;
pub mod memory;
pub mod merchant;
pub mod method;
pub mod money;
pub mod payment;
pub mod ports;
pub mod rate;
pub mod recurring;
pub mod registry;
pub mod rejection;
pub mod reminder;
pub mod seal;
pub mod shell;
pub mod stored;
pub mod time;
pub mod together;
pub mod trace;
pub mod vault;
pub mod webhook;
