//! `kessai methods`: the stored payment methods of an account. It needs a key with the scope `read`.

use clap::Args;
use kessai_shared::ids::MethodId;
use kessai_shared::payment::asked::AccountId;
use serde_json::Value;

use super::api::{API_KEY, SET_UP_KEY, To};
use super::text::{Column, at, table};
use super::{Asking, id};

const COLUMNS: &[Column] = &[
    ("ID", &["/id"]),
    ("TYPE", &["/type"]),
    ("STATUS", &["/status"]),
    ("NAME", &["/nickName"]),
    ("CARD", &["/paymentMethodDetails/cardPaymentMethod/cardType", "/paymentMethodDetails/bankPaymentMethod/bankType"]),
    (
        "LAST FOUR",
        &["/paymentMethodDetails/cardPaymentMethod/cardLastFour", "/paymentMethodDetails/bankPaymentMethod/last4"],
    ),
    ("MONTH", &["/paymentMethodDetails/cardPaymentMethod/expiryMonth"]),
    ("YEAR", &["/paymentMethodDetails/cardPaymentMethod/expiryYear"]),
    ("AUTO PAY", &["/autoPay"]),
    ("CREATED", &["/createdDate"]),
    ("GATEWAY", &["/paymentGatewayId"]),
];

/// The key is in KESSAI_API_KEY, or else in KESSAI_SET_UP_KEY, and needs the scope read.
#[derive(Debug, Args)]
pub struct Methods {
    /// Whose methods
    #[arg(long, value_name = "ID", value_parser = account)]
    account: String,
    /// Methods at most, 1 to 100 [default: 20]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=100))]
    page_size: Option<u16>,
    /// Go on from there: nextPageToken of the page before
    #[arg(long, value_name = "TOKEN", value_parser = id(MethodId::parse))]
    page_token: Option<MethodId>,
    #[command(flatten)]
    to: To,
}

fn account(text: &str) -> Result<String, String> {
    let read = AccountId::parse(text).ok_or_else(|| "must be 1 to 64 of A-Z a-z 0-9 . _ -".to_owned());
    read.map(|account| account.as_str().to_owned())
}

impl Methods {
    pub(super) fn asking(self) -> Asking {
        let size = self.page_size.map(|size| format!("&pageSize={size}")).unwrap_or_default();
        let token = self.page_token.map(|token| format!("&pageToken={token}")).unwrap_or_default();
        let path = format!("/commerce/payments/payment-methods?accountId={}{size}{token}", self.account);
        let reads = |answer: &Value| {
            let methods = table(answer.get("paymentMethods").unwrap_or(&Value::Null), COLUMNS);
            match answer.get("nextPageToken") {
                Some(_) => format!("{methods}\n\nThe next page: --page-token {}", at(answer, "/nextPageToken")),
                None => methods,
            }
        };
        Asking { keys: [API_KEY, SET_UP_KEY], ..Asking::get(self.to, path, reads) }
    }
}
