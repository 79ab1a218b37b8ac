//! What Payeezy says, in the forms that were recorded.

use serde_json::{Value, json};

use super::checks::{Asked, PaidWith, Refused};
use crate::models::Answer;

/// What came of something that was processed.
pub(super) enum Done {
    Approved {
        tag: String,
        id: String,
    },
    /// It has no id.
    Declined {
        tag: String,
        bank_code: String,
    },
}

pub(super) fn processed(asked: &Asked<'_>, done: &Done, paid: Option<&PaidWith>, now_ms: i64) -> Answer {
    let (status, code, message) = match done {
        Done::Approved { .. } => ("approved", "100", "Approved"),
        Done::Declined { bank_code, .. } => ("declined", bank_code.as_str(), meaning(bank_code)),
    };
    let mut body = json!({
        "correlation_id": correlation(now_ms),
        "transaction_status": status,
        "validation_status": "success",
        "transaction_type": asked.transaction_type,
        "method": asked.method,
        "amount": asked.minor.to_string(),
        "currency": asked.currency,
        "bank_resp_code": code,
        "bank_message": message,
        "gateway_resp_code": "00",
        "gateway_message": "Transaction Normal",
    });
    match done {
        Done::Approved { tag, id } => {
            body["transaction_tag"] = json!(tag);
            body["transaction_id"] = json!(id);
        }
        Done::Declined { tag, .. } => body["transaction_tag"] = json!(tag),
    }
    match paid {
        Some(paid) => {
            body["avs"] = json!("4");
            body["cvv2"] = json!(if paid.has_cvv { "M" } else { "U" });
            body["card"] = json!({
                "type": paid.card_type, "cardholder_name": paid.holder, "card_number": paid.last_four,
                "exp_date": paid.exp_date,
            });
        }
        None => body["cvv2"] = json!("I"),
    }
    Answer::json(201, &body)
}

fn meaning(bank_code: &str) -> &'static str {
    match bank_code {
        "013" => "Transaction not approved",
        "201" => "Invalid CC Number",
        "302" => "Insufficient Funds",
        "303" => "Processor Decline",
        "401" => "Call",
        "502" => "Lost/Stolen",
        "522" => "Card is expired",
        "530" => "Do not Honor",
        "531" => "CVV2 Failure",
        _ => "Declined",
    }
}

/// Some is left out where Payeezy has left it out: its books say less than its checks.
pub(super) fn not_processed(asked: &Value, refused: &Refused, now_ms: i64) -> Answer {
    let mut body = json!({
        "correlation_id": correlation(now_ms),
        "transaction_status": "Not Processed",
        "Error": errors(refused),
    });
    if refused.code != "server_error" {
        body["validation_status"] = json!("failed");
        for (theirs, ours) in [
            ("transaction_type", "transaction_type"),
            ("method", "method"),
            ("amount", "amount"),
            ("currency", "currency_code"),
        ] {
            if let Some(said @ Value::String(_)) = asked.get(ours) {
                body[theirs] = said.clone();
            }
        }
    }
    Answer::json(400, &body)
}

fn errors(refused: &Refused) -> Value {
    json!({"messages": [{"code": refused.code, "description": refused.description}]})
}

fn correlation(now_ms: i64) -> String {
    format!("228.{now_ms}")
}

pub(super) mod tokenized {
    use serde_json::json;

    use super::{Answer, PaidWith, Refused, correlation, errors};

    pub fn made(card: &PaidWith, value: &str, now_ms: i64) -> Answer {
        let token = json!({
            "type": card.card_type, "cardholder_name": card.holder, "exp_date": card.exp_date, "value": value,
        });
        let body = json!({
            "correlation_id": correlation(now_ms), "status": "success", "type": "FDToken", "token": token,
        });
        Answer::json(201, &body)
    }

    pub fn failed(refused: &Refused, now_ms: i64) -> Answer {
        let body = json!({
            "correlation_id": correlation(now_ms), "status": "failed", "Error": errors(refused), "type": "FDToken",
        });
        Answer::json(400, &body)
    }
}

/// What those say who guard the door.
pub(super) mod turned_away {
    use serde_json::json;

    use super::Answer;

    pub fn unknown_key() -> Answer {
        let detail = json!({"errorcode": "oauth.v2.InvalidApiKeyForGivenResource"});
        Answer::json(401, &json!({"fault": {"faultstring": "Invalid ApiKey for given resource", "detail": detail}}))
    }

    pub fn unknown_token() -> Answer {
        Answer::json(401, &json!({"error": "Access denied"}))
    }

    pub fn unsigned() -> Answer {
        Answer::json(403, &json!({"code": "403", "message": "HMAC validation Failure"}))
    }

    pub fn nowhere() -> Answer {
        Answer::json(404, &json!({"code": "404", "message": "Resource not found"}))
    }
}
