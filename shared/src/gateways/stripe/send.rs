//! What Stripe is asked, operation by operation. A request is the same however often it is made: Stripe refuses a key that
//! comes with other parameters.

use super::super::wire::{Form, escaped, get, post_form};
use super::super::{Account, Intent};
use super::{CUSTOMER, REFERENCE, RETURN_URL, headers, is_whole, units};
use crate::card::{Card, Cvv, Secret};
use crate::payment::asked::{Address, RefundReason};
use crate::payment::{Instrument, Kind};
use crate::ports::HttpRequest;

/// What a card is called among the ways to pay.
pub(super) const CARD: &str = "card";

pub(super) fn encode(intent: &Intent<'_>, account: &Account<'_>) -> HttpRequest {
    let target = escaped(intent.target.map_or("", |target| target.reference));
    let post = |path: &str, form| post_form(account, path, headers(account, Some(&intent.key)), form);
    match intent.kind {
        Kind::Authorize | Kind::Sale => post("v1/payment_intents", opening(intent, account)),
        Kind::PostAuthorize => {
            let named = intent.details.additional_data.get(REFERENCE).map_or("", String::as_str);
            intent_of(account, named)
        }
        Kind::Capture { .. } => {
            let form = Form::default().with("amount_to_capture", &amount(intent));
            let reference = Some(intent.reference.as_str()).filter(|_| is_whole(account));
            let form = form.with_some("metadata[reference]", reference);
            post(&format!("v1/payment_intents/{target}/capture"), form)
        }
        Kind::Reverse { .. } => post(&format!("v1/payment_intents/{target}/cancel"), Form::default()),
        Kind::Refund { reason, .. } => {
            let reason = reason.map(RefundReason::literal).filter(|_| is_whole(account));
            let form = Form::default()
                .with("payment_intent", intent.target.map_or("", |target| target.reference))
                .with("amount", &amount(intent))
                .with_some("reason", reason)
                .with("metadata[reference]", &intent.reference);
            post("v1/refunds", form)
        }
    }
}

/// Asks for what Stripe has given a name: the intent, of whichever operation of it, or the refund.
pub(super) fn encode_look_up(intent: &Intent<'_>, account: &Account<'_>) -> HttpRequest {
    let named = intent.known.map_or("", |known| known.reference);
    match intent.kind {
        Kind::Refund { .. } => get(account, &format!("v1/refunds/{}", escaped(named)), headers(account, None)),
        Kind::Authorize | Kind::PostAuthorize | Kind::Sale | Kind::Capture { .. } | Kind::Reverse { .. } => {
            intent_of(account, named)
        }
    }
}

fn intent_of(account: &Account<'_>, named: &str) -> HttpRequest {
    let path = format!("v1/payment_intents/{}?expand%5B%5D=latest_charge", escaped(named));
    get(account, &path, headers(account, None))
}

/// In Stripe's units. What has none was refused.
fn amount(intent: &Intent<'_>) -> String {
    units(intent.amount).unwrap_or_default().to_string()
}

fn opening(intent: &Intent<'_>, account: &Account<'_>) -> Form {
    let details = intent.details;
    let capture_method = if *intent.kind == Kind::Sale { "automatic" } else { "manual" };
    let form = Form::default()
        .with("amount", &amount(intent))
        .with("currency", &intent.amount.currency.code().to_ascii_lowercase())
        .with("capture_method", capture_method)
        .with("confirm", "true")
        .with("metadata[reference]", &intent.reference)
        .with("expand[]", "latest_charge");
    let named = details.additional_data.get(CUSTOMER).map(String::as_str);
    let form = match intent.instrument {
        Some(Instrument::Card { card, address }) => {
            let form = form.with("payment_method_types[]", CARD).with_some("customer", named);
            let (email, phone) = (details.email.as_deref(), details.phone.as_deref());
            with_card(form, "payment_method_data", &Holder { card, address, email, phone })
        }
        Some(Instrument::Stored(on_file)) => {
            let (customer, method) = parts(on_file.token.as_ref().map_or("", Secret::reveal));
            form.with("payment_method_types[]", on_file.gateway_type.as_deref().unwrap_or(CARD))
                .with_some("customer", customer.or(named))
                .with("payment_method", method)
        }
        Some(Instrument::Alternative { token, .. }) => {
            let (customer, method) = parts(token.reveal());
            form.with("payment_method_types[]", CARD)
                .with_some("customer", customer.or(named))
                .with("payment_method", method)
        }
        // Refused, both.
        Some(Instrument::Bank { .. }) | None => form,
    };
    let is_stored = matches!(intent.instrument, Some(Instrument::Stored(_)));
    match details.additional_data.get(RETURN_URL) {
        _ if is_stored && details.submitted_by_merchant => form.with("off_session", "true"),
        Some(url) if is_whole(account) => form.with("return_url", url),
        // The payer could not come back: better no payment than one that waits for ever.
        None if is_whole(account) => form.with("error_on_requires_action", "true"),
        Some(_) | None => form,
    }
}

/// The customer and the payment method of a token; the latter may stand alone.
pub(super) fn parts(token: &str) -> (Option<&str>, &str) {
    token.split_once('/').map_or((None, token), |(customer, method)| (Some(customer), method))
}

/// A card and whose it is.
pub(super) struct Holder<'a> {
    pub card: &'a Card,
    pub address: &'a Address,
    pub email: Option<&'a str>,
    pub phone: Option<&'a str>,
}

/// A new payment method, below this name; at the top where that is empty.
pub(super) fn with_card(form: Form, under: &str, holder: &Holder<'_>) -> Form {
    let Holder { card, address, email, phone } = holder;
    let name = |path: &str| match (under, path.split_once('[')) {
        ("", _) => path.to_owned(),
        (under, Some((first, rest))) => format!("{under}[{first}][{rest}"),
        (under, None) => format!("{under}[{path}]"),
    };
    // Stripe wants two letters; the wire takes whatever a country is called.
    let country = address.country.as_deref().filter(|country| country.len() == 2);
    form.with(&name("type"), CARD)
        .with(&name("card[number]"), card.number.reveal())
        .with(&name("card[exp_month]"), &card.expiry.month.to_string())
        .with(&name("card[exp_year]"), &card.expiry.year.to_string())
        .with_some(&name("card[cvc]"), card.cvv.as_ref().map(Cvv::reveal))
        .with_some(&name("billing_details[name]"), card.holder.as_deref())
        .with_some(&name("billing_details[email]"), *email)
        .with_some(&name("billing_details[phone]"), *phone)
        .with_some(&name("billing_details[address][line1]"), address.street.as_deref())
        .with_some(&name("billing_details[address][city]"), address.city.as_deref())
        .with_some(&name("billing_details[address][state]"), address.state.as_deref())
        .with_some(&name("billing_details[address][postal_code]"), address.postal_code.as_deref())
        .with_some(&name("billing_details[address][country]"), country)
}
