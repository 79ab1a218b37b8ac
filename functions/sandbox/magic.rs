//! Where codes of the magic table stand: in amounts, in card numbers, in the ids of stored methods.

use kessai_shared::card::Pan;

use super::behaviour::{Behaviour, Decline, by_code};

/// Amounts carry a code in their last four digits, so that any price can be made magic.
const AMOUNT_CODES: u64 = 10_000;

/// The first eleven digits of every magic card; the code and the check digit make it sixteen.
const CARD_PREFIX: &str = "40000000000";

/// Digits of a magic card after that.
const CODE_AND_CHECK: usize = 5;

/// The record prefix of a stored payment method.
const METHOD_PREFIX: &str = "03O";

/// Digits of a stored method's id that carry the code.
const METHOD_DIGITS: usize = 12;

/// Length of a stored method's id after the prefix when it has its three-character suffix.
const METHOD_DIGITS_AND_SUFFIX: usize = 15;

/// What an amount in minor units asks for.
#[must_use]
pub fn of_amount(amount: u64) -> Behaviour {
    by_code(amount % AMOUNT_CODES).unwrap_or(Behaviour::Approve)
}

/// What a card number asks for: a code, nothing, or a decline where no such card can exist.
#[must_use]
pub fn of_card(number: &str) -> Behaviour {
    if Pan::parse(number).is_none() {
        return Behaviour::Decline(Decline::InvalidCardData);
    }
    number
        .strip_prefix(CARD_PREFIX)
        .filter(|rest| rest.len() == CODE_AND_CHECK)
        .and_then(|rest| rest.get(..CODE_AND_CHECK - 1)?.parse().ok())
        .and_then(by_code)
        .unwrap_or(Behaviour::Approve)
}

/// What a stored method asks for: a code, nothing, or a decline where no such method exists.
#[must_use]
pub fn of_method(id: &str) -> Behaviour {
    id.strip_prefix(METHOD_PREFIX)
        .filter(|rest| [METHOD_DIGITS, METHOD_DIGITS_AND_SUFFIX].contains(&rest.len()))
        .and_then(|rest| rest.get(..METHOD_DIGITS))
        .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|digits| digits.parse().ok())
        .and_then(by_code)
        .unwrap_or(Behaviour::Decline(Decline::UnknownMethod))
}

/// The magic card of a code of the table (four digits; a fifth is cut off).
#[must_use]
pub fn card_number(code: u16) -> String {
    let payload = format!("{CARD_PREFIX}{:04}", code % 10_000);
    let check = check_digit(&payload);
    format!("{payload}{check}")
}

/// The magic stored method of a code of the table.
#[must_use]
pub fn method_id(code: u16) -> String {
    format!("{METHOD_PREFIX}{code:0METHOD_DIGITS$}")
}

/// The Luhn digit that completes these digits.
fn check_digit(payload: &str) -> u32 {
    let sum: u32 = payload
        .chars()
        .rev()
        .filter_map(|digit| digit.to_digit(10))
        .enumerate()
        .map(|(place, digit)| match (place % 2 == 0, digit) {
            (true, 5..) => digit * 2 - 9,
            (true, _) => digit * 2,
            (false, _) => digit,
        })
        .sum();
    (10 - sum % 10) % 10
}
