//! Trace ids: what was done for one request, wherever it was done.
//!
//! A request comes in with one, in AWS X-Ray's form. Whoever writes a payment leaves it in the item, so that the
//! relay passes it on with the reminder, and what follow-up does hours later can be found by it.

use std::fmt;

use data_encoding::HEXLOWER_PERMISSIVE;

/// The attribute of an item that holds the trace of whoever wrote it.
pub const TRACE: &str = "xr";

/// The root of a trace: four bytes of time, twelve of chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceId([u8; 16]);

impl TraceId {
    /// Reads a tracing header (`Root=1-67891233-abcdef012345678912345678;Parent=…;Sampled=1`), its parts in any
    /// order, or the root alone.
    pub fn parse(header: &str) -> Option<Self> {
        let root = header.split(';').find_map(|part| part.trim().strip_prefix("Root=")).unwrap_or(header);
        let (time, chance) = root.strip_prefix("1-")?.split_once('-')?;
        let mut id = [0; 16];
        let (first, rest) = id.split_at_mut(4);
        decode(time, first)?;
        decode(chance, rest)?;
        Some(Self(id))
    }

    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

fn decode(hex: &str, bytes: &mut [u8]) -> Option<()> {
    let decoded = HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).ok().filter(|decoded| decoded.len() == bytes.len())?;
    bytes.copy_from_slice(&decoded);
    Some(())
}

/// The root, without `Root=`.
impl fmt::Display for TraceId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = HEXLOWER_PERMISSIVE.encode(&self.0);
        let (time, chance) = hex.split_at(8);
        write!(out, "1-{time}-{chance}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_is_read_from_its_header_and_prints_as_it_was() {
        let root = "1-67891233-abcdef012345678912345678";
        let rows = [
            (root.to_owned(), true),
            (format!("Root={root}"), true),
            (format!("Root={root};Parent=53995c3f42cd8ad8;Sampled=1"), true),
            (format!("Self=1-1-1; Root={root}"), true),
            (String::new(), false),
            ("Root=1-67891233".to_owned(), false),
            ("Root=2-67891233-abcdef012345678912345678".to_owned(), false),
            ("Root=1-67891233-abcdef01234567891234567".to_owned(), false),
            ("Root=1-6789123x-abcdef012345678912345678".to_owned(), false),
        ];
        for (header, is_sound) in rows {
            let read = TraceId::parse(&header);
            assert_eq!(read.map(|id| id.to_string()).as_deref(), is_sound.then_some(root), "{header}");
            assert_eq!(read.and_then(|id| TraceId::from_bytes(id.as_bytes())), read);
        }
    }
}
