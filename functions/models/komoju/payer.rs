//! The page on which a payer pays, at a store, at a bank or with a wallet.

use super::Komoju;
use super::payment::Status;
use super::refusal::Refusal;
use crate::models::{Answer, Request};

impl Komoju {
    /// The payer looks, or decides, in time: once to pay, and with a wallet more often not to.
    pub(super) fn visit(&mut self, visited: &str, request: &Request, now_ms: i64) -> Answer {
        let (id, said) = visited.split_once('/').unwrap_or((visited, ""));
        let Some(payment) = self.payments.get(id).filter(|payment| payment.page.is_some()) else {
            return Refusal::not_found("page").answer();
        };
        let turn = match (request.method.as_str(), said) {
            ("GET", "") => return page(&format!("{} {}", payment.amount, payment.currency), payment.waits(now_ms)),
            ("POST", "approve") => Status::Captured,
            ("POST", "decline") => Status::Failed,
            (_, _) => return Refusal::not_found("page").answer(),
        };
        if !payment.waits(now_ms) {
            return Refusal::unprocessable("this payment waits for nobody").answer();
        }
        let id = id.to_owned();
        self.turn(&id, now_ms, turn);
        page(if turn == Status::Captured { "paid" } else { "not paid" }, false)
    }
}

fn page(says: &str, waits: bool) -> Answer {
    let button = |path: &str, label: &str| {
        // Relative to the page, wherever it is served.
        format!(
            "<button onclick=\"fetch(location.href.replace(/\\/$/, '') + '/{path}', {{method: 'POST'}})\
             .then(() => location.reload())\">{label}</button>"
        )
    };
    let buttons = if waits { button("approve", "Pay") + &button("decline", "Do not pay") } else { String::new() };
    let body = format!("<!doctype html><meta charset=\"utf-8\"><title>KOMOJU</title><p>{says}</p>{buttons}");
    Answer { status: 200, headers: vec![("content-type", "text/html; charset=utf-8".to_owned())], body }
}
