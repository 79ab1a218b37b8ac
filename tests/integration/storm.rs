//! A storm of notices: doubled, shuffled, some of them forged, told while the server is killed again and again. At its end
//! every record stands as the gateway's ledger says, and the merchant has heard of every change, in order.
//!
//! `KESSAI_STORM` says how many notices there are.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use kessai_functions::sandbox::envelope;
use kessai_shared::card::Secret;
use kessai_shared::time::Timestamp;
use kessai_shared::webhook::{self, Headers};
use serde_json::{Value, json};
use ureq::http::Request;

use crate::harness::{Client, Kessai, Sandbox, Scratch, at_once, until};

/// Notices, where nothing else is said.
const NOTICES: usize = 1_000;
/// Of them: told a second time, and by somebody else, each in a hundred.
const DOUBLED: usize = 30;
const FORGED: usize = 5;
/// Times that the server is killed while they come.
const KILLS: usize = 5;
/// Senders at once, and as many callers before.
const AT_ONCE: usize = 8;
/// One delivery in so many is not taken by the merchant.
const NOT_TAKEN: usize = 25;

/// Gateways that can be asked, that undo, and that can only tell.
const CLASSES: [&str; 3] = ["KEYED", "TIMEOUT_REVERSAL", "NONE"];

/// What becomes of them: approved, declined, failed afterwards, charged back, and a dispute that is won. Each with the
/// number of its notices.
const AMOUNTS: [(&str, usize); 5] = [("90.18", 2), ("90.19", 2), ("90.21", 3), ("90.23", 3), ("90.24", 4)];

/// Something that a gateway tells, or somebody who pretends to be one.
#[derive(Clone)]
struct Telling {
    class: &'static str,
    told: Value,
    is_forged: bool,
}

/// What the merchant has got.
#[derive(Default)]
struct Heard {
    /// The events of each payment, in the order in which they came.
    events: BTreeMap<String, Vec<(u64, String, String)>>,
    bodies: usize,
    unsigned: usize,
}

#[test]
fn a_storm_of_notices_ends_as_the_ledger_says_and_every_change_is_told_in_order() {
    let notices =
        kessai_functions::lambda::variable("KESSAI_STORM").and_then(|count| count.parse().ok()).unwrap_or(NOTICES);
    let scratch = Scratch::new();
    let sandbox = Sandbox::start(&scratch.path().join("sandbox"));
    let mut kessai = Kessai::on_file(&scratch.path().join("kessai"), &sandbox);
    let (heard, secret) = listen(&kessai.client);
    let records = pay(&kessai.client, notices);
    let tellings = shuffled(&kessai.client, notices);
    assert_eq!(tellings.len(), notices);
    let refused = tell_all(&mut kessai, &tellings);
    let forged = tellings.iter().filter(|telling| telling.is_forged).count();
    assert_eq!(
        (forged, refused),
        (notices * FORGED / 100, forged),
        "all that was forged was refused, and nothing else"
    );
    let expected = check_records(&kessai.client, &records);
    check_events(&kessai.client, &heard, &secret, &expected);
}

/// An endpoint of the merchant's, and the secret by which it knows who tells.
fn listen(client: &Client) -> (Arc<Mutex<Heard>>, Arc<Mutex<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://127.0.0.1:{}/hook", listener.local_addr().expect("an address").port());
    let (heard, secret) = (Arc::new(Mutex::new(Heard::default())), Arc::new(Mutex::new(String::new())));
    let (ears, key) = (Arc::clone(&heard), Arc::clone(&secret));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (ears, key) = (Arc::clone(&ears), Arc::clone(&key));
            std::thread::spawn(move || drop(take(stream, &ears, &key)));
        }
    });
    let made = client.ask("POST", "set-up/webhook-endpoints", None, &json!({ "url": url, "events": ["*"] }));
    *secret.lock().expect("no panic") = made.expect(201).at("/secret").as_str().expect("a secret").to_owned();
    // Functions remember what a merchant has set up for a minute.
    client.advance("PT2M");
    (heard, secret)
}

/// Takes one delivery; now and then not.
fn take(mut stream: TcpStream, heard: &Mutex<Heard>, secret: &Mutex<String>) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    let (head, body) = loop {
        let mut chunk = [0; 8192];
        let read = stream.read(&mut chunk)?;
        if read == 0 {
            return Ok(());
        }
        bytes.extend_from_slice(&chunk[..read]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = header(head, "content-length").and_then(|length| length.parse::<usize>().ok()).unwrap_or_default();
        if body.len() >= length {
            break (head.to_owned(), body.to_owned());
        }
    };
    let mut heard = heard.lock().expect("no panic");
    heard.bodies += 1;
    if heard.bodies.is_multiple_of(NOT_TAKEN) {
        return stream.write_all(b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n");
    }
    let named = |name| header(&head, name).unwrap_or_default();
    let headers =
        Headers { id: named(webhook::ID), timestamp: named(webhook::TIMESTAMP), signature: named(webhook::SIGNATURE) };
    // The server's clock was moved, so that only the signature is looked at.
    let sent = headers.timestamp.parse::<i64>().unwrap_or_default();
    let now = Timestamp::from_millis(sent * 1000);
    let secrets = [Secret::new(secret.lock().expect("no panic").clone())];
    if webhook::verify(headers, body.as_bytes(), &secrets, now).is_err() {
        heard.unsigned += 1;
    }
    let event: Value = serde_json::from_str(&body).unwrap_or_default();
    let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let version = event.pointer("/version").and_then(Value::as_u64).unwrap_or_default();
    let record = ["/data/payment/id", "/data/paymentAuthorization/id"].map(text).into_iter().find(|id| !id.is_empty());
    // All records of a payment are numbered together: their ids differ in the prefix and the last characters.
    let payment = record.map(|id| payment_of(&id)).unwrap_or_default();
    heard.events.entry(payment).or_default().push((version, text("/id"), text("/type")));
    drop(heard);
    stream.write_all(b"HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n")
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = head.lines().filter_map(|line| line.split_once(':'));
    lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

fn payment_of(id: &str) -> String {
    let records = kessai_shared::ids::Record::ALL;
    let located = records.into_iter().find_map(|record| record.locate(id));
    located.map(|(payment, _)| format!("{:016x}", payment.bits())).unwrap_or_default()
}

/// Sales, and captures of authorizations, until there is enough to tell. The paths of their records.
fn pay(client: &Client, notices: usize) -> Vec<String> {
    let wanted = notices * (100 - DOUBLED - FORGED) / 100;
    let (next, told) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let paid = at_once(AT_ONCE, |_| {
        let mut records = Vec::new();
        while told.load(Ordering::Acquire) < wanted {
            let number = next.fetch_add(1, Ordering::AcqRel);
            let class = CLASSES[number % CLASSES.len()];
            let (amount, count) = AMOUNTS[(number / CLASSES.len()) % AMOUNTS.len()];
            let key = format!("storm-{number}");
            if number.is_multiple_of(2) {
                let sale = client.insist("sales", &key, &client.opening(class, amount)).expect(201);
                records.push(format!("payments/{}", sale.id()));
            } else {
                let hold = client.insist("authorizations", &key, &client.opening(class, "100.00")).expect(201).id();
                let captures = format!("authorizations/{hold}/captures");
                let capture = client.insist(&captures, "capture", &json!({ "amount": amount })).expect(201);
                records.push(format!("payments/{}", capture.id()));
                // The authorization is told of, too.
                told.fetch_add(1, Ordering::AcqRel);
            }
            told.fetch_add(count, Ordering::AcqRel);
        }
        records
    });
    paid.into_iter().flatten().collect()
}

/// All that the gateways have to tell, some of it twice, and some that is not so.
fn shuffled(client: &Client, notices: usize) -> Vec<Telling> {
    let listed = client.control("GET", "SANDBOX_URL", "/notices", &Value::Null);
    let listed = listed.at("/notices").as_array().cloned().unwrap_or_default();
    let class_of = |notice: &Value| {
        let name = notice["class"].as_str().unwrap_or_default().to_uppercase().replace('-', "_");
        CLASSES.into_iter().find(|class| *class == name).expect("a class")
    };
    let genuine =
        listed.iter().map(|notice| Telling { class: class_of(notice), told: notice["told"].clone(), is_forged: false });
    let mut tellings: Vec<_> = genuine.collect();
    let forged = notices * FORGED / 100;
    let doubled = notices - forged - tellings.len();
    let again: Vec<_> = tellings.iter().take(doubled).cloned().collect();
    let lies: Vec<_> = tellings.iter().rev().take(forged).map(lie).collect();
    tellings.extend(again.into_iter().chain(lies));
    // Far apart, whatever was side by side.
    let mut order: Vec<_> = (0_u64..).zip(tellings).collect();
    order.sort_by_key(|(place, _)| place.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    order.into_iter().map(|(_, telling)| telling).collect()
}

/// The opposite.
fn lie(telling: &Telling) -> Telling {
    let mut told = telling.told.clone();
    told["status"] = json!(if told["status"] == "declined" { "approved" } else { "declined" });
    told["event"] = json!("operation");
    Telling { told, is_forged: true, ..telling.clone() }
}

/// Tells everything, each until somebody takes it, while the server is killed. How many were refused.
fn tell_all(kessai: &mut Kessai, tellings: &[Telling]) -> usize {
    let urls = notification_urls(&kessai.client);
    let client = RwLock::new((kessai.client.clone(), now_of(&kessai.client)));
    let (next, done, refused) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let given_up = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let _watch = GivenUp(&given_up);
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                let _watch = GivenUp(&given_up);
                while let Some(telling) = tellings.get(next.fetch_add(1, Ordering::AcqRel)) {
                    refused.fetch_add(usize::from(!tell(&client, &urls, telling, &given_up)), Ordering::AcqRel);
                    done.fetch_add(1, Ordering::AcqRel);
                }
            });
        }
        for kill in 1..=KILLS {
            while done.load(Ordering::Acquire) < tellings.len() * kill / (KILLS + 1) {
                assert!(!given_up.load(Ordering::Acquire), "somebody who tells has given up");
                std::thread::sleep(Duration::from_millis(1));
            }
            kessai.kill_and_restart();
            *client.write().expect("no panic") = (kessai.client.clone(), now_of(&kessai.client));
        }
    });
    refused.into_inner()
}

/// Tells those who wait for others that one of them panics: nobody will answer, or nobody goes on telling.
struct GivenUp<'a>(&'a AtomicBool);

impl Drop for GivenUp<'_> {
    fn drop(&mut self) {
        self.0.fetch_or(std::thread::panicking(), Ordering::AcqRel);
    }
}

/// What its clock says, in milliseconds; a signature holds for five minutes.
fn now_of(client: &Client) -> i64 {
    let now = client.control("GET", "KESSAI_URL", "/local/clock", &Value::Null).at("/now");
    Timestamp::parse(now.as_str().unwrap_or_default()).expect("a time").as_millis()
}

/// Whether it was taken, once somebody has said so.
fn tell(
    client: &RwLock<(Client, i64)>,
    urls: &BTreeMap<&str, String>,
    telling: &Telling,
    given_up: &AtomicBool,
) -> bool {
    loop {
        assert!(!given_up.load(Ordering::Acquire), "the server is gone, or somebody else has given up");
        let (client, now) = client.read().expect("no panic").clone();
        let secret = match telling.is_forged {
            true => "somebody else's",
            false => client.variable(&format!("KESSAI_NOTICE_SECRET_{}", telling.class)),
        };
        let notice = envelope([&telling.told], &[secret], now);
        let url = format!("{}{}", client.variable("KESSAI_URL"), urls[telling.class]);
        let request = Request::builder().method("POST").uri(url).header("content-type", "application/json");
        let request = request.header("x-sandbox-signature", notice.signature).body(notice.body.into_bytes());
        match client.try_send(request.expect("a request")).map(|reply| reply.status) {
            Some(200) => return true,
            Some(403) => return false,
            Some(500..) | None => std::thread::sleep(Duration::from_millis(20)),
            Some(other) => panic!("a notice is answered {other}"),
        }
    }
}

/// Where the provider of each class is told.
fn notification_urls(client: &Client) -> BTreeMap<&'static str, String> {
    let set_up = client.ask("GET", "set-up", None, &Value::Null);
    let providers = set_up.at("/providers").as_array().cloned().unwrap_or_default();
    let url = |class: &str| {
        let name = format!("sandbox_{}", class.to_lowercase());
        let of_class = providers.iter().find(|provider| provider["developerName"] == name.as_str());
        let url = of_class.and_then(|provider| provider["notificationUrl"].as_str()).map(str::to_owned);
        url.unwrap_or_else(|| panic!("{name} in {}", set_up.text))
    };
    CLASSES.into_iter().map(|class| (class, url(class))).collect()
}

/// The gateways' ledger when nothing is to come any more: they tell here before it happens there.
fn last_ledger(client: &Client) -> Vec<Value> {
    let is_over = |effect: &Value| match effect["amount"].as_u64() {
        Some(9021) => effect["failed"] == true,
        Some(9023) => !effect["chargedBack"].is_null(),
        Some(9024) => effect["chargedBack"].is_null(),
        _ => effect["status"] != "accepted",
    };
    let is_last =
        |ledger: &Vec<Value>| ledger.iter().all(is_over) && ledger.iter().any(|effect| effect["amount"] == 9023);
    until(|| Some(client.ledger()).filter(is_last)).expect("the gateways do not come to an end")
}

/// Every record stands as the ledger says. The events that are to be heard: of each payment, how often which.
fn check_records(client: &Client, records: &[String]) -> BTreeMap<String, BTreeMap<String, usize>> {
    let ledger = last_ledger(client);
    let effects: BTreeMap<_, _> =
        ledger.iter().filter_map(|effect| Some((effect["reference"].as_str()?.to_owned(), effect))).collect();
    let mut expected: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
    for path in records {
        let record = client.settled(path);
        let id = record.id();
        let effect = effects.get(&id);
        let events = expected.entry(payment_of(&id)).or_default();
        let mut event = |name: &str| *events.entry(name.to_owned()).or_default() += 1;
        event("payment.created");
        if record.at("/payment/type") == "Capture" {
            event("authorization.created");
            event("authorization.succeeded");
        }
        assert_eq!(record.record_status(), if effect.is_some() { "Processed" } else { "Failed" }, "{}", record.text);
        event(if effect.is_some() { "payment.succeeded" } else { "payment.failed" });
        let Some(effect) = effect else { continue };
        let is_failed = effect["failed"] == true;
        let charged_back = effect["chargedBack"].as_u64().unwrap_or_default();
        assert_eq!(record.at("/payment/failedAfterSuccess") == true, is_failed, "{}", record.text);
        let expected = (charged_back > 0).then(|| format!("{}.{:02}", charged_back / 100, charged_back % 100));
        let shown = record.at("/payment/chargedBackAmount");
        assert_eq!(shown.to_string(), expected.unwrap_or_else(|| "null".to_owned()), "{}", record.text);
        match effect["amount"].as_u64() {
            Some(9021) => event("payment.failed"),
            Some(9023) => ["dispute.opened", "dispute.charged_back"].into_iter().for_each(event),
            Some(9024) => ["dispute.opened", "dispute.charged_back", "dispute.reversed"].into_iter().for_each(event),
            _ => {}
        }
    }
    expected
}

/// Everything was heard at least once, nothing else was, and what was heard first came in order.
fn check_events(
    client: &Client,
    heard: &Mutex<Heard>,
    secret: &Mutex<String>,
    expected: &BTreeMap<String, BTreeMap<String, usize>>,
) {
    assert!(!secret.lock().expect("no panic").is_empty());
    let missing = || {
        let heard = heard.lock().expect("no panic");
        let is_missing = |payment: &&String| counted(heard.events.get(*payment)) != expected[*payment];
        expected.keys().filter(is_missing).map(|payment| (payment.clone(), counted(heard.events.get(payment)))).next()
    };
    // What the merchant did not take comes again later: time passes, for as long as anything still comes.
    let mut bodies = 0;
    while let Some((payment, found)) = missing() {
        let more = until(|| {
            client.advance("PT1M");
            Some(heard.lock().expect("no panic").bodies).filter(|more| *more > bodies)
        });
        bodies = more.unwrap_or_else(|| panic!("{payment} heard {found:?}, not {:?}", expected[&payment]));
    }
    let heard = heard.lock().expect("no panic");
    assert_eq!(heard.unsigned, 0, "every delivery is signed");
    for (payment, events) in &heard.events {
        let mut seen = BTreeSet::new();
        let first: Vec<_> =
            events.iter().filter(|(_, id, _)| seen.insert(id.clone())).map(|(version, ..)| *version).collect();
        assert!(first.is_sorted_by(|one, next| one < next), "{payment}: {events:?}");
    }
}

/// How often each was heard, not counting what was heard again. What was pending for a while need not be told.
fn counted(events: Option<&Vec<(u64, String, String)>>) -> BTreeMap<String, usize> {
    let ids: BTreeMap<_, _> = events.into_iter().flatten().map(|(_, id, name)| (id, name)).collect();
    let mut counted = BTreeMap::new();
    for name in ids.values().filter(|name| !name.ends_with(".pending")) {
        *counted.entry((*name).clone()).or_default() += 1;
    }
    counted
}
