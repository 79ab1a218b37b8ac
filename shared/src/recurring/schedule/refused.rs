//! Why a schedule is not made, or not changed.

use std::fmt;

use super::{MAX_WAITING, State, Status};
use crate::money::Money;
use crate::recurring::calendar::Unfit;
use crate::stored::recurring::schedule::MAX_SIZE;

/// We refuse: nothing changes, and the caller can tell why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// There is no such item, or it ended so long ago that it is only counted.
    NoItem,
    /// An amount is 0 or less.
    NotPositive { member: &'static str },
    /// The items come to more than the schedule is for.
    OverTotal { available: Money },
    /// Neither items nor a recurrence.
    NoItems,
    /// Under its key something else was added before.
    Reused,
    /// As many items as may wait, or as one schedule may hold.
    Full,
    /// With all that is said of its items it would be more than a store keeps as one.
    TooLarge,
    /// What recurs would do so on no day, or not as asked.
    Unfit { member: &'static str, unfit: Unfit },
    /// It recurs on no day at all.
    Never,
    /// The schedule does not recur.
    NotRecurring,
    /// Nothing is to come on that day, or its charge has begun.
    NoOccurrence,
    /// The schedule's status does not allow it.
    Status(Status),
    /// The item's status does not allow it: this is its literal.
    ItemStatus(&'static str),
}

impl Refused {
    pub(super) fn of_item(state: &State) -> Self {
        Self::ItemStatus(state.literal())
    }

    /// The HTTP status and the code of the error body.
    pub fn code(&self) -> (u16, &'static str) {
        match self {
            Self::NoItem => (404, "NOT_FOUND"),
            Self::NotPositive { .. } | Self::NoItems | Self::Unfit { .. } | Self::Never => (400, "INVALID_API_INPUT"),
            Self::OverTotal { .. } => (422, "AMOUNT_EXCEEDS_BALANCE"),
            Self::Reused => (422, "IDEMPOTENCY_KEY_REUSED"),
            Self::Full | Self::TooLarge => (422, "SCHEDULE_FULL"),
            Self::NotRecurring | Self::NoOccurrence | Self::Status(_) | Self::ItemStatus(_) => (422, "INVALID_STATUS"),
        }
    }

    /// The wire's member that is at fault.
    pub fn member(&self) -> &'static str {
        match self {
            Self::NoItem => "id",
            Self::NotPositive { member } | Self::Unfit { member, .. } => member,
            Self::OverTotal { .. } => "requestedAmount",
            Self::Reused => "idempotencyKey",
            Self::NoItems | Self::Full | Self::TooLarge => "items",
            Self::Never | Self::NotRecurring => "recurrence",
            Self::NoOccurrence => "date",
            Self::Status(_) | Self::ItemStatus(_) => "status",
        }
    }
}

/// The member and what it must be.
impl fmt::Display for Refused {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: ", self.member())?;
        match self {
            Self::NoItem => out.write_str("there is no such item"),
            Self::NotPositive { .. } => out.write_str("must be greater than 0"),
            Self::OverTotal { available } => {
                write!(out, "exceeds what is available: {available} {}", available.currency.code())
            }
            Self::NoItems => out.write_str("at least one is needed, or a recurrence"),
            Self::Reused => out.write_str("was used before with different parameters"),
            Self::Full => write!(out, "at most {MAX_WAITING} may wait"),
            Self::TooLarge => write!(out, "with their comments the schedule may have at most {} KB", MAX_SIZE / 1024),
            Self::Unfit { unfit, .. } => unfit.fmt(out),
            Self::Never => out.write_str("must recur on at least one day"),
            Self::NotRecurring => out.write_str("the schedule has none"),
            Self::NoOccurrence => out.write_str("must be a day of an occurrence that is not being charged yet"),
            Self::Status(status) => write!(out, "the schedule is {}", status.literal()),
            Self::ItemStatus(literal) => write!(out, "the item is {literal}"),
        }
    }
}
