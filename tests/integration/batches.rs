//! A message that cannot be handled, even one that makes its handler panic, harms none of its neighbours.

use std::sync::{Arc, Mutex};

use kessai_functions::batch::QueueEvent;
use kessai_functions::door::App;
use kessai_functions::lambda::look_at_all;
use kessai_infra::http::HttpClient;
use kessai_infra::system::{SystemClock, SystemEntropy};
use kessai_infra::watch::{Log, Watch};
use kessai_shared::memory::Memory;
use kessai_shared::ports::{Clock, Expected, Pending, Queue, QueueFault, Store, StoreFault, Written};
use kessai_shared::reminder::{Delayed, Reminder};
use kessai_shared::shell::Shell;
use kessai_shared::stored::Item;
use serde_json::{Value, json};

/// Knows of no payment, fails for one, and panics over another.
struct Moody;

const FAILS: &str = "00D000000000001/2";
const PANICS: &str = "00D000000000001/3";

impl Store for Moody {
    fn read<'a>(&'a self, key: &'a str) -> Pending<'a, Result<Option<Item>, StoreFault>> {
        Box::pin(async move {
            match key {
                FAILS => Ok(Some(Item::new())),
                PANICS => panic!("a secret in a panic"),
                _ => Ok(None),
            }
        })
    }

    fn write(&self, _: Item, _: Expected) -> Pending<'_, Result<Written, StoreFault>> {
        Box::pin(async { Ok(Written::Done) })
    }
}

struct Nowhere;

impl Queue for Nowhere {
    fn send<'a>(&'a self, _: &'a [Delayed]) -> Pending<'a, Result<(), QueueFault>> {
        Box::pin(async { Ok(()) })
    }
}

fn message(key: &str) -> Value {
    json!({ "messageId": key, "body": json!({ "payment": key, "version": 1 }).to_string() })
}

#[tokio::test]
async fn a_message_that_breaks_its_handler_is_reported_alone() {
    let lines: Arc<Mutex<String>> = Arc::default();
    let printed = Arc::clone(&lines);
    let out = Arc::new(move |line: &str| printed.lock().expect("the lines").push_str(line));
    let log = Log { function: "follow-up", stage: Some("test".to_owned()), clock: Arc::new(SystemClock), out };
    let shell = Shell {
        store: Arc::new(Moody),
        http: Arc::new(HttpClient::new().expect("a client")),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        journal: Watch::new(&log, String::new(), None),
        fingerprint_key: None,
    };
    let app = App { shell, directory: Arc::new(Memory::default()) };
    let keys = ["00D000000000001/1", FAILS, PANICS, "00D000000000001/4", "nonsense"];
    assert_eq!(
        keys.iter()
            .filter(|key| Reminder::parse(&json!({ "payment": key, "version": 1 }).to_string()).is_some())
            .count(),
        4
    );
    let event: QueueEvent = serde_json::from_value(json!({ "Records": keys.map(message) })).expect("an event");
    let queue: Arc<dyn Queue> = Arc::new(Nowhere);
    let deadline = SystemClock.now().plus(std::time::Duration::from_secs(25));
    let failures = look_at_all(&app, &log, &queue, event, deadline).await;
    let expected = [FAILS, PANICS, "nonsense"].map(|id| json!({ "itemIdentifier": id }));
    assert_eq!(json!(failures), json!({ "batchItemFailures": expected }));
    let lines = lines.lock().expect("the lines").clone();
    assert!(lines.contains("unreadable") && !lines.contains("secret"), "{lines}");
}
