//! Stored payment methods: each under its shopper.

use std::collections::BTreeMap;

use serde_json::json;

use super::super::Answer;
use super::error::Refusal;
use super::read::{Body, CardSaid};
use super::{Adyen, members};

/// The values of `recurringProcessingModel`.
const MODELS: [&str; 3] = ["CardOnFile", "Subscription", "UnscheduledCardOnFile"];

#[derive(Default)]
pub(super) struct Wallet(BTreeMap<String, Stored>);

struct Stored {
    shopper: String,
    holder: String,
    number: String,
}

impl Wallet {
    /// Holder and number of this shopper's method.
    pub fn of(&self, shopper: &str, id: &str) -> Result<(String, String), Refusal> {
        let found = self.0.get(id).filter(|stored| stored.shopper == shopper).ok_or(Refusal::NO_METHOD)?;
        Ok((found.holder.clone(), found.number.clone()))
    }

    pub fn put(&mut self, id: String, shopper: &str, card: &CardSaid) {
        let stored = Stored { shopper: shopper.to_owned(), holder: card.holder.clone(), number: card.number.clone() };
        self.0.insert(id, stored);
    }
}

/// Whose method it is: three characters at least.
pub(super) fn shopper(body: &Body) -> Result<String, Refusal> {
    match body.text("shopperReference")? {
        shopper if (3..=256).contains(&shopper.chars().count()) => Ok(shopper.to_owned()),
        _ => Err(Refusal::unexpected("shopperReference")),
    }
}

pub(super) fn check_model(said: &str) -> Result<(), Refusal> {
    if MODELS.contains(&said) { Ok(()) } else { Err(Refusal::unexpected("recurringProcessingModel")) }
}

impl Adyen {
    /// `POST /storedPaymentMethods`.
    pub(super) fn store(&mut self, body: &Body) -> Result<Answer, Refusal> {
        body.only(members::STORE)?;
        body.merchant_account()?;
        check_model(body.text("recurringProcessingModel")?)?;
        let shopper = shopper(body)?;
        let method = body.object("paymentMethod")?.ok_or_else(|| Refusal::unexpected("paymentMethod"))?;
        method.only(members::TO_STORE)?;
        let card = method.card()?;
        let id = self.name_something();
        self.wallet.put(id.clone(), &shopper, &card);
        let last_four: String = card.number.chars().skip(card.number.chars().count().saturating_sub(4)).collect();
        let (month, year) = &card.expiry;
        let mut said = json!({
            "id": id, "type": "scheme", "shopperReference": shopper, "lastFour": last_four, "expiryMonth": month,
            "expiryYear": year,
        });
        if !card.holder.is_empty() {
            said["holderName"] = json!(card.holder);
        }
        Ok(Answer::json(201, &said))
    }
}
