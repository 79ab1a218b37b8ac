//! A message that cannot be handled, even one that makes its handler panic or hang, harms none of its neighbours.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kessai_functions::batch::{Message, QueueEvent, side_by_side};
use kessai_functions::door::App;
use kessai_functions::follow_up::handle;
use kessai_infra::http::HttpClient;
use kessai_infra::system::{SystemClock, SystemEntropy};
use kessai_infra::watch::{Log, Watch};
use kessai_shared::memory::Memory;
use kessai_shared::ports::{Clock, Expected, Pending, Queue, QueueFault, Store, StoreFault, Written};
use kessai_shared::reminder::Delayed;
use kessai_shared::shell::Shell;
use kessai_shared::stored::Item;
use serde_json::{Value, json};

/// Says when it is gone.
struct Guard(Arc<AtomicBool>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Knows of no payment, fails for one, panics over another and is silent about a third.
struct Moody {
    /// Whether the look that hangs was ended.
    ended: Arc<AtomicBool>,
}

const FAILS: &str = "00D000000000001/2";
const PANICS: &str = "00D000000000001/3";
const HANGS: &str = "00D000000000001/5";

impl Store for Moody {
    fn read<'a>(&'a self, key: &'a str) -> Pending<'a, Result<Option<Item>, StoreFault>> {
        Box::pin(async move {
            match key {
                FAILS => Ok(Some(Item::new())),
                PANICS => panic!("a secret in a panic"),
                HANGS => {
                    let _guard = Guard(Arc::clone(&self.ended));
                    std::future::pending().await
                }
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
    let ended: Arc<AtomicBool> = Arc::default();
    let lines: Arc<Mutex<String>> = Arc::default();
    let printed = Arc::clone(&lines);
    let out = Arc::new(move |line: &str| printed.lock().expect("the lines").push_str(line));
    let log = Log { function: "follow-up", stage: Some("test".to_owned()), clock: Arc::new(SystemClock), out };
    let shell = Shell {
        store: Arc::new(Moody { ended: Arc::clone(&ended) }),
        http: Arc::new(HttpClient::new().expect("a client")),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        journal: Watch::new(&log, String::new(), None),
        fingerprint_key: None,
        vault: None,
        sealing_keys: None,
        limiter: None,
    };
    let merchants = Arc::new(Memory::default());
    let app = App {
        shell,
        directory: merchants.clone(),
        merchants,
        rates: Arc::default(),
        archive: None,
        schedules: None,
        tells_bus: false,
        takes_loopback: false,
    };
    let keys = ["00D000000000001/1", FAILS, PANICS, HANGS, "00D000000000001/4", "nonsense"];
    let event: QueueEvent = serde_json::from_value(json!({ "Records": keys.map(message) })).expect("an event");
    let queue: Arc<dyn Queue> = Arc::new(Nowhere);
    // Too little for whoever hangs, and enough for all others.
    let deadline = SystemClock.now().plus(Duration::from_secs(3));
    let handling = |message: Message| {
        let (app, queue) = (app.clone(), Arc::clone(&queue));
        (message.message_id.clone(), async move { handle(&app, &queue, &message, deadline).await })
    };
    let handling = event.records.into_iter().map(handling).collect();
    let failures = side_by_side(handling, &SystemClock, deadline).await;
    assert!(SystemClock.now() < deadline, "there is time to say so");
    assert!(ended.load(Ordering::SeqCst), "nothing goes on after the answer");
    let expected = [FAILS, PANICS, HANGS, "nonsense"].map(|id| json!({ "itemIdentifier": id }));
    assert_eq!(json!(failures), json!({ "batchItemFailures": expected }));
    let lines = lines.lock().expect("the lines").clone();
    assert!(lines.contains("unreadable") && !lines.contains("secret"), "{lines}");
}
