//! Tokens: what the gateway gives out for a card or a bank account, to be used as a method.
//!
//! A token bears the code that its card asks for, so that it can strike when the token is used. It
//! is made from the record's id and rests nowhere: whoever has the records makes it again.

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::record::Operation;

const PREFIX: &str = "tok_";

/// Bytes of the hash that a token bears: as many as no two records share.
const HASH_BYTES: usize = 16;

/// The token of a record: only a tokenization has one, and it is known while that stands approved.
#[must_use]
pub fn token(operation: &Operation) -> Option<String> {
    let code = operation.carries?;
    let hash = Sha256::digest(format!("{}/{}", operation.class.name(), operation.id));
    let digits = HEXLOWER.encode(hash.get(..HASH_BYTES).unwrap_or_default());
    Some(format!("{PREFIX}{code:04}_{digits}"))
}
