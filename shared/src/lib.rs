//! The domain of Kessai.
pub mod card;
pub mod fingerprint;
pub mod ids;
pub mod money;
pub mod payment;
pub mod rejection;
pub mod time;
pub mod ports;
