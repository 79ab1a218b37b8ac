//! At the model of every gateway money moves as it is asked for, once, and the model's ledger says so.

use kessai_functions::models::catalog::CATALOG;
use serde_json::{Value, json};

use crate::harness::{Client, Kessai};

/// What is asked of the gateway of an adapter, and what is different there.
struct Plan {
    adapter: &'static str,
    currency: &'static str,
    /// What is held, sold and released, and what is taken of a hold and given back: as it is asked for, in minor units.
    whole: (&'static str, i64),
    part: (&'static str, i64),
    /// What an issuer declines.
    declined: &'static str,
    card: &'static str,
    /// It takes no card numbers for payments, only methods that it keeps.
    keeps_first: bool,
    /// What a capture bears there, and what a reversal does.
    capture: Named,
    reversal: Named,
    /// Something can be asked of it that changes nothing.
    has_check: bool,
}

/// By which name of ours a gateway knows an operation.
#[derive(Clone, Copy)]
enum Named {
    ItsOwn,
    TheHolds,
    None,
}

const PLAN: Plan = Plan {
    adapter: "",
    currency: "USD",
    whole: ("12.34", 1_234),
    part: ("10.00", 1_000),
    declined: "90.03",
    card: "4242424242424242",
    keeps_first: false,
    capture: Named::ItsOwn,
    reversal: Named::ItsOwn,
    has_check: true,
};

const YEN: Plan = Plan {
    currency: "JPY",
    whole: ("1000", 1_000),
    part: ("600", 600),
    declined: "9003",
    capture: Named::TheHolds,
    reversal: Named::TheHolds,
    ..PLAN
};

const EURO: Plan = Plan { currency: "EUR", card: "4111111111111111", ..PLAN };

/// One for each adapter that a model speaks to.
const PLANS: [Plan; 6] = [
    Plan { adapter: "payjp", keeps_first: true, ..YEN },
    Plan { adapter: "stripe", keeps_first: true, reversal: Named::None, ..PLAN },
    Plan { adapter: "adyen", ..EURO },
    Plan { adapter: "adyen-classic", ..EURO },
    Plan { adapter: "komoju", ..YEN },
    Plan { adapter: "payeezy", has_check: false, ..PLAN },
];

/// Each with the model that it speaks to.
fn plans() -> impl Iterator<Item = (&'static Plan, &'static str)> {
    let known = CATALOG.iter().flat_map(|line| line.gateways.iter().map(move |(adapter, _)| (*adapter, line.name)));
    let known: Vec<_> = known.collect();
    assert_eq!(known.iter().map(|(adapter, _)| *adapter).collect::<Vec<_>>(), PLANS.map(|plan| plan.adapter));
    PLANS.iter().zip(known).map(|(plan, (_, model))| (plan, model))
}

/// A gateway at a model, and what moved money there before.
struct Shop<'a> {
    client: &'a Client,
    plan: &'a Plan,
    model: &'static str,
    gateway: &'a str,
    before: usize,
}

impl<'a> Shop<'a> {
    fn open(client: &'a Client, plan: &'a Plan, model: &'static str) -> Self {
        let gateway = client.gateway(&plan.adapter.to_uppercase().replace('-', "_"));
        let shop = Self { client, plan, model, gateway, before: 0 };
        Self { before: shop.ledger().len(), ..shop }
    }

    /// All that moved money at the model since, but for when that was and how the model calls it.
    fn ledger(&self) -> Vec<Value> {
        let path = format!("/ledger?model={}", self.model);
        let ledger = self.client.control("GET", "MODELS_URL", &path, &Value::Null);
        let mut effects = ledger.at("/effects").as_array().cloned().expect("effects").split_off(self.before);
        for effect in effects.iter_mut().filter_map(Value::as_object_mut) {
            effect.retain(|member, _| !["at", "id", "model"].contains(&member.as_str()));
        }
        effects
    }

    fn card(&self) -> Value {
        json!({
            "cardNumber": self.plan.card, "cardType": "Visa", "cardCategory": "CreditCard", "expiryMonth": 3,
            "expiryYear": 2030, "cvv": "737", "cardHolderName": "Carol Smith", "cardHolderFirstName": "Carol",
            "cardHolderLastName": "Smith", "accountId": "001000000000001",
        })
    }

    /// What is paid with.
    fn method(&self) -> Value {
        if !self.plan.keeps_first {
            return json!({ "cardPaymentMethod": self.card() });
        }
        let kept = json!({
            "cardPaymentMethod": self.card(), "paymentGatewayId": self.gateway, "email": "carol@example.com",
        });
        let made = self.client.post("payment-methods", Some(&self.key("method")), &kept).expect(201);
        json!({ "id": made.at("/paymentMethod/id") })
    }

    fn key(&self, name: &str) -> String {
        format!("{} {name}", self.plan.adapter)
    }

    fn opening(&self, amount: &str, method: &Value) -> Value {
        json!({
            "accountId": "001000000000001", "amount": amount, "currencyIsoCode": self.plan.currency,
            "paymentGatewayId": self.gateway, "paymentMethod": method,
            "additionalData": { "returnUrl": "https://shop.example/back" },
        })
    }

    /// Asks for it, and for the same again; its id once it is carried out: at once, or when the gateway has told.
    fn done(&self, name: &str, path: &str, body: &Value, records: &str) -> String {
        let ask = || self.client.post(path, Some(&self.key(name)), body);
        let first = ask();
        assert!([201, 202].contains(&first.status), "{}: {} {}", self.key(name), first.status, first.text);
        // How it stands may have changed: the gateway tells whenever it likes.
        assert_eq!(ask().id(), first.id(), "{}", self.key(name));
        if first.record_status() == "Pending" {
            // What is decided later is told a second later.
            self.client.advance("PT1M");
        }
        let id = first.id();
        let settled = self.client.settled(&format!("{records}/{id}"));
        assert_eq!(settled.record_status(), "Processed", "{}: {}", self.key(name), settled.text);
        id
    }

    fn is_declined(&self, method: &Value) {
        let declined =
            self.client.post("sales", Some(&self.key("declined")), &self.opening(self.plan.declined, method));
        let how = (declined.status, declined.result_code());
        assert_eq!(how, (402, "Decline".to_owned()), "{}: {}", self.plan.adapter, declined.text);
    }
}

#[test]
fn at_every_model_money_moves_once_as_it_is_asked_for() {
    let kessai = Kessai::with_models();
    for (plan, model) in plans() {
        let shop = Shop::open(&kessai.client, plan, model);
        let method = shop.method();
        let (hold, whole) = (shop.opening(plan.whole.0, &method), json!({ "amount": plan.whole.0 }));
        let part = json!({ "amount": plan.part.0 });
        let held = shop.done("hold", "authorizations", &hold, "authorizations");
        let taken = shop.done("capture", &format!("authorizations/{held}/captures"), &part, "payments");
        let given = shop.done("refund", &format!("payments/{taken}/refunds"), &part, "refunds");
        let other = shop.done("another hold", "authorizations", &hold, "authorizations");
        let reversals = format!("authorizations/{other}/reversals");
        let freed = shop.done("reversal", &reversals, &whole, &reversals);
        let sold = shop.done("sale", "sales", &hold, "payments");
        shop.is_declined(&method);
        let named = |how, own, hold| match how {
            Named::ItsOwn => own,
            Named::TheHolds => hold,
            Named::None => String::new(),
        };
        let effects = [
            ("authorize", plan.whole, held.clone()),
            ("capture", plan.part, named(plan.capture, taken, held)),
            ("refund", plan.part, given),
            ("authorize", plan.whole, other.clone()),
            ("reverse", plan.whole, named(plan.reversal, freed, other)),
            ("sale", plan.whole, sold),
        ];
        let expected = effects.map(|(act, (_, minor), reference)| {
            json!({
                "act": act, "amount": minor, "currency": plan.currency, "reference": reference, "undone": false,
            })
        });
        assert_eq!(shop.ledger(), expected, "{}", plan.adapter);
    }
}

#[test]
fn an_account_is_checked_where_something_can_be_asked_that_changes_nothing() {
    let kessai = Kessai::with_models();
    for (plan, model) in plans() {
        let shop = Shop::open(&kessai.client, plan, model);
        let check = format!("sobjects/PaymentGateway/{}/check", shop.gateway);
        let checked = kessai.client.ask("POST", &check, None, &json!({}));
        if plan.has_check {
            assert_eq!((checked.status, checked.at("/ok")), (200, json!(true)), "{}: {}", plan.adapter, checked.text);
        } else {
            let said = json!([{
                "errorCode": "NOT_SUPPORTED",
                "message": "gatewayId: nothing can be asked of this gateway that changes nothing",
            }]);
            assert_eq!((checked.status, checked.json()), (422, said), "{}", plan.adapter);
        }
        assert_eq!(shop.ledger(), [] as [Value; 0], "{}", plan.adapter);
    }
}
