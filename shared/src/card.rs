//! Card data: what may pass through, and the little that may rest.
//!
//! [`Pan`] and [`Cvv`] can be read only by name, by the gateway's codec and the fingerprint; they
//! cannot be cloned, stored or printed, and are wiped when dropped. [`CardFacts`] is what may rest.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::method::{CardCategory, CardOnFile};

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

    /// The scheme whose numbers begin as this one does; none where that leaves it open.
    pub fn scheme(&self) -> Option<CardType> {
        let first: u16 = self.0.get(..4)?.parse().ok()?;
        RANGES.iter().find(|(from, to, _)| (*from..=*to).contains(&first)).map(|(_, _, scheme)| *scheme)
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

    /// Whether both say the same, in a time that tells nothing but whether they are as long.
    pub fn is_same(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
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

impl Expiry {
    /// Year and month in one number, as it rests: 203005.
    pub fn to_number(self) -> i64 {
        i64::from(self.year) * 100 + i64::from(self.month)
    }

    pub fn from_number(number: i64) -> Option<Self> {
        let month = u8::try_from(number % 100).ok().filter(|month| (1..=12).contains(month))?;
        Some(Self { month, year: u16::try_from(number / 100).ok()? })
    }
}

/// The card schemes that the wire names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CardType {
    AmericanExpress,
    DinersClub,
    Discover,
    Jcb,
    Maestro,
    MasterCard,
    UnionPay,
    Visa,
}

/// Which scheme's numbers begin with what: the first four digits, from and to. Ranges as Wikipedia lists them under
/// "Payment card number"; Maestro's are those that no other scheme shares.
const RANGES: [(u16, u16, CardType); 21] = [
    (2221, 2720, CardType::MasterCard),
    (3000, 3059, CardType::DinersClub),
    (3095, 3095, CardType::DinersClub),
    (3400, 3499, CardType::AmericanExpress),
    (3528, 3589, CardType::Jcb),
    (3600, 3699, CardType::DinersClub),
    (3700, 3799, CardType::AmericanExpress),
    (3800, 3999, CardType::DinersClub),
    (4000, 4999, CardType::Visa),
    (5018, 5018, CardType::Maestro),
    (5020, 5020, CardType::Maestro),
    (5038, 5038, CardType::Maestro),
    (5100, 5599, CardType::MasterCard),
    (5893, 5893, CardType::Maestro),
    (6011, 6011, CardType::Discover),
    (6200, 6299, CardType::UnionPay),
    (6304, 6304, CardType::Maestro),
    (6440, 6499, CardType::Discover),
    (6500, 6599, CardType::Discover),
    (6759, 6759, CardType::Maestro),
    (6761, 6763, CardType::Maestro),
];

impl CardType {
    pub const ALL: [Self; 8] = [
        Self::AmericanExpress,
        Self::DinersClub,
        Self::Discover,
        Self::Jcb,
        Self::Maestro,
        Self::MasterCard,
        Self::UnionPay,
        Self::Visa,
    ];

    /// The wire's literal.
    pub fn literal(self) -> &'static str {
        match self {
            Self::AmericanExpress => "AmericanExpress",
            Self::DinersClub => "DinersClub",
            Self::Discover => "Discover",
            Self::Jcb => "Jcb",
            Self::Maestro => "Maestro",
            Self::MasterCard => "MasterCard",
            Self::UnionPay => "UnionPay",
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
    /// What may rest of it in a stored method.
    pub fn on_file(&self, category: Option<CardCategory>) -> CardOnFile {
        let CardFacts { bin, last_four, expiry, card_type } = self.facts();
        CardOnFile { bin: Some(bin), last_four: Some(last_four), expiry: Some(expiry), card_type, category }
    }

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
    fn the_first_digits_tell_the_scheme() {
        let rows = [
            ("4111111111111111", Some(CardType::Visa)),
            ("5555555555554444", Some(CardType::MasterCard)),
            ("2223003122003222", Some(CardType::MasterCard)),
            ("378282246310005", Some(CardType::AmericanExpress)),
            ("341111111111111", Some(CardType::AmericanExpress)),
            ("30569309025904", Some(CardType::DinersClub)),
            ("38520000023237", Some(CardType::DinersClub)),
            ("3530111333300000", Some(CardType::Jcb)),
            ("6011111111111117", Some(CardType::Discover)),
            ("6500000000000002", Some(CardType::Discover)),
            ("6200000000000005", Some(CardType::UnionPay)),
            ("6304000000000000", Some(CardType::Maestro)),
            ("6759649826438453", Some(CardType::Maestro)),
            ("9999999999999995", None),
            ("000000000000", None),
        ];
        for (number, scheme) in rows {
            assert_eq!(Pan::parse(number).expect("a card number").scheme(), scheme, "{number}");
        }
        assert!(RANGES.is_sorted_by(|(_, to, _), (from, ..)| to < from), "no two ranges share a number");
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
