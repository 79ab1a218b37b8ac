//! The payer's page: who says yes there has proved to be the cardholder, who says no has not.

use super::super::{Answer, Request};
use super::Adyen;
use super::book::State;
use super::error::Refusal;

/// How long what is offered stands: twelve hours.
const OFFER_MS: i64 = 12 * 60 * 60 * 1_000;

const PAGE: &str = "<!doctype html><title>3-D Secure</title><form method=\"post\">\
    <button name=\"result\" value=\"approve\">It is me</button>\
    <button name=\"result\" value=\"decline\">It is not me</button></form>";

impl Adyen {
    /// What a browser hears, which has no key.
    pub(super) fn visit(&mut self, name: &str, request: &Request, now_ms: i64) -> Answer {
        self.close_offers(now_ms);
        let Some(payment) = self.book.payment(name) else { return Refusal::NOT_THERE.answer() };
        let State::Offered { .. } = payment.state else { return html(410, "This page is of no use any more.") };
        let back = payment.return_url.clone();
        match request.body.as_slice() {
            b"result=approve" => self.authorised(name, now_ms, false),
            b"result=decline" => self.refused(name, now_ms, "AUTHORISATION", "3D Not Authenticated"),
            _ => return html(200, PAGE),
        }
        let mark = if back.contains('?') { '&' } else { '?' };
        let location = format!("{back}{mark}redirectResult={name}");
        Answer { status: 302, headers: vec![("location", location)], body: String::new() }
    }

    /// What nobody took ends, and is told.
    pub(super) fn close_offers(&mut self, now_ms: i64) {
        let over = |state: &State| match state {
            State::Offered { since_ms } => Some(since_ms.saturating_add(OFFER_MS)).filter(|end| *end <= now_ms),
            State::Authorised { .. } | State::Refused => None,
        };
        let closed: Vec<(String, i64)> = self
            .book
            .payments
            .iter()
            .filter_map(|payment| Some((payment.name.clone(), over(&payment.state)?)))
            .collect();
        for (name, end) in closed {
            self.refused(&name, end, "OFFER_CLOSED", "");
        }
    }
}

fn html(status: u16, text: &str) -> Answer {
    Answer { status, headers: vec![("content-type", "text/html; charset=utf-8".to_owned())], body: text.to_owned() }
}
