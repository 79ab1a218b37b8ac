//! What rests: items, and how domain types become items and come back.
//!
//! The shapes here are the stored format, in names short enough that a typical payment is one write
//! unit. They are versioned: an item says its [`payment::FORMAT`], a newer one is refused, and
//! attributes that this version does not know are carried along unchanged, so that two versions can
//! work on one table while one replaces the other.

pub mod event;
pub mod health;
pub mod item;
pub mod merchant;
pub mod method;
pub mod notice;
mod outbox;
pub mod payment;
pub mod rate;
mod reader;
pub mod recurring;
mod sequel;
pub mod set_up;
mod unread;

pub use item::{Attribute, Item, Name};
pub use reader::Unreadable;
pub use unread::Unread;

#[cfg(test)]
mod tests;
