//! The local server and its sandbox gateways: they tell it by themselves.

use kessai_functions::local::identity::provider_id;
use kessai_functions::sandbox::{SIGNATURE_HEADER, envelope};
use kessai_shared::ids::MerchantId;
use serde_json::{Value, json};
use ureq::http::Request;

use super::{TAKEN, dispute};
use crate::harness::{Client, Kessai, Reply, at_once};

/// Reads a payment until it is like this.
fn becomes(client: &Client, id: &str, is_so: impl Fn(&Reply) -> bool) -> Reply {
    client.becomes(&format!("payments/{id}"), is_so)
}

#[test]
fn the_sandbox_tells_the_local_server_by_itself_how_things_end() {
    let kessai = Kessai::in_memory();
    let client = &kessai.client;
    let sale = |class: &str, amount: &str| client.post("sales", None, &client.opening(class, amount)).expect(201);
    // Nobody can be asked about it.
    let accepted = sale("NONE", "90.18");
    let refused = sale("TIMEOUT_REVERSAL", "90.19");
    let failed = sale("LOOK_UP", "90.21");
    let disputed = sale("KEYED", "90.23");
    // A notice that overtakes the answer.
    let first = sale("KEYED", "90.25");
    assert_eq!((accepted.record_status().as_str(), first.record_status().as_str()), ("Pending", "Processed"));
    assert_eq!(client.get(&format!("payments/{}", first.id())).at("/operations/0/contradictions"), Value::Null);
    let status = |expected: &'static str| move |reply: &Reply| reply.record_status() == expected;
    becomes(client, &accepted.id(), status("Processed"));
    becomes(client, &refused.id(), status("Failed"));
    becomes(client, &failed.id(), |reply| reply.at("/payment/failedAfterSuccess") == true);
    let read = becomes(client, &disputed.id(), |reply| reply.at("/payment/chargedBackAmount") != Value::Null);
    assert_eq!(read.at("/payment/availableToRefundAmount"), json!(0.0), "{}", read.text);
    // Its clock and the sandbox's go together, however far they were moved.
    client.advance("P30D");
    let later = sale("NONE", "90.18");
    becomes(client, &later.id(), status("Processed"));
}

/// juspay/hyperswitch#14003, over sockets.
#[test]
fn hyperswitch_14003_fifty_equal_notices_over_the_local_server_are_one_fact() {
    let kessai = Kessai::in_memory();
    let client = &kessai.client;
    let sale = client.post("sales", None, &client.opening("KEYED", "100")).expect(201).id();
    let now = client.control("GET", "KESSAI_URL", "/local/clock", &Value::Null).at("/now");
    let now = kessai_shared::time::Timestamp::parse(now.as_str().expect("a time")).expect("a time");
    let secret = client.variable("KESSAI_NOTICE_SECRET_KEYED");
    let notice = envelope(&[dispute(&sale, "charged_back", 3_000)], &[secret], now.as_millis());
    let merchant = MerchantId::parse(client.variable("KESSAI_MERCHANT_ID")).expect("an id");
    let provider = provider_id(&merchant, "sandbox-keyed").unwrap_or_else(|error| panic!("{error:?}"));
    let url = format!("{}/commerce/payments/notify?provider={provider}", client.variable("KESSAI_URL"));
    for count in [2, 50] {
        let heard = at_once(count, |_| {
            let request = Request::post(&url).header(SIGNATURE_HEADER, &notice.signature);
            client.try_send(request.body(notice.body.clone().into_bytes()).expect("a request")).expect("an answer")
        });
        for reply in heard {
            assert_eq!((reply.status, reply.text.as_str()), TAKEN);
        }
    }
    let read = client.get(&format!("payments/{sale}"));
    assert_eq!(read.at("/operations/0/sequels").as_array().map(Vec::len), Some(1), "{}", read.text);
    assert_eq!(read.at("/payment/chargedBackAmount"), json!(30.0));
}
