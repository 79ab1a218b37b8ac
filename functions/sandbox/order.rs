//! What an operation's request asks for, read once into a value that cannot be wrong.
//!
//! The card and the bank account end here: the code in a number is kept, and the number is not.

use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use super::behaviour::Behaviour;
use super::fingerprint::fingerprint;
use super::magic;
use super::model::Request;
use super::route::{Class, Kind, Place};

/// Longest reference, in characters: what the gateways that Kessai speaks to have in common.
const REFERENCE_MAX: usize = 80;

/// Longest idempotency key, in characters: the most that known gateways take.
const KEY_MAX: usize = 255;

/// Largest amount in minor units: the twelve digits of an ISO 8583 amount.
const AMOUNT_MAX: u64 = 999_999_999_999;

/// Years that a card can bear. Whether it has expired is not checked: code 9004 says so.
const YEARS: RangeInclusive<u64> = 2000..=2199;

/// Shortest and longest number of a bank account: the longest is that of an IBAN (ISO 13616).
const BANK_ACCOUNT_LENGTH: RangeInclusive<usize> = 4..=34;

/// Longest type of a method, in characters.
const METHOD_TYPE_MAX: usize = 60;

/// An operation as asked for.
pub struct Order {
    pub class: Class,
    pub kind: Kind,
    pub by_browser: bool,
    /// The gateway's id of what this acts on, from the path or from the body.
    pub on: Option<String>,
    pub reference: Option<String>,
    pub amount: u64,
    pub currency: String,
    pub key: Option<String>,
    pub fingerprint: u64,
    pub instrument: Instrument,
    pub saved_by_merchant: bool,
    pub method_type: Option<String>,
    pub merchant_initiated: bool,
}

/// What an operation is paid with, or what is tokenized.
pub enum Instrument {
    /// Operations that act on another one bring none.
    None,
    /// A card or a bank account, of which nothing is left but the code in its number.
    Numbered(u16),
    /// The id of a stored method, or a token.
    Method(String),
}

impl Order {
    /// # Errors
    /// A message that names the member that is missing or wrong; it quotes no value.
    pub fn read(place: Place<'_>, request: &Request) -> Result<Self, String> {
        let body = Value::Object(object(&request.body)?);
        let Place { class, kind, on, by_browser } = place;
        let on = match kind {
            Kind::PostAuthorize => Some(required(text(&body, "authorization")?, "authorization")?),
            Kind::Authorize | Kind::Capture | Kind::Reverse | Kind::Sale | Kind::Refund | Kind::Tokenize => on,
        };
        let takes_method = place.takes_method();
        flag(&body, "final")?;
        text(&body, "reason")?;
        Ok(Self {
            class,
            kind,
            by_browser,
            on: on.map(str::to_owned),
            reference: if by_browser { None } else { Some(reference(&body)?) },
            amount: if kind.moves_money() { amount(&body)? } else { 0 },
            currency: if kind.moves_money() { currency(&body)? } else { String::new() },
            key: key(class, request)?,
            fingerprint: fingerprint(&request.path, &body),
            instrument: instrument(place, &body)?,
            saved_by_merchant: kind == Kind::Tokenize && flag(&body, "savedByMerchant")?,
            method_type: if takes_method { method_type(&body)? } else { None },
            merchant_initiated: takes_method && flag(&body, "merchantInitiated")?,
        })
    }

    /// What the card or method asks for, or else the amount. The code is the one that the method
    /// carries, where the method is a token that is known.
    pub fn magic(&self, carried: Option<u16>) -> Behaviour {
        let asked = match &self.instrument {
            Instrument::None => Behaviour::Approve,
            Instrument::Numbered(code) if self.kind == Kind::Tokenize => magic::of_tokenizing(*code),
            Instrument::Numbered(code) => magic::of_code(*code),
            Instrument::Method(id) => carried.map_or_else(|| magic::of_method(id), magic::of_code),
        };
        match asked {
            Behaviour::Approve | Behaviour::AcceptToken(_) => magic::of_amount(self.amount),
            Behaviour::Decline(_)
            | Behaviour::Accept(_)
            | Behaviour::AcceptThenFail
            | Behaviour::Challenge
            | Behaviour::Dispute(_)
            | Behaviour::Fault(_) => asked,
        }
    }

    /// The code that the token is to carry, where one is asked for.
    pub fn carries(&self) -> Option<u16> {
        match self.instrument {
            Instrument::Numbered(code) if self.kind == Kind::Tokenize => Some(code),
            Instrument::Numbered(_) | Instrument::Method(_) | Instrument::None => None,
        }
    }
}

/// The body as an object.
pub fn object(body: &[u8]) -> Result<Map<String, Value>, String> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err("the body must be a JSON object".to_owned()),
        Err(error) => Err(format!("the body is not JSON: {error}")),
    }
}

/// The reference that a body must have.
pub fn reference(body: &Value) -> Result<String, String> {
    let reference = required(text(body, "reference")?, "reference")?;
    if reference.is_empty() || reference.chars().count() > REFERENCE_MAX {
        return Err(format!("reference must have 1 to {REFERENCE_MAX} characters"));
    }
    Ok(reference.to_owned())
}

fn amount(body: &Value) -> Result<u64, String> {
    let amount = required(member(body, "amount"), "amount")?.as_u64();
    amount
        .filter(|amount| (1..=AMOUNT_MAX).contains(amount))
        .ok_or_else(|| format!("amount must be an integer from 1 to {AMOUNT_MAX}, in minor units"))
}

fn currency(body: &Value) -> Result<String, String> {
    let currency = required(text(body, "currency")?, "currency")?;
    if currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Ok(currency.to_owned());
    }
    Err("currency must be three capital letters".to_owned())
}

/// The idempotency key, where the class honours one.
fn key(class: Class, request: &Request) -> Result<Option<String>, String> {
    let Some(key) = request.idempotency_key.as_ref().filter(|_| class.honours_keys()) else {
        return Ok(None);
    };
    let fits = (1..=KEY_MAX).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    if fits {
        return Ok(Some(key.clone()));
    }
    Err(format!("Idempotency-Key must be 1 to {KEY_MAX} visible ASCII characters"))
}

fn instrument(place: Place<'_>, body: &Value) -> Result<Instrument, String> {
    match place.kind {
        Kind::Capture | Kind::Reverse | Kind::Refund | Kind::PostAuthorize => Ok(Instrument::None),
        Kind::Authorize if place.by_browser => card(required(member(body, "card"), "card")?),
        Kind::Authorize | Kind::Sale => match (member(body, "card"), text(body, "method")?) {
            (Some(value), None) => card(value),
            (None, Some(id)) => Ok(Instrument::Method(id.to_owned())),
            (Some(_), Some(_)) | (None, None) => Err("exactly one of card and method is required".to_owned()),
        },
        Kind::Tokenize => match (member(body, "card"), member(body, "bankAccount")) {
            (Some(value), None) => card(value),
            (None, Some(value)) => bank_account(value),
            (Some(_), Some(_)) | (None, None) => Err("exactly one of card and bankAccount is required".to_owned()),
        },
    }
}

fn card(card: &Value) -> Result<Instrument, String> {
    if !card.is_object() {
        return Err("card must be an object".to_owned());
    }
    let of_card = |message: String| format!("card.{message}");
    let number = text(card, "number").and_then(|number| required(number, "number"));
    let number = number.map_err(of_card)?;
    whole(card, "expiryMonth", 1..=12).map_err(of_card)?;
    whole(card, "expiryYear", YEARS).map_err(of_card)?;
    text(card, "cvc").map_err(of_card)?;
    text(card, "holder").map_err(of_card)?;
    Ok(Instrument::Numbered(magic::code_of_card(number)))
}

fn bank_account(account: &Value) -> Result<Instrument, String> {
    if !account.is_object() {
        return Err("bankAccount must be an object".to_owned());
    }
    let of_account = |message: String| format!("bankAccount.{message}");
    let number = text(account, "number").and_then(|number| required(number, "number"));
    let number = number.map_err(of_account)?;
    for name in ["bankCode", "type", "holder"] {
        text(account, name).map_err(of_account)?;
    }
    let fits = BANK_ACCOUNT_LENGTH.contains(&number.len())
        && number.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    if fits {
        return Ok(Instrument::Numbered(magic::code_of_bank_account(number)));
    }
    let (least, most) = BANK_ACCOUNT_LENGTH.into_inner();
    Err(format!("bankAccount.number must have {least} to {most} capital letters and digits"))
}

fn method_type(body: &Value) -> Result<Option<String>, String> {
    match text(body, "methodType")? {
        Some(name) if name.chars().count() > METHOD_TYPE_MAX => {
            Err(format!("methodType must have at most {METHOD_TYPE_MAX} characters"))
        }
        name => Ok(name.map(str::to_owned)),
    }
}

/// A member; `null` is as good as none.
fn member<'body>(body: &'body Value, name: &str) -> Option<&'body Value> {
    body.get(name).filter(|value| !value.is_null())
}

fn required<T>(value: Option<T>, name: &str) -> Result<T, String> {
    value.ok_or_else(|| format!("{name} is missing"))
}

fn text<'body>(body: &'body Value, name: &str) -> Result<Option<&'body str>, String> {
    member(body, name).map(|value| value.as_str().ok_or_else(|| format!("{name} must be a string"))).transpose()
}

/// A flag; one that is not there is not set.
fn flag(body: &Value, name: &str) -> Result<bool, String> {
    match member(body, name) {
        Some(value) => value.as_bool().ok_or_else(|| format!("{name} must be true or false")),
        None => Ok(false),
    }
}

/// Checks a whole number, which callers write as a number or as digits.
fn whole(body: &Value, name: &str, range: RangeInclusive<u64>) -> Result<(), String> {
    let value = required(member(body, name), name)?;
    let number = value.as_u64().or_else(|| value.as_str()?.parse().ok());
    match number {
        Some(number) if range.contains(&number) => Ok(()),
        Some(_) | None => Err(format!("{name} must be a whole number from {} to {}", range.start(), range.end())),
    }
}
