//! Where codes of the magic table stand: in amounts, in the numbers of cards and bank accounts, in
//! the ids of stored methods.

use kessai_shared::card::Pan;

use super::behaviour::{Behaviour, Decline, by_code};

/// Amounts carry a code in their last four digits, so that any price can be made magic.
const AMOUNT_CODES: u64 = 10_000;

/// The first eleven digits of every magic card; the code and the check digit make it sixteen.
const CARD_PREFIX: &str = "40000000000";

/// Digits of a magic card after that.
const CODE_AND_CHECK: usize = 5;

/// Digits of a code, and the last characters of a bank account's number that can be one.
const CODE_DIGITS: usize = 4;

/// The code that is no magic.
const PLAIN: u16 = 0;

/// The code of card data that are wrong.
const INVALID_CARD_DATA: u16 = 9007;

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

/// What a code asks for.
#[must_use]
pub fn of_code(code: u16) -> Behaviour {
    by_code(u64::from(code)).unwrap_or(Behaviour::Approve)
}

/// What tokenizing what has this code does: data that are no good are declined at once, and
/// what is about tokenizing happens, and everything else waits in the token until it is used.
#[must_use]
pub fn of_tokenizing(code: u16) -> Behaviour {
    match of_code(code) {
        Behaviour::Decline(because) if because.is_of_the_data() => Behaviour::Decline(because),
        Behaviour::AcceptToken(ends) => Behaviour::Accept(ends),
        Behaviour::Approve
        | Behaviour::Decline(_)
        | Behaviour::Accept(_)
        | Behaviour::AcceptThenFail
        | Behaviour::Challenge
        | Behaviour::Dispute(_)
        | Behaviour::Fault(_) => Behaviour::Approve,
    }
}

/// The code in a card number; where no such card can exist, that of invalid card data.
#[must_use]
pub fn code_of_card(number: &str) -> u16 {
    if Pan::parse(number).is_none() {
        return INVALID_CARD_DATA;
    }
    number
        .strip_prefix(CARD_PREFIX)
        .filter(|rest| rest.len() == CODE_AND_CHECK)
        .and_then(|rest| rest.get(..CODE_DIGITS))
        .and_then(code)
        .unwrap_or(PLAIN)
}

/// The code in the last four digits of a bank account's number.
#[must_use]
pub fn code_of_bank_account(number: &str) -> u16 {
    let start = number.len().saturating_sub(CODE_DIGITS);
    number.get(start..).and_then(code).unwrap_or(PLAIN)
}

/// These digits as a code of the table.
fn code(digits: &str) -> Option<u16> {
    let code = digits.parse().ok()?;
    by_code(u64::from(code)).map(|_| code)
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
