//! The ways to pay that an account offers: whoever may list them has a key that works.

use serde::Deserialize;

use super::send::plain;
use crate::gateways::wire::get;
use crate::gateways::{Account, Offer};
use crate::ports::{HttpRequest, HttpResponse};

#[derive(Deserialize)]
struct MethodBody {
    type_slug: String,
    name_en: Option<String>,
    currency: Option<String>,
}

pub(super) fn encode(account: &Account<'_>) -> HttpRequest {
    get(account, "payment_methods", plain(account))
}

pub(super) fn decode(response: &HttpResponse) -> Result<Vec<Offer>, String> {
    match response.status {
        200 => {}
        401 => return Err("KOMOJU does not take the secret key".to_owned()),
        403 => return Err("the secret key may not list the payment methods".to_owned()),
        status => return Err(format!("KOMOJU answered {status}")),
    }
    let methods: Vec<MethodBody> = serde_json::from_slice(&response.body)
        .map_err(|_| "KOMOJU answered something else than its payment methods".to_owned())?;
    let offer = |MethodBody { type_slug, name_en, currency }| Offer {
        label: name_en.filter(|name| !name.is_empty()).unwrap_or_else(|| type_slug.clone()),
        name: type_slug,
        currency,
    };
    Ok(methods.into_iter().map(offer).collect())
}
