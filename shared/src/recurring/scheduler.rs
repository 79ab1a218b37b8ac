//! A payment scheduler: what starts payment runs, and when (the wire calls it a billing batch scheduler).

use crate::ids::MerchantId;
use crate::payment::IdempotencyKey;
use crate::time::Timestamp;

use super::calendar::Timetable;
use super::ids::SchedulerId;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scheduler {
    pub merchant: MerchantId,
    pub id: SchedulerId,
    pub version: u64,
    pub key: IdempotencyKey,
    /// Hash of what was asked under that key.
    pub asked: [u8; 16],
    pub name: String,
    pub timetable: Timetable,
    pub criteria: Criteria,
    pub status: Status,
    pub created_at: Timestamp,
    /// Its last run was that of this time.
    pub last_run: Option<Timestamp>,
    /// When its next run starts; none where it is not active, or has none left.
    pub next_run: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Draft,
    Active,
    Inactive,
    Canceled,
    /// There are no more runs.
    Completed,
}

/// Which items a run charges, by their `PaymentRunMatchingValue`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Criteria {
    pub matches: Matches,
    /// In their sequence; none: every item.
    pub filters: Vec<Filter>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Matches {
    /// At least one filter holds.
    #[default]
    Any,
    /// No filter holds.
    None,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    pub operation: FilterOperation,
    pub value: String,
    pub sequence: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilterOperation {
    Equals,
    NotEquals,
    /// One of those between the commas.
    InList,
}
