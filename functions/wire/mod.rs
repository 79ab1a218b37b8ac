//! The wire format: what bodies may hold and how answers look.
//!
//! [`members`] reads a JSON object member by member, so that every error names its member; [`body`] reads
//! the parts that several requests share, [`query`] what lists are asked by; [`view`] makes answers of what is stored, in the shapes of
//! [`envelope`]. Sizes and literals are those of the Commerce Payments wire format.

pub mod body;
pub mod creation;
pub mod envelope;
pub mod event;
pub mod instrument;
pub mod members;
pub mod method;
pub mod query;
pub mod schedule;
pub mod view;
