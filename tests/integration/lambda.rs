//! The binaries that are deployed, started as Lambda starts them: an environment, a Runtime API, an event.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use kessai_functions::local::embedded::{self, Embedded};
use kessai_functions::local::identity::Identity;
use serde_json::{Value, json};

use crate::harness::{Sandbox, Scratch};

/// What the Runtime API was asked: the path and the body.
struct Asked {
    path: String,
    body: String,
    stream: TcpStream,
}

/// Lambda's Runtime API for one function: hands out one event and takes its answer.
struct RuntimeApi(TcpListener);

impl RuntimeApi {
    fn new() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").expect("a port"))
    }

    fn address(&self) -> String {
        self.0.local_addr().expect("an address").to_string()
    }

    /// Gives the function the event and waits for what it answers.
    fn invoke(&self, event: &Value) -> Value {
        let next = self.accept();
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
        let answered = self.accept();
        assert!(answered.path.ends_with("/response"), "{}: {}", answered.path, answered.body);
        respond(answered.stream, 202, &[], "");
        serde_json::from_str(&answered.body).expect("an answer in JSON")
    }

    fn accept(&self) -> Asked {
        let (stream, _) = self.0.accept().expect("the function asks");
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
        Asked { path, body: String::from_utf8(body).expect("UTF-8"), stream }
    }
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

/// The data that functions find in the account.
struct Account {
    database: Embedded,
    identity: Identity,
    _sandbox: (Sandbox, Scratch),
}

impl Account {
    async fn new() -> Self {
        let scratch = Scratch::new();
        let sandbox = Sandbox::start(&scratch.path().join("sandbox"));
        let database = embedded::start(None).await.unwrap_or_else(|error| panic!("{error:?}"));
        let identity = Identity::load(&scratch.path().join("none"));
        identity.register(&database.merchants, sandbox.url()).await.unwrap_or_else(|error| panic!("{error:?}"));
        Self { database, identity, _sandbox: (sandbox, scratch) }
    }

    fn environment(&self, runtime: &str) -> BTreeMap<String, String> {
        let variables = [
            ("AWS_LAMBDA_RUNTIME_API", runtime),
            ("AWS_LAMBDA_FUNCTION_NAME", "test"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "test"),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "test"),
            ("AWS_REGION", "eu-central-1"),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_ENDPOINT_URL_DYNAMODB", &self.database.url),
            ("PAYMENTS_TABLE", "payments"),
            ("MERCHANTS_TABLE", "merchants"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        variables.into_iter().chain([("FINGERPRINT_KEY".to_owned(), "07".repeat(32))]).collect()
    }

    /// The sample event of a function, by this merchant, with these members in its body.
    fn event(&self, function: &str, id: Option<(&str, &str)>, members: &Value) -> Value {
        let path = format!("{}/../events/{function}.json", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).expect("a sample event");
        let mut event: Value = serde_json::from_str(&text).expect("JSON");
        event["headers"]["authorization"] = json!(format!("Bearer {}", self.identity.api_key.reveal()));
        if let Some(text) = event["body"].as_str() {
            let mut body: Value = serde_json::from_str(text).expect("JSON");
            for (name, value) in members.as_object().into_iter().flatten() {
                body[name] = value.clone();
            }
            event["body"] = json!(body.to_string());
        }
        if let Some((name, id)) = id {
            event["pathParameters"] = json!({ name: id });
        }
        event
    }
}

struct Function(Child);

impl Drop for Function {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(binary: &str, environment: BTreeMap<String, String>) -> Function {
    Function(Command::new(binary).env_clear().envs(environment).spawn().expect("the function starts"))
}

/// Starts the binary as Lambda does, for one event.
fn invoke(account: &Account, binary: &str, event: &Value) -> (u64, Value) {
    let runtime = RuntimeApi::new();
    let _function = start(binary, account.environment(&runtime.address()));
    let answer = runtime.invoke(event);
    let body = answer["body"].as_str().expect("a body");
    (answer["statusCode"].as_u64().expect("a status"), serde_json::from_str(body).expect("JSON"))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_deployed_function_serves_its_event() {
    let account = Account::new().await;
    let gateway = json!({ "paymentGatewayId": account.identity.gateways["KEYED"].to_string() });
    let check = |binary: &str, event: Value, status: u64| {
        let (answered, body) = invoke(&account, binary, &event);
        assert_eq!(answered, status, "{binary}: {body}");
        body
    };
    let authorized = check(env!("CARGO_BIN_EXE_authorize"), account.event("authorize", None, &gateway), 201);
    let authorization = authorized["paymentAuthorization"]["id"].as_str().expect("an id");
    let to = Some(("authorizationId", authorization));
    let captured = check(env!("CARGO_BIN_EXE_capture"), account.event("capture", to, &json!({})), 201);
    check(env!("CARGO_BIN_EXE_reverse"), account.event("reverse", to, &json!({})), 201);
    let payment = captured["payment"]["id"].as_str().expect("an id");
    check(env!("CARGO_BIN_EXE_refund"), account.event("refund", Some(("paymentId", payment)), &json!({})), 201);
    check(env!("CARGO_BIN_EXE_sale"), account.event("sale", None, &gateway), 201);
    // The sample names a client-side authorization that is not there.
    check(env!("CARGO_BIN_EXE_post-auth"), account.event("post-auth", None, &gateway), 402);
    let read = check(env!("CARGO_BIN_EXE_retrieve"), account.event("retrieve", to, &json!({})), 200);
    assert_eq!(read["operations"].as_array().map(Vec::len), Some(4));
    assert_eq!(read["paymentAuthorization"]["balance"], json!(0.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_without_its_environment_says_what_is_missing() {
    let account = Account::new().await;
    for missing in ["PAYMENTS_TABLE", "MERCHANTS_TABLE", "FINGERPRINT_KEY", "AWS_REGION"] {
        let mut environment = account.environment("127.0.0.1:9");
        environment.remove(missing);
        let mut command = Command::new(env!("CARGO_BIN_EXE_authorize"));
        let Output { status, stderr, .. } =
            command.env_clear().envs(environment).stdin(Stdio::null()).output().expect("it starts");
        assert!(!status.success());
        let said = String::from_utf8_lossy(&stderr).into_owned();
        assert!(said.contains(missing), "{said} names {missing}");
    }
}
