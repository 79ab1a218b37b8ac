//! What a notice only names is asked for at the provider's gateways, one after the other: one that is not there hinders no
//! other, and as long as one may yet know of it, the notice has to come again.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use kessai_functions::event::HttpAnswer;
use kessai_functions::local::identity::provider_id;
use kessai_shared::card::Secret;
use kessai_shared::gateways::{Credential, payjp};
use kessai_shared::ids::{GatewayId, Ordinal, PaymentId, ProviderId, Record};
use kessai_shared::merchant::{Gateway, GatewayMode, SharedWith};
use kessai_shared::payment::{Generation, IdempotencyKey};
use kessai_shared::ports::Store;
use kessai_shared::stored::merchant::{decode_merchant, encode_merchant, merchant_key};
use serde_json::{Value, json};

use super::Told;
use crate::in_process::NOTICE_SECRET;

/// Nobody listens there.
const NOWHERE: &str = "http://127.0.0.1:1";

/// Where a gateway is, and what it says when it is asked.
enum Place {
    Nowhere,
    Answering(u16, Value),
}

/// An account of the merchant's at PAY.JP, and what was asked there: method and path.
struct Account {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Account {
    fn at(place: Place) -> Self {
        let asked = Arc::default();
        let Place::Answering(status, body) = place else { return Self { url: NOWHERE.to_owned(), asked } };
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let ears = Arc::clone(&asked);
        std::thread::spawn(move || {
            // One that breaks off ends itself and nothing else.
            listener.incoming().flatten().for_each(|stream| drop(answer(stream, &ears, status, &body)));
        });
        Self { url, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("what was asked").clone()
    }
}

/// Writes down what it is asked before it answers.
fn answer(mut stream: TcpStream, asked: &Mutex<Vec<String>>, status: u16, body: &Value) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let line = first.rsplit_once(' ').map_or(first.as_str(), |(line, _)| line);
    asked.lock().expect("what was asked").push(line.to_owned());
    let body = body.to_string();
    let kind = if status == 200 { "application/json" } else { "application/problem+json" };
    let length = body.len();
    let head = format!("HTTP/1.1 {status} Said\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n");
    stream.write_all(format!("{head}connection: close\r\n\r\n{body}").as_bytes())
}

/// As PAY.JP says that it has no such flow.
fn knows_nothing() -> Place {
    let problem = json!({ "title": "Not Found", "status": 404, "code": "not_found", "detail": "no such flow" });
    Place::Answering(404, problem)
}

fn is_broken() -> Place {
    Place::Answering(500, json!({ "title": "Internal Server Error", "status": 500 }))
}

/// A flow that bears a name as ours are.
fn knows(reference: &str) -> Place {
    knows_in("jpy", reference)
}

fn knows_in(currency: &str, reference: &str) -> Place {
    let flow = json!({
        "id": "pfw_1", "amount": 100, "currency": currency, "status": "succeeded", "capture_method": "automatic",
        "amount_received": 100, "metadata": { "reference": reference },
    });
    Place::Answering(200, flow)
}

fn provider(told: &Told) -> ProviderId {
    provider_id(&told.0.merchant, "payjp").unwrap_or_else(|error| panic!("{error:?}"))
}

/// Leads the merchant's gateways at PAY.JP to these accounts; they are asked in the order of their ids.
async fn set_up(told: &Told, accounts: &[Account]) {
    let world = &told.0;
    let key = merchant_key(&world.merchant);
    let stored = world.merchants.read(&key).await.expect("memory").expect("the merchant");
    let mut merchant = decode_merchant(stored).expect("readable");
    merchant.gateways.retain(|_, gateway| gateway.adapter != "payjp");
    let mut ids = [0x51, 0x52].map(|seed| GatewayId::from_random([seed; 16]));
    ids.sort();
    let keys = world.app.shell.sealing_keys.as_ref().expect("keys");
    for (id, account) in ids.into_iter().zip(accounts) {
        let secret_key = Secret::new("sk_test_0123456789abcdef".to_owned());
        let members = BTreeMap::from([("secretKey".to_owned(), secret_key)]);
        let credential = Credential::of(members, payjp::PAYJP.credential).expect("a credential");
        let sealed = SharedWith::Gateway(id).seal(&world.merchant, keys, &credential.to_secret(), [7; 16]);
        let gateway = Gateway {
            provider: Some(provider(told)),
            sealed_credential: Some(sealed.expect("it is sealed")),
            // In test mode no limit is documented.
            mode: GatewayMode::Test,
            ..Gateway::at("payjp", &account.url)
        };
        merchant.gateways.insert(id, gateway);
    }
    world.merchants.put(encode_merchant(&merchant));
}

/// PAY.JP tells that a flow has succeeded, and not whose.
async fn tell(told: &Told) -> HttpAnswer {
    let path = format!("/commerce/payments/notify?provider={}", provider(told));
    let headers = [("content-type", "application/json"), ("x-payjp-webhook-token", NOTICE_SECRET)];
    let notice = json!({ "type": "payment_flow.succeeded", "data": { "id": "pfw_1" } });
    told.0.request("POST", &path, &headers, &notice).await.0
}

#[tokio::test]
async fn a_gateway_that_does_not_answer_hinders_no_other_and_the_notice_comes_again() {
    let told = Told::new().await;
    let payment = PaymentId::opened_by(&told.0.merchant, &IdempotencyKey::parse("never").expect("a key"));
    let reference = Record::Payment.id(payment, Ordinal::FIRST).to_string();
    // What each of them says, in the order of their ids; how often it is asked; what PAY.JP hears; what is kept by then.
    let rows = [
        ("nowhere, unknown", [Place::Nowhere, knows_nothing()], [0, 1], 503, 0),
        ("unknown, nowhere", [knows_nothing(), Place::Nowhere], [1, 0], 503, 0),
        ("broken, unknown", [is_broken(), knows_nothing()], [1, 1], 503, 0),
        ("unknown, unknown", [knows_nothing(), knows_nothing()], [1, 1], 200, 0),
        ("nowhere, known", [Place::Nowhere, knows(&reference)], [0, 1], 200, 1),
        ("known, unknown", [knows(&reference), knows_nothing()], [1, 0], 200, 1),
        ("a merchant's own name", [knows("order 1"), knows_nothing()], [1, 1], 200, 1),
    ];
    for (name, places, asked, status, kept) in rows {
        let accounts = places.map(Account::at);
        set_up(&told, &accounts).await;
        let answer = tell(&told).await;
        assert_eq!(answer.status_code, status, "{name}: {}", answer.body);
        for (account, times) in accounts.iter().zip(asked) {
            assert_eq!(account.asked(), vec!["GET /v2/payment_flows/pfw_1"; times], "{name}");
        }
        assert_eq!(told.0.archive.items().len(), kept, "{name}");
    }
}

#[tokio::test]
async fn an_approval_that_cannot_be_counted_is_noted_and_is_not_told_again() {
    let told = Told::new().await;
    let payment = PaymentId::opened_by(&told.0.merchant, &IdempotencyKey::parse("never").expect("a key"));
    let reference = Record::Payment.id(payment, Ordinal::FIRST).to_string();
    let accounts = [knows_in("usd", &reference), knows_nothing()].map(Account::at);
    set_up(&told, &accounts).await;
    assert_eq!(tell(&told).await.status_code, 200);
    assert_eq!((accounts[0].asked().len(), accounts[1].asked().len()), (1, 0), "no other account has it");
    assert!(told.0.archive.items().is_empty());
    let lines = told.0.lines();
    assert!(lines.iter().any(|line| line.contains("what a gateway was asked for a notice")), "{lines:?}");
}

/// Whoever was told by an account that has been replaced can be asked by nobody: a person should know.
#[tokio::test]
async fn what_no_gateway_knows_is_noted_where_an_account_was_replaced_and_only_there() {
    let told = Told::new().await;
    for (replaced, is_noted) in [(false, false), (true, true)] {
        let accounts = [knows_nothing(), knows_nothing()].map(Account::at);
        set_up(&told, &accounts).await;
        if replaced {
            let world = &told.0;
            let stored = world.merchants.read(&merchant_key(&world.merchant)).await.expect("memory");
            let mut merchant = decode_merchant(stored.expect("the merchant")).expect("readable");
            let mut gateways = merchant.gateways.values_mut().filter(|gateway| gateway.adapter == "payjp");
            gateways.next().expect("a gateway").generation = Generation(2);
            world.merchants.put(encode_merchant(&merchant));
        }
        assert_eq!(tell(&told).await.status_code, 200);
        let lines = told.0.lines();
        let noted = lines.iter().any(|line| line.contains("a notice about pfw_1, which no gateway knows"));
        assert_eq!(noted, is_noted, "{lines:?}");
    }
}
