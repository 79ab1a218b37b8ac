//! A payment as KOMOJU shows it, and what it says of each operation that made it what it is.
//!
//! | status | a hold | a sale | a capture | a reversal |
//! |---|---|---|---|---|
//! | `pending` | the payer is to act, or accepted | as a hold | unknown | accepted |
//! | `authorized` | approved | accepted; at a store or a bank, the payer is to act | accepted | accepted |
//! | `captured`, `refunded` | approved | approved | approved | declined |
//! | `cancelled` | declined | declined | declined | approved |
//! | `failed`, with a page | as `pending` | as `pending` | declined | declined |
//! | `expired`, other `failed` | declined | declined | declined | declined |
//!
//! Anything else is unknown. A payment that is refunded in part stays `captured`. `failed` is one try of a payer, who may
//! try again where there is a page to do it on: until KOMOJU says that it is `expired` or `cancelled`, it may be paid.

use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use crate::money::{Currency, Money};
use crate::payment::{Answer, Decline, Kind, Outcome, PayerAction};
use crate::time::Timestamp;

/// How long a payer's page is taken to be of use where no deadline is told.
const PAGE: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Deserialize)]
pub(super) struct PaymentBody {
    pub id: String,
    pub status: String,
    pub amount: i64,
    pub currency: String,
    pub external_order_num: Option<String>,
    payment_deadline: Option<String>,
    payment_details: Option<DetailsBody>,
    captured_at: Option<String>,
    created_at: Option<String>,
    pub refunds: Option<Vec<RefundBody>>,
    pub refund_requests: Option<Vec<RefundRequestBody>>,
}

#[derive(Deserialize)]
struct DetailsBody {
    #[serde(rename = "type")]
    kind: Option<String>,
    /// Where the payer goes at once.
    redirect_url: Option<String>,
    /// Where it says how to pay at a store or a bank.
    instructions_url: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct RefundBody {
    pub id: String,
    /// With tax, of which we ask none.
    pub amount: i64,
    /// The payment's, where none is told.
    pub currency: Option<String>,
    pub description: Option<String>,
    created_at: Option<String>,
    pub chargeback: Option<bool>,
}

/// A refund by bank: made by hand, and later.
#[derive(Deserialize)]
pub(super) struct RefundRequestBody {
    pub id: String,
    pub status: String,
    pub description: Option<String>,
    created_at: Option<String>,
}

/// Whether a payment of this type waits for the payer while it is `authorized`. KOMOJU's page on payments names these
/// three, and spells the last one in two ways.
pub(super) fn waits_for_the_payer(kind: &str) -> bool {
    matches!(kind, "konbini" | "bank_transfer" | "pay_easy" | "payeasy")
}

/// The payment's type, as it rests in the details of its reference.
pub(super) fn kind_of(details: &str) -> Option<String> {
    serde_json::from_str::<DetailsBody>(details).ok()?.kind
}

impl PaymentBody {
    /// How an operation stands that opened this payment, or that acted on it and gives nothing back.
    pub fn standing(&self, kind: &Kind) -> Outcome {
        let answer = self.answer();
        let declined = |answer| Outcome::Declined(Decline::Soft, answer);
        match (self.status.as_str(), kind) {
            ("pending", Kind::Authorize | Kind::PostAuthorize | Kind::Sale) => self.unpaid(answer),
            ("failed", Kind::Authorize | Kind::PostAuthorize | Kind::Sale) if self.may_be_tried_again() => {
                self.unpaid(answer)
            }
            ("authorized", Kind::Authorize | Kind::PostAuthorize | Kind::Sale) if self.waits() => self.unpaid(answer),
            ("authorized", Kind::Authorize | Kind::PostAuthorize) => Outcome::Approved(answer),
            ("authorized", Kind::Sale | Kind::Capture { .. }) => Outcome::Accepted(answer),
            ("captured" | "refunded", Kind::Authorize | Kind::PostAuthorize | Kind::Sale | Kind::Capture { .. }) => {
                Outcome::Approved(answer)
            }
            ("cancelled", Kind::Reverse { .. }) => Outcome::Approved(answer),
            ("pending" | "authorized", Kind::Reverse { .. }) => Outcome::Accepted(answer),
            ("captured" | "refunded", Kind::Reverse { .. }) => declined(answer),
            (_, Kind::Refund { .. }) => Outcome::Unknown,
            ("cancelled" | "expired" | "failed", _) => declined(answer),
            (_, _) => Outcome::Unknown,
        }
    }

    /// So much, in this currency or the payment's; none where we cannot count that.
    pub fn money(&self, minor: i64, currency: Option<&str>) -> Option<Money> {
        Some(Money::new(minor, Currency::parse(currency.unwrap_or(&self.currency))?))
    }

    /// How the refund of this reference stands. One that is paid by bank may be listed twice: then what was requested
    /// counts.
    pub fn refund(&self, reference: &str, minor: i64) -> Outcome {
        let requests = self.refund_requests.iter().flatten();
        if let Some(request) = requests.into_iter().find(|request| request.description.as_deref() == Some(reference)) {
            return request.standing();
        }
        let refunds = self.refunds.iter().flatten().filter(|refund| refund.chargeback != Some(true));
        match refunds.into_iter().find(|refund| refund.description.as_deref() == Some(reference)) {
            Some(refund) if refund.amount == minor => Outcome::Approved(refund.answer()),
            Some(_) | None => Outcome::Unknown,
        }
    }

    /// Whether nobody has paid yet and nothing is held, though it is authorized.
    pub fn waits(&self) -> bool {
        let kind = self.payment_details.as_ref().and_then(|details| details.kind.as_deref());
        kind.is_some_and(waits_for_the_payer)
    }

    /// Whether its payer may try again: KOMOJU tells of each try that fails.
    fn may_be_tried_again(&self) -> bool {
        let page = self.payment_details.as_ref().and_then(|details| details.redirect_url.as_ref());
        self.status == "failed" && page.is_some()
    }

    /// By the payment's id everything else is asked for, and by its type is told how it is refunded.
    pub fn answer(&self) -> Answer {
        let kind = self.payment_details.as_ref().and_then(|details| details.kind.as_deref());
        Answer {
            reference: Some(self.id.clone()),
            reference_details: kind.map(|kind| json!({"type": kind}).to_string()),
            code: Some(self.status.clone()),
            date: moment(self.captured_at.as_deref().or(self.created_at.as_deref())),
            ..Answer::default()
        }
    }

    fn unpaid(&self, answer: Answer) -> Outcome {
        match self.page() {
            Some(action) => Outcome::ActionRequired(answer, action),
            None => Outcome::Accepted(answer),
        }
    }

    fn page(&self) -> Option<PayerAction> {
        let details = self.payment_details.as_ref()?;
        let url = details.redirect_url.as_ref().or(details.instructions_url.as_ref())?;
        let until = moment(self.payment_deadline.as_deref());
        let expires_at = until.or_else(|| Some(moment(self.created_at.as_deref())?.plus(PAGE)))?;
        Some(PayerAction { url: url.clone(), expires_at })
    }
}

impl RefundBody {
    pub fn answer(&self) -> Answer {
        Answer {
            reference: Some(self.id.clone()),
            code: Some("refunded".to_owned()),
            date: moment(self.created_at.as_deref()),
            ..Answer::default()
        }
    }
}

impl RefundRequestBody {
    pub fn standing(&self) -> Outcome {
        let answer = Answer {
            reference: Some(self.id.clone()),
            code: Some(self.status.clone()),
            date: moment(self.created_at.as_deref()),
            ..Answer::default()
        };
        match self.status.as_str() {
            "pending" => Outcome::Accepted(answer),
            "completed" => Outcome::Approved(answer),
            // By KOMOJU's help the account is not right, and the refund is to be requested once more, with another: this
            // request is over.
            "rejected" => Outcome::Declined(Decline::InvalidData, answer),
            _ => Outcome::Unknown,
        }
    }
}

fn moment(text: Option<&str>) -> Option<Timestamp> {
    text.and_then(Timestamp::parse)
}
