//! What happened can be read: page by page, by what is meant, as the records stand now; and told again.

use kessai_functions::event::HttpAnswer;
use kessai_shared::event::EventName;
use kessai_shared::ids::EndpointId;
use kessai_shared::payment::Payment;
use kessai_shared::ports::Archive;
use kessai_shared::stored::event::{Attempted, Delivery, Recorded, encode_recorded};
use kessai_shared::stored::payment::Stored;
use serde_json::{Value, json};

use crate::harness::CARD;
use crate::in_process::InProcess;

const EVENTS: &str = "/commerce/payments/events";

/// A merchant who keeps events.
struct Desk {
    world: InProcess,
}

impl Desk {
    async fn new() -> Self {
        let desk = Self { world: InProcess::new().await };
        desk.ask("PATCH", "/set-up/merchant", &json!({ "keepEvents": true })).await;
        desk
    }

    async fn ask(&self, method: &str, path: &str, body: &Value) -> HttpAnswer {
        let authorization = format!("Bearer {}", self.world.api_key.reveal());
        let headers = [("content-type", "application/json"), ("authorization", authorization.as_str())];
        self.world.request(method, path, &headers, body).await.0
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.ask("GET", path, &Value::Null).await;
        assert_eq!(answer.status_code, 200, "{path}: {}", answer.body);
        serde_json::from_str(&answer.body).expect("JSON")
    }

    /// A sale, and what its payment has to tell.
    async fn sale(&self) -> Vec<Recorded> {
        let body = json!({
            "amount": 5, "currencyIsoCode": "USD", "paymentGatewayId": self.world.gateway.to_string(),
            "paymentMethod": { "cardPaymentMethod": { "cardNumber": CARD, "expiryMonth": 5, "expiryYear": 2030 } },
        });
        let answer = self.ask("POST", "/commerce/payments/sales", &body).await;
        assert_eq!(answer.status_code, 201, "{}", answer.body);
        let payment = self.payment();
        payment.outbox.entries.iter().map(|entry| self.recorded(&payment, entry)).collect()
    }

    /// The one that was made last.
    fn payment(&self) -> Payment {
        let items = self.world.payments.items().into_iter();
        let payments = items.map(|item| Stored::from_item(item).expect("a payment").payment);
        payments.max_by_key(|payment| payment.outbox.entries.last().map(|entry| entry.at)).expect("a payment")
    }

    fn recorded(&self, payment: &Payment, entry: &kessai_shared::payment::outbox::Entry) -> Recorded {
        Recorded {
            id: payment.event_id(entry).expect("an id"),
            item: payment.key().into(),
            operation: entry.operation,
            news: entry.news,
            at: entry.at,
            version: entry.number,
            name: payment.event(entry).expect("a name"),
            deliveries: Vec::new(),
        }
    }

    async fn keep(&self, recorded: &Recorded) {
        self.world.archive.keep(encode_recorded(recorded)).await.expect("kept");
    }

    /// Numbered events of one payment.
    async fn keep_many(&self, numbers: impl IntoIterator<Item = u32>) {
        let first = self.sale().await.remove(0);
        for number in numbers {
            let name = if number % 2 == 0 { EventName::PaymentCreated } else { EventName::RefundCreated };
            self.keep(&Recorded { id: id(number), version: number, name, ..first.clone() }).await;
        }
    }

    /// The numbers of a page's events, and where the next begins.
    async fn page(&self, query: &str) -> (Vec<u64>, Option<String>) {
        let page = self.get(&format!("{EVENTS}?{query}")).await;
        let events = page["events"].as_array().expect("events");
        let numbers = events.iter().map(|event| event["version"].as_u64().expect("a version"));
        (numbers.collect(), page["nextPageToken"].as_str().map(str::to_owned))
    }

    async fn endpoint(&self, events: &[&str]) -> String {
        let body = json!({ "url": "https://shop.example/hooks", "events": events });
        let made = self.ask("POST", "/set-up/webhook-endpoints", &body).await;
        let made: Value = serde_json::from_str(&made.body).expect("JSON");
        made["id"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned()
    }

    async fn redeliver(&self, recorded: &Recorded) -> HttpAnswer {
        self.ask("POST", &format!("{EVENTS}/{}/redeliver", recorded.id), &Value::Null).await
    }
}

fn id(number: u32) -> String {
    format!("evt_{number:031x}")
}

fn attempted(state: Delivery, status: Option<u16>) -> Attempted {
    Attempted {
        endpoint: EndpointId::from_random([7; 16]),
        attempts: 2,
        at: kessai_shared::time::Timestamp::from_millis(1_785_542_400_000),
        status,
        fault: status.is_none().then(|| "no answer within 10s".to_owned()),
        state,
    }
}

#[tokio::test]
async fn an_event_is_shown_with_its_record_as_that_stands_now() {
    let desk = Desk::new().await;
    let events = desk.sale().await;
    let names: Vec<_> = events.iter().map(|event| event.name.text()).collect();
    assert_eq!(names, ["payment.created", "payment.succeeded"]);
    let deliveries = vec![attempted(Delivery::Delivered, Some(204)), attempted(Delivery::GivenUp, None)];
    let recorded = Recorded { deliveries, ..events[0].clone() };
    desk.keep(&recorded).await;

    let shown = desk.get(&format!("{EVENTS}/{}", recorded.id)).await;
    let record = shown["data"]["payment"]["id"].as_str().expect("a record");
    assert_eq!(shown["data"], desk.get(&format!("/commerce/payments/payments/{record}")).await);
    assert_eq!(shown["data"]["payment"]["status"], "Processed", "as it stands, not as it was");
    let endpoint = EndpointId::from_random([7; 16]).to_string();
    let last = "2026-08-01T00:00:00.000Z";
    let mut rest = shown.clone();
    rest.as_object_mut().expect("an object").remove("data");
    let expected = json!({
        "id": recorded.id, "type": "payment.created", "timestamp": recorded.at.to_string(), "version": 1,
        "deliveries": [
            { "endpointId": endpoint, "status": "Delivered", "httpStatus": 204, "attempts": 2, "lastAttemptDate": last },
            { "endpointId": endpoint, "status": "GivenUp", "attempts": 2, "lastAttemptDate": last,
              "message": "no answer within 10s" },
        ],
    });
    assert_eq!(rest, expected);

    let page = desk.get(EVENTS).await;
    assert_eq!(page, json!({ "events": [shown], "keepEvents": true }));
    let versioned = desk.get(&format!("/services/data/v67.0{EVENTS}/{}", recorded.id)).await;
    assert_eq!(versioned["id"], json!(recorded.id));
    for unknown in ["evt_1", "0aQ000000000001", &id(9)] {
        let answer = desk.ask("GET", &format!("{EVENTS}/{unknown}"), &Value::Null).await;
        assert_eq!(answer.status_code, 404, "{unknown}: {}", answer.body);
    }
}

#[tokio::test]
async fn pages_go_from_the_newest_to_the_oldest_whatever_comes_in_meanwhile() {
    let desk = Desk::new().await;
    desk.keep_many(1..=5).await;
    assert_eq!(desk.page("").await, (vec![5, 4, 3, 2, 1], None));
    let (first, token) = desk.page("pageSize=2").await;
    assert_eq!(first, [5, 4]);
    desk.keep_many(6..=7).await;
    let token = token.expect("more");
    let (second, token) = desk.page(&format!("pageSize=2&pageToken={token}")).await;
    assert_eq!(second, [3, 2]);
    let token = token.expect("more");
    assert_eq!(desk.page(&format!("pageSize=2&pageToken={token}")).await, (vec![1], None));
    assert_eq!(desk.page("pageSize=7").await.1, None, "a page that is just full is the last");

    assert_eq!(desk.page(&format!("after={}", id(5))).await, (vec![6, 7], None));
    let (first, token) = desk.page(&format!("after={}&pageSize=3", id(2))).await;
    assert_eq!(first, [3, 4, 5]);
    let token = token.expect("more");
    assert_eq!(desk.page(&format!("after={}&pageSize=3&pageToken={token}", id(2))).await, (vec![6, 7], None));
    assert_eq!(desk.page(&format!("after={}", id(7))).await, (vec![], None));
}

#[tokio::test]
async fn what_is_meant_is_found_among_much_else() {
    let desk = Desk::new().await;
    desk.keep_many(1..=6).await;
    assert_eq!(desk.page("type=refund.created").await, (vec![5, 3, 1], None));
    assert_eq!(desk.page("type=payment.*").await, (vec![6, 4, 2], None));
    let (first, token) = desk.page("type=refund.*&pageSize=2").await;
    assert_eq!(first, [5, 3]);
    assert_eq!(desk.page(&format!("type=refund.*&pageToken={}", token.expect("more"))).await, (vec![1], None));
    assert_eq!(desk.page(&format!("type=refund.*&after={}", id(1))).await, (vec![3, 5], None));

    let first = desk.sale().await.remove(0);
    let rows = [(7, Delivery::Delivered), (8, Delivery::Failed), (9, Delivery::GivenUp)];
    for (number, state) in rows {
        let deliveries = vec![attempted(state, Some(500))];
        desk.keep(&Recorded { id: id(number), version: number, deliveries, ..first.clone() }).await;
    }
    assert_eq!(desk.page("undelivered=true").await, (vec![9, 8], None));
    assert_eq!(desk.page("undelivered=true&type=refund.*").await, (vec![], None));
    assert_eq!(desk.page("undelivered=false&pageSize=3").await.0, [9, 8, 7]);

    // So rare that nobody looks at all of them at once.
    desk.keep_many(10..=700).await;
    let (found, token) = desk.page("type=dispute.*").await;
    assert_eq!((found.len(), token.as_ref()), (0, Some(&id(201))));
    assert_eq!(desk.page(&format!("type=dispute.*&pageToken={}", id(201))).await, (vec![], None));
}

#[tokio::test]
async fn a_page_of_long_records_ends_early() {
    let desk = Desk::new().await;
    let first = desk.sale().await.remove(0);
    let payment = desk.get(&format!("{EVENTS}?pageSize=1")).await;
    assert_eq!(payment["events"], json!([]));
    let record = kessai_shared::ids::Record::Payment
        .id(first.item.payment().expect("a payment").payment, first.operation)
        .to_string();
    for number in 0..80 {
        let body = json!({ "amount": 0.01, "comments": "x".repeat(900), "idempotencyKey": format!("r{number}") });
        let refunds = format!("/commerce/payments/payments/{record}/refunds");
        let answer = desk.ask("POST", &refunds, &body).await;
        assert_eq!(answer.status_code, 201, "{}", answer.body);
    }
    for number in 1..=20 {
        desk.keep(&Recorded { id: id(number), version: number, ..first.clone() }).await;
    }
    let (mut seen, mut token, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let path = format!("{EVENTS}?pageSize=20{token}");
        let answer = desk.ask("GET", &path, &Value::Null).await;
        assert!(answer.body.len() < 256 * 1024, "{}", answer.body.len());
        let page: Value = serde_json::from_str(&answer.body).expect("JSON");
        seen.extend(page["events"].as_array().expect("events").iter().map(|event| event["version"].as_u64()));
        pages += 1;
        match page["nextPageToken"].as_str() {
            Some(next) => token = format!("&pageToken={next}"),
            None => break,
        }
    }
    assert!(pages > 1, "{pages}");
    assert_eq!(seen, (1..=20).rev().map(Some).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_cannot_be_meant_is_refused_by_its_name() {
    let desk = Desk::new().await;
    let rows = [
        ("pageSize=0", "pageSize: must be a whole number from 1 to 50"),
        ("pageToken=x", "pageToken: must be the nextPageToken of a page"),
        ("after=x", "after: must be the id of an event"),
        ("type=nothing", "type: must be the name of an event, or all of a kind, such as payment.*"),
        ("undelivered=1", "undelivered: must be true or false"),
        ("sort=id", "query: takes only pageSize, pageToken, after, type, undelivered"),
    ];
    for (query, message) in rows {
        let answer = desk.ask("GET", &format!("{EVENTS}?{query}"), &Value::Null).await;
        let expected = json!([{ "errorCode": "INVALID_API_INPUT", "message": message }]);
        assert_eq!(answer.status_code, 400, "{query}");
        assert_eq!(serde_json::from_str::<Value>(&answer.body).expect("JSON"), expected, "{query}");
    }
}

#[tokio::test]
async fn the_same_event_is_told_again_as_a_later_version() {
    let desk = Desk::new().await;
    let created = desk.sale().await.remove(0);
    desk.keep(&created).await;
    let refused = desk.redeliver(&created).await;
    assert_eq!(refused.status_code, 422, "{}", refused.body);
    assert!(refused.body.contains("eventId: no webhook endpoint that is active wants payment.created"));
    desk.endpoint(&["refund.*"]).await;
    assert_eq!(desk.redeliver(&created).await.status_code, 422);
    let endpoint = desk.endpoint(&["payment.*"]).await;
    let path = format!("/set-up/webhook-endpoints/{endpoint}");
    desk.ask("PATCH", &path, &json!({ "status": "Inactive" })).await;
    assert_eq!(desk.redeliver(&created).await.status_code, 422);
    desk.ask("PATCH", &path, &json!({ "status": "Active" })).await;

    told(&desk).await;
    assert_eq!(desk.payment().outbox.due(), None);
    let again = desk.redeliver(&created).await;
    assert_eq!(again.status_code, 202, "{}", again.body);
    let shown: Value = serde_json::from_str(&again.body).expect("JSON");
    assert_eq!(shown, desk.get(&format!("{EVENTS}/{}", created.id)).await);
    let payment = desk.payment();
    let entries: Vec<_> = payment.outbox.entries.iter().map(|entry| desk.recorded(&payment, entry)).collect();
    assert_eq!(entries, [Recorded { version: 3, ..created.clone() }]);
    assert!(payment.outbox.due().is_some_and(|due| due <= desk.world.app.shell.clock.now()));

    for _ in 1..64 {
        assert_eq!(desk.redeliver(&created).await.status_code, 202);
    }
    let refused = desk.redeliver(&created).await;
    assert_eq!(refused.status_code, 422, "{}", refused.body);
    assert!(refused.body.contains("eventId: too much waits already to be told"), "{}", refused.body);
}

/// Everybody has heard of everything.
async fn told(desk: &Desk) {
    use kessai_shared::gateways::Adapter;
    use kessai_shared::merchant::Gateway;
    use kessai_shared::payment::outbox::Round;
    use kessai_shared::shell::Route;
    let payment = desk.payment();
    let key = kessai_shared::ids::PaymentKey { merchant: desk.world.merchant, payment: payment.id };
    let stored = desk.world.app.shell.read(key, desk.world.deadline()).await.expect("a store").expect("a payment");
    assert!(Adapter::named("sandbox-keyed").is_some());
    let mut merchant = kessai_shared::merchant::Merchant::new(desk.world.merchant, "Shop");
    merchant.gateways.insert(payment.gateway, Gateway::at("sandbox-keyed", "http://127.0.0.1:1"));
    let route = Route::to(&merchant, payment.gateway, kessai_shared::event::EventNames::NONE).expect("a route");
    let round = Round { seen: payment.outbox.made, ..Round::default() };
    desk.world.app.shell.told(stored, route, &round, desk.world.deadline()).await.expect("written");
}

#[tokio::test]
async fn others_events_are_not_among_mine() {
    let desk = Desk::new().await;
    for event in desk.sale().await {
        desk.keep(&event).await;
    }
    let made = desk.ask("POST", "/set-up/merchants", &json!({ "name": "Other" })).await;
    let made: Value = serde_json::from_str(&made.body).expect("JSON");
    let set_up = format!("Bearer {}", made["apiKey"]["key"].as_str().expect("a key"));
    let headers = [("content-type", "application/json"), ("authorization", set_up.as_str())];
    let body = json!({ "name": "All", "scopes": ["read", "set-up"] });
    let (key, _) = desk.world.request("POST", "/set-up/api-keys", &headers, &body).await;
    let key: Value = serde_json::from_str(&key.body).expect("JSON");
    let other = format!("Bearer {}", key["key"].as_str().unwrap_or_else(|| panic!("{key}")));
    let (answer, _) = desk.world.request("GET", EVENTS, &[("authorization", &other)], &Value::Null).await;
    assert_eq!((answer.status_code, answer.body.as_str()), (200, r#"{"events":[],"keepEvents":false}"#));
}

#[tokio::test]
async fn a_payment_is_read_once_for_all_of_its_events() {
    let desk = Desk::new().await;
    for event in desk.sale().await.into_iter().chain(desk.sale().await) {
        desk.keep(&event).await;
    }
    let authorization = format!("Bearer {}", desk.world.api_key.reveal());
    let (answer, spent) = desk.world.request("GET", EVENTS, &[("authorization", &authorization)], &Value::Null).await;
    let page: Value = serde_json::from_str(&answer.body).expect("JSON");
    assert_eq!(page["events"].as_array().map(Vec::len), Some(4));
    assert_eq!((spent.payments.reads, spent.payments.writes), (2, 0));
}
