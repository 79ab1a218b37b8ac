//! How many requests may be made at once, as an item of the merchants table: under an API key, or of a gateway.

use super::item::Item;
use super::merchant::{FORMAT, checked};
use super::payment::{KEY, VERSION};
use super::reader::{Unreadable, strange};
use crate::ids::Id;
use crate::rate::Bucket;

/// The key of the bucket of an API key or a gateway, of which no two have one id. Functions that answer callers or ask
/// gateways may write nothing else there.
pub fn rate_key(of: Id) -> String {
    format!("rate/{}", of.as_str())
}

pub fn encode_bucket(of: Id, bucket: Bucket, version: u64) -> Item {
    Item::new()
        .with(KEY, rate_key(of))
        .with("f", FORMAT)
        .with(VERSION, i64::try_from(version).unwrap_or(i64::MAX))
        .with("level", i64::try_from(bucket.thousandths).unwrap_or(i64::MAX))
        .with("at", bucket.at.as_millis())
}

/// The bucket and the version of its item.
pub fn decode_bucket(item: Item) -> Result<(Bucket, u64), Unreadable> {
    let mut reader = checked(item)?;
    let thousandths = u64::try_from(reader.number("level")?).map_err(|_| strange("level"))?;
    let version = u64::try_from(reader.number(VERSION)?).map_err(|_| strange(VERSION))?;
    Ok((Bucket { thousandths, at: reader.moment("at")? }, version))
}
