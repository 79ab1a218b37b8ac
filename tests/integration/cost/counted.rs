//! What a database is asked over HTTP, counted on the way.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Begins the name of a request, in its header.
const TARGET: &str = "DynamoDB_20120810.";

/// How many items a query or a scan has read, in its answer.
const READ: &str = "\"ScannedCount\":";

/// Passes on whatever it is sent, and keeps it.
pub struct Counted {
    pub url: String,
    passed: Arc<Mutex<Passed>>,
}

/// What went there and what came back, of each connection.
#[derive(Default)]
struct Passed(Vec<[Vec<u8>; 2]>);

/// What was asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// By their names.
    pub requests: Vec<String>,
    /// Items that queries and scans have read.
    pub read: u64,
}

impl Counted {
    /// Before the database at this address.
    pub async fn before(database: &str) -> Self {
        let address = database.strip_prefix("http://").expect("an address").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let passed: Arc<Mutex<Passed>> = Arc::default();
        let kept = Arc::clone(&passed);
        tokio::spawn(async move {
            while let Ok((caller, _)) = listener.accept().await {
                let database = TcpStream::connect(&address).await.expect("the database");
                let ((asks, hears), (answers, takes)) = (caller.into_split(), database.into_split());
                let connection = {
                    let mut kept = kept.lock().expect("what has passed");
                    kept.0.push(Default::default());
                    kept.0.len() - 1
                };
                tokio::spawn(pass(asks, takes, Arc::clone(&kept), (connection, 0)));
                tokio::spawn(pass(answers, hears, Arc::clone(&kept), (connection, 1)));
            }
        });
        Self { url, passed }
    }

    /// What was asked since somebody last looked.
    pub fn take(&self) -> Asked {
        let mut asked = Asked::default();
        for [there, back] in &mut self.passed.lock().expect("what has passed").0 {
            let [there, back] = [there, back].map(|bytes| String::from_utf8(std::mem::take(bytes)).expect("text"));
            let words = |text: &str| text.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned();
            asked.requests.extend(there.split(TARGET).skip(1).map(words));
            asked.read +=
                back.split(READ).skip(1).map(|rest| words(rest).parse::<u64>().expect("a number")).sum::<u64>();
        }
        asked
    }
}

async fn pass(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    kept: Arc<Mutex<Passed>>,
    (connection, way): (usize, usize),
) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        // Kept before anybody hears of it.
        kept.lock().expect("what has passed").0[connection][way].extend(&buffer[..length]);
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
    let _ = to.shutdown().await;
}
