//! Where is searched: whatever rests, is sent, is printed or is answered.

use std::path::Path;

use data_encoding::BASE64;
use kessai_shared::stored::{Attribute, Item};
use serde_json::{Map, Value, json};

use super::search::{Of, Secret};

/// What kind of place it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Items, each version that was ever written, with all that is nested in them.
    Payments,
    Vault,
    Merchants,
    /// What a stream shows of them.
    Stream,
    /// Messages.
    Queue,
    /// Lines with their metrics, or the local server's log.
    Log,
    /// What a process printed.
    Output,
    /// What a caller heard: status, headers and body.
    Answer,
    /// The answers that show what is set up, and who changed it.
    SetUp,
    /// Files in the data directory.
    File,
    /// Those of a process that was killed, as it left them.
    Wreck,
    /// What is printed of a value that holds a request.
    Debug,
}

/// A place, and all that is in it.
#[derive(Clone)]
pub struct Place {
    pub kind: Kind,
    pub name: String,
    pub bytes: Vec<u8>,
}

impl Place {
    pub fn new(kind: Kind, name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self { kind, name: name.into(), bytes: bytes.into() }
    }

    pub fn of_item(kind: Kind, item: &Item) -> Self {
        let mut bytes = Vec::new();
        write_item(item, &mut bytes);
        Self::new(kind, format!("{kind:?} {}", item.text("pk").unwrap_or_default()), bytes)
    }

    /// What the stream shows of it, as the relay is handed it.
    pub fn of_stream(item: &Item) -> Self {
        Self::new(Kind::Stream, format!("stream {}", item.text("pk").unwrap_or_default()), record(item).to_string())
    }
}

/// Every name and value in it, as it is.
fn write_item(item: &Item, bytes: &mut Vec<u8>) {
    for (name, value) in item.iter() {
        bytes.extend(name.as_bytes());
        bytes.push(b'\n');
        write_value(value, bytes);
    }
}

fn write_value(value: &Attribute, bytes: &mut Vec<u8>) {
    match value {
        Attribute::Text(text) => bytes.extend(text.as_bytes()),
        Attribute::Number(number) => bytes.extend(number.to_string().as_bytes()),
        Attribute::Bytes(raw) => bytes.extend(raw),
        Attribute::Flag(flag) => bytes.extend(flag.to_string().as_bytes()),
        Attribute::List(list) => list.iter().for_each(|value| write_value(value, bytes)),
        Attribute::Map(map) => write_item(map, bytes),
    }
    bytes.push(b'\n');
}

/// A record of DynamoDB's stream.
pub fn record(item: &Item) -> Value {
    json!({ "eventName": "MODIFY", "dynamodb": { "SequenceNumber": "1", "NewImage": image(item) } })
}

fn image(item: &Item) -> Value {
    item.iter().map(|(name, value)| (name.to_string(), typed(value))).collect::<Map<_, _>>().into()
}

fn typed(value: &Attribute) -> Value {
    match value {
        Attribute::Text(text) => json!({ "S": text }),
        Attribute::Number(number) => json!({ "N": number.to_string() }),
        Attribute::Bytes(raw) => json!({ "B": BASE64.encode(raw) }),
        Attribute::Flag(flag) => json!({ "BOOL": flag }),
        Attribute::List(list) => json!({ "L": list.iter().map(typed).collect::<Vec<_>>() }),
        Attribute::Map(map) => json!({ "M": image(map) }),
    }
}

/// Every file below the directory, with its name in it.
pub fn files(kind: Kind, directory: &Path) -> Vec<Place> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).expect("a directory").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(kind, &path));
        } else {
            let bytes = std::fs::read(&path).expect("a file");
            found.push(Place::new(
                kind,
                path.display().to_string(),
                [path.display().to_string().into_bytes(), bytes].concat(),
            ));
        }
    }
    found
}

/// What may be where it is, and why. There is nothing else, beside the one answer that shows a secret of ours to whom it
/// is made for.
pub const EXCEPTIONS: [(Of, Kind, &str, &str); 9] = [
    (Of::ApiKey, Kind::File, "local.env", "the development merchant reads its key there; only its owner may"),
    (Of::ApiKey, Kind::Wreck, "local.env", "the same"),
    (Of::NoticeSecret, Kind::File, "local.env", "whoever plays the development merchant's gateways reads them there"),
    (Of::NoticeSecret, Kind::Wreck, "local.env", "the same"),
    (Of::ApiKey, Kind::Output, "greeting", "the local server shows the development key to whoever starts it"),
    (Of::SealingKey, Kind::File, "vault.keys", "its own file; only its owner may read it"),
    (Of::SealingKey, Kind::Wreck, "vault.keys", "the same"),
    (Of::FingerprintKey, Kind::File, "fingerprint.key", "its own file; only its owner may read it"),
    (Of::FingerprintKey, Kind::Wreck, "fingerprint.key", "the same"),
];

/// Whether this secret may be in this place.
pub fn is_excepted(secret: &Secret, place: &Place) -> bool {
    let listed = EXCEPTIONS.iter().any(|(of, kind, name, _)| {
        // Of API keys only the development merchant's.
        let is_it = secret.of == *of && (*of != Of::ApiKey || secret.name == DEVELOPMENT_KEY);
        is_it && place.kind == *kind && place.name.ends_with(name)
    });
    listed || secret.shown_in.as_ref() == Some(&place.name)
}

/// The name of the one API key that rests.
pub const DEVELOPMENT_KEY: &str = "the development merchant's key";
