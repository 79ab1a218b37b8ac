//! What a gateway said, normalised. *Unknown* is an outcome: the gateway may have acted or not, and
//! nothing that follows may pretend otherwise.

use crate::card::Pan;
use crate::time::Timestamp;

/// What came of asking a gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It acted.
    Approved(Answer),
    /// It took the request; its verdict comes later.
    Accepted(Answer),
    /// It, or the issuer behind it, said no: it has not acted.
    Declined(Decline, Answer),
    /// It never heard of the request, for certain: no connection, or it says so itself.
    NotSent,
    /// It may have acted.
    Unknown,
    /// Asked what became of the operation, it says that it has never seen it.
    NeverReceived,
    /// Whatever it did, it has undone it.
    Voided(Answer),
}

impl Outcome {
    /// One word for it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Approved(_) => "approved",
            Self::Accepted(_) => "accepted",
            Self::Declined(..) => "declined",
            Self::NotSent => "not sent",
            Self::Unknown => "unknown",
            Self::NeverReceived => "never received",
            Self::Voided(_) => "voided",
        }
    }

    /// What the gateway said, if it said anything.
    pub fn answer(&self) -> Option<&Answer> {
        match self {
            Self::Approved(answer) | Self::Accepted(answer) | Self::Declined(_, answer) | Self::Voided(answer) => {
                Some(answer)
            }
            Self::NotSent | Self::Unknown | Self::NeverReceived => None,
        }
    }
}

/// The ways of saying no, as a caller must tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decline {
    /// May work if tried again.
    Soft,
    /// Will never work with this instrument: the account is closed, the card stolen.
    Permanent,
    /// The bank may approve it after a review by hand.
    RequiresReview,
    /// The customer's data are wrong.
    InvalidData,
}

/// What a gateway says about an operation, in its own words. Each text is cut to the wire's limit for
/// it when it comes in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The gateway's id for the operation (≤ 255).
    pub reference: Option<String>,
    /// More of it, where one id is not enough (≤ 1000).
    pub reference_details: Option<String>,
    /// Its result code (≤ 64) and what that means (≤ 255).
    pub code: Option<String>,
    pub description: Option<String>,
    /// A message beside the code (≤ 255).
    pub message: Option<String>,
    /// The issuer's authorization code (≤ 64).
    pub authorization_code: Option<String>,
    /// The result of the address check (≤ 64).
    pub avs_code: Option<String>,
    /// When it happened, by the gateway's clock.
    pub date: Option<Timestamp>,
}

impl Answer {
    /// Cuts what is too long for the record that will hold it, and masks what must not rest.
    #[must_use]
    pub fn within_limits(self) -> Self {
        Self {
            reference: cut(self.reference, 255),
            reference_details: cut(self.reference_details, 1000),
            code: cut(self.code, 64),
            description: cut(self.description.map(mask_card_numbers), 255),
            message: cut(self.message.map(mask_card_numbers), 255),
            authorization_code: cut(self.authorization_code, 64),
            avs_code: cut(self.avs_code, 64),
            date: self.date,
        }
    }
}

/// Gateways repeat what they do not like: what could be a card number is masked before it rests.
fn mask_card_numbers(text: String) -> String {
    if text.bytes().filter(u8::is_ascii_digit).count() < Pan::MIN {
        return text;
    }
    let is_digit = |character: char| character.is_ascii_digit();
    let runs = text.split(|character: char| !is_digit(character)).filter(|run| Pan::parse(run).is_some());
    runs.fold(text.clone(), |masked, run| masked.replace(run, "****"))
}

fn cut(text: Option<String>, limit: usize) -> Option<String> {
    // No text has more characters than bytes.
    let cut = |text: String| if text.len() <= limit { text } else { text.chars().take(limit).collect() };
    text.map(cut).filter(|text| !text.is_empty())
}
