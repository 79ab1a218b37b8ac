//! The models that there are, and an account at each that it can be tried with.

use super::Model;

/// A model, and how it is reached.
#[derive(Debug)]
pub struct Line {
    /// What the model calls itself, and what its path begins with.
    pub name: &'static str,
    /// Makes it of what its notices are signed with and of the URL at which payers reach it.
    pub make: fn(&str, &str) -> Box<dyn Model>,
    /// What stands before the 64 hexadecimal digits of what its notices are signed with.
    pub secret_prefix: &'static str,
    /// The adapters that speak to it, each with the path below the model that its base URL ends with.
    pub gateways: &'static [(&'static str, &'static str)],
    /// What an account there is known by.
    pub credential: &'static [(&'static str, &'static str)],
}

/// Every model.
pub const CATALOG: &[Line] = &[
    Line {
        name: "payjp",
        make: |secret, url| Box::new(super::payjp::Payjp::new(secret).at(url)),
        secret_prefix: "whook_",
        gateways: &[("payjp", "")],
        credential: &[("secretKey", "sk_test_0123456789abcdef")],
    },
    Line {
        name: "stripe",
        make: |secret, url| Box::new(super::stripe::Stripe::new(secret).at(url)),
        secret_prefix: "whsec_",
        gateways: &[("stripe", "")],
        credential: &[("secretKey", "sk_test_0123456789abcdef")],
    },
    Line {
        name: "adyen",
        make: |secret, url| Box::new(super::adyen::Adyen::new(secret).with_pages_at(url)),
        secret_prefix: "",
        gateways: &[("adyen", "/v71"), ("adyen-classic", "/pal/servlet/Payment/v68")],
        credential: &[("apiKey", "AQE0123456789abcdef0123456789"), ("merchantAccount", "KessaiDemo")],
    },
    Line {
        name: "komoju",
        make: |secret, url| Box::new(super::komoju::Komoju::new(secret).at(url)),
        secret_prefix: "",
        gateways: &[("komoju", "")],
        credential: &[("secretKey", "sk_test_0123456789abcdef")],
    },
    Line {
        name: "payeezy",
        make: |_, _| Box::new(super::payeezy::Payeezy::new(PAYEEZY_SECRET)),
        secret_prefix: "",
        gateways: &[("payeezy", "/v1")],
        credential: &[
            ("apiKey", "0123456789abcdef0123456789abcdef"),
            ("apiSecret", PAYEEZY_SECRET),
            ("token", "fdoa-0123456789abcdef0123456789abcdef"),
        ],
    },
];

/// Payeezy's requests are signed, so that both sides must know it.
const PAYEEZY_SECRET: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// Where the models are that were not told otherwise.
pub const DEFAULT_URL: &str = "http://127.0.0.1:9402";

impl Line {
    /// The model where all of them are at this URL.
    #[must_use]
    pub fn at(&self, url: &str, secret: &str) -> Box<dyn Model> {
        (self.make)(secret, &format!("{url}/{}", self.name))
    }

    /// What its notices are signed with, made of 64 hexadecimal digits.
    #[must_use]
    pub fn secret(&self, digits: &str) -> String {
        format!("{}{digits}", self.secret_prefix)
    }
}

/// The model of that name.
#[must_use]
pub fn line(name: &str) -> Option<&'static Line> {
    CATALOG.iter().find(|line| line.name == name)
}

/// Every model, with notices that are signed with what is made of these 64 hexadecimal digits.
#[must_use]
pub fn all(digits: &str) -> Vec<Box<dyn Model>> {
    CATALOG.iter().map(|line| line.at(DEFAULT_URL, &line.secret(digits))).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use kessai_shared::card::Secret;
    use kessai_shared::gateways::{Adapter, Credential};

    use super::*;

    const DIGITS: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

    #[test]
    fn every_model_is_called_as_its_line_says_and_its_account_is_one_at_its_adapters() {
        let names: BTreeSet<&str> = CATALOG.iter().map(|line| line.name).collect();
        assert_eq!(names.len(), CATALOG.len(), "each name once");
        for (model, line) in all(DIGITS).iter().zip(CATALOG) {
            assert_eq!(model.name(), line.name);
            for (name, _) in line.gateways {
                let adapter = Adapter::named(name).unwrap_or_else(|| panic!("{name}: no such adapter"));
                let member = |(name, text): &(&str, &str)| ((*name).to_owned(), Secret::new((*text).to_owned()));
                let members: BTreeMap<_, _> = line.credential.iter().map(member).collect();
                assert!(Credential::of(members, adapter.credential).is_ok(), "{name}");
            }
        }
    }
}
