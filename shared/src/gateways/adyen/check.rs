//! Whether an account works, by a request that changes nothing.
//!
//! Checkout lists the ways to pay that it offers the account. The older dialect has no such question: the result of an
//! authentication that never was is asked for, which Adyen refuses as wrong (422) only after it has let us in.

use serde::{Deserialize, Serialize};

use super::{headers, merchant_account};
use crate::gateways::wire::post_json;
use crate::gateways::{Account, Check, Offer};
use crate::ports::{HttpRequest, HttpResponse};

pub(super) const CHECKOUT: Check = Check { encode: encode_checkout, decode: decode_checkout };
pub(super) const CLASSIC: Check = Check { encode: encode_classic, decode: decode_classic };

/// No payment has this reference: Adyen's are never all zeros.
const NOBODY: &str = "0000000000000000";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Question<'a> {
    merchant_account: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    psp_reference: Option<&'static str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Methods {
    #[serde(default)]
    payment_methods: Vec<Method>,
}

#[derive(Deserialize)]
struct Method {
    #[serde(rename = "type")]
    method_type: String,
    name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ErrorBody {
    error_code: String,
    message: Option<String>,
}

fn encode_checkout(account: &Account<'_>) -> HttpRequest {
    let body = Question { merchant_account: merchant_account(account), psp_reference: None };
    post_json(account, "paymentMethods", headers(account, None), &body)
}

fn decode_checkout(response: &HttpResponse) -> Result<Vec<Offer>, String> {
    if response.status != 200 {
        return Err(said(response));
    }
    let methods: Methods = serde_json::from_slice(&response.body).map_err(|_| unreadable(response))?;
    let offer = |method: Method| {
        let label = method.name.unwrap_or_else(|| method.method_type.clone());
        Offer { name: method.method_type, label, currency: None }
    };
    Ok(methods.payment_methods.into_iter().map(offer).collect())
}

fn encode_classic(account: &Account<'_>) -> HttpRequest {
    let body = Question { merchant_account: merchant_account(account), psp_reference: Some(NOBODY) };
    post_json(account, "getAuthenticationResult", headers(account, None), &body)
}

fn decode_classic(response: &HttpResponse) -> Result<Vec<Offer>, String> {
    let is_readable = serde_json::from_slice::<ErrorBody>(&response.body).is_ok();
    match response.status {
        200 => Ok(Vec::new()),
        422 if is_readable => Ok(Vec::new()),
        _ => Err(said(response)),
    }
}

fn said(response: &HttpResponse) -> String {
    match serde_json::from_slice::<ErrorBody>(&response.body) {
        Ok(ErrorBody { error_code, message }) => {
            format!("HTTP {}, error {error_code}: {}", response.status, message.unwrap_or_default())
        }
        Err(_) => unreadable(response),
    }
}

fn unreadable(response: &HttpResponse) -> String {
    format!("HTTP {}, and nothing that Adyen would say", response.status)
}
