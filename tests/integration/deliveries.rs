//! Merchants are told what happened: signed, in order, with the record as whoever reads it sees it, and again where they
//! could not hear.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use kessai_infra::system::SystemClock;
use kessai_shared::card::Secret;
use kessai_shared::ports::Clock;
use kessai_shared::time::Timestamp;
use kessai_shared::webhook::{self, Headers};
use serde_json::{Value, json};

use crate::harness::{CARD, Kessai, Reply};

/// Longer than anything takes that is going to happen.
const LONG: Duration = Duration::from_secs(60);

/// A delivery as it arrived, and when.
struct Arrived {
    headers: BTreeMap<String, String>,
    body: String,
    at: Timestamp,
}

impl Arrived {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }

    fn is_signed_by(&self, secret: &str) -> bool {
        let header = |name: &str| self.headers[name].as_str();
        let headers = Headers {
            id: header(webhook::ID),
            timestamp: header(webhook::TIMESTAMP),
            signature: header(webhook::SIGNATURE),
        };
        let secrets = [Secret::new(secret.to_owned())];
        // The server's clock may have been moved: what it says of the time is taken as it is.
        let seconds: i64 = headers.timestamp.parse().expect("seconds");
        let now = Timestamp::from_millis(seconds * 1000);
        assert!(now.plus(LONG) >= self.at, "it was signed when it was sent");
        webhook::verify(headers, self.body.as_bytes(), &secrets, now).is_ok()
    }
}

/// A merchant's endpoint, which answers with these statuses, and then with 204.
fn endpoint(statuses: &'static [u16]) -> (String, Receiver<Arrived>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/hooks", listener.local_addr().expect("an address"));
    let (arrives, arrived) = channel();
    std::thread::spawn(move || {
        let mut statuses = statuses.iter().copied();
        for mut connection in listener.incoming().map_while(Result::ok) {
            // Who breaks off has delivered nothing.
            let Some(delivery) = read(&connection) else { continue };
            // Passed on before it is answered, so that whoever hears of the answer finds it here.
            if arrives.send(delivery).is_err() {
                return;
            }
            let status = statuses.next().unwrap_or(204);
            let answer = format!("HTTP/1.1 {status} Said\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            drop(connection.write_all(answer.as_bytes()));
        }
    });
    (url, arrived)
}

/// A request as it comes in; none where it does not come to its end.
fn read(connection: &TcpStream) -> Option<Arrived> {
    let mut reader = BufReader::new(connection);
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
        match line.trim_end() {
            "" => break,
            line => headers.extend(line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned()))),
        }
    }
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    Some(Arrived { headers, body: String::from_utf8(body).ok()?, at: SystemClock.now() })
}

/// An endpoint of the merchant's; its id and its secret.
fn make(kessai: &Kessai, url: &str, events: &Value) -> (String, String) {
    let hook = json!({ "url": url, "events": events });
    let made = kessai.client.ask("POST", "set-up/webhook-endpoints", None, &hook).expect(201);
    let text = |pointer: &str| made.at(pointer).as_str().expect("text").to_owned();
    (text("/id"), text("/secret"))
}

fn sale(kessai: &Kessai, key: &str) -> Reply {
    kessai.client.post("sales", Some(key), &kessai.client.opening("KEYED", "12.50")).expect(201)
}

fn next(arrived: &Receiver<Arrived>) -> Arrived {
    arrived.recv_timeout(LONG).expect("a delivery")
}

/// The next one that is another: everything is told at least once, and a repetition has the same id.
fn next_after(arrived: &Receiver<Arrived>, told: &Arrived) -> Arrived {
    let is_other = |next: &Arrived| next.headers[webhook::ID] != told.headers[webhook::ID];
    std::iter::repeat_with(|| next(arrived)).find(is_other).expect("a delivery")
}

#[test]
fn a_payment_is_told_to_its_merchants_endpoint_signed_and_as_it_is_read() {
    let kessai = Kessai::in_memory();
    let (url, arrived) = endpoint(&[]);
    let (_, secret) = make(&kessai, &url, &json!(["payment.*"]));
    let sold = sale(&kessai, "order 1");
    let created = next(&arrived);
    let succeeded = next_after(&arrived, &created);
    for (version, name, told) in [(1, "payment.created", created), (2, "payment.succeeded", succeeded)] {
        assert!(told.is_signed_by(&secret), "{name}");
        assert!(!told.is_signed_by("whsec_AAAA"), "{name}");
        let event = told.json();
        assert_eq!((event["type"].as_str(), event["version"].as_u64()), (Some(name), Some(version)));
        assert_eq!(event["id"].as_str(), told.headers.get(webhook::ID).map(String::as_str));
        assert_eq!(told.headers["content-type"], "application/json");
        let read = kessai.client.get(&format!("payments/{}", sold.id())).expect(200);
        assert_eq!(event["data"]["payment"]["id"], json!(sold.id()), "{name}");
        // The first may be told before the gateway has answered.
        let is_over = event["data"]["payment"]["status"] == "Processed";
        assert!(is_over || name == "payment.created", "{}", told.body);
        let is_as_read = told.body.ends_with(&format!(r#""data":{}}}"#, read.text));
        assert!(is_as_read || !is_over, "{}\n{}", told.body, read.text);
    }
}

#[test]
fn what_an_endpoint_refuses_is_told_again_before_anything_else() {
    let kessai = Kessai::in_memory();
    let (url, arrived) = endpoint(&[503]);
    let (_, secret) = make(&kessai, &url, &json!(["payment.*"]));
    let (other_url, other) = endpoint(&[]);
    make(&kessai, &other_url, &json!(["payment.succeeded"]));
    sale(&kessai, "order 1");
    let refused = next(&arrived);
    assert_eq!(next(&other).json()["type"], "payment.succeeded", "nobody else waits");
    kessai.client.advance("PT10S");
    let again = next(&arrived);
    assert_eq!(again.headers[webhook::ID], refused.headers[webhook::ID], "it is the same event");
    assert!(again.is_signed_by(&secret));
    assert_eq!(next_after(&arrived, &again).json()["type"], "payment.succeeded");
}

#[test]
fn what_becomes_of_a_stored_method_is_told_as_it_is_read() {
    let kessai = Kessai::in_memory();
    let (url, arrived) = endpoint(&[]);
    let (_, secret) = make(&kessai, &url, &json!(["payment_method.*"]));
    let card = json!({
        "cardNumber": CARD, "cardType": "Visa", "cardCategory": "CreditCard", "expiryMonth": 5, "expiryYear": 2030,
        "accountId": "001000000000001", "cardHolderName": "Carol Smith", "cardHolderFirstName": "Carol",
        "cardHolderLastName": "Smith",
    });
    let kept = json!({ "cardPaymentMethod": card, "paymentGatewayId": kessai.client.gateway("KEYED") });
    let made = kessai.client.post("payment-methods", Some("card 1"), &kept).expect(201);
    let id = made.at("/paymentMethod/id").as_str().expect("an id").to_owned();
    let path = format!("payment-methods/{id}");
    let mut told_last = 0;
    for (name, change) in [
        ("payment_method.created", None),
        ("payment_method.updated", Some(json!({ "nickName": "Blue" }))),
        ("payment_method.updated", Some(json!({ "status": "Canceled" }))),
    ] {
        if let Some(change) = change {
            kessai.client.ask("PATCH", &format!("commerce/payments/{path}"), None, &change).expect(200);
        }
        let told = next(&arrived);
        assert!(told.is_signed_by(&secret));
        let event = told.json();
        assert_eq!(event["type"], name, "{event}");
        let version = event["version"].as_u64().expect("a version");
        assert!(version > told_last, "{event}");
        told_last = version;
        let read = kessai.client.get(&path).expect(200);
        assert!(told.body.ends_with(&format!(r#""data":{}}}"#, read.text)), "{}\n{}", told.body, read.text);
        assert!(!told.body.contains(CARD));
    }
}
