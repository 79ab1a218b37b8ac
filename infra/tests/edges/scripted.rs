//! A TCP server that plays a script on every connection, and remembers every byte it was sent.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::time;

/// What the server does next. After the last act it starts again at the first.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Reads one whole request; the script ends where there is none.
    Read,
    Write(Vec<u8>),
    Wait(Duration),
    /// Keeps the connection open and says nothing.
    Hang,
    /// Says that nothing more will come, and reads all that does.
    HalfClose,
    Close,
    /// Throws the connection away without a farewell.
    Reset,
}

impl Act {
    pub(crate) fn answer(status: u16, body: &[u8]) -> Self {
        let head = format!("HTTP/1.1 {status} Said So\r\ncontent-length: {}\r\n\r\n", body.len());
        Self::Write([head.as_bytes(), body].concat())
    }
}

/// A running server. It ends with the test's runtime.
pub(crate) struct Scripted {
    pub(crate) url: String,
    transcript: Arc<Mutex<Vec<u8>>>,
}

impl Scripted {
    /// Plays the same script on every connection.
    pub(crate) async fn start(script: Vec<Act>) -> Self {
        Self::start_with(vec![script]).await
    }

    /// Plays one script on each connection, and the last one on all that follow.
    pub(crate) async fn start_with(scripts: Vec<Vec<Act>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let transcript = Arc::new(Mutex::new(Vec::new()));
        let server = Self { url, transcript: transcript.clone() };
        tokio::spawn(async move {
            for place in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                let script = scripts[place.min(scripts.len() - 1)].clone();
                let connection = Connection { stream, transcript: transcript.clone() };
                tokio::spawn(connection.play(script));
            }
        });
        server
    }

    /// How often the text was received, on all connections together.
    pub(crate) fn received(&self, text: &str) -> usize {
        let transcript = self.transcript.lock().unwrap();
        transcript.windows(text.len()).filter(|window| *window == text.as_bytes()).count()
    }

    /// How many bytes were received.
    pub(crate) fn received_bytes(&self) -> usize {
        self.transcript.lock().unwrap().len()
    }
}

struct Connection {
    stream: TcpStream,
    transcript: Arc<Mutex<Vec<u8>>>,
}

impl Connection {
    async fn play(mut self, script: Vec<Act>) {
        for act in script.into_iter().cycle() {
            match act {
                Act::Read => {
                    if !self.read_request().await {
                        return;
                    }
                }
                Act::Write(bytes) => {
                    // The other side may have gone.
                    let _ = self.stream.write_all(&bytes).await;
                }
                Act::Wait(duration) => time::sleep(duration).await,
                Act::Hang => std::future::pending().await,
                Act::HalfClose => {
                    let _ = self.stream.shutdown().await;
                    while self.read_some().await > 0 {}
                    return;
                }
                Act::Close => return,
                Act::Reset => {
                    self.stream.set_zero_linger().unwrap();
                    return;
                }
            }
        }
    }

    /// Whether there was one.
    async fn read_request(&mut self) -> bool {
        let begin = self.transcript.lock().unwrap().len();
        loop {
            if is_whole(&self.transcript.lock().unwrap()[begin..]) {
                return true;
            }
            if self.read_some().await == 0 {
                return false;
            }
        }
    }

    async fn read_some(&mut self) -> usize {
        let mut buffer = [0; 16 * 1024];
        let count = self.stream.read(&mut buffer).await.unwrap_or(0);
        self.transcript.lock().unwrap().extend_from_slice(&buffer[..count]);
        count
    }
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    body.len() >= length.map_or(0, |length| length.parse().unwrap())
}

/// A way to a server on which the first answer is lost, with its connection; later ones come through.
pub(crate) async fn losing_the_first_answer(server: SocketAddr) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut backend = TcpStream::connect(server).await.unwrap();
        let (mut from_client, _) = client.split();
        let (mut from_backend, mut to_backend) = backend.split();
        tokio::select! {
            _ = tokio::io::copy(&mut from_client, &mut to_backend) => {}
            answered = from_backend.read_u8() => { answered.unwrap(); }
        }
        drop((client, backend));
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            let mut backend = TcpStream::connect(server).await.unwrap();
            tokio::spawn(async move { copy_bidirectional(&mut client, &mut backend).await });
        }
    });
    url
}
