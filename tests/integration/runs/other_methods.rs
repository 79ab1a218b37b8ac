//! The last retry is made with another of the payer's methods, where the merchant's rules allow that.

use kessai_shared::ids::{Id, MethodId};
use kessai_shared::payment::asked::InstrumentFacts;
use kessai_shared::stored::payment::Stored;
use serde_json::{Value, json};

use super::{DAY, Shop};

const SETS: &str = "/sobjects/PaymentRetryRuleSet";

/// Codes of the sandbox: what approves, and what has too little money.
const APPROVES: u16 = 0;
const DECLINES: u16 = 9003;

/// Two retries, a day apart, of which the last may be made with another method.
fn rules(can_use_another: bool) -> Value {
    json!({
        "Name": "Patient", "Status": "Active", "IsDefaultRuleSet": true, "CanUseAltrnPaymentMethod": can_use_another,
        "DefaultRetryIntervalType": "Fixed", "DefaultIntervalValue": "1", "DefaultIntervalUnit": "Days",
        "DefaultMaximumRetryCount": 2,
    })
}

/// Of a payer who has these, in this order, the first attempt and all retries: with which methods they were made, which
/// of them was charged, and how the item ended.
struct Tried {
    methods: Vec<String>,
    charged: Vec<Value>,
    item: Value,
}

/// Another method that a payer has, with these members, which becomes another status.
struct Kept {
    code: u16,
    members: Value,
    status: Option<&'static str>,
}

fn kept(code: u16, members: Value) -> Kept {
    Kept { code, members, status: None }
}

impl Shop {
    /// Charges a payer whose own method always declines; what the others are called.
    async fn try_all(&self, account: &str, others: &[Kept]) -> (String, Vec<String>, Tried) {
        let own = self.keep(account, DECLINES, json!({})).await;
        let mut kept = Vec::new();
        for Kept { code, members, status } in others {
            // Each is newer than the one before.
            self.world.advance(std::time::Duration::from_secs(1)).await;
            let id = self.keep(account, *code, members.clone()).await;
            if let Some(status) = status {
                let path = format!("/commerce/payments/payment-methods/{id}");
                self.ask("PATCH", &path, None, &json!({ "status": status })).await;
            }
            kept.push(id);
        }
        let members = json!({ "defaultPaymentAccountId": account, "defaultPaymentMethodId": own });
        let schedule = self.schedule(account, &members).await;
        let before = self.charges().len();
        let run = self.start().await;
        self.ended(&run).await;
        for _ in 0..2 {
            self.world.advance(DAY).await;
            // Whatever is due by then, and what follows from it.
            while let Some((at, item)) = self.due().first().copied() {
                if at.since(self.world.now()) > DAY / 2 {
                    break;
                }
                self.world.advance(at.since(self.world.now())).await;
                self.look(item).await;
            }
        }
        let item = self.shown(&schedule).await["items"][0].clone();
        let charged = self.charges().split_off(before);
        (own, kept, Tried { methods: self.tried(account), charged, item })
    }

    /// With which methods an account was charged, attempt by attempt.
    fn tried(&self, account: &str) -> Vec<String> {
        let payments = self.world.payments.items().into_iter();
        let of_account = payments.filter_map(|item| {
            let payment = Stored::from_item(item).expect("a payment").payment;
            let first = payment.operations.into_iter().next().expect("an operation");
            let is_theirs = first.asked.details.account.as_ref().is_some_and(|of| of.as_str() == account);
            let InstrumentFacts::Stored(method) = first.asked.instrument? else { panic!("a stored method") };
            is_theirs.then_some((first.requested_at, method))
        });
        let mut tried: Vec<(_, MethodId)> = of_account.collect();
        tried.sort();
        tried.into_iter().map(|(_, method)| method.to_string()).collect()
    }
}

#[tokio::test]
async fn the_last_retry_alone_is_made_with_another_method_and_that_one_is_charged() {
    let shop = Shop::open().await;
    shop.ask("POST", SETS, None, &rules(true)).await;
    let elsewhere = || json!({ "PaymentGatewayId": shop.world.gateways["LOOK_UP"].to_string() });
    let auto_pay = || json!({ "IsAutoPayEnabled": true });
    let is_off = |code| Kept { code, members: auto_pay(), status: Some("Canceled") };
    // The account, what it has beside the method of the schedule, and which of that is taken.
    let rows = [
        ("only", vec![kept(APPROVES, json!({}))], Some(0)),
        ("newest", vec![kept(DECLINES, json!({})), kept(APPROVES, json!({}))], Some(1)),
        ("automatic", vec![kept(APPROVES, auto_pay()), kept(DECLINES, json!({}))], Some(0)),
        ("elsewhere", vec![kept(APPROVES, json!({})), kept(APPROVES, elsewhere())], Some(0)),
        ("canceled", vec![kept(APPROVES, json!({})), is_off(APPROVES)], Some(0)),
        ("none", vec![], None),
        ("not-here", vec![kept(APPROVES, elsewhere())], None),
    ];
    for (account, others, taken) in rows {
        let (own, others, tried) = shop.try_all(account, &others).await;
        let last = taken.map_or(&own, |taken| &others[taken]);
        assert_eq!(tried.methods, [&own, &own, last].map(|method| long(method)), "{account}");
        assert_eq!(tried.item["paymentRetryCount"], 2, "{account}");
        let (status, charges) = if taken.is_some() { ("Processed", 1) } else { ("Failed", 0) };
        assert_eq!((&tried.item["status"], tried.charged.len()), (&json!(status), charges), "{account}");
        assert_eq!(tried.item["paymentMethodId"], json!(long(last)), "{account}");
        for charge in tried.charged {
            assert_eq!(
                (&charge["reference"], &charge["amount"]),
                (&tried.item["paymentId"], &json!(1000)),
                "{account}"
            );
        }
    }
}

#[tokio::test]
async fn without_that_rule_each_retry_is_made_with_the_same_method() {
    let shop = Shop::open().await;
    shop.ask("POST", SETS, None, &rules(false)).await;
    let (own, _, tried) = shop.try_all("only", &[kept(APPROVES, json!({ "IsAutoPayEnabled": true }))]).await;
    assert_eq!(tried.methods, vec![long(&own); 3]);
    assert_eq!((&tried.item["status"], tried.charged.len()), (&json!("Failed"), 0));
}

/// As it is shown.
fn long(id: &str) -> String {
    Id::parse(id).expect("an id").to_string()
}
