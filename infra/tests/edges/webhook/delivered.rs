//! What is said of a delivery is what a server can confirm.

use std::sync::Arc;
use std::time::Duration;

use kessai_infra::webhook::WebhookClient;
use kessai_shared::merchant::address::Plain;

use super::{Played, SECRET, client, deliver, word};
use crate::scripted::{Act, Scripted};

const IMPATIENCE: Duration = Duration::from_secs(1);

/// A client for servers on this machine, over the real network.
fn at_home() -> WebhookClient {
    WebhookClient::new(Plain::Loopback).unwrap()
}

#[tokio::test]
async fn it_arrives_as_it_was_made() {
    let server = Scripted::start(vec![Act::Read, Act::answer(204, b"")]).await;
    let port = server.url.rsplit_once(':').unwrap().1;
    let client = at_home();
    for url in [format!("{}/hook?key=1", server.url), format!("http://localhost:{port}"), format!("{}?a", server.url)] {
        assert_eq!(word(&deliver(&client, &url).await), "204", "{url}");
    }
    let lines = [
        "POST /hook?key=1 HTTP/1.1\r\ncontent-type: application/json\r\nwebhook-id: what-happened\r\n".to_owned(),
        "POST / HTTP/1.1\r\n".to_owned(),
        "POST /?a HTTP/1.1\r\n".to_owned(),
        format!("host: 127.0.0.1:{port}\r\n"),
        format!("host: localhost:{port}\r\n"),
        format!("content-length: {}\r\n\r\n{SECRET}", SECRET.len()),
    ];
    assert_eq!(lines.map(|line| server.received(&line)), [1, 1, 1, 2, 1, 3]);
}

#[tokio::test]
async fn the_status_decides() {
    let long = vec![b'x'; 1024 * 1024];
    let endless = [&b"HTTP/1.1 200 OK\r\n\r\n"[..], &long].concat();
    let cut = b"HTTP/1.1 202 Accepted\r\ncontent-length: 10\r\n\r\n123".to_vec();
    let rows = [
        ("200", vec![Act::Read, Act::answer(200, b"ok")]),
        ("202", vec![Act::Read, Act::answer(202, b"")]),
        ("299", vec![Act::Read, Act::answer(299, b"")]),
        ("200", vec![Act::Read, Act::answer(200, &long)]),
        ("200", vec![Act::Read, Act::Write(endless), Act::Hang]),
        ("202", vec![Act::Read, Act::Write(cut.clone()), Act::Close]),
        ("202", vec![Act::Read, Act::Write(cut), Act::Hang]),
        ("failed with 304", vec![Act::Read, Act::answer(304, b"")]),
        ("failed with 400", vec![Act::Read, Act::answer(400, b"no")]),
        ("failed with 410", vec![Act::Read, Act::answer(410, b"")]),
        ("failed with 500", vec![Act::Read, Act::answer(500, &long)]),
        ("failed with 503", vec![Act::Read, Act::answer(503, b"")]),
    ];
    let client = at_home().within(IMPATIENCE);
    for (expected, script) in rows {
        let server = Scripted::start(script).await;
        assert_eq!(word(&deliver(&client, &server.url).await), expected);
        assert_eq!(server.received(&format!("\r\n\r\n{SECRET}")), 1, "{expected}");
    }
}

#[tokio::test]
async fn what_arrived_and_was_not_answered_is_lost() {
    let long_head = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "x".repeat(64 * 1024));
    let rows = [
        ("closed", vec![Act::Read, Act::Close]),
        ("reset", vec![Act::Read, Act::Reset]),
        ("silent", vec![Act::Read, Act::Hang]),
        ("head cut short", vec![Act::Read, Act::Write(b"HTTP/1.1 200 OK\r\nx".to_vec()), Act::Close]),
        ("head that does not end", vec![Act::Read, Act::Write(b"HTTP/1.1 200 OK\r\nx".to_vec()), Act::Hang]),
        ("head that is too long", vec![Act::Read, Act::Write(long_head.into_bytes()), Act::Hang]),
        ("no HTTP", vec![Act::Read, Act::Write(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()), Act::Close]),
    ];
    let client = at_home().within(IMPATIENCE);
    for (name, script) in rows {
        let server = Scripted::start(script).await;
        assert_eq!(word(&deliver(&client, &server.url).await), "lost", "{name}");
        assert_eq!(server.received(&format!("\r\n\r\n{SECRET}")), 1, "{name}");
    }
}

#[tokio::test]
async fn what_finds_no_connection_is_not_sent() {
    let silent = Scripted::start(vec![Act::Hang]).await;
    let plain = Scripted::start(vec![Act::Write(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()), Act::HalfClose]).await;
    let tls = |server: &Scripted| server.url.replace("http://", "https://");
    let client = at_home().within(IMPATIENCE);
    for (name, url) in [
        ("refused", "http://127.0.0.1:1".to_owned()),
        ("no such name", "https://no-such-host.invalid".to_owned()),
        ("TLS that does not begin", tls(&silent)),
        ("no TLS", tls(&plain)),
    ] {
        assert_eq!(word(&deliver(&client, &url).await), "not sent", "{name}");
    }
    assert_eq!(silent.received(SECRET) + plain.received(SECRET), 0);
}

#[tokio::test]
async fn a_connection_that_does_not_come_takes_no_more_than_its_time() {
    let played = Played { is_silent: true, ..Played::default() };
    let network = Arc::new(played.with("shop.example", &[&["8.8.8.8"]]).with("nobody.example", &[&[]]));
    let client = client(Plain::Nowhere, &network).within(IMPATIENCE);
    assert_eq!(word(&deliver(&client, "https://shop.example").await), "not sent");
    assert_eq!(word(&deliver(&client, "https://nobody.example").await), "not sent");
    assert_eq!(network.connected(), ["8.8.8.8:443"]);
}

#[tokio::test]
async fn no_more_than_four_addresses_of_a_name_are_tried() {
    let found: &[&str] = &["8.8.8.1", "8.8.8.2", "8.8.8.3", "8.8.8.4", "8.8.8.5", "8.8.8.6"];
    let network = Arc::new(Played::default().with("shop.example", &[found]));
    assert_eq!(word(&deliver(&client(Plain::Nowhere, &network), "https://shop.example").await), "not sent");
    assert_eq!(network.connected(), ["8.8.8.1:443", "8.8.8.2:443", "8.8.8.3:443", "8.8.8.4:443"]);
}

#[tokio::test]
async fn no_connection_is_used_twice() {
    let answer = |status| vec![Act::Read, Act::answer(status, b"")];
    let server = Scripted::start_with(vec![answer(200), answer(201), answer(202)]).await;
    let client = at_home();
    for expected in ["200", "201", "202"] {
        assert_eq!(word(&deliver(&client, &server.url).await), expected);
    }
    assert_eq!(server.received("connection: close\r\n"), 3);
}
