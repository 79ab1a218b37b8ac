//! Keys of items that have something left to do.

use std::fmt;

use super::{MerchantId, MethodId, PaymentKey, method_key};
use crate::recurring::ids::RecurringKey;

/// The key of an item that has something left to do: a payment, a stored method of which merchants are to be told, or
/// something that recurs. It begins with the merchant, and what stands behind that tells which of them it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ItemKey {
    Payment(PaymentKey),
    Method(MerchantId, MethodId),
    Recurring(MerchantId, RecurringKey),
}

impl ItemKey {
    /// No id of a method or of what recurs is a payment's number, and none has the other's prefix.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(payment) = PaymentKey::parse(text) {
            return Some(Self::Payment(payment));
        }
        let (merchant, rest) = text.split_once('/')?;
        let merchant = MerchantId::parse(merchant)?;
        let method = MethodId::parse(rest).filter(|method| method.kind().is_some());
        let recurring = || RecurringKey::parse(rest).map(|key| Self::Recurring(merchant, key));
        method.map(|method| Self::Method(merchant, method)).or_else(recurring)
    }

    pub fn merchant(&self) -> MerchantId {
        match self {
            Self::Payment(payment) => payment.merchant,
            Self::Method(merchant, _) | Self::Recurring(merchant, _) => *merchant,
        }
    }

    pub fn payment(&self) -> Option<PaymentKey> {
        match self {
            Self::Payment(payment) => Some(*payment),
            Self::Method(..) | Self::Recurring(..) => None,
        }
    }
}

impl From<PaymentKey> for ItemKey {
    fn from(payment: PaymentKey) -> Self {
        Self::Payment(payment)
    }
}

impl fmt::Display for ItemKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Payment(payment) => payment.fmt(out),
            Self::Method(merchant, method) => out.write_str(&method_key(merchant, method)),
            Self::Recurring(merchant, key) => write!(out, "{}/{key}", merchant.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{MethodKind, PaymentId};
    use crate::payment::IdempotencyKey;
    use crate::recurring::ids::{Cause, RunId, ScheduleId, SchedulerId};

    #[test]
    fn every_key_reads_back_as_what_it_is() {
        let merchant = MerchantId::from_random([7; 16]);
        let key = IdempotencyKey::parse("k").expect("a key");
        let run = RunId::of(&merchant, Cause::Asked(&key));
        let payments = [0, 0x5b5, u64::MAX].map(|bits| PaymentKey { merchant, payment: PaymentId::from_bits(bits) });
        let methods = MethodKind::ALL.map(|kind| ItemKey::Method(merchant, MethodId::made_by(kind, &merchant, &key)));
        let recurring = [
            RecurringKey::Schedule(ScheduleId::made_under(&merchant, &key)),
            RecurringKey::Scheduler(SchedulerId::made_under(&merchant, &key)),
            RecurringKey::Run(run),
            RecurringKey::Lane(run, 63),
        ];
        let recurring = recurring.map(|key| ItemKey::Recurring(merchant, key));
        for item in payments.map(ItemKey::from).into_iter().chain(methods).chain(recurring) {
            assert_eq!(ItemKey::parse(&item.to_string()), Some(item));
            assert!(item.to_string().starts_with(merchant.as_str()));
            assert_eq!(item.merchant(), merchant);
            assert_eq!(item.payment().is_some(), matches!(item, ItemKey::Payment(_)));
        }
        for strange in ["", "/", "5PS000000000000", "00D000000000001/", "00D000000000001/5SI000000000001"] {
            assert_eq!(ItemKey::parse(strange), None, "{strange:?}");
        }
    }
}
