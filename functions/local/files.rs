//! Small files of the local server: readable by their owner only, and never half written.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

/// Writes a file in place of the one that is there, whole or not at all.
pub fn write_whole(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let draft = file.with_extension("draft");
    let mut out = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    out.write_all(bytes)?;
    out.sync_all()?;
    fs::rename(draft, file)
}

/// The variables of a file that a shell can source, such as `local.env`.
pub fn variables(text: &str) -> BTreeMap<&str, &str> {
    text.lines().filter_map(|line| line.strip_prefix("export ")?.split_once('=')).collect()
}

/// Makes the directory, and keeps every other local server out of it as long as the result lives. Two
/// clocks over the same payments would take each other's work for lost.
pub fn claim_directory(directory: &Path) -> io::Result<File> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let lock = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(directory.join("lock"))?;
    let used = |_| io::Error::other(format!("{}: another local server uses these data", directory.display()));
    lock.try_lock().map_err(used)?;
    Ok(lock)
}
