//! Bank accounts: what may pass through on its way to a gateway's token service, and the little that may rest.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::choice::choice;

/// Characters of an account number: the longest is an IBAN (ISO 13616).
const ACCOUNT_CHARACTERS: std::ops::RangeInclusive<usize> = 4..=34;

/// A bank account's number, or its IBAN.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct AccountNumber(String);

impl AccountNumber {
    /// Most characters of a number as people write it, in groups.
    pub const MAX: usize = 42;

    /// Takes 4 to 34 letters and digits; spaces between them are dropped.
    pub fn parse(text: &str) -> Option<Self> {
        // As long as it may get from the start: a text that grows leaves copies behind that nobody wipes.
        let mut number = Self(String::with_capacity(text.len()));
        let upper = text.chars().filter(|character| *character != ' ').map(|character| character.to_ascii_uppercase());
        number.0.extend(upper);
        let sound = number.0.bytes().all(|byte| byte.is_ascii_alphanumeric());
        (sound && ACCOUNT_CHARACTERS.contains(&number.0.len())).then_some(number)
    }

    /// The whole number, for the gateway and the fingerprint alone.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The last four characters; of a short number fewer, so that at least four stay hidden.
    fn last_four(&self) -> String {
        let shown = self.0.len().saturating_sub(4).min(4);
        self.0[self.0.len() - shown..].to_owned()
    }

    fn is_digits(&self, count: std::ops::RangeInclusive<usize>) -> bool {
        count.contains(&self.0.len()) && is_digits(&self.0)
    }
}

impl fmt::Debug for AccountNumber {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "****{}", self.last_four())
    }
}

/// The schemes by which an account is debited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BankType {
    /// United States.
    Ach,
    /// United Kingdom.
    Bacs,
    /// Australia.
    Becs,
    /// The euro area.
    SepaDebit,
}

choice! {
    /// Whose account it is.
    HolderType { Business = "Business", Individual = "Individual" }
}
choice! {
    AccountType { Checking = "Checking", Savings = "Savings" }
}
choice! {
    /// How the payer agreed to a debit by ACH (Nacha's standard entry classes).
    EntryClass { Ccd = "Ccd", Ppd = "Ppd", Tel = "Tel", Web = "Web" }
}

impl BankType {
    pub const ALL: &'static [Self] = &[Self::Ach, Self::Bacs, Self::Becs, Self::SepaDebit];

    /// The wire's literal.
    pub fn literal(self) -> &'static str {
        match self {
            Self::Ach => "Ach",
            Self::Bacs => "Bacs",
            Self::Becs => "Becs",
            Self::SepaDebit => "SepaDebit",
        }
    }
}

/// A bank account as a caller sent it. It cannot be printed.
pub struct BankAccount {
    pub number: AccountNumber,
    pub bank_type: BankType,
    pub bank_code: Option<String>,
    pub account_type: Option<AccountType>,
    pub holder: Option<String>,
    pub holder_type: Option<HolderType>,
    pub entry_class: Option<EntryClass>,
    /// The payer's consent, as the scheme or the gateway names it.
    pub mandate: Option<String>,
}

/// What may rest of a bank account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BankFacts {
    pub last_four: String,
    pub bank_type: BankType,
    /// Says which bank: a routing number, sort code or BSB. It is no secret.
    pub bank_code: Option<String>,
    pub account_type: Option<AccountType>,
    pub holder_type: Option<HolderType>,
    pub entry_class: Option<EntryClass>,
    pub mandate: Option<String>,
}

impl BankAccount {
    /// What may rest of it.
    pub fn facts(&self) -> BankFacts {
        BankFacts {
            last_four: self.number.last_four(),
            bank_type: self.bank_type,
            bank_code: self.bank_code.clone(),
            account_type: self.account_type,
            holder_type: self.holder_type,
            entry_class: self.entry_class,
            mandate: self.mandate.clone(),
        }
    }

    /// The member that its scheme does not allow as it is, and what the scheme asks for.
    pub fn misfit(&self) -> Option<(&'static str, &'static str)> {
        let number = &self.number;
        let code = self.bank_code.as_deref().unwrap_or_default();
        let (code_fits, code_form, number_fits, number_form) = match self.bank_type {
            BankType::Ach => (
                is_routing_number(code),
                "a routing number of 9 digits with a right check digit",
                number.is_digits(4..=17),
                "4 to 17 digits",
            ),
            BankType::Bacs => {
                (code.len() == 6 && is_digits(code), "a sort code of 6 digits", number.is_digits(8..=8), "8 digits")
            }
            BankType::Becs => {
                (code.len() == 6 && is_digits(code), "a BSB of 6 digits", number.is_digits(4..=9), "4 to 9 digits")
            }
            // An IBAN says the bank itself.
            BankType::SepaDebit => (true, "", is_iban(&number.0), "an IBAN with right check digits"),
        };
        match (code_fits, number_fits) {
            (false, _) => Some(("bankCode", code_form)),
            (true, false) => Some(("accountNumber", number_form)),
            (true, true) => None,
        }
    }
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Nine digits of which those at 3, 7 and 1 times their weight add up to a multiple of ten (ABA routing numbers).
fn is_routing_number(code: &str) -> bool {
    let weights = [3, 7, 1].into_iter().cycle();
    let sum: u32 = code.bytes().zip(weights).map(|(digit, weight)| u32::from(digit.wrapping_sub(b'0')) * weight).sum();
    code.len() == 9 && is_digits(code) && sum > 0 && sum.is_multiple_of(10)
}

/// Two letters, two check digits and up to 30 more characters, which leave 1 modulo 97 (ISO 13616, ISO 7064).
fn is_iban(text: &str) -> bool {
    let bytes = text.as_bytes();
    let starts = bytes.len() >= 15
        && bytes[..2].iter().all(u8::is_ascii_uppercase)
        && bytes[2..4].iter().all(u8::is_ascii_digit);
    if !starts {
        return false;
    }
    let rest = bytes[4..].iter().chain(&bytes[..4]).fold(0_u32, |rest, byte| match byte {
        b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
        _ => (rest * 100 + u32::from(byte.to_ascii_uppercase().wrapping_sub(b'A')) + 10) % 97,
    });
    rest == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(bank_type: BankType, code: &str, number: &str) -> BankAccount {
        BankAccount {
            number: AccountNumber::parse(number).expect("an account number"),
            bank_type,
            bank_code: (!code.is_empty()).then(|| code.to_owned()),
            account_type: None,
            holder: None,
            holder_type: None,
            entry_class: None,
            mandate: None,
        }
    }

    #[test]
    fn each_scheme_has_its_forms() {
        use BankType::{Ach, Bacs, Becs, SepaDebit};
        let rows = [
            (Ach, "110000000", "000123456789", None),
            (Ach, "110000001", "000123456789", Some("bankCode")),
            (Ach, "000000000", "000123456789", Some("bankCode")),
            (Ach, "", "000123456789", Some("bankCode")),
            (Ach, "110000000", "DE89370400440532013000", Some("accountNumber")),
            (Bacs, "108800", "00012345", None),
            (Bacs, "10880", "00012345", Some("bankCode")),
            (Bacs, "108800", "0001234", Some("accountNumber")),
            (Becs, "000000", "000123456", None),
            (Becs, "00000x", "000123456", Some("bankCode")),
            (Becs, "000000", "0001234567", Some("accountNumber")),
            (SepaDebit, "", "DE89 3704 0044 0532 0130 00", None),
            (SepaDebit, "", "de89370400440532013000", None),
            (SepaDebit, "", "GB82WEST12345698765432", None),
            (SepaDebit, "", "DE88370400440532013000", Some("accountNumber")),
            (SepaDebit, "", "370400440532013000", Some("accountNumber")),
            (SepaDebit, "", "DE89", Some("accountNumber")),
        ];
        for (bank_type, code, number, names) in rows {
            let misfit = account(bank_type, code, number).misfit();
            assert_eq!(misfit.map(|(name, _)| name), names, "{bank_type:?} {code} {number}");
        }
    }

    #[test]
    fn of_a_number_rest_the_last_four_characters_and_it_prints_masked() {
        let account = account(BankType::SepaDebit, "", "DE89370400440532013000");
        assert_eq!(
            (account.facts().last_four.as_str(), format!("{:?}", account.number)),
            ("3000", "****3000".to_owned())
        );
        for text in ["", "123", "12-34", &"1".repeat(35), "١٢٣٤"] {
            assert!(AccountNumber::parse(text).is_none(), "{text:?}");
        }
    }
}
