//! What can be set up can be set up from the command line, by the binary that serves, and no key is seen where it is not
//! shown on purpose.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use kessai_functions::local::embedded;
use kessai_infra::system::SystemClock;
use kessai_shared::ids::MerchantId;
use kessai_shared::ports::Clock;
use kessai_shared::registry::Registry;
use serde_json::{Value, json};
use ureq::http::Request;

use crate::harness::{Client, Kessai};
use crate::tokenize::card;

/// What a command printed, and how it ended.
struct Said {
    code: i32,
    out: String,
    err: String,
}

impl Said {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
        let code = output.status.code().expect("an end of its own");
        Self { code, out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// What it printed where it did as it was told.
    #[track_caller]
    fn done(self) -> String {
        assert_eq!((self.code, self.err.as_str()), (0, ""), "{}", self.out);
        self.out
    }

    #[track_caller]
    fn json(self) -> Value {
        let out = self.done();
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"))
    }

    /// Where it did nothing, it printed this to those who look for errors, and nothing to anybody else.
    #[track_caller]
    fn refused(self, code: i32, says: &str) {
        assert_eq!((self.code, self.out.as_str()), (code, ""), "{}", self.err);
        assert!(self.err.contains(says), "{says}: {}", self.err);
    }
}

/// Runs a command in an environment that holds these and no others of ours.
fn run(arguments: &[&str], environment: &[(&str, &str)]) -> Said {
    run_reading("", arguments, environment)
}

/// The same with this on its standard input.
fn run_reading(input: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kessai"));
    for ours in ["KESSAI_URL", "KESSAI_API_KEY", "KESSAI_SET_UP_KEY", "KESSAI_NOTICE_SECRET"] {
        command.env_remove(ours);
    }
    command.args(arguments).envs(environment.iter().copied());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = command.spawn().expect("it runs");
    // Whoever reads nothing may have ended before.
    drop(running.stdin.take().expect("its input").write_all(input.as_bytes()));
    Said::of(&running.wait_with_output().expect("it ends"))
}

/// Whoever sets up the local server, by a command line without its end, `--data`.
struct Desk {
    kessai: Kessai,
}

impl Desk {
    fn new() -> Self {
        Self { kessai: Kessai::in_memory() }
    }

    fn client(&self) -> &Client {
        &self.kessai.client
    }

    /// The key of the local server is printed by no command.
    #[track_caller]
    fn run(&self, line: &str) -> Said {
        let arguments: Vec<&str> = line.split(' ').chain(["--data", self.kessai.data()]).collect();
        let said = run(&arguments, &[]);
        let key = self.client().variable("KESSAI_API_KEY");
        assert!(!said.out.contains(key) && !said.err.contains(key), "{line} prints the key that it was asked with");
        said
    }

    /// With this key in the environment instead.
    fn run_with(&self, key: &str, line: &str) -> Said {
        let environment = [("KESSAI_URL", self.client().variable("KESSAI_URL")), ("KESSAI_SET_UP_KEY", key)];
        run(&line.split(' ').collect::<Vec<_>>(), &environment)
    }

    /// Makes something, as JSON, and hears of it again in words.
    #[track_caller]
    fn made(&self, line: &str, word: &str) -> String {
        let line = format!("{line} --idempotency-key {}-1", word.replace(' ', "-"));
        let made = self.run(&format!("{line} --json")).json();
        assert_eq!(made["success"], true, "{made}");
        let id = made["id"].as_str().expect("an id").to_owned();
        assert_eq!(self.run(&line).done(), format!("Made the {word} {id}.\n"));
        id
    }

    /// What is set is set twice, once without words.
    #[track_caller]
    fn set(&self, line: &str) {
        assert_eq!(self.run(line).done(), "Set.\n");
        assert_eq!(self.run(&format!("{line} --json --idempotency-key set-1")).done(), "");
    }

    /// Asserts that a list says the same as the API, and in words has these.
    #[track_caller]
    fn listed(&self, noun: &str, member: &str, words: &[&str]) {
        let all = self.run("merchant show --json").json();
        assert_eq!(self.run(&format!("{noun} list --json")).json(), all[member]);
        let (list, shown) = (self.run(&format!("{noun} list")).done(), self.run("merchant show").done());
        for word in words {
            assert!(list.contains(word), "{noun} list has {word}: {list}");
            assert!(shown.contains(word), "merchant show has {word}: {shown}");
        }
    }
}

/// What the words set apart.
fn secret(out: &str) -> String {
    assert!(out.contains("It is shown once, now, and never again:"), "{out}");
    out.lines().find_map(|line| line.strip_prefix("    ")).expect("a secret").to_owned()
}

/// The status that a caller with this key hears.
fn heard(client: &Client, key: &str, method: &str, path: &str) -> u16 {
    let url = format!("{}/{path}", client.variable("KESSAI_URL"));
    let request = Request::builder().method(method).uri(url).header("authorization", format!("Bearer {key}"));
    client.try_send(request.body(Vec::new()).expect("a request")).expect("an answer").status
}

#[test]
fn a_merchant_is_shown_changed_and_made() {
    let desk = Desk::new();
    desk.set("merchant set --name Coffee --currency EUR");
    let shown = desk.run("merchant show --json").json();
    assert_eq!(shown["merchant"]["name"], "Coffee");
    assert_eq!(shown["merchant"]["defaultCurrency"], "EUR");
    assert_eq!(desk.client().ask("GET", "set-up", None, &json!({})).json(), shown);
    assert!(desk.run("merchant show").done().contains("Name          Coffee\nCurrency      EUR\nKeeps events  yes\n"));
    desk.set("merchant set --keep-events false");
    assert_eq!(desk.run("merchant show --json").json()["merchant"]["keepEvents"], false);
    // An empty text takes away.
    run(&["merchant", "set", "--currency", "", "--data", desk.kessai.data()], &[]).done();
    assert_eq!(desk.run("merchant show --json").json()["merchant"]["defaultCurrency"], Value::Null);

    let made = desk.run("merchant create --name Tea --currency JPY --json").json();
    let key = made["apiKey"]["key"].as_str().expect("a key");
    let theirs = desk.run_with(key, "merchant show --json").json();
    assert_eq!((&theirs["merchant"]["id"], &theirs["merchant"]["name"]), (&made["id"], &json!("Tea")));
    let key = secret(&desk.run("merchant create --name Cocoa").done());
    assert!(
        desk.run_with(&key, "merchant show")
            .done()
            .contains("Name          Cocoa\nCurrency      -\nKeeps events  no\n")
    );
}

#[test]
fn gateways_are_set_up_and_what_was_set_up_takes_a_payment() {
    let desk = Desk::new();
    let provider = desk.made("provider add --adapter sandbox-keyed --name Mine --comments ours", "provider");
    desk.set(&format!("provider set {provider} --label My_gateways --comments theirs --idempotency no"));
    desk.listed("provider", "providers", &[&provider, "Mine", "My_gateways", "theirs", "No"]);

    let url = format!("{}/keyed", desk.client().variable("SANDBOX_URL"));
    let terms = "--mode test --balance-check gateway --authorization-lifetime P3D --credential /kessai/main";
    let add = format!("gateway add --provider {provider} --name Main --base-url {url} {terms}");
    let gateway = desk.made(&add, "gateway");
    let pay = json!({ "amount": 5, "currencyIsoCode": "USD", "paymentGatewayId": gateway,
        "paymentMethod": { "id": crate::harness::STORED_METHOD } });
    desk.client().post("sales", None, &pay).expect(201);
    desk.set(&format!("gateway set {gateway} --status inactive --external-reference M-1 --name Former"));
    desk.listed("gateway", "gateways", &[&gateway, "Former", "Inactive", "Test", "P3D", "/kessai/main"]);

    let add =
        format!("method-type add --provider {provider} --kind cardpaymentmethod --gateway-name scheme --name Cards");
    let kind = desk.made(&add, "method type");
    desk.listed("method-type", "paymentMethodTypes", &[&kind, "CardPaymentMethod", "scheme", "Cards"]);
}

#[test]
fn a_key_works_from_when_it_is_made_until_it_is_rolled_or_revoked() {
    let desk = Desk::new();
    let client = desk.client();
    let reads = |key: &str| heard(client, key, "GET", "commerce/payments/payment-methods?accountId=1");
    let add = "key add --name Shop --scope authorize,read --requests-per-second 50 --expires-at 2099-01-01";
    let made = desk.run(&format!("{add} --json --idempotency-key shop-1")).json();
    let (id, shop) = (made["id"].as_str().expect("an id"), made["key"].as_str().expect("a key"));
    desk.run(&format!("{add} --idempotency-key shop-1")).refused(1, "DUPLICATE_VALUE: This was made before");
    assert_eq!(reads(shop), 200);
    desk.run_with(shop, "merchant show").refused(1, "INSUFFICIENT_ACCESS: The API key lacks the scope set-up");
    desk.run_with(shop, "methods --account 1").done();

    let rolled = secret(&desk.run(&format!("key roll {id} --overlap PT1H")).done());
    // What is known of keys may be a minute old.
    client.advance("PT1M");
    assert_eq!((reads(shop), reads(&rolled)), (200, 200));
    client.advance("PT2H");
    assert_eq!((reads(shop), reads(&rolled)), (401, 200));

    let keys = desk.run("key list --json").json();
    let is_new = |key: &&Value| key["name"] == "Shop" && key["works"] == true;
    let new = keys.as_array().expect("keys").iter().find(is_new).expect("the new key");
    assert_eq!(desk.run(&format!("key revoke {}", new["id"].as_str().expect("an id"))).done(), "Revoked.\n");
    client.advance("PT1M");
    assert_eq!(reads(&rolled), 401);
    desk.listed("key", "apiKeys", &[id, "Shop", "authorize,read"]);
    for line in ["key list", "key list --json", "merchant show", "merchant show --json", "audit", "audit --json"] {
        let out = desk.run(line).done();
        assert!(!out.contains("kessai_"), "{line} prints no key: {out}");
    }
}

#[test]
fn an_endpoint_is_set_up_gets_another_secret_and_goes() {
    let desk = Desk::new();
    let add = "endpoint add --address https://shop.example/hook --event payment.* --event refund.created";
    let made = desk.run(&format!("{add} --json")).json();
    let (id, first) = (made["id"].as_str().expect("an id"), made["secret"].as_str().expect("a secret"));
    desk.set(&format!("endpoint set {id} --address https://shop.example/other --status inactive --event *"));
    let second = secret(&desk.run(&format!("endpoint roll {id} --overlap 3600")).done());
    assert!(second.starts_with("whsec_") && second != first, "{second}");
    desk.listed("endpoint", "webhookEndpoints", &[id, "https://shop.example/other", "Inactive"]);
    assert!(!desk.run("endpoint list --json").done().contains("whsec_"));
    assert_eq!(desk.run(&format!("endpoint remove {id}")).done(), "Removed.\n");
    assert_eq!(desk.run("endpoint list").done(), "(none)\n");
    desk.run(&format!("endpoint remove {id}")).refused(1, "NOT_FOUND");
}

#[test]
fn schedules_are_made_shown_and_changed() {
    let desk = Desk::new();
    let gateway = desk.client().gateway("KEYED");
    let common = format!("--method 03O000000000000 --account Carol --gateway {gateway} --currency JPY");
    let recurs = "--amount 1200 --start 2030-01-25 --trial-days 3 --frequency month --on 28 --until 2031-12-31";
    let line = format!("schedules create {common} --open {recurs} --idempotency-key flat-7");
    let said = desk.run(&line).done();
    let says =
        |said: &str, words: &[&str]| words.iter().for_each(|word| assert!(said.contains(word), "{word}: {said}"));
    says(&said, &["Made the payment schedule 5PS", "monthly on day 28 from 2030-01-28 until 2031-12-31", "1200.0"]);
    says(&said, &["2030-01-28,2030-02-28,2030-03-28", "Ready for Processing", "No scheduler takes what comes next"]);
    let id = desk.run(&format!("{line} --json")).json()["paymentSchedule"]["id"].as_str().expect("an id").to_owned();
    assert!(said.contains(&id), "{said}");

    for (change, words) in [
        (format!("hold {id}"), "STATUS      On Hold"),
        (format!("resume {id}"), "STATUS      Open"),
        (format!("skip {id} --date 2030-02-28"), "2030-01-28,2030-03-28"),
        (format!("amount {id} --amount 1300"), "AMOUNT      1300.0"),
        (format!("method {id} --method 03O000000009001"), "METHOD      03O000000009001"),
        (format!("cancel {id}"), "STATUS      Canceled"),
    ] {
        says(&desk.run(&format!("schedules {change}")).done(), &[words]);
    }
    let shown = desk.run(&format!("schedules show {id} --json")).json();
    assert_eq!(shown["paymentSchedule"]["recurrence"]["amount"], 1300.0);
    desk.run(&format!("schedules open {id}")).refused(1, "INVALID_STATUS: status: the schedule is Canceled");

    let items = "--item 2030-01-31=1000 --item 2030-02-28=500 --total 2000";
    let made = desk.run(&format!("schedules create {common} {items} --json")).json();
    let made = &made["paymentSchedule"];
    assert_eq!((&made["status"], &made["availableRequestedAmount"]), (&json!("Draft"), &json!(500.0)));
    let list = desk.run("schedules list --account Carol").done();
    says(&list, &[&id, made["id"].as_str().expect("an id"), "Draft", "Canceled"]);
    assert_eq!(desk.run("schedules list --account Nobody").done(), "(none)\n");
    let id = made["id"].as_str().expect("an id");
    let add = format!("schedules item add {id} --amount 300 --date 2030-03-31 --comments late --draft");
    let said = desk.run(&format!("{add} --idempotency-key more")).done();
    says(&said, &["Added the item 5SI", "2030-03-31", "300.0", "Draft"]);
    let again = desk.run(&format!("{add} --idempotency-key more --json")).json();
    let item = again["paymentScheduleItem"]["id"].as_str().expect("an id").to_owned();
    assert!(said.contains(&item), "it is added once: {said}");
    for (command, status) in
        [("ready", "Ready for Processing"), ("show", "Ready for Processing"), ("cancel", "Canceled")]
    {
        says(&desk.run(&format!("schedules item {command} {item}")).done(), &[&item, status]);
    }
    desk.run(&format!("schedules item ready {item}")).refused(1, "INVALID_STATUS: status: the item is Canceled");
    desk.run(&format!("schedules item add {id} --amount 300 --date 2030-03-31")).done();
    desk.run(&format!("schedules item add {id} --amount 300 --date 2030-03-31")).refused(1, "AMOUNT_EXCEEDS_BALANCE");
    for (line, says) in [
        (format!("item ready {id}"), "must be the id of an item of a schedule"),
        (format!("item add {item} --amount 1 --date 2030-03-31"), "must be the id of a payment schedule"),
        (format!("create {common}"), "--item"),
        (format!("create {common} {items} {recurs}"), "cannot be used with"),
        (format!("create {common} --amount 1"), "--start"),
        (format!("create {common} --item tomorrow=1"), "must be a date"),
        ("show 03O000000000000".to_owned(), "must be the id of a payment schedule"),
        (format!("skip {id} --date 2030-2-28"), "must be a date"),
    ] {
        desk.run(&format!("schedules {line}")).refused(2, says);
    }
}

#[test]
fn retry_rules_are_set_up_and_go() {
    let desk = Desk::new();
    let terms = "--status active --default true --type fixed --interval 6 --unit hours --retries 3 --other-method true";
    let set = desk.made(&format!("retry-rules set add --name Patient {terms}"), "retry rule set");
    desk.set(&format!("retry-rules set edit {set} --interval 8 --description late"));
    desk.listed("retry-rules set", "paymentRetryRuleSets", &[&set, "Patient", "Active", "Fixed", "8", "Hours", "late"]);
    let timing = "--code 51 --type staggered --interval 1,3,5 --unit days";
    let rule = desk.made(&format!("retry-rules rule add --set {set} --category cardlimit {timing}"), "retry rule");
    desk.set(&format!("retry-rules rule edit {rule} --interval 1,4 --gateway {}", desk.client().gateway("KEYED")));
    let shown = [&rule, &set, "CardLimit", "51", "Staggered", "1,4", "Days"];
    desk.listed("retry-rules rule", "paymentRetryRules", &shown);
    desk.run(&format!("retry-rules rule edit {rule} --interval 4,1")).refused(1, "INVALID_API_INPUT: IntervalValue");
    desk.run(&format!("retry-rules rule edit {rule}")).refused(2, "required");
    desk.run(&format!("retry-rules set remove {rule}")).refused(2, "must be an id");
    desk.run(&format!("retry-rules set remove {set}")).refused(1, "INVALID_STATUS");
    for line in [format!("retry-rules rule remove {rule}"), format!("retry-rules set remove {set}")] {
        assert_eq!(desk.run(&line).done(), "Removed.\n");
    }
    assert_eq!(desk.run("retry-rules set list").done(), "(none)\n");
}

#[test]
fn schedulers_and_runs_are_made_shown_and_ended() {
    let desk = Desk::new();
    let filters = "--match matchany --equals gold --in-list silver,bronze";
    let monthly =
        "--name Rent --start 2090-01-01 --end 2090-12-31 --at 02:05 --timezone Asia/Tokyo --cadence monthly --day L";
    let made = desk.run(&format!("schedulers create {monthly} {filters} --draft --idempotency-key one --json")).json();
    let id = made["billingBatchScheduler"]["id"].as_str().expect("an id").to_owned();
    let again = desk.run(&format!("schedulers create {monthly} {filters} --draft --idempotency-key one"));
    assert_eq!(again.done(), format!("Made the scheduler {id}.\n"));
    let says = |line: &str, words: &[&str]| {
        let said = desk.run(line).done();
        assert!(words.iter().all(|word| said.contains(word)), "{line}: {said}");
    };
    says(
        &format!("schedulers show {id}"),
        &["Rent", "Draft", "Monthly", "L", "Asia/Tokyo", "Equals", "gold", "silver,bronze"],
    );
    says("schedulers list --page-size 1", &[&id, "Rent", "Draft"]);
    for (command, says_done, status) in
        [("activate", "Active.", "Active"), ("deactivate", "Paused.", "Inactive"), ("cancel", "Canceled.", "Canceled")]
    {
        assert_eq!(desk.run(&format!("schedulers {command} {id}")).done(), format!("{says_done}\n"));
        says(&format!("schedulers show {id}"), &[status]);
    }
    desk.run(&format!("schedulers activate {id}")).refused(1, "INVALID_STATUS: status");
    desk.run("schedulers create --name Rent --start 2090-01-01 --at 2:5 --cadence daily").refused(1, "preferredTime");
    desk.run("schedulers show 5PR000000000001").refused(2, "must be an id");

    let started =
        desk.run("runs start --date 2020-01-01 --not-equals gold --comments late --idempotency-key run-1 --json");
    let run = started.json()["paymentBatchRun"]["id"].as_str().expect("an id").to_owned();
    let again = desk.run("runs start --date 2020-01-01 --not-equals gold --comments late --idempotency-key run-1");
    assert_eq!(again.done(), format!("Started the run {run}.\n"));
    let watched = desk.run(&format!("runs watch {run}")).done();
    let last = watched.lines().last().unwrap_or_default();
    assert!(last.contains("100%  Completed  0 processed  0 failed  0 pending  ended 2"), "{watched}");
    assert!(!watched.contains(['\r', '\u{1b}']), "this is no terminal: {watched}");
    let ended = desk.run(&format!("runs watch {run} --json")).json();
    assert_eq!(ended, desk.run(&format!("runs show {run} --json")).json());
    says(&format!("runs show {run}"), &["Completed", "2020-01-01", "late", "NotEquals"]);
    says("runs list", &[&run, "Completed"]);
    assert_eq!(desk.run(&format!("runs list --scheduler {id}")).done(), "(none)\n");
    desk.run(&format!("runs stop {run}")).refused(1, "INVALID_STATUS");
    desk.run("runs start --date 2090-01-01").refused(1, "INVALID_API_INPUT: runDate: must be at most 31 days ahead");
    desk.run("runs watch 5PR000000000001").refused(1, "");
}

#[test]
fn a_providers_notice_secret_is_read_from_elsewhere_than_the_command_line() {
    let desk = Desk::new();
    let provider = desk.made("provider add --adapter sandbox-keyed --name Mine", "provider");
    let given = |input: &str, line: &str, environment: &[(&str, &str)]| {
        let line = format!("provider secret {provider}{line}");
        let arguments: Vec<&str> = line.split(' ').chain(["--data", desk.kessai.data()]).collect();
        run_reading(input, &arguments, environment)
    };
    let secrets = || {
        let shown = desk.run("provider list --json").json();
        let providers = shown.as_array().expect("providers").clone();
        let ours = providers.iter().find(|known| known["id"] == provider.as_str()).expect("ours");
        ours["notificationSecrets"].as_array().expect("secrets").len()
    };
    given("", "", &[]).refused(1, "no secret: export KESSAI_NOTICE_SECRET");
    given("with space\n", "", &[]).refused(1, "INVALID_API_INPUT: secret: must be visible");
    assert_eq!(given("piped-secret\n", "", &[]).done(), "Set.\n");
    // The variable comes first, and a line's end is no part of a secret: this is another, that the same.
    let variable = [("KESSAI_NOTICE_SECRET", "exported-secret")];
    assert_eq!(given("piped-secret", "", &[]).done(), "Set.\n");
    assert_eq!(secrets(), 1);
    assert_eq!(given("piped-secret", " --overlap PT1H --json", &variable).done(), "");
    assert_eq!(secrets(), 2);
    desk.listed("provider", "providers", &[&provider, &format!("/commerce/payments/notify?provider={provider}")]);
    for line in ["provider list", "merchant show --json", "audit", "audit --json"] {
        let out = desk.run(line).done();
        assert!(!out.contains("piped-secret") && !out.contains("exported-secret"), "{line}: {out}");
    }
    assert_eq!(given("", " --remove", &[]).done(), "Removed.\n");
    assert_eq!(secrets(), 0);
    given("", " --remove --overlap PT1H", &[]).refused(2, "cannot be used with");
    given("", " piped-secret", &[]).refused(2, "unexpected argument");
}

#[test]
fn a_gateways_credential_is_read_from_a_file_or_standard_input_and_can_be_checked() {
    let desk = Desk::new();
    let scratch = crate::harness::Scratch::new();
    let file = scratch.path().join("credential.json");
    let provider = desk.made("provider add --adapter sandbox-keyed --name Mine", "provider");
    let url = format!("{}/keyed", desk.client().variable("SANDBOX_URL"));
    let add = |url: &str| {
        let made = desk.run(&format!("gateway add --provider {provider} --name Main --base-url {url} --json")).json();
        made["id"].as_str().expect("an id").to_owned()
    };
    let (gateway, nowhere) = (add(&url), add("http://127.0.0.1:1"));
    let given = |input: &str, more: &[&str]| {
        let line = ["gateway", "credential", &gateway, "--data", desk.kessai.data()];
        run_reading(input, &[&line[..], more].concat(), &[])
    };
    let has_one = || {
        let shown = desk.run("gateway list --json").json();
        let gateways = shown.as_array().expect("gateways").clone();
        gateways.iter().find(|known| known["id"] == gateway.as_str()).expect("ours")["hasCredential"].clone()
    };
    let path = file.to_str().expect("a path");
    given("", &["--from-file", path]).refused(1, "credential.json: ");
    for text in ["piped-secret", "\"piped-secret\"", "[\"piped-secret\"]", "{\"secretKey\":piped-secret}", ""] {
        given(text, &["--from-file", "-"]).refused(1, "-: is no JSON object");
    }
    given(r#"{"secretKey":"piped secret"}"#, &["--from-file", "-"]).refused(1, "Credential.secretKey: must be visible");
    given(r#"{"key":"piped-secret"}"#, &["--from-file", "-"]).refused(1, "Credential: has a member that is none of");
    given("", &[]).refused(2, "--from-file");
    given("", &["piped-secret"]).refused(2, "unexpected argument");
    assert_eq!(has_one(), false);
    assert_eq!(given(r#"{"secretKey":"piped-secret"}"#, &["--from-file", "-"]).done(), "Set.\n");
    std::fs::write(&file, "{ \"secretKey\": \"filed-secret\" }\n").expect("a file");
    assert_eq!(given("", &["--from-file", path, "--same-account", "--json"]).done(), "");
    assert_eq!(has_one(), true);
    assert!(desk.run("audit --limit 1").done().contains("in the place of another, same account"));

    let out = desk.run(&format!("gateway check {gateway}")).done();
    assert!(out.starts_with("It works.\n\nNAME ") && out.contains("card") && out.contains("Bank account"), "{out}");
    assert_eq!(desk.run(&format!("gateway check {gateway} --json")).json()["ok"], true);
    let out = desk.run(&format!("gateway check {nowhere}")).done();
    assert!(out.starts_with("It does not work: the gateway was not reached: "), "{out}");
    desk.run("gateway check 0b0000000000001").refused(1, "NOT_FOUND");
    desk.listed("gateway", "gateways", &[&gateway]);
    for line in ["gateway list", "merchant show --json", "audit", "audit --json"] {
        let out = desk.run(line).done();
        assert!(!out.contains("piped-secret") && !out.contains("filed-secret"), "{line}: {out}");
    }
    assert_eq!(given("{}", &["--from-file", "-"]).done(), "Set.\n");
    assert_eq!(has_one(), false);
}

#[test]
fn the_trail_and_an_accounts_methods_are_read_page_by_page() {
    let desk = Desk::new();
    desk.set("merchant set --name Coffee");
    let newest = desk.run("audit --limit 1 --json").json();
    assert_eq!(newest["changes"][0]["action"], "merchant.changed");
    let before = newest["before"].as_u64().expect("older ones");
    let out = desk.run("audit --limit 1").done();
    assert!(out.contains("merchant.changed") && out.ends_with(&format!("Older ones: --before {before}\n")), "{out}");
    let out = desk.run(&format!("audit --before {before}")).done();
    assert!(out.contains("merchant.created") && !out.contains("Older ones"), "{out}");

    let client = desk.client();
    assert_eq!(desk.run("methods --account 001000000000001").done(), "(none)\n");
    for key in ["card-1", "card-2"] {
        client.post("payment-methods", Some(key), &card(client, "KEYED")).expect(201);
    }
    let page = desk.run("methods --account 001000000000001 --page-size 1 --json").json();
    assert_eq!(client.get("payment-methods?accountId=001000000000001&pageSize=1").json(), page);
    let next = page["nextPageToken"].as_str().expect("another page");
    let out = desk.run("methods --account 001000000000001 --page-size 1").done();
    assert!(out.ends_with(&format!("The next page: --page-token {next}\n")), "{out}");
    let out = desk.run(&format!("methods --account 001000000000001 --page-token {next}")).done();
    assert!(out.contains("CardPaymentMethod") && !out.contains("The next page"), "{out}");
}

#[test]
fn what_makes_no_request_is_refused_before_one_is_made() {
    let desk = Desk::new();
    let usage = [
        ("key add --name Shop --scope everything", "possible values: authorize, capture-reverse"),
        ("key add --name Shop", "--scope"),
        ("key add --name Shop --scope read --requests-per-second 0", "1..=10000"),
        ("key revoke ../merchant", "must be an id"),
        ("gateway set 0b0000000000001", "--status"),
        ("methods --account a&b", "must be 1 to 64 of"),
        ("key list --key kessai_1", "unexpected argument"),
    ];
    for (line, says) in usage {
        desk.run(line).refused(2, says);
    }
    desk.run("key list --url https://shop.example").refused(1, "no API key for https://shop.example");
    let plain = [("KESSAI_URL", "http://shop.example"), ("KESSAI_SET_UP_KEY", "kessai_1")];
    run(&["key", "list"], &plain).refused(1, "KESSAI_URL: must begin with https://");
    let nobody = [("KESSAI_URL", "http://127.0.0.1:1"), ("KESSAI_SET_UP_KEY", "kessai_1")];
    run(&["key", "list"], &nobody).refused(1, "http://127.0.0.1:1 was not reached");
    run(&["key", "list", "--data", "/nowhere"], &[]).refused(1, "/nowhere/local.env");
    desk.run_with("kessai_1", "key list").refused(1, "INVALID_SESSION_ID");
    desk.run("gateway set 0b0000000000001 --mode live").refused(1, "NOT_FOUND");
}

#[tokio::test]
async fn a_deployments_first_merchant_is_made_in_its_table() {
    let database = embedded::start(None).await.expect("a database");
    let environment = [
        ("AWS_ENDPOINT_URL_DYNAMODB", database.url.as_str()),
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "id"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
    ];
    let first = ["merchant", "first", "--table", "merchants"];
    let variables = |more: &[&str]| {
        let out = run(&[&first, more].concat(), &environment).done();
        let lines = out.lines().filter_map(|line| line.strip_prefix("export ")?.split_once('='));
        lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect::<Vec<_>>()
    };
    let gateways = ["--gateway", "sandbox-keyed=https://a.example", "--gateway", "sandbox-none=https://b.example"];
    let made = variables(&[&["--name", "Coffee", "--currency", "USD"][..], &gateways].concat());
    let names: Vec<&str> = made.iter().map(|(name, _)| name.as_str()).collect();
    let expected = ["API_KEY", "MERCHANT_ID", "GATEWAY_ID", "GATEWAY_ID_SANDBOX_KEYED", "GATEWAY_ID_SANDBOX_NONE"];
    assert_eq!(names, expected.map(|name| format!("KESSAI_{name}")));

    let said = run(&[&first[..], &["--name", "Tea", "--json"], &gateways].concat(), &environment).done();
    let said: Value = serde_json::from_str(&said).expect("JSON");
    assert!(said["apiKey"]["key"].as_str().is_some_and(|key| key.starts_with("kessai_")), "{said}");
    assert_eq!(said["gateways"].as_array().map(Vec::len), Some(2), "{said}");

    let id = &made[1].1;
    let again = variables(&["--merchant", id]);
    assert_eq!(&again[1].1, id);
    let clock = SystemClock;
    let registry = Registry { store: &database.merchants, clock: &clock, deadline: clock.now() };
    let merchant =
        registry.merchant(&MerchantId::parse(id).expect("an id")).await.expect("a store").expect("a merchant");
    let keys = [&made[0].1, &again[0].1].map(|key| kessai_shared::merchant::ApiKey::parse(key).expect("a key").hash());
    assert_eq!((merchant.name.as_str(), merchant.gateways.len(), merchant.api_keys.len()), ("Coffee", 2, 2));
    assert!(keys.iter().all(|key| merchant.key_with(key).is_some()));
    run(&[&first[..], &["--merchant", "00D000000000001"]].concat(), &environment).refused(1, "there is no merchant");
}
