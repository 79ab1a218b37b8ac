//! `kessai demo` shows what the README says it shows.

use std::process::Command;

/// What the README prints of it.
fn printed() -> String {
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md");
    let readme = std::fs::read_to_string(readme).expect("the README");
    let (_, section) =
        readme.split_once("## Recurring payments: three months in a few seconds").expect("a section of it");
    let (_, block) = section.split_once("```text\n").expect("what it prints");
    block.split_once("```").expect("an end").0.to_owned()
}

#[test]
fn it_prints_what_the_readme_shows_and_leaves_nothing_behind() {
    let scratch = crate::harness::Scratch::new();
    let output = Command::new(env!("CARGO_BIN_EXE_kessai")).arg("demo").current_dir(scratch.path()).output();
    let output = output.expect("the demo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout), printed());
    assert_eq!(std::fs::read_dir(scratch.path()).expect("the directory").count(), 0, "no file is left");
}
