//! Endpoints that would have us send to where we should not.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use kessai_shared::merchant::address::AddressError::{self, NoHost, NoHttps, NotPublic, Numeric, Strange, UserInfo};
use kessai_shared::merchant::address::{Plain, check_endpoint};
use tokio::net::TcpListener;

use super::{Played, client, deliver, word};
use crate::scripted::{Act, Scripted};

/// Somebody on this machine whom nobody must reach. It closes the door to every visitor.
struct Neighbour {
    port: u16,
    visits: Arc<AtomicUsize>,
}

impl Neighbour {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let visits = Arc::new(AtomicUsize::new(0));
        let counted = visits.clone();
        tokio::spawn(async move {
            while listener.accept().await.is_ok() {
                counted.fetch_add(1, Ordering::SeqCst);
            }
        });
        Self { port, visits }
    }

    fn visits(&self) -> usize {
        self.visits.load(Ordering::SeqCst)
    }
}

/// Refused when they are set up, and why. `PORT` is the neighbour's.
const REFUSED_AT_SET_UP: [(&str, AddressError); 82] = [
    // This machine, plainly.
    ("https://localhost:PORT", NotPublic),
    ("https://LOCALHOST.:PORT", NotPublic),
    ("https://shop.localhost:PORT", NotPublic),
    ("https://127.0.0.1:PORT", NotPublic),
    ("https://127.255.255.254:PORT", NotPublic),
    ("https://0.0.0.0:PORT", NotPublic),
    // The same in decimal, octal and hexadecimal digits, and in fewer parts.
    ("https://2130706433:PORT", Numeric),
    ("https://017700000001:PORT", Numeric),
    ("https://0x7f000001:PORT", Numeric),
    ("https://0X7F.0.0.1:PORT", Numeric),
    ("https://0x7f.1:PORT", Numeric),
    ("https://0177.0.0.1:PORT", Numeric),
    ("https://127.0.0.01:PORT", Numeric),
    ("https://127.1:PORT", Numeric),
    ("https://127.0.1:PORT", Numeric),
    ("https://127.0.0.1.:PORT", Numeric),
    ("https://127.0.0.0x1:PORT", Numeric),
    ("https://0:PORT", Numeric),
    ("https://0x:PORT", Numeric),
    ("https://4429185025:PORT", Numeric),
    ("https://383.256.256.257:PORT", Numeric),
    // As IPv6, and as IPv4 within it: mapped, compatible, translated, by NAT64, by 6to4, by Teredo.
    ("https://[::1]:PORT", NotPublic),
    ("https://[0:0:0:0:0:0:0:1]:PORT", NotPublic),
    ("https://[::]:PORT", NotPublic),
    ("https://[::ffff:127.0.0.1]:PORT", NotPublic),
    ("https://[::ffff:7f00:1]:PORT", NotPublic),
    ("https://[::127.0.0.1]:PORT", NotPublic),
    ("https://[::ffff:0:127.0.0.1]:PORT", NotPublic),
    ("https://[64:ff9b::127.0.0.1]:PORT", NotPublic),
    ("https://[64:ff9b:1::7f00:1]:PORT", NotPublic),
    ("https://[2002:7f00:1::]:PORT", NotPublic),
    ("https://[2001:0:7f00:1::]:PORT", NotPublic),
    // Neighbours, and the metadata of clouds.
    ("https://10.0.0.1", NotPublic),
    ("https://172.31.255.255", NotPublic),
    ("https://192.168.1.1", NotPublic),
    ("https://100.64.0.1", NotPublic),
    ("https://169.254.169.254/latest/meta-data/", NotPublic),
    ("https://169.254.170.2/v2/credentials", NotPublic),
    ("https://2852039166/latest/meta-data/", Numeric),
    ("https://[::ffff:a9fe:a9fe]/latest/meta-data/", NotPublic),
    ("https://[fd00:ec2::254]/latest/meta-data/", NotPublic),
    ("https://[fc00::1]", NotPublic),
    ("https://[fe80::1]", NotPublic),
    ("https://[fe80::1%25eth0]", NoHost),
    ("https://[::1%lo]:PORT", NoHost),
    ("https://[fec0::1]", NotPublic),
    ("https://[ff02::1]", NotPublic),
    ("https://255.255.255.255", NotPublic),
    ("https://metadata.google.internal/computeMetadata/v1/", NotPublic),
    ("https://metadata.google.internal./computeMetadata/v1/", NotPublic),
    ("https://metadata", NotPublic),
    ("https://printer.local", NotPublic),
    ("https://router.home.arpa", NotPublic),
    // Users and passwords, which look like a host before the host.
    ("https://shop.example@127.0.0.1:PORT", UserInfo),
    ("https://shop.example:443@127.0.0.1:PORT", UserInfo),
    ("https://user:password@shop.example", UserInfo),
    ("https://@127.0.0.1:PORT", UserInfo),
    ("https://127.0.0.1:PORT\\@shop.example", Strange),
    ("https://127.0.0.1:PORT#@shop.example", Strange),
    // No TLS, or nothing of ours.
    ("http://127.0.0.1:PORT", NoHttps),
    ("http://shop.example", NoHttps),
    ("ftp://127.0.0.1:PORT", NoHttps),
    ("gopher://127.0.0.1:PORT/_POST", NoHttps),
    ("file:///etc/passwd", NoHttps),
    ("//127.0.0.1:PORT", NoHttps),
    ("https:127.0.0.1:PORT", NoHttps),
    ("https:\\\\127.0.0.1:PORT", Strange),
    ("https:///127.0.0.1:PORT", NoHost),
    // Ports that are none.
    ("https://shop.example:65536", NoHost),
    ("https://shop.example:99999999999999999999", NoHost),
    ("https://shop.example:0", NoHost),
    ("https://shop.example:+443", NoHost),
    // What others drop or translate before they read it.
    (" https://127.0.0.1:PORT", Strange),
    ("https://127.0.0.1:PORT\n", Strange),
    ("https://shop.example\r\nhost: 127.0.0.1", Strange),
    ("https://127.0.0.1\0.shop.example", Strange),
    ("https://%31%32%37.0.0.1:PORT", NoHost),
    ("https://127%2e0%2e0%2e1:PORT", NoHost),
    ("https://１２７.０.０.１:PORT", Strange),
    ("https://①②⑦.0.0.1:PORT", Strange),
    ("https://127。0。0。1:PORT", Strange),
    ("https://ⓛocalhost:PORT", Strange),
];

/// Names that anybody may set up and that lead to somebody else's.
const REFUSED_AT_CONNECT: [(&str, &[&str]); 14] = [
    ("this-machine.example", &["127.0.0.1"]),
    ("this-machine-6.example", &["::1"]),
    ("any.example", &["0.0.0.0"]),
    ("any-6.example", &["::"]),
    ("mapped.example", &["::ffff:127.0.0.1"]),
    ("nat64.example", &["64:ff9b::7f00:1"]),
    ("six-to-four.example", &["2002:7f00:1::1"]),
    ("private.example", &["10.1.2.3"]),
    ("shared.example", &["100.100.100.200"]),
    ("metadata.example", &["169.254.169.254"]),
    ("metadata-6.example", &["fd00:ec2::254"]),
    ("link-local.example", &["fe80::1"]),
    ("both.example", &["127.0.0.1", "::1"]),
    ("127.0.0.1.nip.example", &["127.0.0.1"]),
];

#[tokio::test]
async fn thirty_hostile_endpoints_are_refused() {
    let neighbour = Neighbour::start().await;
    let names = REFUSED_AT_CONNECT.iter().fold(Played::default(), |played, &(name, found)| played.with(name, &[found]));
    let network = Arc::new(names);
    let on_aws = client(Plain::Nowhere, &network);
    for (url, expected) in REFUSED_AT_SET_UP {
        let url = url.replace("PORT", &neighbour.port.to_string());
        assert_eq!(check_endpoint(&url, Plain::Nowhere), Err(expected), "{url}");
        // Nor is it where it was set up before there was this check.
        assert_eq!(word(&deliver(&on_aws, &url).await), "refused", "{url}");
    }
    assert_eq!(network.looked_up(), Vec::<String>::new());
    for (name, found) in REFUSED_AT_CONNECT {
        let url = format!("https://{name}:{}/hook", neighbour.port);
        assert_eq!(check_endpoint(&url, Plain::Nowhere), Ok(()), "{url}");
        for plain in [Plain::Nowhere, Plain::Loopback] {
            let delivered = deliver(&client(plain, &network), &url).await;
            assert_eq!(word(&delivered), "refused", "{url}");
            let said = delivered.expect_err("a fault").to_string();
            assert!(!found.iter().any(|address| said.contains(address)), "the merchant hears what is there: {said}");
        }
    }
    assert_eq!(network.connected(), Vec::<String>::new());
    assert_eq!(neighbour.visits(), 0);
    // It would have been reached: the first visit is that of somebody who may.
    let visit = deliver(&client(Plain::Loopback, &network), &format!("http://127.0.0.1:{}", neighbour.port)).await;
    assert!(["lost", "not sent"].contains(&word(&visit).as_str()), "{visit:?}");
    assert_eq!(neighbour.visits(), 1);
}

#[tokio::test]
async fn of_a_name_with_a_public_and_a_private_address_only_the_public_one_is_tried() {
    let neighbour = Neighbour::start().await;
    let answer: &[&str] = &["127.0.0.1", "8.8.8.8", "10.0.0.1", "::1", "2606:4700::1111"];
    let network = Arc::new(Played::default().with("two-faced.example", &[answer]));
    let url = format!("https://two-faced.example:{}", neighbour.port);
    assert_eq!(word(&deliver(&client(Plain::Nowhere, &network), &url).await), "not sent");
    let port = neighbour.port;
    assert_eq!(network.connected(), [format!("8.8.8.8:{port}"), format!("[2606:4700::1111]:{port}")]);
    assert_eq!(neighbour.visits(), 0);
}

#[tokio::test]
async fn a_name_is_looked_up_once_and_when_it_changes_its_mind_it_finds_nobody() {
    let neighbour = Neighbour::start().await;
    let answers: [&[&str]; 2] = [&["8.8.8.8"], &["127.0.0.1"]];
    let network = Arc::new(Played::default().with("rebinding.example", &answers));
    let client = client(Plain::Nowhere, &network);
    let url = format!("https://rebinding.example:{}", neighbour.port);
    assert_eq!(word(&deliver(&client, &url).await), "not sent");
    assert_eq!(network.looked_up().len(), 1, "what was checked is what is connected to");
    for _ in 0..3 {
        assert_eq!(word(&deliver(&client, &url).await), "refused");
    }
    assert_eq!(network.connected(), [format!("8.8.8.8:{}", neighbour.port)]);
    assert_eq!(neighbour.visits(), 0);
}

#[tokio::test]
async fn this_machine_is_reached_by_its_own_names_only_and_they_lead_nowhere_else() {
    let server = Scripted::start(vec![Act::Read, Act::answer(200, b"")]).await;
    let port = server.url.rsplit_once(':').unwrap().1;
    let elsewhere: &[&str] = &["10.0.0.1", "8.8.8.8"];
    let network = Arc::new(Played::default().with("LOCALHOST", &[elsewhere]));
    let at_home = client(Plain::Loopback, &network);
    let rows = [
        ("http://127.0.0.1:PORT", "200"),
        ("http://localhost:PORT", "200"),
        ("http://LOCALHOST:PORT", "refused"),
        ("https://LOCALHOST:PORT", "refused"),
        ("http://shop.example:PORT", "refused"),
        ("https://shop.example:PORT", "refused"),
        ("https://10.0.0.1:PORT", "refused"),
        ("http://127.1:PORT", "refused"),
    ];
    for (url, expected) in rows {
        assert_eq!(word(&deliver(&at_home, &url.replace("PORT", port)).await), expected, "{url}");
    }
    assert_eq!(network.connected().len(), 2);
}

#[tokio::test]
async fn a_redirect_is_a_failure_and_nobody_goes_there() {
    let neighbour = Neighbour::start().await;
    let network = Arc::new(Played::default());
    let client = client(Plain::Loopback, &network);
    for status in [301, 302, 303, 307, 308] {
        for place in ["http://127.0.0.1:PORT/", "//127.0.0.1:PORT/", "https://169.254.169.254/latest/meta-data/"] {
            let place = place.replace("PORT", &neighbour.port.to_string());
            let answer = format!("HTTP/1.1 {status} There\r\nlocation: {place}\r\ncontent-length: 0\r\n\r\n");
            let server = Scripted::start(vec![Act::Read, Act::Write(answer.into_bytes())]).await;
            assert_eq!(word(&deliver(&client, &server.url).await), format!("failed with {status}"), "{place}");
        }
    }
    assert_eq!(network.connected().len(), 15);
    assert_eq!(neighbour.visits(), 0);
}
