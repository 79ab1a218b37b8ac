//! Money: whole minor units of an ISO 4217 currency, and the exact reading and printing of decimals.
//!
//! A [`Decimal`] is what a caller wrote, exactly; it becomes [`Money`] once the currency is known,
//! because only the currency says how many decimals there may be. Floats appear nowhere.

use std::fmt;

/// Most digits an amount may have, counted in minor units: the wire stores currency(18,2).
pub const MAX_DIGITS: u32 = 18;

const MAX_MINOR: i64 = 10_i64.pow(MAX_DIGITS) - 1;

/// Longest text read as a number. Java prints a double in at most 24 characters; the rest is courtesy.
const MAX_TEXT: usize = 64;

/// A currency of ISO 4217 that has a minor unit. Gold, test codes and the like have none and are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// Reads the three-letter code, upper case as the standard prints it.
    pub fn parse(code: &str) -> Option<Self> {
        let currency = iso_currency::Currency::from_code(code)?;
        currency.exponent().map(|_| Self(currency))
    }

    /// The three-letter code.
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// Digits after the decimal point: JPY 0, USD 2, KWD 3.
    pub fn exponent(self) -> u32 {
        self.0.exponent().map_or(0, u32::from)
    }
}

/// What is wrong with an amount that a caller gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AmountError {
    /// Not a decimal number.
    NotANumber,
    /// Zero or less.
    NotPositive,
    /// More than [`MAX_DIGITS`] digits.
    TooLarge,
    /// More decimals than the currency has.
    TooManyDecimals { currency: &'static str, allowed: u32 },
}

impl fmt::Display for AmountError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotANumber => out.write_str("must be a decimal number"),
            Self::NotPositive => out.write_str("must be greater than 0"),
            Self::TooLarge => write!(out, "must not have more than {MAX_DIGITS} digits"),
            Self::TooManyDecimals { currency, allowed } => {
                write!(out, "must not have more than {allowed} decimals in {currency}")
            }
        }
    }
}

/// A positive decimal number as written, exactly, without its trailing zeros: 120.50 is 1205 × 10⁻¹.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal {
    coefficient: i64,
    scale: u32,
}

impl Decimal {
    /// Reads the JSON number grammar (`150`, `120.5`, `1.0E7`), as a number or as the text of one.
    pub fn parse(text: &str) -> Result<Self, AmountError> {
        if text.len() > MAX_TEXT {
            return Err(AmountError::TooLarge);
        }
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = split_exponent(unsigned)?;
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
        if !is_digits(whole) || !is_digits(fraction) || (whole.len() > 1 && whole.starts_with('0')) {
            return Err(AmountError::NotANumber);
        }
        let digits = format!("{whole}{fraction}");
        let significant = digits.trim_start_matches('0').trim_end_matches('0');
        if negative || significant.is_empty() {
            return Err(AmountError::NotPositive);
        }
        let dropped = digits.len() - digits.trim_end_matches('0').len();
        // Both lengths are at most MAX_TEXT, so these fit.
        let scale = fraction.len() as i64 - dropped as i64 - exponent;
        Self::normal(significant, scale)
    }

    fn normal(significant: &str, scale: i64) -> Result<Self, AmountError> {
        let zeros = usize::try_from(-scale).unwrap_or(0);
        if significant.len().saturating_add(zeros) > MAX_DIGITS as usize {
            return Err(AmountError::TooLarge);
        }
        let digits = format!("{significant}{}", "0".repeat(zeros));
        let coefficient = digits.parse().map_err(|_| AmountError::TooLarge)?;
        let scale = u32::try_from(scale.max(0)).map_err(|_| AmountError::NotPositive)?;
        Ok(Self { coefficient, scale })
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn split_exponent(text: &str) -> Result<(&str, i64), AmountError> {
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else {
        return Ok((text, 0));
    };
    let unsigned = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    if !is_digits(unsigned) {
        return Err(AmountError::NotANumber);
    }
    // Further than any amount reaches: whatever the mantissa, the value is out of range.
    let magnitude: i64 = unsigned.parse().unwrap_or(i64::from(u16::MAX)).min(i64::from(u16::MAX));
    Ok((mantissa, if exponent.starts_with('-') { -magnitude } else { magnitude }))
}

/// An amount in whole minor units of its currency: 12345 of USD is 123.45 dollars. Never negative
/// where it is asked for; a balance may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Money {
    /// Minor units.
    pub minor: i64,
    pub currency: Currency,
}

impl Money {
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// What the caller wrote, in the minor units of `currency`.
    pub fn from_decimal(decimal: Decimal, currency: Currency) -> Result<Self, AmountError> {
        let exponent = currency.exponent();
        let Some(shift) = exponent.checked_sub(decimal.scale) else {
            let currency = currency.code();
            return Err(AmountError::TooManyDecimals { currency, allowed: exponent });
        };
        let minor = 10_i64.checked_pow(shift).and_then(|factor| decimal.coefficient.checked_mul(factor));
        match minor {
            Some(minor) if minor <= MAX_MINOR => Ok(Self { minor, currency }),
            Some(_) | None => Err(AmountError::TooLarge),
        }
    }

    /// The decimal a caller would have written for it; none for zero or less.
    pub fn to_decimal(self) -> Option<Decimal> {
        let (mut coefficient, mut scale) = (self.minor, self.currency.exponent());
        if !(1..=MAX_MINOR).contains(&coefficient) {
            return None;
        }
        while scale > 0 && coefficient % 10 == 0 {
            (coefficient, scale) = (coefficient / 10, scale - 1);
        }
        Some(Decimal { coefficient, scale })
    }

    /// The same amount in `minor` units of the same currency.
    pub fn with(self, minor: i64) -> Self {
        Self { minor, ..self }
    }
}

/// As the wire prints a double: at least one decimal, no trailing zeros after it (`150.0`, `120.5`, `0.01`).
impl fmt::Display for Money {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.minor < 0 { "-" } else { "" };
        let exponent = self.currency.exponent();
        let unit = 10_u64.pow(exponent);
        let (whole, rest) = (self.minor.unsigned_abs() / unit, self.minor.unsigned_abs() % unit);
        let padded = format!("{rest:0width$}", width = exponent as usize);
        let fraction = padded.trim_end_matches('0');
        write!(out, "{sign}{whole}.{}", if fraction.is_empty() { "0" } else { fraction })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minor(text: &str, code: &str) -> Result<i64, AmountError> {
        let currency = Currency::parse(code).expect("a currency");
        Money::from_decimal(Decimal::parse(text)?, currency).map(|money| money.minor)
    }

    #[test]
    fn decimals_become_minor_units_exactly() {
        let too_many = |currency, allowed| AmountError::TooManyDecimals { currency, allowed };
        let rows = [
            ("150", "USD", Ok(15_000)),
            ("150.00", "USD", Ok(15_000)),
            ("0.01", "USD", Ok(1)),
            ("120.5", "USD", Ok(12_050)),
            ("1.0E7", "USD", Ok(1_000_000_000)),
            ("1.5e+2", "USD", Ok(15_000)),
            ("15000e-2", "USD", Ok(15_000)),
            ("1200", "JPY", Ok(1_200)),
            ("1200.0", "JPY", Ok(1_200)),
            ("1.234", "KWD", Ok(1_234)),
            ("1.2345", "CLF", Ok(12_345)),
            ("9999999999999999.99", "USD", Ok(999_999_999_999_999_999)),
            ("999999999999999999", "JPY", Ok(999_999_999_999_999_999)),
            ("1200.5", "JPY", Err(too_many("JPY", 0))),
            ("0.001", "USD", Err(too_many("USD", 2))),
            ("1e-9", "USD", Err(too_many("USD", 2))),
            ("0", "USD", Err(AmountError::NotPositive)),
            ("0.00", "USD", Err(AmountError::NotPositive)),
            ("-1", "USD", Err(AmountError::NotPositive)),
            ("99999999999999999.99", "USD", Err(AmountError::TooLarge)),
            ("10000000000000000", "USD", Err(AmountError::TooLarge)),
            ("1e400", "USD", Err(AmountError::TooLarge)),
            ("1e99999999999999999999", "USD", Err(AmountError::TooLarge)),
            ("NaN", "USD", Err(AmountError::NotANumber)),
            ("Infinity", "USD", Err(AmountError::NotANumber)),
            ("1,000", "USD", Err(AmountError::NotANumber)),
            ("0x10", "USD", Err(AmountError::NotANumber)),
            ("01", "USD", Err(AmountError::NotANumber)),
            (".5", "USD", Err(AmountError::NotANumber)),
            ("5.", "USD", Err(AmountError::NotANumber)),
            ("+5", "USD", Err(AmountError::NotANumber)),
            ("1e", "USD", Err(AmountError::NotANumber)),
            ("1e5e5", "USD", Err(AmountError::NotANumber)),
            ("", "USD", Err(AmountError::NotANumber)),
            (" 1", "USD", Err(AmountError::NotANumber)),
            ("١", "USD", Err(AmountError::NotANumber)),
        ];
        for (text, code, expected) in rows {
            assert_eq!(minor(text, code), expected, "{text:?} {code}");
        }
        assert_eq!(minor(&"1".repeat(65), "USD"), Err(AmountError::TooLarge));
        assert_eq!(minor(&format!("1.{}", "0".repeat(62)), "USD"), Ok(100));
        assert_eq!(minor(&format!("1.{}", "0".repeat(63)), "USD"), Err(AmountError::TooLarge));
    }

    #[test]
    fn money_prints_as_a_double_and_reads_back() {
        let rows = [
            (15_000, "USD", "150.0"),
            (12_050, "USD", "120.5"),
            (1, "USD", "0.01"),
            (-1_000, "USD", "-10.0"),
            (0, "USD", "0.0"),
            (1_200, "JPY", "1200.0"),
            (1_234, "KWD", "1.234"),
            (999_999_999_999_999_999, "USD", "9999999999999999.99"),
        ];
        for (minor, code, printed) in rows {
            let money = Money::new(minor, Currency::parse(code).expect("a currency"));
            assert_eq!(money.to_string(), printed);
            if let Some(decimal) = money.to_decimal() {
                assert_eq!(Money::from_decimal(decimal, money.currency), Ok(money));
            }
        }
    }

    #[test]
    fn every_currency_with_a_minor_unit_has_its_exponent() {
        let exponent = |code| Currency::parse(code).map(Currency::exponent);
        let zero = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF";
        let three = "BHD IQD JOD KWD LYD OMR TND";
        let two = "AED AUD BRL CAD CHF CNY EUR GBP HKD IDR INR MGA MRU MXN NZD SEK SGD THB TWD USD ZAR";
        let four = "CLF UYW";
        for (codes, digits) in [(zero, 0), (two, 2), (three, 3), (four, 4)] {
            for code in codes.split(' ') {
                assert_eq!(exponent(code), Some(digits), "{code}");
            }
        }
        for code in ["XAU", "XXX", "XTS", "XDR", "usd", "ZZZ", "", "USDX"] {
            assert_eq!(exponent(code), None, "{code}");
        }
    }
}
