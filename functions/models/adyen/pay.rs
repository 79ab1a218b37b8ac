//! What opens a payment: `POST /payments` and `POST /authorise`.

use serde_json::{Value, json};

use super::super::{Act, Answer, magic};
use super::book::{Move, Payment, State};
use super::error::Refusal;
use super::post::Event;
use super::read::{Amount, Body, CardSaid};
use super::stored::{check_model, shopper};
use super::{Adyen, members};
use crate::sandbox::{Behaviour, Decline, Ending, SETTLEMENT_MS, Verdict};

/// Which words are spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    Checkout,
    Classic,
}

/// The card of Adyen's example of a redirect.
const REDIRECTED: &str = "4212345678901237";

/// What is asked, in either dialect.
struct Paying {
    merchant_account: String,
    reference: String,
    amount: Amount,
    is_sale: bool,
    holder: String,
    number: String,
    return_url: String,
    /// The card is to be stored under this shopper.
    store: Option<(String, CardSaid)>,
}

/// What comes of it.
enum Decided {
    Approved,
    Refused(Decline),
    /// A webhook will tell.
    Received {
        ends: Ending,
        fails: bool,
    },
    Challenged,
}

/// Code and reason of a refusal.
fn refusal(decline: Decline) -> (&'static str, &'static str) {
    match decline {
        Decline::DoNotHonour => ("2", "Refused"),
        Decline::StolenCard => ("5", "Blocked Card"),
        Decline::InsufficientFunds => ("12", "Not enough balance"),
        Decline::ExpiredCard => ("6", "Expired Card"),
        Decline::CvcMismatch => ("24", "CVC Declined"),
        Decline::SuspectedFraud => ("31", "Issuer Suspected Fraud"),
        Decline::InvalidCardData | Decline::UnknownMethod | Decline::UnknownAuthorization => {
            ("8", "Invalid Card Number")
        }
        Decline::AlreadyReversed | Decline::PayerDidNotAct => ("15", "Cancelled"),
    }
}

impl Paying {
    fn decided(&self) -> Decided {
        match (self.holder.as_str(), self.number.as_str()) {
            ("DECLINED", _) => return Decided::Refused(Decline::DoNotHonour),
            (_, REDIRECTED) => return Decided::Challenged,
            (_, _) => {}
        }
        match magic(self.amount.minor()) {
            Behaviour::Decline(decline) => Decided::Refused(decline),
            Behaviour::Accept(ends) => Decided::Received { ends, fails: false },
            Behaviour::AcceptThenFail => Decided::Received { ends: Ending::Approved, fails: true },
            Behaviour::Challenge => Decided::Challenged,
            Behaviour::Approve | Behaviour::AcceptToken(_) | Behaviour::Dispute(_) | Behaviour::Fault(_) => {
                Decided::Approved
            }
        }
    }
}

/// How a buyer disputes what was paid with this amount; none where it is not disputed.
pub(super) fn disputed(amount: &Amount) -> Option<Verdict> {
    if let Behaviour::Dispute(verdict) = magic(amount.minor()) { Some(verdict) } else { None }
}

/// So long a step takes that Adyen tells of later.
pub(super) fn steps_ms(steps: i64) -> i64 {
    i64::try_from(SETTLEMENT_MS).unwrap_or(i64::MAX).saturating_mul(steps)
}

impl Adyen {
    pub(super) fn pay(&mut self, dialect: Dialect, body: &Body, now_ms: i64) -> Result<Answer, Refusal> {
        let paying = match dialect {
            Dialect::Checkout => self.read_checkout(body)?,
            Dialect::Classic => self.read_classic(body)?,
        };
        let name = self.name_something();
        let decided = paying.decided();
        let state = match &decided {
            Decided::Approved => State::Authorised { at_ms: now_ms },
            Decided::Received { ends: Ending::Approved, .. } => {
                State::Authorised { at_ms: now_ms.saturating_add(steps_ms(1)) }
            }
            Decided::Refused(_) | Decided::Received { ends: Ending::Declined, .. } => State::Refused,
            // In the older dialect nobody ever goes on with it.
            Decided::Challenged => State::Offered { since_ms: now_ms },
        };
        let payment = Payment {
            name: name.clone(),
            reference: paying.reference.clone(),
            merchant_account: paying.merchant_account.clone(),
            amount: paying.amount.clone(),
            is_sale: paying.is_sale,
            state,
            return_url: paying.return_url.clone(),
            captures_fail: paying.holder == "capture failed",
            refunds_fail: paying.holder == "refund failed",
        };
        self.book.payments.push(payment);
        match &decided {
            Decided::Approved => self.authorised(&name, now_ms, false),
            Decided::Received { ends: Ending::Approved, fails } => {
                self.authorised(&name, now_ms.saturating_add(steps_ms(1)), *fails);
            }
            Decided::Received { ends: Ending::Declined, .. } => {
                self.refused(&name, now_ms.saturating_add(steps_ms(1)), "AUTHORISATION", "Refused");
            }
            Decided::Refused(decline) => self.refused(&name, now_ms, "AUTHORISATION", refusal(*decline).1),
            Decided::Challenged => {}
        }
        if let (Decided::Approved, Some((shopper, card))) = (&decided, &paying.store) {
            self.contract(&name, &paying, shopper, card, now_ms);
        }
        Ok(Answer::json(200, &self.said(dialect, &name, &paying, &decided)))
    }

    /// It is authorised, and taken where it is a sale; all that follows from that is told.
    pub(super) fn authorised(&mut self, name: &str, at_ms: i64, fails: bool) {
        let Some(payment) = self.book.payment_mut(name) else { return };
        payment.state = State::Authorised { at_ms };
        let (reference, amount, is_sale) = (payment.reference.clone(), payment.amount.clone(), payment.is_sale);
        let account = payment.merchant_account.clone();
        let fails = is_sale && (fails || payment.captures_fail);
        let failed_at_ms = fails.then(|| at_ms.saturating_add(steps_ms(1)));
        let event = |code, at_ms| Event {
            at_ms,
            code,
            name,
            original: if code == "AUTHORISATION" { "" } else { name },
            reference: &reference,
            merchant_account: &account,
            amount: &amount,
            failure: None,
            more: json!({"authCode": "039404"}),
        };
        self.outbox.post(&event("AUTHORISATION", at_ms));
        if let Some(failed) = failed_at_ms {
            self.outbox.post(&event("CAPTURE_FAILED", failed));
        }
        if amount.value > 0 {
            let act = if is_sale { Act::Sale } else { Act::Authorize };
            let (name, payment) = (name.to_owned(), name.to_owned());
            let moved = Move { at_ms, act, name, reference, payment, amount: amount.clone(), failed_at_ms };
            self.book.moves.push(moved);
        }
        if is_sale {
            self.dispute(name, &amount, at_ms);
        }
    }

    pub(super) fn refused(&mut self, name: &str, at_ms: i64, code: &'static str, why: &str) {
        let Some(payment) = self.book.payment_mut(name) else { return };
        payment.state = State::Refused;
        let (reference, amount) = (payment.reference.clone(), payment.amount.clone());
        let account = payment.merchant_account.clone();
        // That an offer has ended is true.
        let failure = (code == "AUTHORISATION").then_some(why);
        let (original, more) = ("", json!({}));
        let event = Event {
            at_ms,
            code,
            name,
            original,
            reference: &reference,
            merchant_account: &account,
            amount: &amount,
            failure,
            more,
        };
        self.outbox.post(&event);
    }

    /// All stages of the dispute that this amount asks for.
    pub(super) fn dispute(&mut self, payment: &str, amount: &Amount, at_ms: i64) {
        let Some(verdict) = disputed(amount) else { return };
        let Some(disputed) = self.book.payment(payment) else { return };
        let (reference, account) = (disputed.reference.clone(), disputed.merchant_account.clone());
        let name = self.name_something();
        let stages: &[&'static str] = match verdict {
            Verdict::ChargedBack => &["NOTIFICATION_OF_CHARGEBACK", "CHARGEBACK"],
            Verdict::Won => &["NOTIFICATION_OF_CHARGEBACK", "CHARGEBACK", "CHARGEBACK_REVERSED"],
        };
        for (code, steps) in stages.iter().zip(1..) {
            self.outbox.post(&Event {
                at_ms: at_ms.saturating_add(steps_ms(steps)),
                code,
                name: &name,
                original: payment,
                reference: &reference,
                merchant_account: &account,
                amount,
                failure: None,
                more: json!({"chargebackReasonCode": "10.4", "chargebackSchemeCode": "visa"}),
            });
        }
    }

    /// A recurring contract: its name is the token.
    fn contract(&mut self, payment: &str, paying: &Paying, shopper: &str, card: &CardSaid, now_ms: i64) {
        let token = self.name_something();
        self.wallet.put(token.clone(), shopper, card);
        self.outbox.post(&Event {
            at_ms: now_ms,
            code: "RECURRING_CONTRACT",
            name: &token,
            original: payment,
            reference: &paying.reference,
            merchant_account: &paying.merchant_account,
            amount: &paying.amount,
            failure: None,
            more: json!({"recurring.recurringDetailReference": token, "shopperReference": shopper}),
        });
    }

    fn said(&self, dialect: Dialect, name: &str, paying: &Paying, decided: &Decided) -> Value {
        let is_checkout = dialect == Dialect::Checkout;
        let mut said = json!({"pspReference": name});
        if is_checkout {
            said["merchantReference"] = json!(paying.reference);
        }
        match decided {
            Decided::Approved => {
                said["resultCode"] = json!("Authorised");
                said["additionalData"] =
                    json!({"authCode": "039404", "avsResult": "4 AVS not supported for this card type"});
                if is_checkout {
                    said["amount"] = json!({"currency": paying.amount.currency, "value": paying.amount.value});
                } else {
                    said["authCode"] = json!("039404");
                }
            }
            Decided::Refused(decline) => {
                let (code, reason) = refusal(*decline);
                said["resultCode"] = json!("Refused");
                said["refusalReason"] = json!(reason);
                if is_checkout {
                    said["refusalReasonCode"] = json!(code);
                }
            }
            Decided::Received { .. } => said["resultCode"] = json!("Received"),
            Decided::Challenged => {
                said["resultCode"] = json!("RedirectShopper");
                let url = format!("{}/threeDS/redirect/{name}", self.pages_at);
                if is_checkout {
                    said["action"] =
                        json!({"type": "redirect", "method": "GET", "paymentMethodType": "scheme", "url": url});
                } else {
                    said["issuerUrl"] = json!(url);
                    said["md"] = json!(name);
                    said["paRequest"] = json!("eNpVUttygjAQ");
                }
            }
        }
        said
    }

    fn read_checkout(&self, body: &Body) -> Result<Paying, Refusal> {
        body.only(members::PAYMENT)?;
        let merchant_account = body.merchant_account()?;
        let reference = body.reference()?;
        let amount = body.amount("amount")?;
        let return_url = match body.text("returnUrl")? {
            "" => return Err(Refusal::NO_RETURN_URL),
            url => url.to_owned(),
        };
        let method = body.object("paymentMethod")?.ok_or_else(|| Refusal::unexpected("paymentMethod"))?;
        method.only(members::METHOD)?;
        let (holder, number) = match method.text("storedPaymentMethodId")? {
            "" => {
                let card = method.card()?;
                (card.holder, card.number)
            }
            id => self.on_file(body, id)?,
        };
        let is_sale = is_sale(body)?;
        Ok(Paying { merchant_account, reference, amount, is_sale, holder, number, return_url, store: None })
    }

    fn read_classic(&self, body: &Body) -> Result<Paying, Refusal> {
        body.only(members::AUTHORISE)?;
        let merchant_account = body.merchant_account()?;
        let reference = body.reference()?;
        let amount = body.amount("amount")?;
        let is_recurring = body.object("recurring")?.is_some();
        let is_sale = is_sale(body)?;
        let paying = |holder, number, store| Paying {
            merchant_account,
            reference,
            amount,
            is_sale,
            holder,
            number,
            return_url: String::new(),
            store,
        };
        let id = body.text("selectedRecurringDetailReference")?;
        if !id.is_empty() {
            let (holder, number) = self.on_file(body, id)?;
            return Ok(paying(holder, number, None));
        }
        let card = body.object("card")?.ok_or(Refusal::NO_CARD_NUMBER)?;
        card.only(members::CARD)?;
        let card = card.card()?;
        let (holder, number) = (card.holder.clone(), card.number.clone());
        let store = if is_recurring { Some((shopper(body)?, card)) } else { None };
        Ok(paying(holder, number, store))
    }

    fn on_file(&self, body: &Body, id: &str) -> Result<(String, String), Refusal> {
        check_model(body.text("recurringProcessingModel")?)?;
        self.wallet.of(&shopper(body)?, id)
    }
}

/// Captured at once, or only on request: whichever the request says, and at once where it says nothing.
fn is_sale(body: &Body) -> Result<bool, Refusal> {
    let manual = match body.object("additionalData")? {
        Some(more) => more.text("manualCapture")? == "true",
        None => false,
    };
    match body.number("captureDelayHours")? {
        Some(hours) if !(0..=672).contains(&hours) => Err(Refusal::unexpected("captureDelayHours")),
        Some(0) | None => Ok(!manual),
        Some(_) => Ok(false),
    }
}
