//! How often an API key may be used, and how often a gateway may be asked: only those that are limited cost anything.
//!
//! A bucket is an item, [`kessai_shared::rate`] says how it fills. Of a key's a process takes a portion out by one
//! conditional write and spends it in memory, so that a busy key costs ten writes a second in each process and not one
//! for each request. Of a gateway's each request is a write. This is the one thing that invocations share and that
//! changes; who loses it loses part of a portion. To be available matters more than to be exact: where the store fails, or
//! others keep writing first, the request is let through. A gateway that is asked too often all the same says so, and does
//! nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kessai_shared::ids::{GatewayId, Id};
use kessai_shared::ports::{Expected, Limiter, Pending, Store, Written};
use kessai_shared::rate::{Bucket, PORTION_LIFE, Portion, Rate};
use kessai_shared::stored::Item;
use kessai_shared::stored::rate::{decode_bucket, encode_bucket};
use kessai_shared::time::Timestamp;

/// Writes for one request at most: one that finds what others left, one upon it, and one more.
const ATTEMPTS: usize = 3;

/// Buckets remembered at most. Who is forgotten takes a new portion.
const MOST_BUCKETS: usize = 1_000;

/// What this process may still let through, by API key or gateway.
#[derive(Debug, Default)]
pub struct Rates(Mutex<BTreeMap<Id, Lease>>);

/// The rates of gateways, in the table of merchants.
pub struct GatewayRates {
    pub rates: Arc<Rates>,
    pub store: Arc<dyn Store>,
}

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
        of: impl Into<Id>,
        rate: Rate,
        now: Timestamp,
    ) -> Result<(), Duration> {
        let of = of.into();
        let mut known = match self.spend(of, now) {
            Ok(()) => return Ok(()),
            Err(known) => known,
        };
        for _ in 0..ATTEMPTS {
            // Others only take: what is empty as far as we know is empty.
            let bucket = known.map_or(Bucket::full(rate, now), |(bucket, _)| bucket);
            let (requests, left) = match bucket.take(rate, now) {
                Portion::Taken { requests, left } => (requests, left),
                Portion::Empty { wait } => {
                    self.remember(of, Lease { requests: 0, until: now, known });
                    return Err(wait);
                }
            };
            let (version, expected) = match known {
                Some((_, version)) => (version.saturating_add(1), Expected::Version(version)),
                None => (1, Expected::Absent),
            };
            match store.write(encode_bucket(of, left, version), expected).await {
                Ok(Written::Done) => {
                    let until = now.plus(PORTION_LIFE);
                    self.remember(of, Lease { requests: requests - 1, until, known: Some((left, version)) });
                    return Ok(());
                }
                Ok(Written::Conflict(found)) => known = found.and_then(|item: Item| decode_bucket(item).ok()),
                Err(_) => return Ok(()),
            }
        }
        Ok(())
    }

    /// Spends one request of the portion that there is; else says what is known of the bucket.
    fn spend(&self, of: Id, now: Timestamp) -> Result<(), Option<(Bucket, u64)>> {
        let mut leases = self.leases();
        let Some(lease) = leases.get_mut(&of) else { return Err(None) };
        if lease.requests > 0 && now < lease.until {
            lease.requests -= 1;
            return Ok(());
        }
        Err(lease.known)
    }

    fn remember(&self, of: Id, lease: Lease) {
        let mut leases = self.leases();
        if leases.len() >= MOST_BUCKETS && !leases.contains_key(&of) {
            leases.pop_first();
        }
        leases.insert(of, lease);
    }

    fn leases(&self) -> MutexGuard<'_, BTreeMap<Id, Lease>> {
        // Each change is one insertion or subtraction, so what the lock guards is whole whoever panicked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Limiter for GatewayRates {
    fn admit(&self, gateway: GatewayId, per_second: u16, now: Timestamp) -> Pending<'_, bool> {
        Box::pin(async move {
            let rate = Rate::of_gateway(per_second);
            self.rates.admit(&*self.store, gateway, rate, now).await.is_ok()
        })
    }
}
