//! Amounts as Adyen counts them. It departs from ISO 4217 for four currencies.
//!
//! Source: "Currency codes and minor units" of Adyen's documentation; the lists below are those of Adyen's own adapter for
//! Salesforce.

use serde::{Deserialize, Serialize};

use crate::gateways::wire::in_units;
use crate::money::{Currency, Money};

/// Counted in thousandths.
const THREE_DECIMALS: [&str; 7] = ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"];

/// Counted in whole units, the first and the fourth against ISO 4217.
const NO_DECIMALS: [&str; 15] =
    ["CVE", "DJF", "GNF", "IDR", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"];

/// Counted in hundredths, against ISO 4217.
const TWO_DECIMALS: [&str; 2] = ["CLP", "ISK"];

/// How many decimals Adyen counts a currency with; none where it does not say so and it may not be the usual two.
pub(super) fn decimals(currency: Currency) -> Option<u32> {
    let is_in = |list: &[&str]| list.contains(&currency.code());
    match currency.exponent() {
        _ if is_in(&THREE_DECIMALS) => Some(3),
        _ if is_in(&NO_DECIMALS) => Some(0),
        _ if is_in(&TWO_DECIMALS) => Some(2),
        2 => Some(2),
        _ => None,
    }
}

/// An amount, as Adyen writes it.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
pub(super) struct Amount {
    pub currency: String,
    pub value: i64,
}

impl Amount {
    /// None where Adyen cannot count it exactly.
    pub fn of(money: Money) -> Option<Self> {
        let value = in_units(money, decimals(money.currency)?)?;
        Some(Self { currency: money.currency.code().to_owned(), value })
    }

    /// As it is sent: what Adyen cannot count was refused before.
    pub fn sent(money: Money) -> Self {
        Self::of(money).unwrap_or_else(|| Self { currency: money.currency.code().to_owned(), value: 0 })
    }

    /// As we count it; none where it is no amount of ours.
    pub fn money(&self) -> Option<Money> {
        Some(Money::new(self.minor()?, Currency::parse(&self.currency)?))
    }

    /// Our minor units; none where it is no amount of ours.
    pub fn minor(&self) -> Option<i64> {
        let currency = Currency::parse(&self.currency)?;
        let (ours, theirs) = (currency.exponent(), decimals(currency)?);
        if ours >= theirs {
            return self.value.checked_mul(10_i64.checked_pow(ours.saturating_sub(theirs))?);
        }
        let unit = 10_i64.checked_pow(theirs.saturating_sub(ours))?;
        let whole = self.value.checked_div(unit)?;
        (whole.checked_mul(unit) == Some(self.value)).then_some(whole)
    }
}
