//! A running Kessai and its sandbox gateways, and verbs to use them with.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::{Value, json};
use ureq::Agent;
use ureq::http::{Request, Response};

/// A directory that is gone when the test is.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("kessai-test-{}-{count}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a scratch directory");
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A process of the binary `kessai`; killed when dropped.
struct Process {
    child: Child,
    /// The first line it printed.
    greeting: String,
    /// Takes what it prints after that.
    reader: Option<JoinHandle<String>>,
}

impl Process {
    /// Its log would drown the tests': what they look at is what it answers.
    fn start(arguments: &[&str]) -> Self {
        let data = arguments.last().expect("the data directory comes last");
        Self::start_with_log(arguments, appended(&PathBuf::from(format!("{data}.log"))).into())
    }

    fn start_with_log(arguments: &[&str], log: Stdio) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_kessai"))
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the local server starts");
        let mut lines = BufReader::new(child.stdout.take().expect("its output"));
        let mut greeting = String::new();
        lines.read_line(&mut greeting).expect("a greeting");
        if greeting.is_empty() {
            let ended = child.wait().expect("it has ended");
            let said = arguments.last().and_then(|data| std::fs::read_to_string(format!("{data}.log")).ok());
            panic!("{arguments:?} did not start: {ended}, {}", said.unwrap_or_default());
        }
        let reader = std::thread::spawn(move || {
            let mut rest = String::new();
            // Until it ends, by whatever way.
            drop(lines.read_to_string(&mut rest));
            rest
        });
        Self { child, greeting, reader: Some(reader) }
    }

    /// Ends it, and tells what it printed.
    fn end(&mut self) -> String {
        self.kill();
        let rest = self.reader.take().map(|reader| reader.join().expect("no panic"));
        format!("{}{}", self.greeting, rest.unwrap_or_default())
    }

    fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A log that goes on where it ended.
fn appended(file: &Path) -> std::fs::File {
    std::fs::OpenOptions::new().create(true).append(true).open(file).expect("a log")
}

/// Kessai over sandbox gateways of its own, in memory.
pub struct Kessai {
    process: Process,
    arguments: Vec<String>,
    pub client: Client,
    scratch: Option<Scratch>,
    /// Where its log goes, and that of its successors.
    log: Option<PathBuf>,
}

impl Kessai {
    /// In memory, with sandbox gateways in the same process.
    pub fn in_memory() -> Self {
        let scratch = Scratch::new();
        let data = scratch.path().to_string_lossy().into_owned();
        let arguments = ["--port", "0", "--sandbox-port", "0", "--no-models", "--memory", "--quiet", "--data", &data];
        Self { scratch: Some(scratch), ..Self::start(&arguments) }
    }

    /// In memory, with models of real gateways in the same process, and gateways of the merchant's at each of them.
    pub fn with_models() -> Self {
        let scratch = Scratch::new();
        let data = scratch.path().to_string_lossy().into_owned();
        let arguments =
            ["--port", "0", "--sandbox-port", "0", "--models-port", "0", "--memory", "--quiet", "--data", &data];
        Self { scratch: Some(scratch), ..Self::start(&arguments) }
    }

    /// On file, over sandbox gateways that run elsewhere.
    pub fn on_file(data: &Path, sandbox: &Sandbox) -> Self {
        let data = data.to_string_lossy();
        Self::start(&["--port", "0", "--no-models", "--quiet", "--sandbox-url", &sandbox.url, "--data", &data])
    }

    /// On file, with sandbox gateways of its own, and its log in a file.
    pub fn on_file_with_log(data: &Path, log: &Path) -> Self {
        let arguments = ["--port", "0", "--sandbox-port", "0", "--no-models", "--data", &data.to_string_lossy()];
        Self::start_with_log(&arguments, Some(log.to_owned()))
    }

    /// On file, over sandbox gateways that run elsewhere, and its log in a file.
    pub fn over_with_log(data: &Path, sandbox: &Sandbox, log: &Path) -> Self {
        let arguments =
            ["--port", "0", "--no-models", "--sandbox-url", &sandbox.url, "--data", &data.to_string_lossy()];
        Self::start_with_log(&arguments, Some(log.to_owned()))
    }

    fn start(arguments: &[&str]) -> Self {
        Self::start_with_log(arguments, None)
    }

    fn start_with_log(arguments: &[&str], log: Option<PathBuf>) -> Self {
        let process = match &log {
            Some(file) => Process::start_with_log(arguments, appended(file).into()),
            None => Process::start(arguments),
        };
        Self { log, ..Self::over(process, arguments) }
    }

    fn over(process: Process, arguments: &[&str]) -> Self {
        assert!(process.greeting.starts_with("Kessai at "), "{}", process.greeting);
        let data = arguments.last().expect("the data directory comes last");
        let client = Client::from_file(&Path::new(data).join("local.env"));
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        Self { process, arguments, client, scratch: None, log: None }
    }

    /// Ends it, and tells what it printed.
    pub fn end(mut self) -> String {
        self.process.end()
    }

    /// Where its `local.env` is.
    pub fn data(&self) -> &str {
        self.arguments.last().expect("the data directory comes last")
    }

    /// Kills it as a power cut would, and starts it again over the same data.
    pub fn kill_and_restart(&mut self) {
        self.kill();
        self.restart();
    }

    /// Kills it as a power cut would, and tells what it had printed.
    pub fn kill(&mut self) -> String {
        self.process.end()
    }

    /// Starts it again over the same data.
    pub fn restart(&mut self) {
        let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        let next = Self::start_with_log(&arguments, self.log.take());
        let scratch = self.scratch.take();
        *self = Self { scratch, ..next };
    }
}

/// The sandbox gateways in a process of their own.
pub struct Sandbox {
    _process: Process,
    url: String,
}

impl Sandbox {
    pub fn start(data: &Path) -> Self {
        let process = Process::start(&["sandbox", "--port", "0", "--data", &data.to_string_lossy()]);
        let url = process.greeting.trim().strip_prefix("Sandbox gateways at ").expect("its address").to_owned();
        Self { _process: process, url }
    }

    pub fn url(&self) -> &str {
        &self.url
    }
}

/// A merchant's backend.
#[derive(Clone)]
pub struct Client {
    agent: Agent,
    variables: BTreeMap<String, String>,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub text: String,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The value at a JSON pointer.
    pub fn at(&self, pointer: &str) -> Value {
        self.json().pointer(pointer).cloned().unwrap_or(Value::Null)
    }

    pub fn replayed(&self) -> bool {
        self.headers.get("idempotent-replayed").map(String::as_str) == Some("true")
    }

    /// The id of the record in an envelope, whatever its kind.
    pub fn id(&self) -> String {
        let kinds = ["paymentAuthorization", "payment", "paymentAuthAdjustment", "refund"];
        let id = kinds.iter().find_map(|kind| self.at(&format!("/{kind}/id")).as_str().map(str::to_owned));
        id.unwrap_or_else(|| panic!("no record in {} {}", self.status, self.text))
    }

    /// Asserts the status and passes the reply on.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    /// The status of the record in an envelope.
    pub fn record_status(&self) -> String {
        let kinds = ["paymentAuthorization", "payment", "paymentAuthAdjustment", "refund"];
        let status = kinds.iter().find_map(|kind| self.at(&format!("/{kind}/status")).as_str().map(str::to_owned));
        status.unwrap_or_default()
    }

    pub fn result_code(&self) -> String {
        self.at("/gatewayResponse/salesforceResultCode").as_str().unwrap_or_default().to_owned()
    }
}

/// The sandbox gateways, by the way to find out what became of a lost request.
pub const CLASSES: [&str; 4] = ["KEYED", "LOOK_UP", "TIMEOUT_REVERSAL", "NONE"];

impl Client {
    fn from_file(file: &Path) -> Self {
        let text = std::fs::read_to_string(file).expect("local.env");
        let variables = text.lines().filter_map(|line| line.strip_prefix("export ")?.split_once('='));
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(60)))
            .max_idle_connections_per_host(32)
            .build()
            .into();
        Self { agent, variables }
    }

    pub fn variable(&self, name: &str) -> &str {
        self.variables.get(name).unwrap_or_else(|| panic!("local.env has no {name}"))
    }

    /// The id of the gateway of a class.
    pub fn gateway(&self, class: &str) -> &str {
        self.variable(&format!("KESSAI_GATEWAY_ID_{class}"))
    }

    /// Sends a request as it is; none when the connection broke.
    pub fn try_send(&self, request: Request<Vec<u8>>) -> Option<Reply> {
        let mut response: Response<_> = self.agent.run(request).ok()?;
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
        let headers = headers.filter(|(name, _)| name != "date").collect();
        let status = response.status().as_u16();
        let text = response.body_mut().read_to_string().ok()?;
        Some(Reply { status, headers, text })
    }

    pub fn request(&self, method: &str, url: String) -> ureq::http::request::Builder {
        Request::builder()
            .method(method)
            .uri(url)
            .header("authorization", format!("Bearer {}", self.variable("KESSAI_API_KEY")))
    }

    /// Posts a body below `/commerce/payments/`, under a key if there is one.
    pub fn try_post(&self, path: &str, key: Option<&str>, body: &Value) -> Option<Reply> {
        let url = format!("{}/commerce/payments/{path}", self.variable("KESSAI_URL"));
        let mut request = self.request("POST", url).header("content-type", "application/json");
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        self.try_send(request.body(body.to_string().into_bytes()).expect("a request"))
    }

    /// Asks anything, by the path from the root.
    pub fn ask(&self, method: &str, path: &str, key: Option<&str>, body: &Value) -> Reply {
        let url = format!("{}/{path}", self.variable("KESSAI_URL"));
        let mut request = self.request(method, url).header("content-type", "application/json");
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        self.try_send(request.body(body.to_string().into_bytes()).expect("a request")).expect("an answer")
    }

    /// Asks under this key until there is an answer for good, as a caller does whose request met too many others.
    pub fn insist(&self, path: &str, key: &str, body: &Value) -> Reply {
        loop {
            match self.try_post(path, Some(key), body) {
                Some(reply) if ![202, 409, 503, 504].contains(&reply.status) => return reply,
                Some(_) | None => std::thread::sleep(Duration::from_millis(50)),
            }
        }
    }

    pub fn post(&self, path: &str, key: Option<&str>, body: &Value) -> Reply {
        self.try_post(path, key, body).expect("an answer")
    }

    pub fn get(&self, path: &str) -> Reply {
        let url = format!("{}/commerce/payments/{path}", self.variable("KESSAI_URL"));
        self.try_send(self.request("GET", url).body(Vec::new()).expect("a request")).expect("an answer")
    }

    /// Asks something of the local server or the sandbox itself.
    pub fn control(&self, method: &str, base: &str, path: &str, body: &Value) -> Reply {
        let request = Request::builder().method(method).uri(format!("{}{path}", self.variable(base)));
        let request = request.header("content-type", "application/json");
        let body = if method == "GET" { Vec::new() } else { body.to_string().into_bytes() };
        self.try_send(request.body(body).expect("a request")).expect("an answer").expect(200)
    }

    /// Moves the clock forward by an ISO 8601 duration.
    pub fn advance(&self, by: &str) {
        self.control("POST", "KESSAI_URL", "/local/clock", &json!({ "advance": by }));
    }

    /// Every money effect in the sandbox's ledger.
    pub fn ledger(&self) -> Vec<Value> {
        let ledger = self.control("GET", "SANDBOX_URL", "/ledger", &Value::Null);
        ledger.at("/effects").as_array().cloned().unwrap_or_default()
    }

    /// Those effects that an operation, by the id of its record, had and still has.
    pub fn effects_of(&self, reference: &str) -> usize {
        self.ledger().iter().filter(|effect| effect["reference"] == reference && effect["voided"] == false).count()
    }

    /// Scripts what the sandbox does to the next requests.
    pub fn script(&self, faults: Value) {
        self.control("POST", "SANDBOX_URL", "/faults", &json!({ "next": faults }));
    }

    /// An authorization through the gateway of a class, on a stored method that approves.
    pub fn authorize(&self, class: &str, key: &str, amount: &str) -> Reply {
        self.post("authorizations", Some(key), &self.opening(class, amount))
    }

    /// The body of a request that opens a payment on a stored method.
    pub fn opening(&self, class: &str, amount: &str) -> Value {
        json!({
            "accountId": "001000000000001", "amount": amount, "currencyIsoCode": "USD",
            "paymentGatewayId": self.gateway(class), "paymentMethod": { "id": STORED_METHOD },
        })
    }

    /// The body of a request that opens a payment on a card.
    pub fn card_opening(&self, class: &str, amount: &str, card: &str) -> Value {
        json!({
            "accountId": "001000000000001", "amount": amount, "currencyIsoCode": "USD",
            "paymentGatewayId": self.gateway(class),
            "paymentMethod": { "cardPaymentMethod": { "cardNumber": card, "expiryMonth": 12, "expiryYear": 2030, "cvv": "123" } },
        })
    }

    /// Reads a record until it is settled.
    pub fn settled(&self, path: &str) -> Reply {
        self.becomes(path, |reply| reply.record_status() != "Pending")
    }

    /// Reads a record until it is like this.
    pub fn becomes(&self, path: &str, is_so: impl Fn(&Reply) -> bool) -> Reply {
        let read = || Some(self.get(path).expect(200));
        until(|| read().filter(&is_so)).unwrap_or_else(|| panic!("{path} stays as it is: {}", self.get(path).text))
    }
}

/// A stored method of the sandbox that approves.
pub const STORED_METHOD: &str = "03O000000000000";

/// A card number of the sandbox that approves.
pub const CARD: &str = "4242424242424242";

/// How often something is looked at before a test gives up, and the pause between: nothing depends on it but how long a
/// failure takes, on a machine that is busy with others.
const LOOKS: usize = 1_200;
const PAUSE: Duration = Duration::from_millis(100);

/// Looks until there is something; none where there never is.
pub fn until<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    (0..LOOKS).find_map(|_| {
        let found = look();
        if found.is_none() {
            std::thread::sleep(PAUSE);
        }
        found
    })
}

/// Runs the same thing in many threads at once.
pub fn at_once<T: Send>(count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let barrier = std::sync::Barrier::new(count);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..count)
            .map(|index| {
                let (work, barrier) = (&work, &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    work(index)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    })
}
