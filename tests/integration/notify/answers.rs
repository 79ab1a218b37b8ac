//! Who hears what at the public door, and what that leaves behind.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use kessai_functions::door::{App, answer};
use kessai_functions::notify_webhook;
use kessai_functions::sandbox::{envelope, ping};
use kessai_shared::memory::{Memory, Meter};
use kessai_shared::ports::{Expected, Pending, Store, StoreFault, Written};
use kessai_shared::stored::Item;
use serde_json::{Value, json};

use super::{FORGED, IRRELEVANT, TAKEN, Told, operation};
use crate::in_process::{NOTICE_SECRET, provider_of};

/// The most that any function takes.
const MOST: usize = 256 * 1024;

#[tokio::test]
async fn a_notice_is_taken_once_and_the_gateway_hears_its_own_words() {
    let told = Told::new().await;
    let sale = told.sale("KEYED", "90.18").await;
    assert_eq!(told.status(&sale).await, "Pending");
    let approved = operation(&sale, "approved");
    let rows = [
        (vec![ping()], IRRELEVANT, "Pending", 0),
        (vec![], IRRELEVANT, "Pending", 0),
        (vec![json!({ "event": "something new", "reference": sale })], IRRELEVANT, "Pending", 0),
        (vec![operation(&sale, "accepted")], TAKEN, "Pending", 0),
        (vec![approved.clone()], TAKEN, "Processed", 1),
        (vec![approved.clone()], TAKEN, "Processed", 0),
        (vec![approved.clone(), ping(), approved.clone()], TAKEN, "Processed", 0),
        // It was accepted before it was approved; that it is told later is no news.
        (vec![operation(&sale, "accepted")], TAKEN, "Processed", 0),
    ];
    for (items, expected, status, writes) in rows {
        let (answer, spent) = told.tell(&items).await;
        Told::hears(&answer, expected, &format!("{items:?}"));
        assert_eq!(told.status(&sale).await, status, "{items:?}");
        let items_read = items.iter().filter(|item| item["reference"] == sale.as_str() && item["event"] == "operation");
        assert_eq!(spent.payments.reads, items_read.count() as u64, "{items:?}");
        assert_eq!(spent.payments.writes, writes, "{items:?}");
        assert!(spent.payments.write_units <= 2 * items.len() as u64, "{items:?}: {spent:?}");
    }
}

#[tokio::test]
async fn what_is_not_genuine_in_time_and_whole_changes_nothing() {
    let told = Told::new().await;
    let sale = told.sale("KEYED", "90.18").await;
    let items = [operation(&sale, "approved")];
    let now_ms = told.0.now().as_millis();
    let at = |seconds: i64, secrets: &[&str]| envelope(&items, secrets, now_ms + seconds * 1_000);
    let (good, keyed) = (at(0, &[NOTICE_SECRET]), told.path("KEYED"));
    let (body, signature) = (good.body.as_bytes(), good.signature.as_str());
    let signed = |body: &str| {
        // What was signed is this text and no other.
        let empty = envelope(&[], &[NOTICE_SECRET], now_ms);
        let resigned = resigned(body, now_ms);
        assert_eq!(resigned.len(), empty.signature.len());
        resigned
    };
    let padded = |length: usize| format!("{}{}", good.body, " ".repeat(length - good.body.len()));
    let (oversized, broken) = (padded(MOST + 1), "{\"notices\":[{\"event\":\"operation\"}]}");
    // Of this there is a minute less with every minute that the test takes.
    let early = at(900, &[NOTICE_SECRET]);
    let late = at(-302, &[NOTICE_SECRET]);
    let another = at(0, &["another secret"]);
    let forged = [
        ("another secret", keyed.clone(), body, another.signature.as_str()),
        ("no signature", keyed.clone(), body, ""),
        ("another body", keyed.clone(), b"{\"notices\":[]}".as_slice(), signature),
        ("no body", keyed.clone(), b"".as_slice(), signature),
        ("no JSON, not signed", keyed.clone(), b"\xff\x00".as_slice(), signature),
        ("signed too long ago", keyed.clone(), late.body.as_bytes(), late.signature.as_str()),
        ("signed in the future", keyed.clone(), early.body.as_bytes(), early.signature.as_str()),
    ];
    for (name, path, body, signature) in forged {
        let (answer, spent) = told.send(&path, body, signature).await;
        Told::hears(&answer, FORGED, name);
        assert_eq!(spent.payments, Meter::default(), "{name}");
    }
    let nobody = "/commerce/payments/notify?provider=0cJ000000000001".to_owned();
    let refused = [
        ("oversized", keyed.clone(), oversized.as_str(), signed(&oversized), 413, "body: must not exceed 262144 bytes"),
        ("signed and unreadable", keyed.clone(), broken, signed(broken), 400, "body: "),
        ("signed and no JSON", keyed.clone(), "not JSON", signed("not JSON"), 400, "body: "),
        ("no provider", "/commerce/payments/notify".to_owned(), &good.body, signature.to_owned(), 400, "provider: "),
        (
            "an empty provider",
            format!("{}=", nobody.split_once('=').expect("a query").0),
            &good.body,
            signature.to_owned(),
            400,
            "provider: ",
        ),
        ("an unknown provider", nobody, &good.body, signature.to_owned(), 404, "does not exist"),
        (
            "no id",
            "/commerce/payments/notify?provider=nonsense".to_owned(),
            &good.body,
            signature.to_owned(),
            404,
            "does not exist",
        ),
    ];
    for (name, path, body, signature, status, says) in refused {
        let (answer, spent) = told.send(&path, body.as_bytes(), &signature).await;
        assert_eq!(answer.status_code, status, "{name}: {}", answer.body);
        let heard: Value = serde_json::from_str(&answer.body).expect("our form of an error");
        assert!(heard[0]["message"].as_str().is_some_and(|message| message.contains(says)), "{name}: {heard}");
        assert_eq!(spent.payments, Meter::default(), "{name}");
    }
    assert_eq!(told.status(&sale).await, "Pending");
    // The largest that there may be, and late: it may take a minute more.
    let (largest, late) = (padded(MOST), told.0.now().as_millis() - 240_000);
    let (answer, _) = told.send(&keyed, largest.as_bytes(), &resigned(&largest, late)).await;
    Told::hears(&answer, TAKEN, "the largest");
    assert_eq!(told.status(&sale).await, "Processed");
}

/// The signature of any text.
fn resigned(body: &str, now_ms: i64) -> String {
    use hmac::{Hmac, KeyInit, Mac};
    let seconds = now_ms.div_euclid(1_000);
    let mut hash = Hmac::<sha2::Sha256>::new_from_slice(NOTICE_SECRET.as_bytes()).expect("a key");
    hash.update(format!("{seconds}.{body}").as_bytes());
    format!("t={seconds},v1={}", data_encoding::HEXLOWER.encode(&hash.finalize().into_bytes()))
}

#[tokio::test]
async fn a_notice_with_one_bit_changed_anywhere_is_forged() {
    let told = Told::new().await;
    let sale = told.sale("KEYED", "90.18").await;
    let good = told.signed(&[operation(&sale, "approved")]);
    let flipped = |text: &str, place: usize| {
        let mut bytes = text.as_bytes().to_vec();
        bytes[place] ^= 1;
        bytes
    };
    for place in 0..good.body.len() {
        let (answer, _) = told.send(&told.path("KEYED"), &flipped(&good.body, place), &good.signature).await;
        Told::hears(&answer, FORGED, &format!("byte {place} of the body"));
    }
    for place in 0..good.signature.len() {
        let signature = String::from_utf8(flipped(&good.signature, place)).expect("ASCII");
        let (answer, _) = told.send(&told.path("KEYED"), good.body.as_bytes(), &signature).await;
        Told::hears(&answer, FORGED, &format!("byte {place} of the signature"));
    }
    assert_eq!(told.status(&sale).await, "Pending");
}

#[tokio::test]
async fn a_gateway_is_believed_of_its_own_payments_only_and_learns_nothing_of_others() {
    let told = Told::new().await;
    let (mine, anothers) = (told.sale("KEYED", "90.18").await, told.sale("LOOK_UP", "90.18").await);
    // Signed well, by another provider of the merchant's.
    let (answer, spent) = told.tell(&[operation(&anothers, "approved")]).await;
    Told::hears(&answer, TAKEN, "another gateway's payment");
    assert_eq!(spent.payments, Meter { reads: 1, writes: 0, write_units: 0 });
    assert_eq!(told.status(&anothers).await, "Pending");
    // Several in one body, in any order: what is known is taken, whatever stands beside it.
    let unknown = operation("0aQ00000000000000A", "approved");
    let (answer, _) = told.tell(&[unknown, operation(&anothers, "approved"), operation(&mine, "approved")]).await;
    Told::hears(&answer, TAKEN, "several");
    assert_eq!((told.status(&mine).await.as_str(), told.status(&anothers).await.as_str()), ("Processed", "Pending"));
    // Its own may tell of it.
    let told_of = told.signed(&[operation(&anothers, "declined")]);
    let (answer, _) = told.send(&told.path("LOOK_UP"), told_of.body.as_bytes(), &told_of.signature).await;
    Told::hears(&answer, TAKEN, "its own");
    assert_eq!(told.status(&anothers).await, "Failed");
}

#[tokio::test]
async fn another_merchants_provider_is_another_gateway() {
    let told = Told::new().await;
    let sale = told.sale("KEYED", "90.18").await;
    let key = format!("Bearer {}", told.0.api_key.reveal());
    let make = async |key: &str, path: &str, body: Value| -> Value {
        let headers = [("content-type", "application/json"), ("authorization", key)];
        let (answer, _) = told.0.request("POST", path, &headers, &body).await;
        assert!(answer.status_code < 300, "{path}: {}", answer.body);
        serde_json::from_str(&answer.body).unwrap_or_default()
    };
    let other = make(&key, "/set-up/merchants", json!({ "name": "Other" })).await;
    let other = format!("Bearer {}", other["apiKey"]["key"].as_str().expect("a key"));
    let provider = json!({ "DeveloperName": "Theirs", "MasterLabel": "Theirs", "Adapter": "sandbox-keyed" });
    let provider = make(&other, "/tooling/sobjects/PaymentGatewayProvider", provider).await;
    let provider = provider["id"].as_str().expect("an id");
    let path = format!("/commerce/payments/notify?provider={provider}");
    let items = [operation(&sale, "approved")];
    let mine = told.signed(&items);
    // It has no secret, so nobody is believed; then one of its own.
    let (answer, _) = told.send(&path, mine.body.as_bytes(), &mine.signature).await;
    Told::hears(&answer, FORGED, "no secret");
    let secret = format!("/set-up/providers/{provider}/notification-secret");
    make(&other, &secret, json!({ "secret": "their-secret-of-notices", "overlap": "PT0S" })).await;
    let (answer, _) = told.send(&path, mine.body.as_bytes(), &mine.signature).await;
    Told::hears(&answer, FORGED, "my secret");
    let theirs = envelope(&items, &["their-secret-of-notices"], told.0.now().as_millis());
    let (answer, spent) = told.send(&path, theirs.body.as_bytes(), &theirs.signature).await;
    Told::hears(&answer, TAKEN, "their secret, of my payment");
    assert_eq!(spent.payments, Meter { reads: 1, writes: 0, write_units: 0 }, "it is not theirs, so it is not there");
    assert_eq!(told.status(&sale).await, "Pending");
}

#[tokio::test]
async fn while_one_secret_replaces_another_both_are_believed_and_then_the_new_one_alone() {
    let told = Told::new().await;
    let key = format!("Bearer {}", told.0.api_key.reveal());
    let headers = [("content-type", "application/json"), ("authorization", key.as_str())];
    let path = format!("/set-up/providers/{}/notification-secret", provider_of(&told.0.merchant, "KEYED"));
    let body = json!({ "secret": "the-next-secret-of-notices", "overlap": "PT1H" });
    let (answer, _) = told.0.request("POST", &path, &headers, &body).await;
    assert!(answer.status_code < 300, "{}", answer.body);
    let by = |secret: &str| envelope(&[ping()], &[secret], told.0.now().as_millis());
    for (after_minutes, old) in [(0, IRRELEVANT), (59, IRRELEVANT), (1, FORGED)] {
        told.0.advance(Duration::from_secs(after_minutes * 60)).await;
        for (secret, expected) in [(NOTICE_SECRET, old), ("the-next-secret-of-notices", IRRELEVANT)] {
            let notice = by(secret);
            let (answer, _) = told.send(&told.path("KEYED"), notice.body.as_bytes(), &notice.signature).await;
            Told::hears(&answer, expected, &format!("{secret} {after_minutes} minutes later"));
        }
    }
    let (answer, _) = told.0.request("DELETE", &path, &headers, &Value::Null).await;
    assert!(answer.status_code < 300, "{}", answer.body);
    let notice = by("the-next-secret-of-notices");
    let (answer, _) = told.send(&told.path("KEYED"), notice.body.as_bytes(), &notice.signature).await;
    Told::hears(&answer, FORGED, "removed");
}

/// A table that can be out of reach.
struct Shaky {
    table: Arc<Memory>,
    is_down: AtomicBool,
}

impl Shaky {
    fn checked(&self) -> Result<(), StoreFault> {
        if self.is_down.load(Ordering::SeqCst) { Err(StoreFault("out of reach".into())) } else { Ok(()) }
    }
}

impl Store for Shaky {
    fn read<'a>(&'a self, key: &'a str) -> Pending<'a, Result<Option<Item>, StoreFault>> {
        Box::pin(async move {
            self.checked()?;
            self.table.read(key).await
        })
    }

    fn write(&self, item: Item, expected: Expected) -> Pending<'_, Result<Written, StoreFault>> {
        Box::pin(async move {
            self.checked()?;
            self.table.write(item, expected).await
        })
    }
}

#[tokio::test]
async fn a_gateway_hears_that_it_was_taken_only_once_it_is_written() {
    let told = Told::new().await;
    let sale = told.sale("KEYED", "90.18").await;
    let shaky = Arc::new(Shaky { table: Arc::clone(&told.0.payments), is_down: AtomicBool::new(true) });
    let mut app: App = told.0.invocation();
    app.shell.store = shaky.clone();
    let notice = told.signed(&[operation(&sale, "approved")]);
    let (_, event) = told
        .0
        .routed("POST", &told.path("KEYED"), told.event(notice.body.as_bytes(), &notice.signature))
        .expect("a route");
    // The store is asked again until the time is almost up, and the time is short.
    let deadline = || told.0.now().plus(Duration::from_millis(3_200));
    let heard = answer(&app, &notify_webhook::FUNCTION, &event, deadline()).await;
    assert_eq!(heard.status_code, 503, "{}", heard.body);
    assert!(heard.headers.contains_key("retry-after"), "{:?}", heard.headers);
    assert_eq!(told.status(&sale).await, "Pending");
    shaky.is_down.store(false, Ordering::SeqCst);
    let heard = answer(&app, &notify_webhook::FUNCTION, &event, deadline()).await;
    Told::hears(&heard, TAKEN, "told again");
    assert_eq!(told.status(&sale).await, "Processed");
}

#[tokio::test]
async fn a_notice_before_our_own_answer_settles_what_is_open() {
    let told = Told::new().await;
    // The answer is lost, so that nobody knows.
    let sale = told.sale("NONE", "90.13").await;
    let notice = told.signed(&[operation(&sale, "approved")]);
    let (answer, spent) = told.send(&told.path("NONE"), notice.body.as_bytes(), &notice.signature).await;
    Told::hears(&answer, TAKEN, "of what is open");
    assert_eq!(told.status(&sale).await, "Processed");
    assert!(spent.payments.write_units <= 2 && spent.payments.reads == 1, "{spent:?}");
}

#[tokio::test]
async fn the_line_of_a_notice_names_the_merchant_and_the_operation_and_nothing_that_was_told() {
    let told = Told::new().await;
    let sale = told.sale("KEYED", "90.18").await;
    told.0.lines();
    told.tell(&[operation(&sale, "approved")]).await;
    let lines = told.0.lines();
    let line: Value = serde_json::from_str(lines.last().expect("a line")).expect("JSON");
    assert_eq!(line["status"], 200, "{line}");
    assert_eq!(
        (line["merchant"].as_str(), line["operation"].as_str()),
        (Some(told.0.merchant.to_string().as_str()), Some(sale.as_str()))
    );
    told.send(&told.path("KEYED"), b"{}", "t=1,v1=00").await;
    let lines = told.0.lines();
    let line: Value = serde_json::from_str(lines.last().expect("a line")).expect("JSON");
    assert_eq!((line["status"].as_u64(), line["code"].as_str()), (Some(403), Some("FORGED")), "{line}");
    assert!(!lines.concat().contains("v1="), "{lines:?}");
}
