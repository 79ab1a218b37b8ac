//! A model of Adyen, in both dialects: Checkout v71 and the Payment API, which are told apart by their paths.
//!
//! It keeps payments and what was done to them. A modification is received, whatever it asks; whether it can be is told by a
//! webhook a second later, as Adyen does. Webhooks are signed with the key that the model was made with.
//!
//! | how an outcome is asked for | |
//! |---|---|
//! | `holderName` is `DECLINED` | refused, code 2 (Adyen's documentation) |
//! | `holderName` is `capture failed`, `refund failed` | captures, refunds fail after they were done (the same) |
//! | card 4212 3456 7890 1237 | the payer must visit a page |
//! | anything else | by the amount: [`magic`](super::magic) |
//!
//! The payer's page is at `/threeDS/redirect/{pspReference}`; it posts `result=approve` or `result=decline`, and leads back
//! to the return URL. The shop's part after it, to hand the redirect's result to Adyen, is played too.
//!
//! What Adyen does not document is decided here: a key that comes again with another request is error 704, and who may
//! ask has a key of at least 16 visible characters, whichever it is.

mod book;
mod error;
mod keys;
mod members;
mod modify;
mod page;
mod pay;
mod post;
mod read;
mod stored;

#[cfg(test)]
mod tests;

use kessai_shared::card::Secret;
use serde_json::json;

use self::book::Book;
use self::error::Refusal;
use self::keys::Keys;
use self::pay::Dialect;
use self::post::Outbox;
use self::read::Body;
use self::stored::Wallet;
use super::{Answer, Effect, Model, Request, Webhook};

/// Adyen as a value.
pub struct Adyen {
    /// Where payers find their pages, no slash at the end.
    pages_at: String,
    book: Book,
    wallet: Wallet,
    keys: Keys,
    outbox: Outbox,
    named: u64,
}

impl Adyen {
    /// One that signs its webhooks with this key, which is hexadecimal.
    pub fn new(secret: impl Into<String>) -> Self {
        Self {
            pages_at: "https://checkoutshopper-test.adyen.com".to_owned(),
            book: Book::default(),
            wallet: Wallet::default(),
            keys: Keys::default(),
            outbox: Outbox::new(Secret::new(secret.into())),
            named: 0,
        }
    }

    /// With pages for payers at this address.
    #[must_use]
    pub fn with_pages_at(self, address: impl Into<String>) -> Self {
        Self { pages_at: address.into(), ..self }
    }

    /// Adyen's own name for something: sixteen characters that nothing else has.
    fn name_something(&mut self) -> String {
        self.named = self.named.saturating_add(1);
        format!("KSI{:013}", self.named)
    }

    fn answer(&mut self, path: &[&str], request: &Request, now_ms: i64) -> Result<Answer, Refusal> {
        if request.method != "POST" {
            return Err(Refusal::NOT_THERE);
        }
        let body = Body::parse(&request.body)?;
        match path {
            ["payments"] => self.pay(Dialect::Checkout, &body, now_ms),
            ["authorise"] => self.pay(Dialect::Classic, &body, now_ms),
            ["payments", payment, what @ ("captures" | "cancels" | "refunds" | "reversals")] => {
                self.modify_checkout(payment, what, &body, now_ms)
            }
            [what @ ("capture" | "cancel" | "refund")] => self.modify_classic(what, &body, now_ms),
            ["storedPaymentMethods"] => self.store(&body),
            ["paymentMethods"] => {
                body.merchant_account()?;
                let cards = json!({"name": "Cards", "type": "scheme", "brands": ["visa", "mc", "amex"]});
                Ok(Answer::json(200, &json!({"paymentMethods": [cards]})))
            }
            ["getAuthenticationResult"] => {
                body.merchant_account()?;
                Err(Refusal::NO_PAYMENT)
            }
            _ => Err(Refusal::NOT_THERE),
        }
    }
}

/// The path without what stands before it up to the version.
fn below_version(path: &str) -> Vec<&str> {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let is_version = |segment: &&str| {
        let number = segment.strip_prefix('v').unwrap_or_default();
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    };
    match segments.iter().position(is_version) {
        Some(place) => segments.into_iter().skip(place.saturating_add(1)).collect(),
        None => segments,
    }
}

impl Model for Adyen {
    fn name(&self) -> &'static str {
        "adyen"
    }

    fn handle(&mut self, request: &Request, now_ms: i64) -> Answer {
        let path = below_version(&request.path);
        if let ["threeDS", "redirect", payment] = path.as_slice() {
            return self.visit(payment, request, now_ms);
        }
        let key = request.header("x-api-key");
        if key.len() < 16 || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Refusal::UNAUTHORISED.answer();
        }
        match self.keys.known(request, now_ms) {
            Some(Ok(answer)) => return answer,
            Some(Err(refusal)) => return refusal.answer(),
            None => {}
        }
        let answer = self.answer(&path, request, now_ms).unwrap_or_else(Refusal::answer);
        self.keys.keep(request, &answer, now_ms);
        answer
    }

    fn effects(&self, now_ms: i64) -> Vec<Effect> {
        self.book.effects(now_ms)
    }

    fn webhooks(&mut self, now_ms: i64) -> Vec<Webhook> {
        self.close_offers(now_ms);
        self.outbox.take()
    }
}
