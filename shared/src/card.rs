//! Card data: what may pass through, and the little that may rest.
//!
//! [`Pan`] and [`Cvv`] can be read only by name, by the gateway's codec and the fingerprint; they
//! cannot be cloned, stored or printed, and are wiped when dropped. [`CardFacts`] is what may rest.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

/// Shortest and longest card number of ISO/IEC 7812.
const PAN_DIGITS: std::ops::RangeInclusive<usize> = 12..=19;

/// A card number.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Pan(String);

impl Pan {
    /// Fewest digits of a number.
    pub const MIN: usize = *PAN_DIGITS.start();

    /// Most digits of a number.
    pub const MAX: usize = *PAN_DIGITS.end();

    /// Takes 12 to 19 digits with a right check digit; spaces between them are dropped.
    pub fn parse(text: &str) -> Option<Self> {
        // As long as it may get from the start: a text that grows leaves copies behind that nobody wipes.
        let mut pan = Self(String::with_capacity(text.len()));
        pan.0.extend(text.chars().filter(|character| *character != ' '));
        Self::is_sound(&pan.0).then_some(pan)
    }

    /// Whether this is 12 to 19 digits with a right check digit, and nothing else.
    pub(crate) fn is_sound(digits: &str) -> bool {
        PAN_DIGITS.contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) && luhn(digits)
    }

    /// The whole number, for the gateway and the fingerprint alone.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The first digits: as many as leave at least six hidden, and at most six.
    fn bin(&self) -> String {
        self.0.chars().take((self.0.len() - 10).min(6)).collect()
    }

    fn last_four(&self) -> String {
        self.0[self.0.len() - 4..].to_owned()
    }
}

impl fmt::Debug for Pan {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "****{}", self.last_four())
    }
}

/// Whether the last digit is the check digit of the others (ISO/IEC 7812-1, annex B).
fn luhn(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, byte)| {
            let digit = u32::from(byte - b'0');
            let doubled = digit * 2;
            if place % 2 == 0 { digit } else { doubled / 10 + doubled % 10 }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// The three or four digits that prove the card is at hand. They leave no trace here, not even in a hash.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Cvv(String);

impl Cvv {
    pub fn parse(text: &str) -> Option<Self> {
        let sound = (3..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        sound.then(|| Self(text.to_owned()))
    }

    /// The digits, for the gateway alone.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Cvv {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("***")
    }
}

/// A secret text, such as a gateway's token: passes through as card numbers do.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: String) -> Self {
        Self(text)
    }

    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("***")
    }
}

/// The month in which a card ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expiry {
    /// 1 to 12.
    pub month: u8,
    /// Four digits.
    pub year: u16,
}

/// The card schemes that the wire names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CardType {
    AmericanExpress,
    DinersClub,
    Jcb,
    Maestro,
    MasterCard,
    Visa,
}

impl CardType {
    pub const ALL: [Self; 6] =
        [Self::AmericanExpress, Self::DinersClub, Self::Jcb, Self::Maestro, Self::MasterCard, Self::Visa];

    /// The wire's literal.
    pub fn literal(self) -> &'static str {
        match self {
            Self::AmericanExpress => "AmericanExpress",
            Self::DinersClub => "DinersClub",
            Self::Jcb => "Jcb",
            Self::Maestro => "Maestro",
            Self::MasterCard => "MasterCard",
            Self::Visa => "Visa",
        }
    }
}

/// A card as a caller sent it. It cannot be printed.
pub struct Card {
    pub number: Pan,
    pub expiry: Expiry,
    pub cvv: Option<Cvv>,
    pub holder: Option<String>,
    pub card_type: Option<CardType>,
}

impl Card {
    /// What may rest of it.
    pub fn facts(&self) -> CardFacts {
        CardFacts {
            bin: self.number.bin(),
            last_four: self.number.last_four(),
            expiry: self.expiry,
            card_type: self.card_type,
        }
    }
}

/// What may rest of a card (PCI DSS 3.4.1: at most the first six and last four digits).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardFacts {
    pub bin: String,
    pub last_four: String,
    pub expiry: Expiry,
    pub card_type: Option<CardType>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_number_has_a_right_length_and_check_digit() {
        let rows = [
            ("4242424242424242", true),
            ("4111 1111 1111 1111", true),
            ("378282246310005", true),
            ("6304000000000000", true),
            ("4242424242424241", false),
            ("42424242424", false),
            ("42424242424242424242", false),
            ("4242-4242-4242-4242", false),
            ("٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢", false),
            ("", false),
        ];
        for (text, sound) in rows {
            assert_eq!(Pan::parse(text).is_some(), sound, "{text}");
        }
    }

    #[test]
    fn secrets_print_masked() {
        let pan = Pan::parse("4242424242424242").expect("a card number");
        let cvv = Cvv::parse("123").expect("a cvv");
        let secret = Secret::new("tok_1".to_owned());
        assert_eq!(format!("{pan:?} {cvv:?} {secret:?}"), "****4242 *** ***");
    }

    #[test]
    fn of_a_number_rest_the_first_six_and_the_last_four_digits_and_six_stay_hidden() {
        let rows = [
            ("4242424242424242", "424242", "4242"),
            ("378282246310005", "37828", "0005"),
            ("000000000000", "00", "0000"),
            ("0000000000000000000", "000000", "0000"),
        ];
        for (number, bin, last_four) in rows {
            let pan = Pan::parse(number).expect("a card number");
            assert_eq!((pan.bin().as_str(), pan.last_four().as_str()), (bin, last_four), "{number}");
        }
    }
}
