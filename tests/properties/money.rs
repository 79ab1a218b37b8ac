//! Amounts are read and printed exactly, whatever way they are written.

use kessai_shared::money::{Currency, Decimal, MAX_DIGITS, Money};
use proptest::prelude::*;
use proptest::sample::select;

use crate::fixed::cases;

proptest! {
    #![proptest_config(cases(4_000))]

    #[test]
    fn any_text_is_a_number_or_refused(text in "\\PC*", digits in "[-+0-9.eE]{0,70}") {
        for text in [text, digits] {
            let json = serde_json::from_str::<serde_json::Number>(&text);
            prop_assert!(Decimal::parse(&text).is_err() || json.is_ok(), "{text:?} is no number of JSON");
        }
    }

    #[test]
    fn a_decimal_is_worth_what_it_says(
        whole in "0|[1-9][0-9]{0,19}",
        fraction in "[0-9]{0,6}0{0,3}",
        exponent in -25..25_i32,
        currency in currencies(),
    ) {
        let point = if fraction.is_empty() { "" } else { "." };
        let text = format!("{whole}{point}{fraction}{}", if exponent == 0 { String::new() } else { format!("e{exponent}") });
        let read = Decimal::parse(&text).and_then(|decimal| Money::from_decimal(decimal, currency));
        prop_assert_eq!(read.map(|money| money.minor.to_string()).ok(), minor_units(&whole, &fraction, exponent, currency));
    }

    #[test]
    fn money_prints_what_reads_back(minor in 1..10_i64.pow(MAX_DIGITS), shift in 0..18_u32, currency in currencies()) {
        let money = Money::new((minor / 10_i64.pow(shift)).max(1), currency);
        let decimal = money.to_decimal().expect("an amount in range");
        prop_assert_eq!(Money::from_decimal(decimal, currency), Ok(money));
        prop_assert_eq!(Decimal::parse(&money.to_string()), Ok(decimal));
    }
}

fn currencies() -> impl Strategy<Value = Currency> {
    select(vec!["JPY", "USD", "KWD", "CLF"]).prop_map(|code| Currency::parse(code).expect("a currency"))
}

/// The digits moved by hand: none where a digit other than 0 would be lost, or there are too many.
fn minor_units(whole: &str, fraction: &str, exponent: i32, currency: Currency) -> Option<String> {
    let digits = format!("{whole}{fraction}");
    let scale = i32::try_from(fraction.len()).ok()?;
    let shift = i32::try_from(currency.exponent()).ok()? + exponent - scale;
    let moved = match usize::try_from(shift) {
        Ok(zeros) => format!("{digits}{}", "0".repeat(zeros)),
        Err(_) => {
            let padded = format!("{}{digits}", "0".repeat(shift.unsigned_abs() as usize));
            let (kept, lost) = padded.split_at(padded.len() - shift.unsigned_abs() as usize);
            lost.bytes().all(|digit| digit == b'0').then(|| kept.to_owned())?
        }
    };
    let minor = moved.trim_start_matches('0').to_owned();
    (1..=MAX_DIGITS as usize).contains(&minor.len()).then_some(minor)
}
