//! What each adapter takes: one account, one amount, and what is paid with there.

use crate::card::{Card, Cvv, Expiry, Pan, Secret};
use crate::method;
use crate::money::Currency;
use crate::payment::asked::{Address, Details, OnFile};
use crate::payment::tests::fixtures::method_id;
use crate::payment::{Answer, Instrument};

/// The card's number and CVV, which stand in nothing else.
pub(super) const NUMBER: &str = "4242424242424242";
pub(super) const CVV: &str = "9738";

pub(super) struct Sample {
    /// Secret members of the credential.
    pub credential: &'static [(&'static str, &'static str)],
    /// Its other members.
    pub settings: &'static [(&'static str, &'static str)],
    pub minor: i64,
    currency: &'static str,
    /// A stored token, and one that a browser obtained.
    stored: &'static str,
    brought: &'static str,
    /// What its own name for an operation leaves out.
    reference_details: Option<&'static str>,
    /// What preparing for a token comes to.
    pub prepared: &'static str,
}

/// As most gateways have it.
const PLAIN: Sample = Sample {
    credential: &[],
    settings: &[],
    minor: 12_050,
    currency: "USD",
    stored: "cus_1/pm_1abcdefgh",
    brought: "pm_1abcdefgh",
    reference_details: None,
    prepared: "pm_1abcdefgh",
};

const SECRET_KEY: &[(&str, &str)] = &[("secretKey", "sk_test_c2VjcmV0b2Z0ZXN0")];

/// A token of Payeezy is the whole object.
const FD_TOKEN: &str =
    r#"{"type":"Visa","value":"2537446225198291","cardholder_name":"Carol Smith","exp_date":"1230"}"#;

/// By the adapter's name; one that is not named here takes what most do, and is known by nothing.
pub(super) fn sample(adapter: &str) -> Sample {
    match adapter {
        "payjp" | "komoju" => Sample { credential: SECRET_KEY, minor: 5_000, currency: "JPY", ..PLAIN },
        "stripe" => Sample { credential: SECRET_KEY, ..PLAIN },
        "adyen" => Sample {
            credential: &[("apiKey", "AQEqhmfuXNWTK0Qc-secret")],
            settings: &[("merchantAccount", "ShopECOM"), ("returnUrl", "https://shop.test/back")],
            ..PLAIN
        },
        "adyen-classic" => Sample {
            credential: &[("apiKey", "AQEqhmfuXNWTK0Qc-secret")],
            settings: &[("merchantAccount", "ShopECOM"), ("tokenCurrency", "EUR")],
            ..PLAIN
        },
        "payeezy" => Sample {
            credential: &[
                ("apiKey", "y6pWAJNyJyjGv66I-key"),
                ("apiSecret", "86fbae7030253af3-secret"),
                ("token", "fdoa-a480ce8951daa732"),
                ("taToken", "NOIW"),
            ],
            stored: FD_TOKEN,
            brought: FD_TOKEN,
            reference_details: Some(r#"{"transaction_id":"ET176427","method":"credit_card"}"#),
            ..PLAIN
        },
        _ => PLAIN,
    }
}

impl Sample {
    pub fn currency(&self) -> Currency {
        Currency::parse(self.currency).expect("a currency")
    }

    pub fn card() -> Instrument {
        let card = Card {
            number: Pan::parse(NUMBER).expect("a card number"),
            expiry: Expiry { month: 12, year: 2030 },
            cvv: Cvv::parse(CVV),
            holder: Some("Carol Smith".to_owned()),
            card_type: None,
        };
        Instrument::Card { card: Box::new(card), address: Address::default() }
    }

    /// All ways to pay, whether the gateway takes them or not: nothing may break over one that was not admitted.
    pub fn instruments(&self) -> Vec<Instrument> {
        let stored = OnFile { token: Some(Secret::new(self.stored.to_owned())), ..OnFile::unopened(method_id()) };
        let brought = Instrument::Alternative {
            token: Secret::new(self.brought.to_owned()),
            token_details: None,
            name: None,
            email: None,
            address: Address::default(),
        };
        vec![Self::card(), Instrument::Stored(stored), brought]
    }

    /// With everything that a gateway may want to hear.
    pub fn details(&self) -> Details {
        Details {
            email: Some("carol@example.com".to_owned()),
            additional_data: additional_data(),
            ..Details::default()
        }
    }

    pub fn token_details(&self) -> method::Details {
        let email = Some("carol@example.com".to_owned());
        let sender = method::Sender { additional_data: additional_data(), ..method::Sender::default() };
        method::Details { email, sender, ..method::Details::default() }
    }

    /// What the gateway said of an operation that it has taken.
    pub fn answer(&self) -> Answer {
        Answer {
            reference: Some("pi_3abcdefgh".to_owned()),
            reference_details: self.reference_details.map(str::to_owned),
            ..Answer::default()
        }
    }
}

fn additional_data() -> std::collections::BTreeMap<String, String> {
    let members = [
        ("reference", "pi_3abcdefgh"),
        ("returnUrl", "https://shop.test/back"),
        ("customerId", "cus_1"),
        ("shopperReference", "shopper-1"),
    ];
    members.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect()
}
