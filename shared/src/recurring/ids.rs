//! Names of what recurs. As those of payments, they lead to the item that holds them.

use std::fmt;

use crate::ids::{Id, MerchantId, hash};
use crate::payment::IdempotencyKey;
use crate::time::Timestamp;

use super::calendar::Date;

/// Bits of an item's number within its schedule: more than one a day for eighty years.
const NUMBER_BITS: u32 = 15;

/// Lists of what is to be charged, side by side: a merchant's schedules are spread over so many, and each is worked off
/// by itself.
pub const LANES: u8 = 64;

/// A schedule within its merchant: 56 bits of the hash of the key under which it was made. Two keys that share them are
/// refused as a reuse, never mixed up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScheduleId(u64);

impl ScheduleId {
    const PREFIX: &str = "5PS";
    const ITEM_PREFIX: &str = "5SI";

    /// The schedule that `key` makes: asking twice leads to the same place.
    pub fn made_under(merchant: &MerchantId, key: &IdempotencyKey) -> Self {
        Self((hash("schedule", &[merchant.as_str().as_bytes(), key.as_str().as_bytes()]) as u64) >> 8)
    }

    pub fn parse(text: &str) -> Option<Self> {
        let number = number_of(Self::PREFIX, text)?;
        let is_whole = number & ((1 << NUMBER_BITS) - 1) == 0;
        is_whole.then(|| Self::from_number(number)).flatten()
    }

    fn from_number(number: u128) -> Option<Self> {
        let bits = u64::try_from(number >> NUMBER_BITS).ok()?;
        (bits >> 56 == 0).then_some(Self(bits))
    }

    pub fn id(self) -> Id {
        Id::with_number(Self::PREFIX, u128::from(self.0) << NUMBER_BITS)
    }

    /// The id of one of its items.
    pub fn item_id(self, number: ItemNumber) -> Id {
        Id::with_number(Self::ITEM_PREFIX, u128::from(self.0) << NUMBER_BITS | u128::from(number.0))
    }

    /// Where the item with this id is.
    pub fn locate_item(text: &str) -> Option<(Self, ItemNumber)> {
        let number = number_of(Self::ITEM_PREFIX, text)?;
        let item = ItemNumber::new(u16::try_from(number & ((1 << NUMBER_BITS) - 1)).ok()?)?;
        Some((Self::from_number(number)?, item))
    }

    /// The list in which it is found when it is to be charged.
    pub fn lane(self) -> u8 {
        u8::try_from(self.0 % u64::from(LANES)).unwrap_or_default()
    }
}

/// The place of an item in its schedule, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemNumber(u16);

impl ItemNumber {
    pub const FIRST: Self = Self(1);

    /// None beyond what an id can hold.
    pub fn new(number: u16) -> Option<Self> {
        (number > 0 && u32::from(number) < 1 << NUMBER_BITS).then_some(Self(number))
    }

    pub fn get(self) -> u16 {
        self.0
    }

    /// None after the last that an id can hold.
    pub fn next(self) -> Option<Self> {
        Self::new(self.0.checked_add(1)?)
    }
}

macro_rules! plain_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Id);

        impl $name {
            pub fn parse(text: &str) -> Option<Self> {
                Id::parse(text).filter(|id| id.prefix() == $prefix).map(Self)
            }

            pub fn id(self) -> Id {
                self.0
            }

            /// The fifteen characters, as stored.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }
    };
}

plain_id! {
    /// What starts payment runs (`5BS…`; the wire calls it a billing batch scheduler).
    SchedulerId, "5BS"
}
plain_id! {
    /// A payment run (`5PR…`; the wire calls it a payment batch run).
    RunId, "5PR"
}

plain_id! {
    /// A set of retry rules (`1bR…`; the wire calls it a payment retry rule set).
    RuleSetId, "1bR"
}
plain_id! {
    /// One retry rule (`1br…`: the prefix differs from that of a set in its case only).
    RuleId, "1br"
}

/// What a merchant sets up under this prefix.
macro_rules! set_up_id {
    ($name:ident, $prefix:literal, $purpose:literal) => {
        impl $name {
            /// A new one from 16 random bytes.
            pub fn from_random(random: [u8; 16]) -> Self {
                Self(Id::with_number($prefix, u128::from_le_bytes(random)))
            }

            /// The one that this merchant makes under this key: asking twice leads to the same.
            pub fn made_under(merchant: &MerchantId, key: &IdempotencyKey) -> Self {
                let parts = [merchant.as_str().as_bytes(), key.as_str().as_bytes()];
                Self(Id::with_number($prefix, hash($purpose, &parts)))
            }
        }

        impl From<$name> for Id {
            fn from($name(id): $name) -> Self {
                id
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, out)
            }
        }
    };
}

set_up_id!(RuleSetId, "1bR", "retry rule set");
set_up_id!(RuleId, "1br", "retry rule");

impl RuleId {
    /// The rule's readable number (`PRR-000000722`), which no other rule has; at least nine digits.
    pub fn number(self) -> String {
        format!("PRR-{:09}", self.0.number().unwrap_or_default())
    }
}

impl SchedulerId {
    /// The one that this merchant makes under this key.
    pub fn made_under(merchant: &MerchantId, key: &IdempotencyKey) -> Self {
        let parts = [merchant.as_str().as_bytes(), key.as_str().as_bytes()];
        Self(Id::with_number("5BS", hash("payment scheduler", &parts)))
    }
}

/// Why there is a run: the same cause, the same run, however often somebody starts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause<'a> {
    /// A scheduler's time has come, on this day of its zone.
    Scheduled(SchedulerId, Date),
    /// Payments that failed are to be tried again, those until then.
    Retries(Timestamp),
    /// Somebody asked for it under this key.
    Asked(&'a IdempotencyKey),
}

impl RunId {
    pub fn of(merchant: &MerchantId, cause: Cause<'_>) -> Self {
        let merchant = merchant.as_str().as_bytes();
        let number = match cause {
            Cause::Scheduled(scheduler, date) => {
                hash("scheduled run", &[merchant, scheduler.as_str().as_bytes(), date.to_string().as_bytes()])
            }
            Cause::Retries(at) => hash("retry run", &[merchant, &at.as_millis().to_be_bytes()]),
            Cause::Asked(key) => hash("asked run", &[merchant, key.as_str().as_bytes()]),
        };
        Self(Id::with_number("5PR", number))
    }
}

/// The key of an item of the table of schedules, behind its merchant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecurringKey {
    Schedule(ScheduleId),
    Scheduler(SchedulerId),
    Run(RunId),
    /// One lane of a run: what is worked off there.
    Lane(RunId, u8),
}

impl RecurringKey {
    pub fn parse(text: &str) -> Option<Self> {
        if let Some((run, lane)) = text.split_once('.') {
            let lane = lane.parse().ok().filter(|lane| *lane < LANES)?;
            return Some(Self::Lane(RunId::parse(run)?, lane));
        }
        ScheduleId::parse(text)
            .map(Self::Schedule)
            .or_else(|| SchedulerId::parse(text).map(Self::Scheduler))
            .or_else(|| RunId::parse(text).map(Self::Run))
    }
}

impl fmt::Display for RecurringKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Schedule(id) => out.write_str(id.id().as_str()),
            Self::Scheduler(id) => out.write_str(id.as_str()),
            Self::Run(id) => out.write_str(id.as_str()),
            Self::Lane(run, lane) => write!(out, "{}.{lane:02}", run.as_str()),
        }
    }
}

fn number_of(prefix: &str, text: &str) -> Option<u128> {
    Id::parse(text).filter(|id| id.prefix() == prefix)?.number()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
        let merchant = MerchantId::from_random([1; 16]);
        for text in ["a", "b", "c"] {
            let key = IdempotencyKey::parse(text).expect("a key");
            let schedule = ScheduleId::made_under(&merchant, &key);
            assert_eq!(ScheduleId::parse(&schedule.id().to_string()), Some(schedule));
            for number in [1, 2, 32_767].map(|number| ItemNumber::new(number).expect("in range")) {
                let item = schedule.item_id(number).to_string();
                assert_eq!(ScheduleId::locate_item(&item), Some((schedule, number)));
                assert_eq!(ScheduleId::parse(&item), None);
            }
            let scheduler = SchedulerId::made_under(&merchant, &key);
            let at = Timestamp::from_millis(1);
            let date = Date::parse("2026-11-28").expect("a date");
            let run = RunId::of(&merchant, Cause::Scheduled(scheduler, date));
            assert_ne!(run, RunId::of(&merchant, Cause::Retries(at)));
            for key in [
                RecurringKey::Schedule(schedule),
                RecurringKey::Scheduler(scheduler),
                RecurringKey::Run(run),
                RecurringKey::Lane(run, 0),
                RecurringKey::Lane(run, 63),
            ] {
                assert_eq!(RecurringKey::parse(&key.to_string()), Some(key));
            }
            assert_eq!(RecurringKey::parse(&format!("{}.64", run.as_str())), None);
        }
        assert_eq!(ItemNumber::new(32_768), None);
        assert_eq!(ItemNumber::new(32_767).and_then(ItemNumber::next), None);
    }

    #[test]
    fn ids_of_rules_and_of_their_sets_differ_in_case_only_and_are_never_mixed_up() {
        let merchant = MerchantId::from_random([1; 16]);
        let key = IdempotencyKey::parse("a").expect("a key");
        let (set, rule) = (RuleSetId::made_under(&merchant, &key), RuleId::made_under(&merchant, &key));
        assert_eq!((RuleSetId::parse(&set.to_string()), RuleId::parse(&rule.to_string())), (Some(set), Some(rule)));
        assert_eq!((RuleSetId::parse(rule.as_str()), RuleId::parse(set.as_str())), (None, None));
        let other_case = set.to_string().replacen("1bR", "1br", 1);
        assert_eq!(RuleId::parse(&other_case), None, "the check characters know the case");
        assert_eq!(RuleId::parse("1br0000000000Be").map(RuleId::number).as_deref(), Some("PRR-000000722"));
    }

    /// What is derived must be derived the same way by every version: another key means a second charge.
    #[test]
    fn what_is_derived_never_changes() {
        let merchant = MerchantId::parse("00D0M41bLKJJnxR").expect("a merchant id");
        let key = IdempotencyKey::parse("order 1").expect("a key");
        let scheduler = SchedulerId::made_under(&merchant, &key);
        let date = Date::parse("2026-11-28").expect("a date");
        let run = RunId::of(&merchant, Cause::Scheduled(scheduler, date));
        let derived = [ScheduleId::made_under(&merchant, &key).id(), scheduler.id(), run.id()];
        assert_eq!(
            derived.map(|id| id.to_string()),
            ["5PSIa9d3T94kneSOIQ", "5BSaL1Oei3vWNHAWC4", "5PRbdpbwSmAAHEIGI5"]
        );
    }
}
