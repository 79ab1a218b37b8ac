//! What the platform has for a function: Lambda's Runtime API, and those services of AWS that nothing embeddable
//! plays.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

/// What a function asked: the path and the body.
struct Asked {
    path: String,
    headers: BTreeMap<String, String>,
    body: String,
    stream: TcpStream,
}

/// Lambda's Runtime API for one function: hands out one event and takes its answer.
pub struct RuntimeApi(TcpListener);

impl RuntimeApi {
    pub fn new() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").expect("a port"))
    }

    pub fn address(&self) -> String {
        self.0.local_addr().expect("an address").to_string()
    }

    /// Gives the function the event and waits for what it answers.
    pub fn invoke(&self, event: &Value) -> Value {
        self.invoke_and(event, || {})
    }

    /// Has the function fail.
    pub fn invoke_in_vain(&self, event: &Value) {
        let answered = self.exchange(event, || {});
        assert!(answered.path.ends_with("/error"), "{}: {}", answered.path, answered.body);
        respond(answered.stream, 202, &[], "");
    }

    /// The same; `meanwhile` is done once the function has its event.
    pub fn invoke_and(&self, event: &Value, meanwhile: impl FnOnce()) -> Value {
        let answered = self.exchange(event, meanwhile);
        assert!(answered.path.ends_with("/response"), "{}: {}", answered.path, answered.body);
        respond(answered.stream, 202, &[], "");
        serde_json::from_str(&answered.body).expect("an answer in JSON")
    }

    fn exchange(&self, event: &Value, meanwhile: impl FnOnce()) -> Asked {
        let next = accept(&self.0);
        assert!(next.path.ends_with("/runtime/invocation/next"), "{}: {}", next.path, next.body);
        #[expect(clippy::disallowed_methods, reason = "the platform has the real time")]
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
        let deadline = (now + Duration::from_secs(25)).as_millis().to_string();
        let headers = [
            ("Lambda-Runtime-Aws-Request-Id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd"),
            ("Lambda-Runtime-Deadline-Ms", deadline.as_str()),
            ("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-central-1:123456789012:function:test"),
        ];
        respond(next.stream, 200, &headers, &event.to_string());
        meanwhile();
        accept(&self.0)
    }
}

/// The Parameter Store with a key for every name, and a queue and functions that keep what they are sent.
pub struct Services {
    address: String,
    sent: Arc<Mutex<Vec<Value>>>,
    called: Arc<Mutex<Vec<(String, Value)>>>,
}

/// What the parameter of the vault's keys holds.
pub fn sealing_keys() -> String {
    format!("1:{}", "08".repeat(32))
}

impl Services {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let sent: Arc<Mutex<Vec<Value>>> = Arc::default();
        let called: Arc<Mutex<Vec<(String, Value)>>> = Arc::default();
        let (kept, calls) = (Arc::clone(&sent), Arc::clone(&called));
        // Ends with the process.
        std::thread::spawn(move || {
            loop {
                let asked = accept(&listener);
                let body: Value = serde_json::from_str(&asked.body).expect("JSON");
                if asked.headers.get("x-amz-invocation-type").is_some_and(|kind| kind == "Event") {
                    calls.lock().expect("what was called").push((asked.path, body));
                    respond(asked.stream, 202, &[], "");
                    continue;
                }
                let answer = match asked.headers["x-amz-target"].as_str() {
                    "AmazonSSM.GetParameters" => {
                        let names = body["Names"].as_array().expect("names").iter();
                        let value = |name: &Value| match name.as_str().is_some_and(|name| name.ends_with("vault-keys"))
                        {
                            true => sealing_keys(),
                            false => "07".repeat(32),
                        };
                        let keys = names.map(|name| json!({ "Name": name, "Value": value(name) }));
                        json!({ "Parameters": keys.collect::<Vec<_>>(), "InvalidParameters": [] })
                    }
                    "AmazonSQS.SendMessageBatch" => {
                        kept.lock()
                            .expect("what was sent")
                            .extend(body["Entries"].as_array().cloned().unwrap_or_default());
                        json!({ "Successful": [], "Failed": [] })
                    }
                    target => panic!("nobody plays {target}"),
                };
                respond(asked.stream, 200, &[], &answer.to_string());
            }
        });
        Self { address, sent, called }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The messages that the queue was sent since somebody last looked.
    pub fn sent(&self) -> Vec<Value> {
        std::mem::take(&mut *self.sent.lock().expect("what was sent"))
    }

    /// The functions that were called since, each by its path, and their events.
    pub fn called(&self) -> Vec<(String, Value)> {
        std::mem::take(&mut *self.called.lock().expect("what was called"))
    }
}

fn accept(listener: &TcpListener) -> Asked {
    let (stream, _) = listener.accept().expect("the function asks");
    let mut lines = BufReader::new(stream.try_clone().expect("a socket"));
    let mut line = String::new();
    lines.read_line(&mut line).expect("a request");
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        lines.read_line(&mut line).expect("a header");
        let Some((name, value)) = line.trim().split_once(':') else { break };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let body = match headers.get("content-length").and_then(|length| length.parse().ok()) {
        Some(length) => {
            let mut body = vec![0; length];
            lines.read_exact(&mut body).expect("the body");
            body
        }
        None if headers.contains_key("transfer-encoding") => read_chunks(&mut lines),
        None => Vec::new(),
    };
    Asked { path, headers, body: String::from_utf8(body).expect("UTF-8"), stream }
}

fn read_chunks(lines: &mut BufReader<TcpStream>) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let mut size = String::new();
        lines.read_line(&mut size).expect("a chunk");
        let size = usize::from_str_radix(size.trim(), 16).expect("its size");
        let mut chunk = vec![0; size + 2];
        lines.read_exact(&mut chunk).expect("its bytes");
        if size == 0 {
            return body;
        }
        body.extend_from_slice(&chunk[..size]);
    }
}

fn respond(mut stream: TcpStream, status: u16, headers: &[(&str, &str)], body: &str) {
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} OK\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n{headers}\r\n"
    );
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).expect("the function reads");
}
