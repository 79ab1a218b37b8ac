//! How many requests an API key may make at once, as an item of the merchants table.

use super::item::Item;
use super::merchant::{FORMAT, checked};
use super::payment::{KEY, VERSION};
use super::reader::{Unreadable, strange};
use crate::ids::ApiKeyId;
use crate::rate::Bucket;

/// The key of an API key's bucket. Functions may write nothing else beside these.
pub fn rate_key(key: &ApiKeyId) -> String {
    format!("rate/{}", key.as_str())
}

pub fn encode_bucket(key: &ApiKeyId, bucket: Bucket, version: u64) -> Item {
    Item::new()
        .with(KEY, rate_key(key))
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
