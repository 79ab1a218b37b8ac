//! What a gateway said, normalised. *Unknown* is an outcome: the gateway may have acted or not, and
//! nothing that follows may pretend otherwise.

use super::asked::Instrument;
use crate::card::{Cvv, Pan, Secret};
use crate::time::Timestamp;

/// What came of asking a gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It acted.
    Approved(Answer),
    /// It took the request; its verdict comes later.
    Accepted(Answer),
    /// It took the request, and has no verdict before the payer has done something.
    ActionRequired(Answer, PayerAction),
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
            Self::ActionRequired(..) => "action required",
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
            Self::Approved(answer)
            | Self::Accepted(answer)
            | Self::ActionRequired(answer, _)
            | Self::Declined(_, answer)
            | Self::Voided(answer) => Some(answer),
            Self::NotSent | Self::Unknown | Self::NeverReceived => None,
        }
    }

    /// The same, as it may rest: see [`Answer::within_limits`].
    #[must_use]
    pub fn within_limits(self) -> Self {
        match self.saying(Answer::within_limits) {
            Self::ActionRequired(answer, action) if action.url.len() > PayerAction::URL => Self::Accepted(answer),
            outcome => outcome,
        }
    }

    /// The same without this secret, wherever the gateway repeats it.
    #[must_use]
    pub fn without(self, secret: &Secret) -> Self {
        self.saying(|answer| answer.without(secret))
    }

    /// The same without what is paid with or kept, wherever the gateway repeats that of a request.
    #[must_use]
    pub fn without_instrument(self, instrument: &Instrument) -> Self {
        let secrets = match instrument {
            Instrument::Card { card, .. } => [Some(card.number.reveal()), card.cvv.as_ref().map(Cvv::reveal)],
            Instrument::Bank { account, .. } => [Some(account.number.reveal()), None],
            Instrument::Stored(on_file) => [on_file.token.as_ref().map(Secret::reveal), None],
            Instrument::Alternative { token, token_details, .. } => {
                [Some(token.reveal()), token_details.as_ref().map(Secret::reveal)]
            }
        };
        self.saying(|answer| secrets.into_iter().flatten().fold(answer, Answer::without_text))
    }

    fn saying(self, change: impl FnOnce(Answer) -> Answer) -> Self {
        match self {
            Self::Approved(answer) => Self::Approved(change(answer)),
            Self::Accepted(answer) => Self::Accepted(change(answer)),
            Self::ActionRequired(answer, action) => Self::ActionRequired(change(answer), action),
            Self::Declined(decline, answer) => Self::Declined(decline, change(answer)),
            Self::Voided(answer) => Self::Voided(change(answer)),
            Self::NotSent | Self::Unknown | Self::NeverReceived => self,
        }
    }
}

/// What the payer must do: visit a page, to authenticate or to choose a bank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayerAction {
    /// Where (≤ 2,048 characters; a longer one leads nowhere).
    pub url: String,
    /// By the gateway's rule; after it the page is of no use any more.
    pub expires_at: Timestamp,
}

impl PayerAction {
    /// Characters of a URL, as browsers take them.
    pub const URL: usize = 2_048;
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
/// it before it rests anywhere.
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
    /// Masks what must not rest, and cuts what is too long for the record that will hold it.
    ///
    /// The reference alone is not masked. Gateways' ids are often all digits, and one that happens to look like
    /// a card number must still lead back to the operation. Any other text that happens to is masked: a person
    /// may read these, but nothing is found by them.
    #[must_use]
    pub fn within_limits(self) -> Self {
        let rest = |text: Option<String>, limit| cut(text.map(mask_card_numbers), limit);
        Self {
            reference: cut(self.reference, 255),
            reference_details: rest(self.reference_details, 1000),
            code: rest(self.code, 64),
            description: rest(self.description, 255),
            message: rest(self.message, 255),
            authorization_code: rest(self.authorization_code, 64),
            avs_code: rest(self.avs_code, 64),
            date: self.date,
        }
    }

    /// What a person may read. By the rest operations are found, and a code may be as short as a secret.
    fn without_text(self, secret: &str) -> Self {
        let mask = |text: Option<String>| text.map(|text| mask_secret(text, secret));
        let mask_unless_short = |text: Option<String>| if secret.len() > SHORT { mask(text) } else { text };
        Self {
            reference_details: mask_unless_short(self.reference_details),
            code: mask_unless_short(self.code),
            description: mask(self.description),
            message: mask(self.message),
            authorization_code: mask_unless_short(self.authorization_code),
            avs_code: mask_unless_short(self.avs_code),
            ..self
        }
    }

    fn without(self, secret: &Secret) -> Self {
        let mask = |text: Option<String>| text.map(|text| text.replace(secret.reveal(), "****"));
        Self {
            reference: mask(self.reference),
            reference_details: mask(self.reference_details),
            code: mask(self.code),
            description: mask(self.description),
            message: mask(self.message),
            authorization_code: mask(self.authorization_code),
            avs_code: mask(self.avs_code),
            date: self.date,
        }
    }
}

/// As long as a secret may be that stands in texts by chance: a CVV.
const SHORT: usize = 4;

/// A short secret is masked where it stands by itself.
fn mask_secret(text: String, secret: &str) -> String {
    if secret.is_empty() || !text.contains(secret) {
        return text;
    }
    let goes_on = |character: Option<char>| character.is_some_and(char::is_alphanumeric);
    let mut masked = String::with_capacity(text.len());
    let mut from = 0;
    for (place, _) in text.match_indices(secret) {
        let (before, after) = (&text[..place], &text[place + secret.len()..]);
        let is_part = goes_on(before.chars().next_back()) || goes_on(after.chars().next());
        if secret.len() > SHORT || !is_part {
            masked.push_str(&text[from..place]);
            masked.push_str("****");
            from = place + secret.len();
        }
    }
    masked.push_str(&text[from..]);
    masked
}

/// Gateways repeat what they do not like: what could be a card number is masked, whether its digits stand in
/// one run or in groups. A number within a longer run is not seen, or hardly any long number would be spared.
pub fn mask_card_numbers(text: String) -> String {
    if text.bytes().filter(u8::is_ascii_digit).count() < Pan::MIN {
        return text;
    }
    let mut masked = String::with_capacity(text.len());
    // Other groups may stand before and after a number, so that more than one reading of them has a right check
    // digit: all that any of them covers is masked.
    let mut masked_until = 0;
    let mut follows_digit = false;
    for (place, character) in text.char_indices() {
        let is_digit = character.is_ascii_digit();
        let number = if is_digit && !follows_digit { end_of_card_number(&text, place) } else { None };
        follows_digit = is_digit;
        match number {
            Some(end) if place < masked_until => masked_until = masked_until.max(end),
            Some(end) => {
                masked.push_str("****");
                masked_until = end;
            }
            None if place < masked_until => {}
            None => masked.push(character),
        }
    }
    masked
}

/// Where the longest card number ends that could begin with the group of digits at `start`: each group is one
/// of its own, and one space or hyphen lies between it and the next.
fn end_of_card_number(text: &str, start: usize) -> Option<usize> {
    let mut digits = String::with_capacity(Pan::MAX);
    let mut end = None;
    let mut rest = text.bytes().enumerate().skip(start).peekable();
    while let Some((place, byte)) = rest.next() {
        let is_last_of_group = !rest.peek().is_some_and(|(_, next)| next.is_ascii_digit());
        match byte {
            b'0'..=b'9' if digits.len() < Pan::MAX => digits.push(char::from(byte)),
            b' ' | b'-' if !is_last_of_group => continue,
            _ => break,
        }
        if is_last_of_group && Pan::is_sound(&digits) {
            end = Some(place.saturating_add(1));
        }
    }
    end
}

fn cut(text: Option<String>, limit: usize) -> Option<String> {
    // No text has more characters than bytes.
    let cut = |text: String| if text.len() <= limit { text } else { text.chars().take(limit).collect() };
    text.map(cut).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_is_repeated_is_masked_and_a_short_one_where_it_stands_by_itself() {
        let rows = [
            ("account 918273645071 refused", "918273645071", "account **** refused"),
            ("a918273645071b918273645071", "918273645071", "a****b****"),
            ("cvc 123, of 1234", "123", "cvc ****, of 1234"),
            ("123 123", "123", "**** ****"),
            ("nothing", "123", "nothing"),
            ("nothing", "", "nothing"),
        ];
        for (text, secret, masked) in rows {
            assert_eq!(mask_secret(text.to_owned(), secret), masked, "{text}");
        }
    }
}
