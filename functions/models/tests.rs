//! Models behind a socket, over two that are as small as a model can be. Nothing here waits for time to pass, but for what
//! has to have happened.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use kessai_infra::http::HttpClient;
use kessai_shared::ports::{Http, HttpFault, HttpRequest, HttpResponse, Method};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::*;
use crate::local::clock::MovableClock;

/// Takes money under whatever reference it is told, and says so unasked.
#[derive(Default)]
struct Till {
    effects: Vec<Effect>,
    untold: Vec<Webhook>,
}

impl Model for Till {
    fn name(&self) -> &'static str {
        "till"
    }

    fn handle(&mut self, request: &Request, now_ms: i64) -> Answer {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let ("POST", "/v1/sales", Some(reference)) =
            (request.method.as_str(), request.path.as_str(), body["reference"].as_str())
        else {
            return Answer::json(404, &json!({ "path": request.path, "query": request.query }));
        };
        let id = format!("s{}", self.effects.len());
        self.effects.push(Effect {
            at_ms: now_ms,
            act: Act::Sale,
            reference: reference.to_owned(),
            id: id.clone(),
            minor: 100,
            currency: "JPY".to_owned(),
            undone: false,
        });
        let headers = vec![("x-till", format!("signed {id}"))];
        self.untold.push(Webhook { at_ms: now_ms + 1_000, headers, body: json!({ "sold": id }).to_string() });
        Answer::json(201, &json!({ "id": id, "key": request.header("idempotency-key") }))
    }

    fn effects(&self, _: i64) -> Vec<Effect> {
        self.effects.clone()
    }

    fn webhooks(&mut self, _: i64) -> Vec<Webhook> {
        std::mem::take(&mut self.untold)
    }
}

/// Keeps what is posted to it, and takes it from the second time on. Asked, it shows what it has.
#[derive(Default)]
struct Inbox(Vec<Value>);

impl Model for Inbox {
    fn name(&self) -> &'static str {
        "inbox"
    }

    fn handle(&mut self, request: &Request, _: i64) -> Answer {
        if request.method == "POST" {
            let body = String::from_utf8_lossy(&request.body);
            self.0.push(json!({ "path": request.path, "signature": request.header("x-till"), "body": body }));
            return Answer::json(if self.0.len() > 1 { 202 } else { 503 }, &Value::Null);
        }
        Answer::json(200, &self.0)
    }

    fn effects(&self, _: i64) -> Vec<Effect> {
        Vec::new()
    }

    fn webhooks(&mut self, _: i64) -> Vec<Webhook> {
        Vec::new()
    }
}

struct Running {
    address: SocketAddr,
    http: HttpClient,
    clock: Arc<MovableClock>,
    stop: oneshot::Sender<()>,
    server: JoinHandle<std::io::Result<()>>,
}

impl Running {
    async fn start(receivers: Receivers) -> Self {
        let models: Vec<Box<dyn Model>> = vec![Box::new(Till::default()), Box::new(Inbox::default())];
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let clock = Arc::new(MovableClock::open(None).expect("a clock"));
        let receivers = receivers
            .into_iter()
            .map(|(model, paths)| (model, paths.iter().map(|path| format!("http://{address}{path}")).collect()))
            .collect();
        let options = Options { models, receivers, clock: clock.clone() };
        let (stop, stopped) = oneshot::channel();
        let server = tokio::spawn(serve(listener, options, async {
            let _ = stopped.await;
        }));
        Self { address, http: HttpClient::new().expect("a client"), clock, stop, server }
    }

    async fn stop(self) {
        self.stop.send(()).expect("a running server");
        self.server.await.expect("no panic").expect("a server that ends well");
    }

    async fn send(&self, method: Method, path: &str, body: &Value) -> Result<HttpResponse, HttpFault> {
        let headers = vec![("idempotency-key", "k".to_owned())];
        let body = body.to_string().into_bytes().into();
        let request = HttpRequest { method, url: format!("http://{}{path}", self.address), headers, body };
        self.http.send(request, Duration::from_secs(60)).await
    }

    async fn ask(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        let answer = self.send(method, path, body).await.expect("an answer");
        (answer.status, serde_json::from_slice(&answer.body).unwrap_or_default())
    }

    async fn sell(&self, reference: &str) -> (u16, Value) {
        self.ask(Method::Post, "/till/v1/sales", &json!({ "reference": reference })).await
    }

    async fn script(&self, next: Value) -> (u16, Value) {
        self.ask(Method::Post, "/faults", &json!({ "next": next })).await
    }

    async fn moved(&self, query: &str) -> Vec<String> {
        let (_, ledger) = self.ask(Method::Get, &format!("/ledger{query}"), &Value::Null).await;
        let line = |effect: &Value| {
            let text = |name: &str| effect[name].as_str().unwrap_or_default().to_owned();
            [text("model"), text("act"), text("reference"), effect["amount"].to_string(), text("currency")].join(" ")
        };
        ledger["effects"].as_array().expect("effects").iter().map(line).collect()
    }

    /// What was posted to the inbox, once it is so many.
    async fn posted(&self, count: usize) -> Vec<Value> {
        loop {
            let (_, posted) = self.ask(Method::Get, "/inbox", &Value::Null).await;
            let posted = posted.as_array().expect("a list").clone();
            if posted.len() >= count {
                return posted;
            }
            tokio::task::yield_now().await;
        }
    }

    async fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds)).await.expect("time passes");
    }
}

fn to_inbox() -> Receivers {
    [("till".to_owned(), vec!["/inbox/hook".to_owned()])].into()
}

#[tokio::test]
async fn a_model_is_asked_below_its_name_and_what_it_did_stands_in_the_ledger() {
    let server = Running::start(Receivers::new()).await;
    assert_eq!(server.sell("a").await, (201, json!({ "id": "s0", "key": "k" })));
    assert_eq!(server.sell("b").await.0, 201);
    let strange = server.ask(Method::Get, "/till/v1/sales/s0?x=1", &Value::Null).await;
    assert_eq!(strange, (404, json!({ "path": "/v1/sales/s0", "query": "x=1" })));
    let (a, b) = ("till sale a 100 JPY".to_owned(), "till sale b 100 JPY".to_owned());
    let rows: [(&str, &[String]); 5] = [
        ("", &[a.clone(), b.clone()]),
        ("?model=till", &[a, b.clone()]),
        ("?reference=b", std::slice::from_ref(&b)),
        ("?model=inbox", &[]),
        ("?model=inbox&reference=b", &[]),
    ];
    for (query, expected) in rows {
        assert_eq!(server.moved(query).await, expected, "{query}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_newcomer_is_told_what_there_is_and_a_stranger_that_there_is_nothing() {
    let server = Running::start(Receivers::new()).await;
    let (status, page) = server.ask(Method::Get, "/", &Value::Null).await;
    assert_eq!((status, &page["models"][0]["url"]), (200, &json!(format!("http://{}/till", server.address))));
    assert!(page["faults"]["lost-answer"].is_string() && page["magic"]["9001"].is_string(), "{page}");
    let rows =
        [(Method::Get, "/tills/v1", 404), (Method::Delete, "/ledger", 405), (Method::Get, "/ledger?model=x", 400)];
    for (method, path, status) in rows {
        assert_eq!(server.ask(method, path, &Value::Null).await.0, status, "{path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_fault_strikes_the_request_that_it_is_meant_for_and_the_ledger_tells_what_was_done() {
    let rows = [
        ("lost-request", None, false),
        ("lost-answer", None, true),
        ("error-before", Some(500), false),
        ("error-after", Some(500), true),
        ("too-many-requests", Some(429), false),
        ("malformed-body", Some(201), true),
    ];
    let server = Running::start(Receivers::new()).await;
    for (fault, status, acts) in rows {
        let meant = json!([{ "fault": fault, "model": "till", "path": "/sales" }]);
        assert_eq!(server.script(meant).await, (200, json!({ "pending": 1 })));
        // What is no POST is let through.
        assert_eq!(server.ask(Method::Get, "/till/v1/sales", &Value::Null).await.0, 404);
        let answer = server.send(Method::Post, "/till/v1/sales", &json!({ "reference": fault })).await;
        let answer = answer.ok();
        assert_eq!(answer.as_ref().map(|answer| answer.status), status, "{fault}");
        if fault == "malformed-body" {
            let body = answer.map(|answer| answer.body.clone()).unwrap_or_default();
            assert!(serde_json::from_slice::<Value>(&body).is_err());
        }
        assert_eq!(server.moved(&format!("?reference={fault}")).await.len(), usize::from(acts), "{fault}");
        assert_eq!(server.sell("next").await.0, 201);
    }
    server.stop().await;
}

#[tokio::test]
async fn a_slow_or_silent_answer_delays_nobody() {
    let server = Running::start(Receivers::new()).await;
    server.script(json!([{ "fault": "slow", "delayMs": 3_600_000 }, { "fault": "silence" }])).await;
    let sale = json!({ "reference": "r" });
    let send = || server.send(Method::Post, "/till/v1/sales", &sale);
    tokio::select! {
        _ = send() => panic!("it answered"),
        _ = send() => panic!("it answered"),
        () = async { while server.moved("").await.len() < 2 {} } => {}
    }
    server.stop().await;
}

#[tokio::test]
async fn a_script_that_means_nothing_is_refused_whole() {
    let server = Running::start(Receivers::new()).await;
    let rows = [
        (json!({ "fault": "decline" }), "one of the world"),
        (json!({ "fault": "slow", "model": "tills" }), "model must be one of till, inbox"),
        (json!({ "fault": "slow", "model": 1 }), "next.model must be a text"),
        (json!({ "fault": "slow", "method": "HEAD" }), "next.method must be one of GET, POST"),
        (json!({ "fault": "slow", "class": "keyed" }), "the members are fault, model, kind, method, path, delayMs"),
        (json!({ "fault": "silence", "kind": "notice" }), "next.fault of a notice"),
        (json!({ "fault": "slow", "kind": "sale" }), "next.kind must be one of notice"),
    ];
    for (entry, why) in rows {
        let (status, answer) = server.script(json!([{ "fault": "slow" }, entry])).await;
        assert!(status == 400 && answer["message"].as_str().is_some_and(|text| text.contains(why)), "{answer}");
    }
    let shown = json!([{ "fault": "slow", "model": "till", "kind": null, "method": "GET", "path": "/x", "delayMs": null, "times": 2 }]);
    assert_eq!(server.script(shown.clone()).await, (200, json!({ "pending": 2 })));
    let (_, pending) = server.ask(Method::Get, "/faults", &Value::Null).await;
    assert_eq!(pending, json!({ "pending": 2, "next": shown }));
    assert_eq!(server.ask(Method::Delete, "/faults", &Value::Null).await.1, json!({ "pending": 0 }));
    server.stop().await;
}

#[tokio::test]
async fn a_notice_goes_to_its_receivers_at_its_time_until_it_is_taken() {
    let server = Running::start(to_inbox()).await;
    server.sell("r").await;
    assert_eq!(server.posted(0).await.len(), 0, "it is not time yet");
    server.pass(1).await;
    assert_eq!(server.posted(1).await.len(), 1);
    let notice = json!({ "path": "/hook", "signature": "signed s0", "body": r#"{"sold":"s0"}"# });
    // Until the pause begins that follows a refusal, time that passes does not count in it.
    let posted = async {
        loop {
            server.pass(1).await;
            let posted = server.posted(0).await;
            if posted.len() > 1 {
                return posted;
            }
        }
    };
    assert_eq!(posted.await, [notice.clone(), notice.clone()]);
    server.pass(3_600).await;
    server.sell("s").await;
    server.pass(1).await;
    let third = json!({ "path": "/hook", "signature": "signed s1", "body": r#"{"sold":"s1"}"# });
    assert_eq!(server.posted(3).await, [notice.clone(), notice, third], "what was taken is not sent again");
    server.stop().await;
}

#[tokio::test]
async fn a_fault_of_the_kind_notice_strikes_what_is_sent_unasked() {
    let server = Running::start(to_inbox()).await;
    server.script(json!([{ "fault": "malformed-body", "kind": "notice", "model": "till" }])).await;
    assert_eq!(server.sell("r").await.0, 201);
    server.pass(1).await;
    let posted = server.posted(1).await;
    assert_eq!(posted.first().map(|notice| &notice["body"]), Some(&json!(r#"{"sold"#)));
    server.stop().await;
}
