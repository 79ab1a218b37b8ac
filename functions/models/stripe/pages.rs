//! The payer's page: `{intent}`, and what the payer does there.

use super::super::Answer;
use super::Stripe;
use super::setups::SetupIntent;

impl Stripe {
    pub(super) fn page(&mut self, path: &str, now_ms: i64) -> Answer {
        let (id, choice) = path.split_once('/').unwrap_or((path, ""));
        let is_payment = self.intent(id, now_ms).is_ok_and(|intent| intent.status == "requires_action");
        if !is_payment && !self.setups.get(id).is_some_and(SetupIntent::waits) {
            return html(404, "Nobody waits for this.");
        }
        let approves = match choice {
            "approve" => true,
            "decline" => false,
            "" => {
                let links = format!("<a href=\"{id}/approve\">Approve</a> <a href=\"{id}/decline\">Decline</a>");
                return html(200, &links);
            }
            _ => return html(404, "There is no such choice."),
        };
        let return_url = match is_payment {
            true => self.pay_on_page(id, approves, now_ms),
            false => self.set_up_on_page(id, approves, now_ms),
        };
        match return_url {
            Some(url) => Answer { status: 303, headers: vec![("location", url)], body: String::new() },
            None => html(200, "You may close this page."),
        }
    }
}

fn html(status: u16, text: &str) -> Answer {
    Answer {
        status,
        headers: vec![("content-type", "text/html; charset=utf-8".to_owned())],
        body: format!("<!doctype html><title>3-D Secure</title><p>{text}</p>"),
    }
}
