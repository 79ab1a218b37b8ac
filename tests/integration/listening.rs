//! Events from the command line: listed, shown, told again, and forwarded as they happen to a server that is being
//! developed. A small server stands in for that.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use kessai_infra::system::SystemClock;
use kessai_shared::card::Secret;
use kessai_shared::ports::Clock;
use kessai_shared::webhook::{Headers, verify};
use serde_json::{Value, json};

use crate::harness::{Client, Kessai, STORED_METHOD, Sandbox, Scratch, until};

/// After which a test gives up: nothing depends on it but how long a failure takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A request as it came.
struct Heard {
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Heard {
    fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map_or_else(|| panic!("no {name} in {:?}", self.headers), |(_, value)| value)
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    /// Whether this secret has signed it.
    fn is_signed(&self, secret: &str) -> bool {
        let headers = Headers {
            id: self.header("webhook-id"),
            timestamp: self.header("webhook-timestamp"),
            signature: self.header("webhook-signature"),
        };
        let now = SystemClock.now();
        verify(headers, &self.body, &[Secret::new(secret.to_owned())], now).is_ok()
    }
}

/// What is being developed: answers every request alike, and passes it on.
struct Server {
    address: String,
    heard: Receiver<Heard>,
}

impl Server {
    fn start(status: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let (sender, heard) = channel();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let sender = sender.clone();
                thread::spawn(move || serve(stream, status, &sender));
            }
        });
        Self { address, heard }
    }

    fn next(&self) -> Heard {
        self.heard.recv_timeout(PATIENCE).expect("a request")
    }
}

fn serve(stream: TcpStream, status: u16, sender: &Sender<Heard>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length")?.1.parse().ok()?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    // Passed on before it is answered, or a later request could overtake it. Nobody waits for it where the test is over.
    let _ = sender.send(Heard { path, headers, body });
    let mut stream = stream;
    let answer = format!("HTTP/1.1 {status} Whatever\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    stream.write_all(answer.as_bytes()).ok()
}

/// `kessai listen`, and the lines that it prints; ended when dropped.
struct Listening {
    child: Child,
    lines: Receiver<String>,
}

impl Listening {
    fn start(kessai: &Kessai, arguments: &[&str]) -> Self {
        let mut child = command(kessai, &[&["listen"], arguments].concat())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it runs");
        let out = BufReader::new(child.stdout.take().expect("its output"));
        let (sender, lines) = channel();
        thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { child, lines }
    }

    fn line(&self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("a line")
    }

    fn greets(&self) {
        assert!(self.line().starts_with("Listening to http://127.0.0.1:"));
    }

    /// It ended by itself, well.
    fn ended(mut self) {
        while self.lines.recv_timeout(PATIENCE).is_ok() {}
        assert!(self.child.wait().expect("an end").success());
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(kessai: &Kessai, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kessai"));
    for ours in ["KESSAI_URL", "KESSAI_API_KEY", "KESSAI_SET_UP_KEY"] {
        command.env_remove(ours);
    }
    command.args(arguments).args(["--data", kessai.data()]);
    command
}

/// What a command printed.
#[track_caller]
fn said(kessai: &Kessai, line: &str) -> String {
    let output = command(kessai, &line.split(' ').collect::<Vec<_>>()).output().expect("it runs");
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

fn sale(client: &Client, key: &str) -> String {
    let body = json!({ "amount": 12, "currencyIsoCode": "USD", "paymentGatewayId": client.gateway("KEYED"),
        "paymentMethod": { "id": STORED_METHOD } });
    client.post("sales", Some(key), &body).expect(201).id()
}

/// Waits until so many events are there.
fn listed(client: &Client, count: usize) -> Vec<Value> {
    let all = || client.get("events").expect(200).at("/events").as_array().cloned().unwrap_or_default();
    until(|| Some(all()).filter(|events| events.len() >= count))
        .unwrap_or_else(|| panic!("there are not {count} events"))
}

#[test]
fn what_happened_is_listed_and_shown() {
    let kessai = Kessai::in_memory();
    let client = &kessai.client;
    let record = sale(client, "a");
    let events = listed(client, 2);
    let names: Vec<_> = events.iter().map(|event| event["type"].clone()).collect();
    assert!(names.contains(&json!("payment.created")) && names.contains(&json!("payment.succeeded")), "{names:?}");

    let out = said(&kessai, "events list");
    let succeeded = out.lines().find(|line| line.contains("payment.succeeded")).expect("the verdict");
    for word in [record.as_str(), "12.0", "USD", "Processed"] {
        assert!(succeeded.contains(word), "{word}: {succeeded}");
    }
    assert!(out.starts_with("ID ") && out.contains("payment.created"), "{out}");
    assert_eq!(said(&kessai, "events list --type refund.*"), "(none)\n");
    assert_eq!(said(&kessai, "events list --undelivered"), "(none)\n");
    let first = said(&kessai, "events list --page-size 1");
    let next = first.lines().last().and_then(|line| line.strip_prefix("The next page: --page-token ")).expect("more");
    let second = said(&kessai, &format!("events list --page-size 1 --page-token {next}"));
    assert!(!second.contains("The next page"), "{second}");
    let json: Value = serde_json::from_str(&said(&kessai, "events list --json")).expect("JSON");
    assert_eq!(json["events"], json!(events));

    let id = events[0]["id"].as_str().expect("an id");
    let shown = said(&kessai, &format!("events show {id}"));
    assert!(shown.contains(id) && shown.ends_with("Deliveries\n(none)\n"), "{shown}");
    let json: Value = serde_json::from_str(&said(&kessai, &format!("events show {id} --json"))).expect("JSON");
    assert_eq!(json, events[0]);
    let oldest = events[1]["id"].as_str().expect("an id");
    let newer: Value =
        serde_json::from_str(&said(&kessai, &format!("events list --json --after {oldest}"))).expect("JSON");
    assert_eq!(newer["events"], json!([events[0]]));
}

#[test]
fn an_event_is_forwarded_as_it_is_delivered_and_signed() {
    let kessai = Kessai::in_memory();
    let client = &kessai.client;
    sale(client, "before");
    let before = listed(client, 2);
    let from = before[0]["id"].as_str().expect("an id");
    let receiver = Server::start(200);
    let hook = format!("{}/hook?a=b", receiver.address);
    let listening = Listening::start(&kessai, &["--max", "2", "--forward-to", &hook, "--from", from]);
    listening.greets();
    let forwarding = listening.line();
    let secret =
        forwarding.strip_prefix(&format!("Forwarding to {hook}, signed with ")).expect("the secret").to_owned();
    assert!(secret.starts_with("whsec_"), "{secret}");

    let record = sale(client, "b");
    let mut names = Vec::new();
    for _ in 0..2 {
        let heard = receiver.next();
        assert_eq!(heard.path, "/hook?a=b");
        assert!(heard.is_signed(&secret));
        let other = format!("whsec_{}", data_encoding::BASE64.encode(&[7; 32]));
        assert!(!heard.is_signed(&other), "nothing fits whatever the secret");
        let told = heard.json();
        let members: Vec<_> = told.as_object().expect("an object").keys().cloned().collect();
        assert_eq!(members, ["data", "id", "timestamp", "type", "version"]);
        assert_eq!(told["id"], heard.header("webhook-id"));
        let name = told["type"].as_str().expect("a name").to_owned();
        // That it was made may be told before the gateway has answered.
        let status = told["data"]["payment"]["status"].as_str().expect("a status");
        assert!(status == "Processed" || name == "payment.created", "{told}");
        if status == "Processed" {
            assert_eq!(told["data"], client.get(&format!("payments/{record}")).json());
        }
        let line = listening.line();
        for word in [name.as_str(), heard.header("webhook-id"), &record, &format!("12.0 USD {status}")] {
            assert!(line.contains(word), "{word}: {line}");
        }
        assert!(line.ends_with("--> 200"), "{line}");
        names.push(name);
    }
    names.sort();
    assert_eq!(names, ["payment.created", "payment.succeeded"]);
    listening.ended();
}

#[test]
fn what_is_not_taken_is_shown_and_only_what_is_meant_is() {
    let kessai = Kessai::in_memory();
    let client = &kessai.client;
    sale(client, "before");
    let before = listed(client, 2);
    let from = before[0]["id"].as_str().expect("an id");
    let receiver = Server::start(503);
    let arguments =
        ["--once", "--forward-to", &receiver.address, "--events", "refund.*,payment.succeeded", "--from", from];
    let listening = Listening::start(&kessai, &arguments);
    listening.greets();
    assert!(listening.line().starts_with("Forwarding to "));
    sale(client, "b");
    assert_eq!(receiver.next().json()["type"], "payment.succeeded");
    assert!(listening.line().ends_with("--> 503"));
    listening.ended();

    // Nobody listens there, and nobody else is given that port meanwhile.
    let listening = Listening::start(&kessai, &["--once", "--forward-to", "http://127.0.0.1:1", "--from", from]);
    listening.greets();
    assert!(listening.line().starts_with("Forwarding to "));
    let line = listening.line();
    assert!(line.contains("--> not reached: "), "{line}");
    listening.ended();
}

#[test]
fn listening_goes_on_when_the_server_is_started_again() {
    let (data, sandboxes) = (Scratch::new(), Scratch::new());
    let sandbox = Sandbox::start(sandboxes.path());
    let mut kessai = Kessai::on_file(data.path(), &sandbox);
    sale(&kessai.client, "before");
    let before = listed(&kessai.client, 2);
    let from = before[0]["id"].as_str().expect("an id").to_owned();
    let listening = Listening::start(&kessai, &["--json", "--max", "4", "--from", &from]);
    sale(&kessai.client, "a");
    let event = |line: String| serde_json::from_str::<Value>(&line).expect("JSON")["id"].clone();
    let mut seen = vec![event(listening.line()), event(listening.line())];
    kessai.kill_and_restart();
    sale(&kessai.client, "b");
    seen.extend([event(listening.line()), event(listening.line())]);
    listening.ended();
    seen.sort_by_key(ToString::to_string);
    seen.dedup();
    let all: Vec<_> = listed(&kessai.client, 6).iter().rev().skip(2).map(|event| event["id"].clone()).collect();
    assert_eq!(seen, all);
}

#[test]
fn an_endpoint_is_told_again_under_the_same_id_as_a_later_version() {
    let kessai = Kessai::in_memory();
    let client = &kessai.client;
    let receiver = Server::start(204);
    let add = format!("endpoint add --address {}/hook --event payment.succeeded --json", receiver.address);
    let made: Value = serde_json::from_str(&said(&kessai, &add)).expect("JSON");
    let secret = made["secret"].as_str().expect("a secret").to_owned();
    // What is known of merchants may be a minute old.
    client.advance("PT1M");
    let record = sale(client, "a");
    let first = receiver.next();
    let told = first.json();
    assert_eq!(told["data"], client.get(&format!("payments/{record}")).json());
    let id = told["id"].as_str().expect("an id").to_owned();
    // It is kept for those who ask once everybody was told, so that it may not be there yet.
    let delivered = |version: &Value| {
        let shown = until(|| {
            let shown = client.get(&format!("events/{id}"));
            let is_told = shown.at("/deliveries/0/status") == "Delivered" && shown.at("/version") == *version;
            is_told.then(|| shown.json())
        });
        shown.unwrap_or_else(|| panic!("it is not told as {version}"))
    };
    let shown = delivered(&told["version"]);
    assert_eq!(shown["deliveries"][0]["httpStatus"], 204);

    assert_eq!(said(&kessai, &format!("events redeliver {id}")), "It will be told again.\n");
    // What was told at first may come more than once by itself.
    let is_later = |heard: &Heard| heard.json()["version"].as_u64() > told["version"].as_u64();
    let again = std::iter::repeat_with(|| receiver.next()).take(9).find(is_later).expect("a later version");
    let told_again = again.json();
    assert_eq!((&told_again["id"], &told_again["timestamp"]), (&told["id"], &told["timestamp"]));
    delivered(&told_again["version"]);
    assert!(said(&kessai, "events list --type payment.succeeded").contains("Delivered"));
    assert!(first.is_signed(&secret) && again.is_signed(&secret));
}

#[test]
fn what_cannot_be_listened_to_is_refused() {
    let kessai = Kessai::in_memory();
    let rows = [
        ("listen --forward-to localhost:3000", 2, "http:// or https://"),
        ("listen --forward-to ftp://localhost", 2, "http:// or https://"),
        ("listen --events payment", 2, "must be the name of an event"),
        ("listen --from 0aQ000000000001", 2, "must be the id of an event"),
        ("listen --max 0", 2, "--max"),
        ("listen --once --max 2", 2, "cannot be used with"),
        ("events show evt_1", 2, "must be the id of an event"),
        ("events list --page-size 51", 2, "1..=50"),
        ("events list --type payment.exploded", 1, "type: must be the name of an event"),
    ];
    for (line, code, says) in rows {
        let output = command(&kessai, &line.split(' ').collect::<Vec<_>>()).output().expect("it runs");
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{line}: {err}");
        assert!(err.contains(says), "{line}: {err}");
    }
    let id = format!("evt_{}", "0".repeat(31));
    let output = command(&kessai, &["events", "redeliver", &id]).output().expect("it runs");
    assert!(String::from_utf8_lossy(&output.stderr).contains("NOT_FOUND"));
    let nobody = command(&kessai, &["listen"])
        .env("KESSAI_URL", kessai.client.variable("KESSAI_URL"))
        .env("KESSAI_API_KEY", "kessai_1")
        .output()
        .expect("it runs");
    assert!(String::from_utf8_lossy(&nobody.stderr).contains("INVALID_SESSION_ID"));
}
