//! How often an API key may be used: only those that are limited cost anything.
//!
//! The bucket of a key is an item, [`kessai_shared::rate`] says how it fills. A process takes a portion out by one
//! conditional write and spends it in memory, so that a busy key costs ten writes a second in each process and not one
//! for each request. This is the one thing that invocations share and that changes; who loses it loses part of a
//! portion. To be available matters more than to be exact: where the store fails, or others keep writing first, the
//! request is let through.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kessai_shared::ids::ApiKeyId;
use kessai_shared::ports::{Expected, Store, Written};
use kessai_shared::rate::{Bucket, PORTION_LIFE, Portion};
use kessai_shared::stored::Item;
use kessai_shared::stored::rate::{decode_bucket, encode_bucket};
use kessai_shared::time::Timestamp;

/// Writes for one request at most: one that finds what others left, one upon it, and one more.
const ATTEMPTS: usize = 3;

/// Keys remembered at most. Who is forgotten takes a new portion.
const MOST_KEYS: usize = 1_000;

/// What this process may still let through, by key.
#[derive(Debug, Default)]
pub struct Rates(Mutex<BTreeMap<ApiKeyId, Lease>>);

#[derive(Clone, Copy, Debug)]
struct Lease {
    requests: u64,
    until: Timestamp,
    /// The item as it was left: none where nothing is known of it.
    known: Option<(Bucket, u64)>,
}

impl Rates {
    /// Lets a request through, or says how long to wait.
    pub async fn admit(
        &self,
        store: &dyn Store,
        key: ApiKeyId,
        per_second: u16,
        now: Timestamp,
    ) -> Result<(), Duration> {
        let mut known = match self.spend(key, now) {
            Ok(()) => return Ok(()),
            Err(known) => known,
        };
        for _ in 0..ATTEMPTS {
            // Others only take: what is empty as far as we know is empty.
            let bucket = known.map_or(Bucket::full(per_second, now), |(bucket, _)| bucket);
            let (requests, left) = match bucket.take(per_second, now) {
                Portion::Taken { requests, left } => (requests, left),
                Portion::Empty { wait } => {
                    self.remember(key, Lease { requests: 0, until: now, known });
                    return Err(wait);
                }
            };
            let (version, expected) = match known {
                Some((_, version)) => (version.saturating_add(1), Expected::Version(version)),
                None => (1, Expected::Absent),
            };
            match store.write(encode_bucket(&key, left, version), expected).await {
                Ok(Written::Done) => {
                    let until = now.plus(PORTION_LIFE);
                    self.remember(key, Lease { requests: requests - 1, until, known: Some((left, version)) });
                    return Ok(());
                }
                Ok(Written::Conflict(found)) => known = found.and_then(|item: Item| decode_bucket(item).ok()),
                Err(_) => return Ok(()),
            }
        }
        Ok(())
    }

    /// Spends one request of the portion that there is; else says what is known of the bucket.
    fn spend(&self, key: ApiKeyId, now: Timestamp) -> Result<(), Option<(Bucket, u64)>> {
        let mut leases = self.leases();
        let Some(lease) = leases.get_mut(&key) else { return Err(None) };
        if lease.requests > 0 && now < lease.until {
            lease.requests -= 1;
            return Ok(());
        }
        Err(lease.known)
    }

    fn remember(&self, key: ApiKeyId, lease: Lease) {
        let mut leases = self.leases();
        if leases.len() >= MOST_KEYS && !leases.contains_key(&key) {
            leases.pop_first();
        }
        leases.insert(key, lease);
    }

    fn leases(&self) -> MutexGuard<'_, BTreeMap<ApiKeyId, Lease>> {
        // Each change is one insertion or subtraction, so what the lock guards is whole whoever panicked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
