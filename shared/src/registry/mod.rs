//! Carries out what [`Merchant::after`] decides: reads a merchant, writes its next version, and keeps the trail of what
//! made each.
//!
//! There is no transaction. The merchant's item carries what made it, and the trail's item of each version is written
//! after it. Whoever dies in between leaves the last one out, and whoever comes next, to change or to read the trail,
//! first writes it from what the merchant carries. So of two items that must both be written the second follows from the
//! first, and the trail has no gap that anybody can see. When somebody else wrote in between, the same change is put to
//! what they wrote.

use std::time::Duration;

use crate::ids::{MerchantId, ProviderId};
use crate::merchant::Merchant;
use crate::merchant::set_up::{LastChange, Refused};
use crate::ports::{Clock, Expected, Pending, Store, StoreFault, Written};
use crate::rejection::Fault;
use crate::stored::Item;
use crate::stored::merchant::{
    MOST_BYTES, ORIGINS_KEY, Pointer, decode_merchant, decode_provider_pointer, encode_merchant, encode_pointer,
    encode_provider_pointer, merchant_key, with_origins,
};
use crate::stored::payment::VERSION;
use crate::stored::set_up::{audit_key, decode_audit, encode_audit};
use crate::time::Timestamp;

/// How often a change is put to what somebody else wrote. Merchants change seldom, and by few.
const ATTEMPTS: usize = 5;

/// What is waited after the store failed; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Merchants in a store.
#[derive(Clone, Copy)]
pub struct Registry<'a> {
    pub store: &'a dyn Store,
    pub clock: &'a dyn Clock,
    pub deadline: Timestamp,
}

/// Why a change was not made.
#[derive(Debug)]
pub enum Hindered {
    Refused(Refused),
    Fault(Fault),
}

impl From<Refused> for Hindered {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl<F: Into<Fault>> From<F> for Hindered {
    fn from(fault: F) -> Self {
        Self::Fault(fault.into())
    }
}

/// One entry of the trail: what made this version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub version: u64,
    pub change: LastChange,
}

/// A piece of the trail, the newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trail {
    pub entries: Vec<Entry>,
    /// What lies before this version was not looked at; none at the end.
    pub before: Option<u64>,
}

impl Registry<'_> {
    /// The merchant as it is now.
    pub async fn merchant(&self, id: &MerchantId) -> Result<Option<Merchant>, Fault> {
        let item = self.read(&merchant_key(id)).await?;
        Ok(item.map(decode_merchant).transpose()?)
    }

    /// Reads what the last acknowledged write left, or something later.
    pub async fn read(&self, key: &str) -> Result<Option<Item>, Fault> {
        self.patiently(|| self.store.read(key)).await
    }

    /// Writes a merchant that is new; says whether there was none with its id.
    pub async fn make(&self, merchant: &Merchant) -> Result<bool, Hindered> {
        let written = self.write(checked_item(merchant)?, Expected::Absent).await?;
        let is_made = match &written {
            Written::Done => true,
            Written::Conflict(found) => is_ours(found.as_ref(), merchant)?,
        };
        if is_made {
            // Whoever comes next writes it where this fails; but nobody shows the merchant's first key a second time.
            drop(self.keep_trail(merchant).await);
        }
        Ok(is_made)
    }

    /// Makes what `decide` makes of the merchant, which was read as `merchant`, or of what others make of it meanwhile.
    pub async fn change(
        &self,
        mut merchant: Merchant,
        decide: impl Fn(&Merchant, Timestamp) -> Result<Merchant, Refused> + Send + Sync,
    ) -> Result<Merchant, Hindered> {
        for _ in 0..ATTEMPTS {
            let next = decide(&merchant, self.clock.now())?;
            if next.version == merchant.version {
                return Ok(next);
            }
            let item = checked_item(&next)?;
            self.keep_trail(&merchant).await?;
            match self.write(item, Expected::Version(merchant.version)).await? {
                Written::Conflict(found) if !is_ours(found.as_ref(), &next)? => {
                    merchant = decode_merchant(found.ok_or(Refused::NotFound)?)?;
                }
                Written::Done | Written::Conflict(_) => {
                    // It is made whether this succeeds or not: whoever comes next makes up for it.
                    drop(self.keep_trail(&next).await);
                    return Ok(next);
                }
            }
        }
        Err(Fault::Busy.into())
    }

    /// Where an API key leads: whatever else is there already, it is by nobody who guessed the key.
    pub async fn point(&self, hash: &crate::merchant::ApiKeyHash, to: Pointer) -> Result<(), Fault> {
        self.write(encode_pointer(hash, to).with(VERSION, 1), Expected::Absent).await.map(drop)
    }

    /// Makes a provider lead to its merchant, before the merchant has it or at any time after. Only this merchant can make
    /// its id, so whatever is there already says the same.
    pub async fn point_provider(&self, provider: ProviderId, merchant: MerchantId) -> Result<(), Fault> {
        let item = encode_provider_pointer(&provider, &merchant).with(VERSION, 1);
        let Written::Conflict(Some(found)) = self.write(item, Expected::Absent).await? else { return Ok(()) };
        match decode_provider_pointer(found)? {
            known if known == merchant => Ok(()),
            _ => Err(Fault::SetUp(format!("the provider {provider} leads to another merchant"))),
        }
    }

    /// What made the versions before `before`, or before the next one; at most `most`, each one read.
    pub async fn trail(&self, merchant: &Merchant, before: Option<u64>, most: usize) -> Result<Trail, Fault> {
        self.keep_trail(merchant).await?;
        let mut version = before.unwrap_or(u64::MAX).min(merchant.version.saturating_add(1));
        let mut entries = Vec::with_capacity(most);
        for _ in 0..most {
            if version <= 1 {
                break;
            }
            version -= 1;
            // Where a version of Kessai wrote that knows no trail there is nothing.
            if let Some(item) = self.read(&audit_key(&merchant.id, version)).await? {
                entries.push(Entry { version, change: decode_audit(item)? });
            }
        }
        Ok(Trail { entries, before: (version > 1).then_some(version) })
    }

    /// Remembers where a gateway listens, for those who start. Only speed hangs on it: who comes second gives way.
    pub async fn remember_origin(&self, origin: &str) -> Result<(), Fault> {
        let known = self.read(ORIGINS_KEY).await?;
        let version = known.as_ref().and_then(|item| item.number(VERSION));
        let next = with_origins(known.clone(), [origin.to_owned()])?;
        if known.is_some_and(|known| known.list("urls") == next.list("urls")) {
            return Ok(());
        }
        let next = next.with(VERSION, version.unwrap_or_default().saturating_add(1));
        let expected = version.and_then(|version| u64::try_from(version).ok());
        self.write(next, expected.map_or(Expected::Absent, Expected::Version)).await.map(drop)
    }

    /// Writes what made this version, if nobody has yet.
    async fn keep_trail(&self, merchant: &Merchant) -> Result<(), Fault> {
        let Some(item) = encode_audit(merchant) else { return Ok(()) };
        self.write(item, Expected::Absent).await.map(drop)
    }

    /// Writes, again where the store failed: then a conflict may be by our own hand.
    async fn write(&self, item: Item, expected: Expected) -> Result<Written, Fault> {
        self.patiently(|| self.store.write(item.clone(), expected)).await
    }

    async fn patiently<'s, T>(&self, ask: impl Fn() -> Pending<'s, Result<T, StoreFault>>) -> Result<T, Fault> {
        let mut pause = FIRST_PAUSE;
        loop {
            match ask().await {
                Ok(answer) => return Ok(answer),
                Err(_) if self.clock.now().plus(LONGEST_PAUSE) < self.deadline => self.clock.sleep(pause).await,
                Err(fault) => return Err(Fault::Store(Box::new(fault))),
            }
            pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
        }
    }
}

/// Whether what stands in the way is what we wrote ourselves, and heard nothing of.
fn is_ours(found: Option<&Item>, ours: &Merchant) -> Result<bool, Fault> {
    let found = found.cloned().map(decode_merchant).transpose()?;
    // As it is read: what a newer version knew of what we took away is not written.
    Ok(found == Some(decode_merchant(encode_merchant(ours))?))
}

fn checked_item(merchant: &Merchant) -> Result<Item, Refused> {
    let item = encode_merchant(merchant);
    if item.size_bytes() > MOST_BYTES { Err(Refused::TooLarge { most: MOST_BYTES }) } else { Ok(item) }
}

#[cfg(test)]
mod tests;
