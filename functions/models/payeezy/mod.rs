//! Payeezy, version 1, as far as it is documented and recorded.
//!
//! Its secret is the one that requests are signed with: whoever signs with another is told so (403). An API key of at
//! least eight plain characters and a token that begins with `fdoa-` are known here.
//!
//! | asked | done |
//! |---|---|
//! | `POST /transactions`: `authorize`, `purchase` | by card or by a token that was made here |
//! | `POST /transactions`: `void` with `reversal_id` | undoes the openings that bear it and have this amount |
//! | `POST /transactions/{transaction_id}`: `capture`, `void`, `refund` | once, whole, up to what is left |
//! | `POST /transactions/tokens` | an `FDToken` |
//!
//! It knows no request again: what comes twice is carried out twice, under the same `reversal_id` too. What comes after
//! its reversal is carried out as well. There are no webhooks, no look-ups, no verdicts that come later.
//!
//! An amount of 5,000 to 5,999 whole units asks for the bank's code in its last three: 5,302.00 for 302, as Payeezy's
//! sandbox has answered. Otherwise [`magic`] amounts are declined as the issuer would; those that ask for what Payeezy does
//! not have are approved. Every fourth `transaction_id` has a space behind it, as one of those recorded has.
//!
//! Errors whose codes are not documented follow the pattern of those that are (`missing_…`, `invalid_…`), and what is
//! refused by the books is a `server_error` with Payeezy's own number for it.

mod answers;
mod books;
mod checks;

use answers::{not_processed, tokenized, turned_away};
use books::Books;
use checks::{Refused, text};
use kessai_shared::card::Secret;
use kessai_shared::gateways::signatures::{PayeezyRequest, payeezy};
use serde_json::Value;

use super::{Answer, Effect, Model, Request, Webhook, magic};
use crate::sandbox::{Behaviour, Decline};

/// Payeezy as a value.
pub struct Payeezy {
    api_secret: Secret,
    books: Books,
}

impl Payeezy {
    /// One whose account signs with this secret.
    pub fn new(secret: impl Into<String>) -> Self {
        Self { api_secret: Secret::new(secret.into()), books: Books::default() }
    }

    fn is_signed(&self, request: &Request) -> bool {
        let signed = PayeezyRequest {
            api_key: request.header("apikey"),
            nonce: request.header("nonce"),
            timestamp_ms: request.header("timestamp"),
            token: request.header("token"),
            payload: &request.body,
        };
        let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        are_digits(signed.nonce)
            && are_digits(signed.timestamp_ms)
            && payeezy(&signed, &self.api_secret) == request.header("authorization")
    }

    /// Who does not come in.
    fn turned_away(&self, request: &Request) -> Option<Answer> {
        let (key, token) = (request.header("apikey"), request.header("token"));
        if key.len() < 8 || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Some(turned_away::unknown_key());
        }
        if !token.starts_with("fdoa-") {
            return Some(turned_away::unknown_token());
        }
        (!self.is_signed(request)).then(turned_away::unsigned)
    }

    fn transact(&mut self, id: Option<&str>, body: &Value, now_ms: i64) -> Result<Answer, Refused> {
        let asked = checks::Asked::of(body)?;
        let by_bank = declined_by_bank(asked.minor);
        match (asked.transaction_type, id) {
            ("authorize" | "purchase", None) => {
                let paid = checks::paid_with(body, now_ms, |value| self.books.knows_token(value))?;
                Ok(self.books.open(&asked, &paid, by_bank, now_ms))
            }
            ("void", None) => match text(body, "reversal_id") {
                Some(reversal_id) => self.books.undo(&asked, reversal_id, now_ms),
                None => Err(Refused::missing("transaction_id")),
            },
            ("capture" | "void" | "refund", Some(id)) => {
                let tag = text(body, "transaction_tag").ok_or(Refused::missing("transaction_tag"))?;
                self.books.act(&asked, (id, tag), by_bank, now_ms)
            }
            ("capture" | "refund", None) => Err(Refused::missing("transaction_id")),
            _ => Err(Refused::invalid("transaction_type")),
        }
    }

    fn tokenize(&mut self, body: &Value, now_ms: i64) -> Answer {
        match checks::kept(body, now_ms) {
            Ok(card) => tokenized::made(&card, &self.books.keep(&card), now_ms),
            Err(refused) => tokenized::failed(&refused, now_ms),
        }
    }
}

impl Model for Payeezy {
    fn name(&self) -> &'static str {
        "payeezy"
    }

    fn handle(&mut self, request: &Request, now_ms: i64) -> Answer {
        let path = request.path.strip_prefix("/v1").unwrap_or(&request.path);
        let place = path.strip_prefix("/transactions").filter(|_| request.method == "POST");
        let Some(place) = place.filter(|rest| rest.is_empty() || rest.starts_with('/')) else {
            return turned_away::nowhere();
        };
        if let Some(answer) = self.turned_away(request) {
            return answer;
        }
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        match place.strip_prefix('/') {
            Some("tokens") => self.tokenize(&body, now_ms),
            Some("") => not_processed(&body, &Refused::missing("transaction_id"), now_ms),
            id => self.transact(id, &body, now_ms).unwrap_or_else(|refused| not_processed(&body, &refused, now_ms)),
        }
    }

    fn effects(&self, _: i64) -> Vec<Effect> {
        self.books.effects()
    }

    fn webhooks(&mut self, _: i64) -> Vec<Webhook> {
        Vec::new()
    }
}

/// The bank's code for an amount, where it declines it.
fn declined_by_bank(minor: i64) -> Option<String> {
    /// Minor units of a whole one: currencies have two decimals here.
    const WHOLE: i64 = 100;
    if (5_000 * WHOLE..6_000 * WHOLE).contains(&minor) && minor % WHOLE == 0 {
        let code = minor / WHOLE % 1_000;
        return (code != 0 && code != 100).then(|| format!("{code:03}"));
    }
    let code = match magic(minor) {
        Behaviour::Decline(Decline::InsufficientFunds) => "302",
        Behaviour::Decline(Decline::StolenCard) => "502",
        Behaviour::Decline(Decline::ExpiredCard) => "522",
        Behaviour::Decline(Decline::CvcMismatch) => "531",
        Behaviour::Decline(Decline::SuspectedFraud) => "401",
        Behaviour::Decline(Decline::InvalidCardData) => "201",
        Behaviour::Decline(Decline::DoNotHonour) => "530",
        Behaviour::Decline(
            Decline::UnknownMethod | Decline::UnknownAuthorization | Decline::AlreadyReversed | Decline::PayerDidNotAct,
        ) => "303",
        Behaviour::Approve
        | Behaviour::Accept(_)
        | Behaviour::AcceptThenFail
        | Behaviour::AcceptToken(_)
        | Behaviour::Challenge
        | Behaviour::Dispute(_)
        | Behaviour::Fault(_) => return None,
    };
    Some(code.to_owned())
}

#[cfg(test)]
mod tests;
