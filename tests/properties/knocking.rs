//! Whatever knocks at the door is answered in the wire's words, and what is turned away leaves nothing
//! behind.

use bolero::TypeGenerator;
use bolero::generator::produce;
use kessai_functions::FUNCTIONS;
use kessai_functions::event::HttpEvent;
use serde_json::{Value, json};

use crate::world::{World, sample};

const APPROVED: &str = r#"{"id":"1000000001","reference":"@","status":"approved","code":"00"}"#;
const DECLINED: &str = r#"{"id":"1000000001","reference":"@","status":"declined","code":"05"}"#;

const GATEWAY_SAYS: [(u16, &str); 5] = [(200, APPROVED), (200, APPROVED), (200, DECLINED), (429, ""), (500, "")];

/// The statuses of `docs`, README and the table of rejections. 500 would be our own fault.
const STATUSES: [u16; 13] = [200, 201, 202, 400, 401, 402, 403, 404, 409, 413, 415, 422, 503];

/// What is turned away before anything is decided.
const TURNED_AWAY: [u16; 6] = [400, 401, 403, 404, 413, 415];

/// A request, as what is done to a sample.
#[derive(Debug, TypeGenerator)]
struct Knock {
    function: u8,
    gateway_says: u8,
    in_base64: bool,
    /// What is done beside the changes: most often nothing.
    beside: u8,
    header: (u8, u8),
    text: String,
    #[generator(produce::<Vec<_>>().with().len(0..4_usize))]
    changes: Vec<Change>,
}

/// Something done to a body.
#[derive(Debug, TypeGenerator)]
pub enum Change {
    Byte {
        at: u16,
        becomes: u8,
    },
    Cut {
        at: u16,
        length: u8,
    },
    Insert {
        at: u16,
        bytes: Vec<u8>,
    },
    /// Another value for one of the members, however deep it lies.
    Member {
        which: u8,
        becomes: u8,
    },
    /// One more member, known elsewhere or nowhere.
    More {
        name: u8,
        value: u8,
    },
}

#[test]
fn whatever_knocks_is_answered_as_documented() {
    fuzz!(1_200, produce::<Knock>(), |knock: &Knock| {
        let world = World::new(GATEWAY_SAYS[usize::from(knock.gateway_says) % GATEWAY_SAYS.len()]);
        world.ask_sample(0);
        world.ask_sample(3);
        let function = FUNCTIONS[usize::from(knock.function) % FUNCTIONS.len()];
        let event = knock.event();
        let (before, set_up_before) = (world.rests(), world.set_up_writes());
        let answer = world.ask(function, &event);
        let status = answer.status_code;
        assert!(STATUSES.contains(&status), "{status}: {}", answer.body);
        if TURNED_AWAY.contains(&status) || function.name == "retrieve" {
            assert_eq!(world.rests(), before, "{status} leaves something behind: {}", answer.body);
            assert_eq!(world.set_up_writes(), set_up_before, "{status} leaves something behind: {}", answer.body);
        }
        if answer.headers["content-type"] == "text/plain" {
            assert_eq!(function.name, "notify-webhook", "gateways hear their own words, and nobody else does");
            return;
        }
        let body: Value = serde_json::from_str(&answer.body).expect("the wire speaks JSON");
        match status {
            200 | 201 | 202 | 402 => assert!(body.is_object(), "{body}"),
            _ => {
                let text = |name| body[0][name].as_str().is_some_and(|text| !text.is_empty());
                assert!(text("errorCode") && text("message"), "{body}");
            }
        }
        if [201, 402].contains(&status) && event.headers.contains_key("idempotency-key") {
            let again = world.ask(function, &event);
            assert_eq!((again.status_code, &again.body), (status, &answer.body), "asked again");
        }
    });
}

impl Knock {
    fn event(&self) -> HttpEvent {
        let mut event = sample(usize::from(self.function) % FUNCTIONS.len());
        let mut body = event.body.as_ref().map(|body| body.as_bytes().to_vec()).unwrap_or_default();
        match (self.beside % 16, event.path_parameters.values_mut().next()) {
            (1, _) => body = self.text.clone().into_bytes(),
            (2, Some(parameter)) => parameter.clone_from(&self.text),
            (3, _) => {
                let (name, value) = self.header;
                event.headers.insert(pick(&HEADERS, name).to_owned(), pick(&HEADER_VALUES, value).to_owned());
            }
            _ => {}
        }
        let body = self.changes.iter().fold(body, |body, change| change.applied_to(body));
        event.is_base64_encoded = self.in_base64;
        let text = if self.in_base64 { base64(&body) } else { String::from_utf8_lossy(&body).into_owned() };
        event.body = Some(text.into());
        event
    }
}

const HEADERS: [&str; 4] = ["authorization", "content-type", "idempotency-key", "sfdc-payments-idempotency-key"];
const HEADER_VALUES: [&str; 7] = ["", "Bearer", "Bearer kessai_1", "text/plain", "\"order 7\"", "a, b", "\u{7f}é"];

const NAMES: [&str; 9] = [
    "idempotencyKey",
    "clientContext",
    "effectiveDate",
    "additionalData",
    "paymentGroup",
    "email",
    "amount",
    "isFinalCapture",
    "é",
];

impl Change {
    pub fn applied_to(&self, mut body: Vec<u8>) -> Vec<u8> {
        let place = |at: &u16| usize::from(*at) % (body.len() + 1);
        match self {
            Self::Byte { at, becomes } => {
                let at = place(at);
                body.iter_mut().skip(at).take(1).for_each(|byte| *byte = *becomes);
            }
            Self::Cut { at, length } => {
                let at = place(at);
                body.drain(at..body.len().min(at + usize::from(*length)));
            }
            Self::Insert { at, bytes } => {
                let at = place(at);
                body.splice(at..at, bytes.iter().copied());
            }
            Self::Member { which, becomes } => {
                if let Ok(mut value) = serde_json::from_slice::<Value>(&body) {
                    let mut left = usize::from(*which) % leaves(&value).max(1);
                    if let Some(leaf) = leaf(&mut value, &mut left) {
                        *leaf = odd(*becomes);
                    }
                    body = value.to_string().into_bytes();
                }
            }
            Self::More { name, value } => {
                if let Ok(Value::Object(mut members)) = serde_json::from_slice(&body) {
                    members.insert(pick(&NAMES, *name).to_owned(), odd(*value));
                    body = Value::Object(members).to_string().into_bytes();
                }
            }
        }
        body
    }
}

fn pick<T: Copy>(from: &[T], which: u8) -> T {
    from[usize::from(which) % from.len()]
}

/// How many values there are within that hold no others.
fn leaves(value: &Value) -> usize {
    match value {
        Value::Object(members) => members.values().map(leaves).sum(),
        Value::Array(values) => values.iter().map(leaves).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 1,
    }
}

/// The one of these after `left` others.
fn leaf<'a>(value: &'a mut Value, left: &mut usize) -> Option<&'a mut Value> {
    match value {
        Value::Object(members) => members.values_mut().find_map(|inner| leaf(inner, left)),
        Value::Array(values) => values.iter_mut().find_map(|inner| leaf(inner, left)),
        found if *left == 0 => Some(found),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            *left -= 1;
            None
        }
    }
}

/// What a caller might put in any place.
fn odd(which: u8) -> Value {
    let values = [
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(12),
        json!(2030),
        json!(1e300),
        json!("50.00"),
        json!("0.001"),
        json!("99999999999999999999"),
        json!(""),
        json!("\u{0}"),
        json!("x".repeat(300)),
        json!("JPY"),
        json!("03O000000000000"),
        json!("2026-08-01T00:00:00.000Z"),
        json!([]),
        json!([{}]),
        json!({}),
        json!({"key1": "value1"}),
        json!({"createPaymentGroup": true}),
        json!({"id": "03O000000000000"}),
    ];
    values[usize::from(which) % values.len()].clone()
}

/// RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = (0..3).fold(0, |bits, place| bits << 8 | usize::from(chunk.get(place).copied().unwrap_or(0)));
        for place in 0..4 {
            let letter = ALPHABET[bits >> (18 - 6 * place) & 63];
            text.push(if place <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    text
}
