//! Notices over a real socket: to whom they go, how long, and that each comes at last.

use kessai_shared::card::Secret;
use kessai_shared::time::Timestamp;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::super::{Class, Notify, Options, envelope};
use super::ledger::Directory;
use super::server::{Running, sale};
use super::*;

/// A merchant that is told, and answers with these statuses, the last of them again and again.
struct Merchant {
    url: String,
    heard: mpsc::UnboundedReceiver<Heard>,
    listening: JoinHandle<()>,
}

#[derive(Debug)]
struct Heard {
    head: Vec<String>,
    /// Null where it cannot be read.
    body: Value,
    text: String,
}

impl Merchant {
    async fn listen(statuses: &'static [u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (tell, heard) = mpsc::unbounded_channel();
        let listening = tokio::spawn(async move {
            let mut statuses = statuses.iter();
            let mut status = 200;
            while let Ok((stream, _)) = listener.accept().await {
                status = statuses.next().copied().unwrap_or(status);
                let _ = tell.send(hear(stream, status).await);
            }
        });
        Self { url: format!("http://{address}/notify?provider=p"), heard, listening }
    }

    /// What is told next, of operations: the reference and what has become of it.
    async fn next(&mut self) -> Heard {
        self.heard.recv().await.expect("a notice")
    }

    fn options(&self, directory: Option<&Directory>) -> Options {
        let secrets = ["first", "second"].map(|secret| Secret::new(secret.to_owned())).into();
        Options {
            data: directory.map(|directory| directory.0.clone()),
            notify: [(Class::None, Notify { url: self.url.clone(), secrets, only_later: false })].into(),
            ..Options::default()
        }
    }
}

impl Drop for Merchant {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl Heard {
    fn said(&self) -> Vec<String> {
        let items = self.body["notices"].as_array().expect("items");
        let text = |item: &Value, name: &str| item[name].as_str().unwrap_or("-").to_owned();
        items.iter().map(|item| text(item, "reference") + " " + &text(item, "status")).collect()
    }
}

/// One request, read and answered.
async fn hear(stream: TcpStream, status: u16) -> Heard {
    let mut stream = BufReader::new(stream);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.expect("a line");
        match line.trim_end() {
            "" => break,
            line => head.push(line.to_owned()),
        }
    }
    let length = head.iter().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.and_then(|length| length.parse().ok()).expect("a length")];
    stream.read_exact(&mut body).await.expect("a body");
    let answer = format!("HTTP/1.1 {status} Said\r\ncontent-length: 10\r\nconnection: close\r\n\r\n[accepted]");
    stream.write_all(answer.as_bytes()).await.expect("an answer");
    let text = String::from_utf8(body).expect("a text");
    Heard { head, body: serde_json::from_str(&text).unwrap_or_default(), text }
}

const SALES: &str = "POST /none/sales HTTP/1.1";

/// Looks until every notice that is due was taken.
async fn until_taken(server: &Running, notices: usize) {
    while server.list("/notices", "notices").await.iter().filter(|told| told["taken"] == json!(true)).count() < notices
    {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_notice_is_posted_with_its_signatures_and_again_until_it_is_taken() {
    let mut merchant = Merchant::listen(&[500, 200]).await;
    let server = Running::start_with(merchant.options(None)).await;
    server.ask(SALES, &sale("r", 1000)).await;
    for _ in 0..2 {
        let heard = merchant.next().await;
        assert_eq!(heard.said(), ["r approved"]);
        assert_eq!(heard.head[0], "POST /notify?provider=p HTTP/1.1");
        assert!(heard.head.contains(&"content-type: application/json".to_owned()), "{:?}", heard.head);
        let items = heard.body["notices"].as_array().expect("items");
        let sent = heard.body["sent"].as_str().and_then(Timestamp::parse).expect("a moment");
        let signed = envelope(items, &["first", "second"], sent.as_millis());
        assert_eq!(heard.text, signed.body);
        let header = format!("x-sandbox-signature: {}", signed.signature);
        assert!(heard.head.contains(&header), "{header} in {:?}", heard.head);
    }
    until_taken(&server, 1).await;
    server.stop().await;
}

#[tokio::test]
async fn what_was_not_taken_is_told_after_a_restart_and_what_was_taken_is_not() {
    let directory = Directory::new();
    let mut refusing = Merchant::listen(&[503]).await;
    let server = Running::start_with(refusing.options(Some(&directory))).await;
    server.ask(SALES, &sale("r", 1000)).await;
    assert_eq!(refusing.next().await.said(), ["r approved"]);
    server.stop().await;

    let mut merchant = Merchant::listen(&[200]).await;
    let server = Running::start_with(merchant.options(Some(&directory))).await;
    assert_eq!(merchant.next().await.said(), ["r approved"]);
    until_taken(&server, 1).await;
    server.stop().await;

    let server = Running::start_with(merchant.options(Some(&directory))).await;
    server.ask(SALES, &sale("s", 1000)).await;
    assert_eq!(merchant.next().await.said(), ["s approved"]);
    until_taken(&server, 2).await;
    server.ask("POST /notices/resend HTTP/1.1", "").await;
    let mut again = [merchant.next().await.said(), merchant.next().await.said()];
    again.sort();
    assert_eq!(again, [["r approved"], ["s approved"]]);
    server.stop().await;
}

#[tokio::test]
async fn a_payer_decides_behind_the_url_of_the_answer_and_that_is_told() {
    let mut merchant = Merchant::listen(&[204]).await;
    let server = Running::start_with(merchant.options(None)).await;
    // Nobody is told of the other classes.
    server.ask("POST /keyed/sales HTTP/1.1", &sale("k", 1000)).await;
    let asked = server.ask(SALES, &sale("r", 9022)).await;
    let (_, body) = asked.split_once("\r\n\r\n").expect("a body");
    let url = serde_json::from_str::<Value>(body).expect("JSON")["action"]["url"].clone();
    let url = url.as_str().expect("a URL");
    let path = url.strip_prefix(&format!("http://{}", server.address)).expect("the server's own address");
    assert_eq!(merchant.next().await.said(), ["r action_required"]);
    server.ask(&format!("POST {path} HTTP/1.1"), "result=approve").await;
    assert_eq!(merchant.next().await.said(), ["r approved"]);
    server.stop().await;
}

#[tokio::test]
async fn a_notice_can_come_before_its_answer() {
    let mut merchant = Merchant::listen(&[200]).await;
    let server = Running::start_with(merchant.options(None)).await;
    let hour = json!({"next": [{"fault": "notice-first", "delayMs": 3_600_000}]}).to_string();
    server.ask("POST /faults HTTP/1.1", &hour).await;
    let waiting = server.send(SALES, &sale("r", 1000)).await;
    assert_eq!(merchant.next().await.said(), ["r approved"]);
    let mut byte = [0];
    let nothing = waiting.try_read(&mut byte).expect_err("no answer yet");
    assert_eq!(nothing.kind(), std::io::ErrorKind::WouldBlock);
    server.stop().await;
}

#[tokio::test]
async fn a_script_loses_and_doubles_and_garbles_notices() {
    let mut merchant = Merchant::listen(&[200]).await;
    let server = Running::start_with(merchant.options(None)).await;
    let faults = json!({"next": [
        {"fault": "lost-request", "kind": "notice"},
        {"fault": "lost-answer", "kind": "notice"},
    ]});
    server.ask("POST /faults HTTP/1.1", &faults.to_string()).await;
    server.ask(SALES, &sale("r", 1000)).await;
    for _ in 0..2 {
        assert_eq!(merchant.next().await.said(), ["r approved"]);
    }
    until_taken(&server, 1).await;
    assert_eq!(server.list("/faults", "next").await, [""; 0]);
    let garbled = json!({"next": [{"fault": "malformed-body", "kind": "notice"}]});
    server.ask("POST /faults HTTP/1.1", &garbled.to_string()).await;
    server.ask(SALES, &sale("s", 1000)).await;
    let heard = merchant.next().await;
    assert_eq!(heard.body, Value::Null, "{}", heard.text);
    server.stop().await;
}
