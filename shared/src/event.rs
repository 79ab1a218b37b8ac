//! The names of what merchants are told: the kind of record, and what became of it.

use crate::ids::Record;
use crate::payment::sequel::Stage;

/// What became of a record, as merchants hear of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It was asked for.
    Created,
    /// It was asked for, and the verdict comes later.
    Pending,
    Succeeded,
    Failed,
    /// Its buyer disputes it, or did.
    Disputed(Stage),
}

macro_rules! names {
    ($($name:ident $text:literal,)*) => {
        /// The name of an event.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum EventName { $($name),* }

        impl EventName {
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// As the wire has it.
            pub fn text(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }
        }
    };
}

names! {
    AuthorizationCreated "authorization.created",
    AuthorizationPending "authorization.pending",
    AuthorizationSucceeded "authorization.succeeded",
    AuthorizationFailed "authorization.failed",
    PaymentCreated "payment.created",
    PaymentPending "payment.pending",
    PaymentSucceeded "payment.succeeded",
    PaymentFailed "payment.failed",
    ReversalCreated "reversal.created",
    ReversalPending "reversal.pending",
    ReversalSucceeded "reversal.succeeded",
    ReversalFailed "reversal.failed",
    RefundCreated "refund.created",
    RefundUpdated "refund.updated",
    RefundFailed "refund.failed",
    PaymentMethodCreated "payment_method.created",
    PaymentMethodPending "payment_method.pending",
    PaymentMethodUpdated "payment_method.updated",
    PaymentMethodFailed "payment_method.failed",
    DisputeOpened "dispute.opened",
    DisputeChargedBack "dispute.charged_back",
    DisputeReversed "dispute.reversed",
    DisputeLost "dispute.lost",
    ScheduleCreated "schedule.created",
    ScheduleProcessed "schedule.processed",
    ScheduleFailed "schedule.failed",
    SchedulePastDue "schedule.past_due",
    ScheduleCompleted "schedule.completed",
    ScheduleCanceled "schedule.canceled",
}

impl EventName {
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|name| name.text() == text)
    }

    /// What is told when a record takes this turn.
    pub fn of(record: Record, turn: Turn) -> Self {
        match (record, turn) {
            (Record::Authorization, Turn::Created) => Self::AuthorizationCreated,
            (Record::Authorization, Turn::Pending) => Self::AuthorizationPending,
            (Record::Authorization, Turn::Succeeded) => Self::AuthorizationSucceeded,
            (Record::Authorization, Turn::Failed) => Self::AuthorizationFailed,
            (Record::Payment, Turn::Created) => Self::PaymentCreated,
            (Record::Payment, Turn::Pending) => Self::PaymentPending,
            (Record::Payment, Turn::Succeeded) => Self::PaymentSucceeded,
            (Record::Payment, Turn::Failed) => Self::PaymentFailed,
            (Record::Adjustment, Turn::Created) => Self::ReversalCreated,
            (Record::Adjustment, Turn::Pending) => Self::ReversalPending,
            (Record::Adjustment, Turn::Succeeded) => Self::ReversalSucceeded,
            (Record::Adjustment, Turn::Failed) => Self::ReversalFailed,
            (Record::Refund, Turn::Created) => Self::RefundCreated,
            (Record::Refund, Turn::Pending | Turn::Succeeded) => Self::RefundUpdated,
            (Record::Refund, Turn::Failed) => Self::RefundFailed,
            (_, Turn::Disputed(Stage::Opened)) => Self::DisputeOpened,
            (_, Turn::Disputed(Stage::ChargedBack)) => Self::DisputeChargedBack,
            (_, Turn::Disputed(Stage::Reversed)) => Self::DisputeReversed,
            (_, Turn::Disputed(Stage::Lost)) => Self::DisputeLost,
        }
    }

    fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// A set of names: what somebody wants to hear of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventNames(u32);

impl EventNames {
    pub const NONE: Self = Self(0);

    pub fn all() -> Self {
        EventName::ALL.iter().copied().collect()
    }

    pub fn contains(self, name: EventName) -> bool {
        self.0 & name.bit() != 0
    }

    /// What is in either.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl FromIterator<EventName> for EventNames {
    fn from_iter<I: IntoIterator<Item = EventName>>(names: I) -> Self {
        Self(names.into_iter().fold(0, |set, name| set | name.bit()))
    }
}

/// What the id of an event begins with.
pub const ID_PREFIX: &str = "evt_";

/// Hexadecimal digits of an event's id after that: of its time, and of what it is.
pub const ID_DIGITS: usize = 31;

/// Whether this could be the id of an event.
pub fn is_id(text: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.strip_prefix(ID_PREFIX).is_some_and(|rest| rest.len() == ID_DIGITS && rest.bytes().all(is_digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back_and_fits_a_set() {
        assert!(EventName::ALL.len() <= 32);
        for name in EventName::ALL.iter().copied() {
            assert_eq!(EventName::parse(name.text()), Some(name));
            assert!(EventNames::all().contains(name) && !EventNames::NONE.contains(name));
            assert!(crate::merchant::EventFilter::parse(name.text()).is_some(), "{}", name.text());
        }
        assert_eq!(EventName::parse("payment.*"), None);
    }
}
