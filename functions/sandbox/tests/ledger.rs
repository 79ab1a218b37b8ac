//! The file: what it keeps, what it cuts off, and what it refuses to guess.

use std::fs::{read_to_string, remove_dir_all, write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use super::super::ledger::Ledger;
use super::*;

/// A directory that ends with the test.
pub struct Directory(pub PathBuf);

impl Directory {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("kessai-sandbox-{}-{number}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    pub fn ledger(&self) -> PathBuf {
        self.0.join("ledger.jsonl")
    }

    fn open(&self) -> std::io::Result<(Ledger, Vec<Record>)> {
        Ledger::open(Some(&self.0))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = remove_dir_all(&self.0);
    }
}

fn records() -> Vec<Record> {
    let mut world = World::new();
    for reference in ["a", "b", "c"] {
        world.approved("/none/sales", &order(reference));
    }
    world.records
}

/// A directory whose ledger holds these records.
fn kept(records: &[Record]) -> Directory {
    let directory = Directory::new();
    let (mut ledger, before) = directory.open().expect("a new ledger");
    assert_eq!(before, []);
    ledger.append(records).expect("an append");
    directory
}

#[test]
fn records_come_back_in_their_order_and_more_can_follow() {
    let records = records();
    let directory = kept(&records[..2]);
    let (mut ledger, read) = directory.open().expect("the ledger");
    assert_eq!(read, records[..2]);
    ledger.append(&records[2..]).expect("an append");
    drop(ledger);
    let (_, read) = directory.open().expect("the ledger");
    assert_eq!(read, records);
}

#[test]
fn a_last_line_that_was_torn_is_cut_off_wherever_it_was_torn() {
    let records = records();
    let whole = read_to_string(kept(&records).ledger()).expect("a file");
    for length in 0..whole.len() {
        let directory = kept(&[]);
        write(directory.ledger(), &whole[..length]).expect("a torn file");
        let whole_lines = whole[..length].matches('\n').count();
        let expected = &records[..whole_lines.saturating_sub(1)];
        let (mut ledger, read) = directory.open().expect("the ledger");
        assert_eq!(read, expected, "torn at {length}");
        ledger.append(&records[expected.len()..]).expect("an append");
        drop(ledger);
        let healed = read_to_string(directory.ledger()).expect("a file");
        assert_eq!(healed, whole, "torn at {length}");
    }
}

#[test]
fn any_other_line_that_cannot_be_read_is_named_and_the_file_is_left_alone() {
    let whole = read_to_string(kept(&records()).ledger()).expect("a file");
    let lines: Vec<&str> = whole.lines().collect();
    let with_line = |number: usize, text: &str| {
        let mut lines = lines.clone();
        lines[number - 1] = text;
        lines.join("\n") + "\n"
    };
    let rows = [
        (with_line(1, r#"{"sandbox_ledger":999}"#), "line 1"),
        (with_line(1, lines[1]), "line 1"),
        ("my diary".to_owned(), "line 1"),
        (with_line(2, "{"), "line 2"),
        (with_line(3, ""), "line 3"),
        (with_line(3, r#"{"record":"rumour"}"#), "line 3"),
        (with_line(4, &lines[3][..40]), "line 4"),
    ];
    for (text, named) in rows {
        let directory = kept(&[]);
        write(directory.ledger(), &text).expect("a file");
        let error = directory.open().expect_err("an error").to_string();
        assert!(error.contains(named), "{error} should name {named}");
        let after = read_to_string(directory.ledger()).expect("a file");
        assert_eq!(after, text);
    }
}

#[test]
fn a_ledger_has_one_user_at_a_time() {
    let directory = Directory::new();
    let first = directory.open().expect("a new ledger");
    let error = directory.open().expect_err("an error").to_string();
    assert!(error.contains("another sandbox"), "{error}");
    drop(first);
    directory.open().expect("the ledger");
}

#[test]
fn a_ledger_that_failed_once_takes_nothing_more() {
    let directory = kept(&[]);
    let unwritable = std::fs::File::open(directory.ledger()).expect("a file");
    let mut ledger = Ledger::File(unwritable);
    for _ in 0..2 {
        ledger.append(&records()).expect_err("an error");
        assert!(matches!(ledger, Ledger::Broken));
    }
}
