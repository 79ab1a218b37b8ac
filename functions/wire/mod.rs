//! The wire format: what bodies may hold and how answers look.
//!
//! [`members`] reads a JSON object member by member, so that every error names its member; [`body`] reads
//! the parts that several requests share; [`envelope`] writes the answers. Sizes and literals are those
//! of the Commerce Payments wire format.

pub mod body;
pub mod envelope;
pub mod members;
