//! What a world must know of a gateway beside what its adapter says.

use kessai_functions::models::adyen::Adyen;
use kessai_functions::models::komoju::Komoju;
use kessai_functions::models::payeezy::Payeezy;
use kessai_functions::models::payjp::Payjp;
use kessai_functions::models::stripe::Stripe;
use kessai_functions::models::{Model, Webhook};
use kessai_functions::sandbox::Class;
use kessai_shared::card::Secret;
use kessai_shared::gateways::{Adapter, signatures};
use kessai_shared::money::Currency;
use kessai_shared::payment::Reach;

use super::sandbox::{self, Sandbox};
use crate::cast::MERCHANTS;

/// The gateways of which there is a model, by their adapters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Played {
    /// The sandbox, as a model among models: it shows that this world finds nothing where nothing is.
    Sandbox,
    Payjp,
    Komoju,
    Adyen,
    AdyenClassic,
    Payeezy,
    Stripe,
}

/// How a gateway is set up, and in which words it says what a world has it say.
pub struct Facts {
    /// As its adapter is called.
    pub name: &'static str,
    /// A model whose notices are signed by this secret.
    pub model: fn(&str) -> Box<dyn Model>,
    pub currency: &'static str,
    pub credential: &'static [(&'static str, &'static str)],
    /// By which its notices to each merchant are signed.
    pub notice_secrets: [&'static str; MERCHANTS],
    /// What callers add to what opens a payment.
    pub details: &'static [(&'static str, &'static str)],
    /// Whether it takes raw cards from a server.
    pub takes_cards: bool,
    /// Whether a part of a hold can be given up.
    pub reverses_parts: bool,
    /// What stands for the stored method there; none where it is asked for a token first.
    pub token: Option<&'static str>,
    /// Whether a refusal is found again under its key, by what the gateway documents.
    pub refusals_repeat: bool,
    /// What it answers to too many requests, and to one that comes while the first under its key runs.
    pub throttled: (u16, &'static str),
    pub in_progress: (u16, &'static str),
    /// What is signed anew whenever it is sent.
    pub signed_anew: Option<fn(&mut Webhook, &str, i64)>,
    /// Magic amounts beyond those of declines that the model knows, and that its adapter takes.
    pub magic: &'static [i64],
}

/// Members of credentials that are no secrets.
const PUBLIC: [&str; 4] = ["merchantAccount", "tokenCurrency", "apiVersion", "taToken"];

const SANDBOX: Facts = Facts {
    name: "sandbox-keyed",
    model: |secret| Box::new(Sandbox::new(secret)),
    currency: "USD",
    credential: &[],
    notice_secrets: ["whsec_simulated_0", "whsec_simulated_1"],
    details: &[],
    takes_cards: true,
    reverses_parts: true,
    token: Some("8Zq000000000000000"),
    refusals_repeat: true,
    throttled: (429, ""),
    in_progress: (409, r#"{"code":"in_progress"}"#),
    signed_anew: Some(sandbox::sign),
    magic: MAGIC,
};

const MAGIC: &[i64] = &[9_018, 9_019, 9_021, 9_022, 9_023, 9_024];

const PAYJP: Facts = Facts {
    name: "payjp",
    model: |secret| Box::new(Payjp::new(secret).at(PAYERS)),
    currency: "JPY",
    credential: &[("secretKey", "sk_test_simulated_0123456789")],
    notice_secrets: ["whook_simulated_0", "whook_simulated_1"],
    details: &[("returnUrl", RETURN_URL)],
    takes_cards: false,
    reverses_parts: false,
    token: None,
    refusals_repeat: false,
    throttled: (429, r#"{"title":"Too Many Requests","status":429,"code":"over_capacity"}"#),
    in_progress: (409, r#"{"title":"Conflict","status":409,"code":"idempotency_conflict"}"#),
    signed_anew: None,
    magic: MAGIC,
};

const KOMOJU: Facts = Facts {
    name: "komoju",
    model: |secret| Box::new(Komoju::new(secret).at(PAYERS)),
    currency: "JPY",
    credential: &[("secretKey", "sk_simulated_0123456789")],
    notice_secrets: ["webhook_simulated_0", "webhook_simulated_1"],
    details: &[("returnUrl", RETURN_URL)],
    takes_cards: true,
    reverses_parts: false,
    token: None,
    refusals_repeat: false,
    throttled: (429, r#"{"error":{"code":"too_many_requests","message":"Too many requests"}}"#),
    in_progress: (409, ""),
    signed_anew: None,
    magic: MAGIC,
};

const PAYEEZY: Facts = Facts {
    name: "payeezy",
    model: |_| Box::new(Payeezy::new(PAYEEZY_SECRET)),
    currency: "USD",
    credential: &[
        ("apiKey", "key_simulated_0123456789"),
        ("apiSecret", PAYEEZY_SECRET),
        ("token", "fdoa-simulated_0123456789"),
        ("taToken", "NOIW"),
    ],
    notice_secrets: ["no_notice_0", "no_notice_1"],
    details: &[],
    takes_cards: true,
    reverses_parts: false,
    token: None,
    refusals_repeat: true,
    throttled: (429, r#"{"code":"Transaction_Throttled","message":"Too many transactions"}"#),
    in_progress: (409, ""),
    signed_anew: None,
    magic: MAGIC,
};

const STRIPE: Facts = Facts {
    name: "stripe",
    model: |secret| Box::new(Stripe::new(secret).at(PAYERS)),
    currency: "USD",
    credential: &[("secretKey", "sk_test_simulated0123456789")],
    notice_secrets: ["whsec_simulated_0", "whsec_simulated_1"],
    details: &[("returnUrl", RETURN_URL)],
    takes_cards: true,
    reverses_parts: false,
    token: None,
    refusals_repeat: true,
    throttled: (429, r#"{"error":{"type":"rate_limit_error","code":"rate_limit","message":"Too many requests"}}"#),
    in_progress: (409, r#"{"error":{"type":"invalid_request_error","code":"idempotency_key_in_use","message":"m"}}"#),
    signed_anew: Some(sign_as_stripe),
    magic: MAGIC,
};

/// Each attempt has a signature of its own.
fn sign_as_stripe(webhook: &mut Webhook, secret: &str, now_ms: i64) {
    let seconds = now_ms.div_euclid(1_000);
    let secret = Secret::new(secret.to_owned());
    let signed = signatures::stripe(seconds, webhook.body.as_bytes(), &secret).unwrap_or_default();
    for (name, value) in &mut webhook.headers {
        if name.eq_ignore_ascii_case("stripe-signature") {
            *value = format!("t={seconds},v1={signed}");
        }
    }
}

const ADYEN: Facts = Facts {
    name: "adyen",
    model: |secret| Box::new(Adyen::new(secret).with_pages_at(PAYERS)),
    currency: "EUR",
    credential: &[("apiKey", "key_simulated_0123456789"), ("merchantAccount", "Simulated")],
    notice_secrets: [
        "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056",
        "54782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056",
    ],
    details: &[("returnUrl", RETURN_URL)],
    takes_cards: true,
    reverses_parts: false,
    token: None,
    refusals_repeat: true,
    throttled: (429, ""),
    in_progress: (
        409,
        r#"{"status":409,"errorCode":"704","message":"request already processed or in progress","errorType":"validation"}"#,
    ),
    signed_anew: None,
    magic: MAGIC,
};

const ADYEN_CLASSIC: Facts = Facts {
    name: "adyen-classic",
    credential: &[("apiKey", "key_simulated_0123456789"), ("merchantAccount", "Simulated"), ("tokenCurrency", "EUR")],
    details: &[],
    ..ADYEN
};

const PAYEEZY_SECRET: &str = "secret_simulated_0123456789";

/// Where payers come back to, and where they are sent to.
const RETURN_URL: &str = "https://shop.example/back";
const PAYERS: &str = "https://payers.example";

impl Played {
    pub const ALL: [Self; 7] =
        [Self::Sandbox, Self::Payjp, Self::Komoju, Self::Adyen, Self::AdyenClassic, Self::Payeezy, Self::Stripe];

    pub fn facts(self) -> &'static Facts {
        match self {
            Self::Sandbox => &SANDBOX,
            Self::Payjp => &PAYJP,
            Self::Komoju => &KOMOJU,
            Self::Adyen => &ADYEN,
            Self::AdyenClassic => &ADYEN_CLASSIC,
            Self::Payeezy => &PAYEEZY,
            Self::Stripe => &STRIPE,
        }
    }

    /// The gateway whose adapter bears this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|played| played.facts().name == name)
    }

    pub fn adapter(self) -> &'static Adapter {
        Adapter::named(self.facts().name).expect("an adapter for each model")
    }

    pub fn currency(self) -> Currency {
        Currency::parse(self.facts().currency).expect("a currency")
    }

    /// What must not rest.
    pub fn secrets(self) -> impl Iterator<Item = &'static str> {
        let facts = self.facts();
        let token = facts.token.is_none().then_some(self.set_ups().token.as_str());
        let members = facts.credential.iter().filter(|(name, _)| !PUBLIC.contains(name)).map(|(_, text)| *text);
        members.chain(facts.notice_secrets).chain(token)
    }

    /// The class of the sandbox that it is most like.
    pub fn class(self) -> Class {
        let adapter = self.adapter();
        let reach = |way: Option<Reach>| way.is_some_and(|reach| reach != Reach::Nothing);
        if adapter.key_window.is_some() {
            Class::Keyed
        } else if reach(adapter.look_up.map(|(reach, _)| reach)) {
            Class::LookUp
        } else if reach(adapter.timeout_reversal.map(|(reach, _)| reach)) {
            Class::TimeoutReversal
        } else {
            Class::None
        }
    }
}
