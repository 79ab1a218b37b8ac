//! The project's own properties: what is said in several places agrees, and what must not be is not.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every file below a directory with one of these endings.
fn files(directory: &str, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![root().join(directory)];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(&directory).expect("a directory").flatten() {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            if path.is_dir() && !name.starts_with('.') && name != "target" {
                open.push(path);
            } else if endings.iter().any(|ending| name.ends_with(ending)) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The functions, as the template builds them.
fn functions_of_template() -> BTreeSet<String> {
    let template = read("template.yaml");
    template.lines().filter_map(|line| line.trim().strip_prefix("Binary: ")).map(str::to_owned).collect()
}

#[test]
fn functions_template_events_and_architecture_agree() {
    let template = functions_of_template();
    let functions = kessai_functions::FUNCTIONS.iter().map(|function| function.name);
    let code: BTreeSet<String> =
        functions.chain(kessai_functions::WORKERS.iter().copied()).map(str::to_owned).collect();
    assert_eq!(template, code, "template.yaml and functions/lib.rs");
    let architecture = read("ARCHITECTURE.md");
    for name in &code {
        assert!(root().join(format!("functions/{name}/main.rs")).exists(), "functions/{name}/main.rs");
        assert!(root().join(format!("events/{name}.json")).exists(), "events/{name}.json");
        assert!(read("functions/Cargo.toml").contains(&format!("path = \"{name}/main.rs\"")), "a binary {name}");
        assert!(architecture.contains(&format!("`{name}`")), "ARCHITECTURE.md names {name}");
    }
    let readme = read("README.md");
    for route in
        kessai_functions::local::routes::routes().expect("routes").iter().filter(|route| route.method == "POST")
    {
        let path = route.path.rsplit_once("/commerce/payments").map_or("", |(_, path)| path);
        let shown = path.split('/').map(|part| match part.strip_prefix('{') {
            Some(parameter) if parameter.ends_with("+}") => "",
            Some(_) => "{id}",
            None => part,
        });
        let shown = shown.collect::<Vec<_>>().join("/");
        assert!(readme.contains(&format!("{shown}`")), "README.md shows POST {shown}");
    }
}

#[test]
fn sample_events_of_workers_are_what_they_read() {
    use kessai_functions::batch::{QueueEvent, StreamEvent};
    use kessai_shared::reminder::Reminder;
    let stream: StreamEvent = serde_json::from_str(&read("events/relay.json")).expect("records of a stream");
    assert!(stream.records.iter().all(|record| record.image().is_ok_and(|image| image.is_some())));
    for name in ["follow-up", "deliver-event"] {
        let queue: QueueEvent =
            serde_json::from_str(&read(&format!("events/{name}.json"))).expect("messages of a queue");
        assert!(queue.records.iter().all(|message| Reminder::parse(&message.body).is_some()));
    }
    let tick = serde_json::from_str::<kessai_functions::scheduler_tick::Tick>(&read("events/scheduler-tick.json"));
    assert!(tick.is_ok());
}

#[test]
fn sample_events_are_events_of_their_functions_route() {
    for function in kessai_functions::FUNCTIONS {
        let text = read(&format!("events/{}.json", function.name));
        let event: kessai_functions::event::HttpEvent = serde_json::from_str(&text).expect("an event");
        assert_eq!(event.version, "2.0");
        let routes = kessai_functions::local::routes::routes().expect("routes");
        let method = &event.request_context.http.method;
        let (route, parameters) =
            kessai_functions::local::routes::find(&routes, method, &event.raw_path).expect("a route of the template");
        assert_eq!(route.function.name, function.name);
        assert_eq!(event.path_parameters, parameters);
        assert_eq!(event.route_key, format!("{method} {}", route.path));
    }
}

#[test]
fn the_domain_knows_no_runtime_no_network_and_no_cloud() {
    let forbidden = ["tokio", "aws", "reqwest", "hyper", "dynoxide", "kessai-infra", "kessai-functions"];
    check_dependencies("shared/Cargo.toml", &forbidden);
    check_dependencies("infra/Cargo.toml", &["kessai-functions", "lambda_runtime"]);
}

fn check_dependencies(manifest: &str, forbidden: &[&str]) {
    let text = read(manifest);
    let dependencies =
        text.split("[dependencies]").nth(1).and_then(|rest| rest.split("\n[").next()).unwrap_or_default();
    let names = dependencies.lines().filter_map(|line| line.split(['.', ' ', '=']).next());
    for name in names.filter(|name| !name.is_empty()) {
        assert!(!forbidden.iter().any(|word| name.starts_with(word)), "{manifest} must not depend on {name}");
    }
}

#[test]
fn money_never_meets_a_float() {
    for path in files("shared/src", &[".rs"]).into_iter().chain(files("functions", &[".rs"])) {
        let text = fs::read_to_string(&path).expect("a file");
        for word in ["f64", "f32"] {
            assert!(!text.contains(word), "{} uses {word}", path.display());
        }
    }
}

#[test]
fn files_are_of_a_size_that_can_be_read() {
    /// A smell, not a law: a file that grows beyond this has two rooms in it.
    const LINES: usize = 600;
    for path in ["shared", "infra", "functions", "tests"].into_iter().flat_map(|directory| files(directory, &[".rs"])) {
        let lines = fs::read_to_string(&path).expect("a file").lines().count();
        assert!(lines <= LINES, "{} has {lines} lines", path.display());
    }
}

#[test]
fn silencing_a_lint_has_a_reason() {
    // What the test looks for stands in this file.
    let all = ["shared", "infra", "functions", "tests"].into_iter().flat_map(|directory| files(directory, &[".rs"]));
    for path in all.filter(|path| !path.ends_with("tidy.rs")) {
        let text = fs::read_to_string(&path).expect("a file");
        assert!(!text.contains("#[allow("), "{}: use #[expect(…, reason = \"…\")]", path.display());
    }
}

#[test]
fn stored_attributes_are_described_where_they_are_defined() {
    let text = read("shared/src/stored/payment.rs");
    let (head, body) = text.split_once("\nuse ").expect("a module doc");
    for encoder in ["fn to_item", "fn encode_operation", "fn encode_details"] {
        let rest = body.split(encoder).nth(1).expect("the encoder");
        let written = rest.split("\n    }\n").next().and_then(|rest| rest.split("\n}\n").next()).expect("its body");
        for name in written.split(".with").skip(1).filter_map(|call| call.split('"').nth(1)) {
            assert!(head.contains(&format!("`{name}`")), "the module doc describes {name}");
        }
    }
}

/// Every name in backticks in the table of threats is a test.
#[test]
fn the_tests_behind_each_threat_are_there() {
    fn sources(directory: &Path, found: &mut String) {
        for entry in fs::read_dir(directory).expect("a directory").flatten() {
            let path = entry.path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push_str(&fs::read_to_string(&path).expect("a source"));
            }
        }
    }
    let mut found = String::new();
    for directory in ["shared/src", "infra/src", "infra/tests", "functions", "tests"] {
        sources(&root().join(directory), &mut found);
    }
    let page = fs::read_to_string(root().join("docs/security.md")).expect("the page");
    let table = page.split_once("## Threats").expect("the table").1;
    let rows: Vec<_> = table.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    assert!(rows.len() > 10, "{} rows", rows.len());
    for row in rows {
        let names: Vec<_> = row.rsplit('|').nth(1).expect("a last column").split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "a threat without a test: {row}");
        for name in names {
            assert!(found.contains(&format!("fn {name}(")), "there is no test {name}");
        }
    }
}
