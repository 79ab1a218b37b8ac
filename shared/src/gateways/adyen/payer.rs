//! Who pays, and with what: what both dialects say of it in the same words.

use serde::Serialize;

use crate::card::{Card, Cvv, Expiry};
use crate::gateways::Intent;
use crate::payment::asked::{Address, Details, OnFile};
use crate::payment::{Instrument, Kind};

/// Members of `additionalData` that callers may bring.
pub(super) const RETURN_URL: &str = "returnUrl";
pub(super) const SHOPPER_REFERENCE: &str = "shopperReference";
pub(super) const RECURRING_MODEL: &str = "recurringProcessingModel";

/// The values of `recurringProcessingModel`.
pub(super) const CARD_ON_FILE: &str = "CardOnFile";
pub(super) const UNSCHEDULED: &str = "UnscheduledCardOnFile";
pub(super) const MODELS: [&str; 3] = [CARD_ON_FILE, "Subscription", UNSCHEDULED];

/// Whether the payer is present, and whose stored method it is.
pub(super) struct Interaction<'a> {
    pub shopper_interaction: &'static str,
    pub recurring_model: Option<&'a str>,
    pub shopper_reference: Option<String>,
}

/// With a stored method, or where the payer is absent, Adyen calls it `ContAuth`.
pub(super) fn interaction<'a>(intent: &Intent<'a>) -> Interaction<'a> {
    let said = more(intent.details, RECURRING_MODEL);
    let is_stored = on_file(intent).is_some();
    let usual = match intent.details.submitted_by_merchant {
        true => Some(UNSCHEDULED),
        false => is_stored.then_some(CARD_ON_FILE),
    };
    let continues = is_stored || intent.details.submitted_by_merchant;
    let named = more(intent.details, SHOPPER_REFERENCE).map(str::to_owned);
    Interaction {
        shopper_interaction: if continues { "ContAuth" } else { "Ecommerce" },
        recurring_model: said.or(usual),
        shopper_reference: named.or_else(|| on_file(intent).map(|on_file| on_file.method.id().to_string())),
    }
}

/// What a caller says in `additionalData`, if it says anything.
pub(super) fn more<'a>(details: &'a Details, member: &str) -> Option<&'a str> {
    details.additional_data.get(member).map(String::as_str).filter(|text| !text.is_empty())
}

pub(super) fn on_file<'a>(intent: &Intent<'a>) -> Option<&'a OnFile> {
    if let Some(Instrument::Stored(on_file)) = intent.instrument { Some(on_file) } else { None }
}

/// What asks Adyen to keep an authorization open, whatever the account's rule is, and what asks it to capture at once.
pub(super) fn capture_rule(kind: &Kind) -> (Option<ManualCapture>, Option<u8>) {
    match kind {
        Kind::Sale => (None, Some(0)),
        Kind::Authorize | Kind::PostAuthorize | Kind::Capture { .. } | Kind::Reverse { .. } | Kind::Refund { .. } => {
            (Some(ManualCapture { manual_capture: "true" }), None)
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ManualCapture {
    manual_capture: &'static str,
}

/// Month and year of a card's end, as digits.
pub(super) fn expiry(expiry: Expiry) -> (String, String) {
    (format!("{:02}", expiry.month), format!("{:04}", expiry.year))
}

pub(super) fn cvc(card: &Card) -> Option<&str> {
    card.cvv.as_ref().map(Cvv::reveal)
}

/// At most so many characters of the holder's name; none where it is empty.
pub(super) fn holder(card: &Card, limit: usize) -> Option<String> {
    let name = card.holder.as_deref().map(str::trim).filter(|name| !name.is_empty())?;
    Some(name.chars().take(limit).collect())
}

/// A billing address. Adyen wants it whole or not at all.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AddressBody<'a> {
    street: &'a str,
    house_number_or_name: &'a str,
    postal_code: &'a str,
    city: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_or_province: Option<&'a str>,
    country: &'a str,
}

/// None where something is missing that Adyen requires, or is no code where it requires one: an address is a help, and
/// a wrong one a refusal.
pub(super) fn billing_address(instrument: Option<&Instrument>) -> Option<AddressBody<'_>> {
    let Some(Instrument::Card { address, .. }) = instrument else { return None };
    let Address { street, city, state, country, postal_code, company_name: _ } = address;
    let filled = |text: &'_ Option<String>| text.as_deref().map(str::trim).filter(|text| !text.is_empty()).is_some();
    if ![street, city, country, postal_code].into_iter().all(filled) {
        return None;
    }
    let (house_number_or_name, street) = house(street.as_deref()?)?;
    let is_code = |text: &&str| (1..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let country = country.as_deref().filter(|text| text.len() == 2 && is_code(text))?;
    let state_or_province = state.as_deref().filter(is_code);
    let needs_state = ["US", "CA"].contains(&country);
    (state_or_province.is_some() || !needs_state).then_some(AddressBody {
        street,
        house_number_or_name,
        postal_code: postal_code.as_deref()?,
        city: city.as_deref()?,
        state_or_province,
        country,
    })
}

/// The word with digits at either end of a street, and the rest.
fn house(street: &str) -> Option<(&str, &str)> {
    let has_digit = |word: &str| word.bytes().any(|byte| byte.is_ascii_digit());
    let street = street.trim();
    let first = street.split_once(' ').filter(|(word, _)| has_digit(word));
    let last = || street.rsplit_once(' ').filter(|(_, word)| has_digit(word)).map(|(rest, word)| (word, rest));
    first.or_else(last)
}
