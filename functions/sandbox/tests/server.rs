//! The server over a real socket. Nothing here waits for time to pass: what is slow is made slower
//! than any test, and what has to have happened first is looked for in the ledger.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::super::{Options, serve};
use super::ledger::Directory;
use super::*;

pub struct Running {
    pub address: SocketAddr,
    stop: oneshot::Sender<()>,
    server: JoinHandle<std::io::Result<()>>,
}

impl Running {
    async fn start(directory: Option<&Directory>) -> Self {
        let data = directory.map(|directory| directory.0.clone());
        Self::start_with(Options { data, ..Options::default() }).await
    }

    pub async fn start_with(options: Options) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (stop, stopped) = oneshot::channel();
        let server = tokio::spawn(serve(listener, options, async {
            let _ = stopped.await;
        }));
        Self { address, stop, server }
    }

    pub async fn stop(self) {
        self.stop.send(()).expect("a running server");
        let ended = self.server.await.expect("no panic");
        ended.expect("a server that ends well");
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("a connection")
    }

    /// Sends one request on its own connection and leaves it open.
    pub async fn send(&self, head: &str, body: &str) -> TcpStream {
        let mut stream = self.connect().await;
        write(&mut stream, head, body).await;
        stream
    }

    /// Sends one request and reads until the server closes.
    pub async fn ask(&self, head: &str, body: &str) -> String {
        let head = format!("{head}\r\nconnection: close");
        let mut stream = self.send(&head, body).await;
        let mut text = String::new();
        stream.read_to_string(&mut text).await.expect("a clean close");
        text
    }

    async fn effects(&self) -> Vec<Value> {
        self.list("/ledger", "effects").await
    }

    /// What stands under that name in an answer.
    pub async fn list(&self, target: &str, name: &str) -> Vec<Value> {
        let text = self.ask(&format!("GET {target} HTTP/1.1"), "").await;
        let (_, body) = text.split_once("\r\n\r\n").expect("a body");
        let body: Value = serde_json::from_str(body).expect("JSON");
        body[name].as_array().expect("a list").clone()
    }

    /// Looks at the ledger until an operation that is under way has been carried out.
    async fn until_something_moved(&self) {
        while self.effects().await.is_empty() {
            tokio::task::yield_now().await;
        }
    }
}

async fn write(stream: &mut TcpStream, head: &str, body: &str) {
    let length = body.len();
    let text = format!("{head}\r\nhost: sandbox\r\ncontent-length: {length}\r\n\r\n{body}");
    stream.write_all(text.as_bytes()).await.expect("a request");
}

pub fn sale(reference: &str, amount: u64) -> String {
    with(order(reference), "amount", json!(amount)).to_string()
}

const SALES: &str = "POST /none/sales HTTP/1.1";
const KEYED_SALES: &str = "POST /keyed/sales HTTP/1.1\r\nidempotency-key: k";
const FAULTS: &str = "POST /faults HTTP/1.1";

#[tokio::test]
async fn a_lost_answer_closes_the_connection_and_the_same_key_tells_the_outcome() {
    let server = Running::start(None).await;
    assert_eq!(server.ask(KEYED_SALES, &sale("r", 9013)).await, "");
    let text = server.ask(KEYED_SALES, &sale("r", 9013)).await;
    assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{text}");
    assert!(text.contains(r#""status":"approved""#), "{text}");
    assert_eq!(server.effects().await.len(), 1);
    server.stop().await;
}

#[tokio::test]
async fn a_lost_request_closes_the_connection_and_moves_nothing() {
    let server = Running::start(None).await;
    assert_eq!(server.ask(SALES, &sale("r", 9012)).await, "");
    assert_eq!(server.effects().await, [""; 0]);
    server.stop().await;
}

#[tokio::test]
async fn a_slow_answer_is_seen_to_be_in_progress_and_delays_nobody() {
    let server = Running::start(None).await;
    let hour = json!({"next": [{"fault": "slow", "delayMs": 3_600_000}]}).to_string();
    server.ask(FAULTS, &hour).await;
    let mut slow = server.send(KEYED_SALES, &sale("r", 1000)).await;
    server.until_something_moved().await;
    let second = server.ask(KEYED_SALES, &sale("r", 1000)).await;
    assert!(second.starts_with("HTTP/1.1 409 Conflict\r\n"), "{second}");
    assert!(second.contains("retry-after: 1\r\n"), "{second}");
    let other = server.ask(SALES, &sale("other", 1000)).await;
    assert!(other.starts_with("HTTP/1.1 200 OK\r\n"), "{other}");
    server.stop().await;
    let mut text = String::new();
    slow.read_to_string(&mut text).await.expect("a clean close");
    assert_eq!(text, "", "stopping does not deliver what still waits");
}

#[tokio::test]
async fn silence_holds_the_connection_and_has_moved_the_money() {
    let server = Running::start(None).await;
    let mut silent = server.send(SALES, &sale("r", 9020)).await;
    server.until_something_moved().await;
    let mut byte = [0];
    let nothing = silent.try_read(&mut byte).expect_err("no answer and no end");
    assert_eq!(nothing.kind(), std::io::ErrorKind::WouldBlock);
    server.stop().await;
    let end = silent.read(&mut byte).await.expect("a clean close");
    assert_eq!(end, 0);
}

#[tokio::test]
async fn a_connection_serves_one_request_after_another() {
    let server = Running::start(None).await;
    let mut stream = server.connect().await;
    for number in 1..=3 {
        write(&mut stream, SALES, &sale("r", 1000)).await;
        let mut text = String::new();
        while !text.ends_with('}') {
            let mut part = [0; 1024];
            let length = stream.read(&mut part).await.expect("an answer");
            assert_ne!(length, 0, "the connection was closed after {text}");
            text += &String::from_utf8_lossy(&part[..length]);
        }
        assert!(text.contains(&format!("SF100000{number}")), "{text}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let server = Running::start(None).await;
    let text = server.ask(SALES, &" ".repeat(64 * 1024 + 1)).await;
    assert!(text.starts_with("HTTP/1.1 413 "), "{text}");
    let text = server.ask(SALES, &" ".repeat(64 * 1024)).await;
    assert!(text.starts_with("HTTP/1.1 400 "), "{text}");
    server.stop().await;
}

#[tokio::test]
async fn the_ledger_survives_a_restart_and_a_crash_in_the_middle_of_a_line() {
    let directory = Directory::new();
    let server = Running::start(Some(&directory)).await;
    server.ask(KEYED_SALES, &sale("r", 9013)).await;
    server.ask(SALES, &sale("s", 1000)).await;
    let before = server.effects().await;
    assert_eq!(before.len(), 2);
    server.stop().await;

    let mut text = std::fs::read_to_string(directory.ledger()).expect("a ledger");
    assert!(!text.contains(CARD), "{text}");
    text += r#"{"record":"operation","id":"SF10"#;
    std::fs::write(directory.ledger(), text).expect("a torn ledger");

    let server = Running::start(Some(&directory)).await;
    assert_eq!(server.effects().await, before);
    let replayed = server.ask(KEYED_SALES, &sale("r", 9013)).await;
    assert!(replayed.contains(r#""id":"SF1000001""#), "{replayed}");
    let next = server.ask(SALES, &sale("t", 1000)).await;
    assert!(next.contains(r#""id":"SF1000003""#), "{next}");
    server.stop().await;
}

#[tokio::test]
async fn a_ledger_that_cannot_be_read_stops_the_server_before_it_starts() {
    let directory = Directory::new();
    std::fs::create_dir_all(&directory.0).expect("a directory");
    std::fs::write(directory.ledger(), "{}\n").expect("a ledger");
    let server = Running::start(Some(&directory)).await;
    let ended = server.server.await.expect("no panic");
    let error = ended.expect_err("an error").to_string();
    assert!(error.contains("line 1"), "{error}");
}
