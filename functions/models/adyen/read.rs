//! What a request says, read as strictly as Adyen does: a member that it does not know is refused.

use kessai_shared::card::Pan;
use kessai_shared::money::Currency;
use serde_json::{Map, Value};

use super::error::Refusal;

/// A body, or an object in one.
pub(super) struct Body(Map<String, Value>);

/// An amount in Adyen's units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Amount {
    pub currency: String,
    pub value: i64,
}

impl Amount {
    /// In the minor units of ISO 4217.
    pub fn minor(&self) -> i64 {
        match self.currency.as_str() {
            "CVE" | "IDR" => self.value.saturating_mul(100),
            "CLP" | "ISK" => self.value / 100,
            _ => self.value,
        }
    }
}

/// A card, as far as it decides anything.
pub(super) struct CardSaid {
    pub number: String,
    pub expiry: (String, String),
    pub holder: String,
}

impl Body {
    pub fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
        match serde_json::from_slice(bytes) {
            Ok(Value::Object(members)) => Ok(Self(members)),
            Ok(_) | Err(_) => Err(Refusal::unexpected("no object")),
        }
    }

    /// Refuses members that are none of these.
    pub fn only(&self, known: &[&str]) -> Result<(), Refusal> {
        match self.0.keys().find(|name| !known.contains(&name.as_str())) {
            Some(name) => Err(Refusal::unexpected(name)),
            None => Ok(()),
        }
    }

    /// A text, empty where there is none.
    pub fn text(&self, name: &str) -> Result<&str, Refusal> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(""),
            Some(Value::String(text)) => Ok(text),
            Some(_) => Err(Refusal::unexpected(name)),
        }
    }

    pub fn number(&self, name: &str) -> Result<Option<i64>, Refusal> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => value.as_i64().map(Some).ok_or_else(|| Refusal::unexpected(name)),
        }
    }

    pub fn object(&self, name: &str) -> Result<Option<Self>, Refusal> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Object(members)) => Ok(Some(Self(members.clone()))),
            Some(_) => Err(Refusal::unexpected(name)),
        }
    }

    pub fn merchant_account(&self) -> Result<String, Refusal> {
        match self.text("merchantAccount")? {
            "" => Err(Refusal::NO_MERCHANT),
            account => Ok(account.to_owned()),
        }
    }

    pub fn reference(&self) -> Result<String, Refusal> {
        match self.text("reference")? {
            "" => Err(Refusal::NO_REFERENCE),
            reference if reference.chars().count() > 80 => Err(Refusal::unexpected("reference")),
            reference => Ok(reference.to_owned()),
        }
    }

    pub fn amount(&self, name: &str) -> Result<Amount, Refusal> {
        let said = self.object(name)?.ok_or(Refusal::NO_AMOUNT)?;
        said.only(&["currency", "value"])?;
        let currency = said.text("currency")?.to_owned();
        let value = said.number("value")?.ok_or(Refusal::NO_AMOUNT)?;
        Currency::parse(&currency).ok_or(Refusal::NO_CURRENCY)?;
        if value < 0 { Err(Refusal::WRONG_AMOUNT) } else { Ok(Amount { currency, value }) }
    }

    /// The members of a card, in either dialect.
    pub fn card(&self) -> Result<CardSaid, Refusal> {
        let number = self.text("number")?;
        Pan::parse(number).ok_or(Refusal::NO_CARD_NUMBER)?;
        let (month, year) = (self.text("expiryMonth")?, self.text("expiryYear")?);
        let is_month = month.parse::<u8>().is_ok_and(|month| (1..=12).contains(&month));
        if !is_month || year.len() != 4 || year.parse::<u16>().is_err() {
            return Err(Refusal::NO_EXPIRY);
        }
        let cvc = self.text("cvc")?;
        if !cvc.is_empty() && !(3..=4).contains(&cvc.len()) {
            return Err(Refusal::NO_CVC);
        }
        let (number, holder) = (number.to_owned(), self.text("holderName")?.to_owned());
        Ok(CardSaid { number, expiry: (month.to_owned(), year.to_owned()), holder })
    }
}
