//! What is searched for: secrets, and every form in which one may lie somewhere.

use std::collections::{BTreeMap, BTreeSet};

use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};

/// What a secret is of, by which its exceptions are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Of {
    Card,
    Cvv,
    BankAccount,
    Token,
    ApiKey,
    WebhookSecret,
    /// What the development merchant's gateways sign notices with.
    NoticeSecret,
    /// What a merchant is known by at a gateway.
    Credential,
    SealingKey,
    FingerprintKey,
}

/// Something that must be nowhere.
#[derive(Clone, Debug)]
pub struct Secret {
    pub name: String,
    pub of: Of,
    /// As it is written, and as the bytes that it is written of.
    pub bytes: Vec<Vec<u8>>,
    /// The one answer that shows it.
    pub shown_in: Option<String>,
}

impl Secret {
    pub fn new(of: Of, name: &str, text: &str) -> Self {
        Self { name: name.to_owned(), of, bytes: vec![text.as_bytes().to_vec()], shown_in: None }
    }

    /// A key in hexadecimal digits, with or without what stands before them.
    pub fn hexadecimal(of: Of, name: &str, text: &str) -> Self {
        let digits = text.rsplit(['_', ':']).next().unwrap_or(text).trim();
        let raw = HEXLOWER.decode(digits.as_bytes()).expect("hexadecimal digits");
        Self { bytes: vec![digits.as_bytes().to_vec(), raw], ..Self::new(of, name, text) }
    }

    /// A secret of ours in base 64.
    pub fn webhook(name: &str, text: &str) -> Self {
        let encoded = text.strip_prefix("whsec_").expect("a secret of ours");
        let raw = data_encoding::BASE64.decode(encoded.as_bytes()).expect("base 64");
        Self {
            bytes: vec![encoded.trim_end_matches('=').as_bytes().to_vec(), raw],
            ..Self::new(Of::WebhookSecret, name, text)
        }
    }

    /// So few digits that they stand anywhere by chance: they count by themselves, not as part of something longer.
    fn is_word(&self) -> bool {
        self.of == Of::Cvv
    }
}

/// The bytes as they may be written, under the name of the way.
pub fn forms(bytes: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let groups = |separator: &[u8]| bytes.chunks(4).collect::<Vec<_>>().join(separator);
    let each = |write: &dyn Fn(u8) -> String| bytes.iter().map(|byte| write(*byte)).collect::<String>().into_bytes();
    let percent_digits = |byte: u8| match byte {
        b'0'..=b'9' => format!("%{byte:02X}"),
        _ => char::from(byte).to_string(),
    };
    let mut forms = vec![
        ("plain", bytes.to_vec()),
        ("in fours, spaced", groups(b" ")),
        ("in fours, hyphenated", groups(b"-")),
        ("reversed", bytes.iter().rev().copied().collect()),
        ("hex", HEXLOWER.encode(bytes).into_bytes()),
        ("HEX", HEXUPPER.encode(bytes).into_bytes()),
        ("percent", each(&|byte| format!("%{byte:02x}"))),
        ("PERCENT", each(&|byte| format!("%{byte:02X}"))),
        ("json", each(&|byte| format!("\\u00{byte:02x}"))),
        ("JSON", each(&|byte| format!("\\u00{byte:02X}"))),
        // As text within the text of another JSON.
        ("json in json", each(&|byte| format!("\\\\u00{byte:02x}"))),
        ("JSON in JSON", each(&|byte| format!("\\\\u00{byte:02X}"))),
    ];
    if bytes.is_ascii() {
        forms.push(("percent digits", each(&percent_digits)));
    }
    forms.extend(base64(bytes));
    forms
}

/// Base 64 cuts into threes: whatever stands before, one of these is inside.
fn base64(bytes: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    const NAMES: [[&str; 2]; 3] = [["base64", "base64url"], ["base64+1", "base64url+1"], ["base64+2", "base64url+2"]];
    let cut = |skip: usize| &bytes[skip..skip + (bytes.len() - skip) / 3 * 3];
    let encoded = |[standard, for_urls]: [&'static str; 2], part: &[u8]| {
        [(standard, BASE64_NOPAD.encode(part)), (for_urls, BASE64URL_NOPAD.encode(part))]
    };
    // Of few bytes a part says nothing.
    let encoded: Vec<_> = match bytes.len() {
        0..8 => encoded(NAMES[0], bytes).to_vec(),
        _ => NAMES.into_iter().enumerate().flat_map(|(skip, names)| encoded(names, cut(skip))).collect(),
    };
    encoded.into_iter().map(|(name, text)| (name, text.into_bytes())).collect()
}

/// What digits are grouped with.
const SEPARATORS: &[u8] = b" -._,/:;+\t\r\n";

/// The same without whatever groups digits.
fn condensed(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().copied().filter(|byte| !SEPARATORS.contains(byte)).collect()
}

/// The name of digits that are grouped in whatever way.
pub const GROUPED: &str = "grouped";

struct Needle {
    secret: usize,
    form: &'static str,
    bytes: Vec<u8>,
    is_word: bool,
}

/// All forms of all secrets, found in one pass.
pub struct Search {
    pub secrets: Vec<Secret>,
    needles: Vec<Needle>,
    /// The needles that begin with these bytes.
    by_start: BTreeMap<[u8; START], Vec<usize>>,
    /// Whether any begins with these two.
    begins: Vec<bool>,
}

/// No needle is shorter.
const START: usize = 4;

impl Search {
    pub fn new(secrets: Vec<Secret>) -> Self {
        let mut needles = Vec::new();
        for (secret, known) in secrets.iter().enumerate() {
            for (form, bytes) in known.bytes.iter().flat_map(|bytes| forms(bytes)) {
                let is_word = known.is_word()
                    && ["plain", "reversed", "in fours, spaced", "in fours, hyphenated"].contains(&form);
                needles.push(Needle { secret, form, bytes, is_word });
            }
        }
        let mut by_start: BTreeMap<_, Vec<_>> = BTreeMap::new();
        let mut begins = vec![false; 1 << 16];
        for (place, needle) in needles.iter().enumerate() {
            let start = *needle.bytes.first_chunk::<START>().expect("four bytes");
            by_start.entry(start).or_default().push(place);
            begins[two(&start)] = true;
        }
        Self { secrets, needles, by_start, begins }
    }

    /// What is in there: the secret's place in the list, and the form.
    pub fn find(&self, haystack: &[u8]) -> BTreeSet<(usize, &'static str)> {
        let mut found = self.pass(haystack, |_| true);
        let is_number = |needle: &Needle| {
            let secret = &self.secrets[needle.secret];
            needle.form == "plain" && !needle.is_word && [Of::Card, Of::BankAccount].contains(&secret.of)
        };
        let grouped = self.pass(&condensed(haystack), is_number);
        let plain = |(secret, _): &(usize, &str)| found.contains(&(*secret, "plain"));
        let grouped: Vec<_> =
            grouped.into_iter().filter(|hit| !plain(hit)).map(|(secret, _)| (secret, GROUPED)).collect();
        found.extend(grouped);
        found
    }

    fn pass(&self, haystack: &[u8], counts: impl Fn(&Needle) -> bool) -> BTreeSet<(usize, &'static str)> {
        let mut found = BTreeSet::new();
        for (place, start) in haystack.windows(START).enumerate() {
            if !self.begins[two(start)] {
                continue;
            }
            for needle in self.by_start.get(start).into_iter().flatten().map(|index| &self.needles[*index]) {
                let end = place + needle.bytes.len();
                let is_it = haystack.get(place..end) == Some(&needle.bytes) && counts(needle);
                if is_it && (!needle.is_word || stands_alone(haystack, place, end)) {
                    found.insert((needle.secret, needle.form));
                }
            }
        }
        found
    }
}

fn two(start: &[u8]) -> usize {
    usize::from(start[0]) << 8 | usize::from(start[1])
}

fn stands_alone(haystack: &[u8], start: usize, end: usize) -> bool {
    let alone = |byte: Option<&u8>| byte.is_none_or(|byte| !byte.is_ascii_alphanumeric());
    alone(start.checked_sub(1).and_then(|before| haystack.get(before))) && alone(haystack.get(end))
}
