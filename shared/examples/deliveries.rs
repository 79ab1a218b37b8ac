//! Signed deliveries as lines of JSON, for whoever wants to check them with a library of their own. `.ci/webhooks` does.
//!
//! The argument is the time of the deliveries, in seconds since 1970. Each line has the three headers, the body, and the
//! secrets that it is signed with, the newest first.

use data_encoding::BASE64;
use kessai_shared::card::Secret;
use kessai_shared::webhook::{ID, SECRET_PREFIX, SIGNATURE, TIMESTAMP, sign};

fn main() -> Result<(), String> {
    let now = std::env::args().nth(1).and_then(|argument| argument.parse::<i64>().ok());
    let now = now.ok_or("say the time, in seconds since 1970")?;
    let bodies = [
        String::new(),
        "{}".to_owned(),
        r#"{"type":"payment.succeeded","timestamp":"2026-01-01T00:00:00.000Z","data":{"amount":12.5}}"#.to_owned(),
        r#"{"type":"refund.created","data":{"comments":"Zoë: 返金 🎉\n"}}"#.to_owned(),
        format!(r#"{{"type":"payment.pending","data":"{}"}}"#, "x".repeat(100_000)),
    ];
    let secret = |byte: u8| Secret::new(format!("{SECRET_PREFIX}{}", BASE64.encode(&[byte; 32])));
    for (place, body) in bodies.iter().enumerate() {
        for secrets in [vec![secret(0)], vec![secret(251), secret(7)]] {
            let id = format!("evt_{place}_{}", secrets.len());
            let signature = sign(&id, now, body.as_bytes(), &secrets).ok_or("a secret of ours signs")?;
            let secrets: Vec<_> = secrets.iter().map(Secret::reveal).collect();
            let headers = serde_json::json!({ ID: id, TIMESTAMP: now.to_string(), SIGNATURE: signature });
            println!("{}", serde_json::json!({ "headers": headers, "body": body, "secrets": secrets }));
        }
    }
    Ok(())
}
