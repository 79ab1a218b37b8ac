//! Where records outlive the process: one JSON line each, appended to `ledger.jsonl`.
//!
//! A record is written before the answer that tells of it leaves, so that a killed process has
//! promised nothing that the file does not hold. The write goes to the operating system and is not
//! forced to the disk: the file survives a crash of the process, not of the machine. A crash in the
//! middle of a line leaves a last line without its end, which nobody was told about; it is cut off
//! on the next start. Anything else that cannot be read is an error, because a ledger that guesses
//! is none.

use std::fs::{File, OpenOptions, TryLockError, create_dir_all};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::record::Record;

const FILE_NAME: &str = "ledger.jsonl";

/// The version of the stored lines. A change that an older file does not fit takes the next one.
const VERSION: u32 = 1;

/// The first line of every file.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Header {
    sandbox_ledger: u32,
}

/// Takes records.
#[derive(Debug)]
pub enum Ledger {
    Memory,
    File(File),
    /// A write failed. What came after it would stand behind half a line, so nothing may come.
    Broken,
}

impl Ledger {
    /// Opens the ledger of a directory, made where it is missing, and reads what it holds.
    ///
    /// # Errors
    /// The directory cannot be used, another process uses it, or a line cannot be read.
    pub fn open(directory: Option<&Path>) -> io::Result<(Self, Vec<Record>)> {
        let Some(directory) = directory else {
            return Ok((Self::Memory, Vec::new()));
        };
        create_dir_all(directory)?;
        let path = directory.join(FILE_NAME);
        let mut file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path)?;
        lock(&file, &path)?;
        let (records, end) = read(&file, &path)?;
        file.set_len(end)?;
        file.seek(SeekFrom::End(0))?;
        if end == 0 {
            file.write_all(&first_line()?)?;
        }
        Ok((Self::File(file), records))
    }

    /// Stores records in their order.
    ///
    /// # Errors
    /// The write failed, now or before; the ledger takes nothing more.
    pub fn append(&mut self, records: &[Record]) -> io::Result<()> {
        let written = match self {
            Self::Memory => Ok(()),
            Self::Broken => Err(io::Error::other("the ledger could not be written")),
            Self::File(file) => records.iter().try_for_each(|record| file.write_all(&line(record)?)),
        };
        if written.is_err() {
            *self = Self::Broken;
        }
        written
    }
}

fn line(value: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    Ok(line)
}

fn first_line() -> io::Result<Vec<u8>> {
    line(&Header { sandbox_ledger: VERSION })
}

fn lock(file: &File, path: &Path) -> io::Result<()> {
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => {
            io::Error::new(io::ErrorKind::ResourceBusy, format!("{}: another sandbox uses this ledger", path.display()))
        }
        TryLockError::Error(error) => error,
    })
}

/// The records of a file, and where its last whole line ends.
fn read(file: &File, path: &Path) -> io::Result<(Vec<Record>, u64)> {
    let first = first_line()?;
    let mut reader = BufReader::new(file);
    let mut records = Vec::new();
    let mut end = 0;
    let mut text = Vec::new();
    for number in 1_u64.. {
        text.clear();
        let length = reader.read_until(b'\n', &mut text)?;
        if !text.ends_with(b"\n") && (number > 1 || first.starts_with(&text)) {
            break;
        }
        let parsed = if number == 1 {
            header(&text)
        } else {
            serde_json::from_slice(&text).map(|record| records.push(record)).map_err(io::Error::from)
        };
        parsed.map_err(|error| {
            let message = format!("{}: line {number}: {error}", path.display());
            io::Error::new(io::ErrorKind::InvalidData, message)
        })?;
        end += u64::try_from(length).map_err(io::Error::other)?;
    }
    Ok((records, end))
}

fn header(text: &[u8]) -> io::Result<()> {
    let header: Header = serde_json::from_slice(text)?;
    if header.sandbox_ledger == VERSION {
        return Ok(());
    }
    Err(io::Error::other(format!("this sandbox reads version {VERSION} of the ledger")))
}
