//! Where deliveries go and where not, and what is said of them: a network that is played counts what is looked up and
//! connected to, and servers what they receive.

mod delivered;
mod hostile;

use std::collections::BTreeMap;
use std::future::pending;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use kessai_infra::webhook::{Network, WebhookClient};
use kessai_shared::merchant::address::Plain;
use kessai_shared::ports::{Deliveries, DeliveryFault, Pending};
use tokio::net::TcpStream;

/// What a server finds in its transcript once for each time that a delivery came, and what no fault may say.
const SECRET: &str = "what-happened";

/// A network in which names lead where a test wants.
#[derive(Default)]
struct Played {
    /// The answers to the look-ups of a name, one after the other; the last one is given again and again.
    names: BTreeMap<&'static str, Vec<Vec<IpAddr>>>,
    /// A look-up or a connection that never comes.
    is_silent: bool,
    looked_up: Mutex<Vec<String>>,
    connected: Mutex<Vec<SocketAddr>>,
}

impl Played {
    fn with(mut self, name: &'static str, answers: &[&[&str]]) -> Self {
        let parse = |answer: &&[&str]| answer.iter().map(|address| address.parse().unwrap()).collect();
        self.names.insert(name, answers.iter().map(parse).collect());
        self
    }

    fn looked_up(&self) -> Vec<String> {
        self.looked_up.lock().unwrap().clone()
    }

    fn connected(&self) -> Vec<String> {
        self.connected.lock().unwrap().iter().map(ToString::to_string).collect()
    }
}

impl Network for Played {
    /// A name that nobody has told of leads to this machine.
    fn look_up<'a>(&'a self, name: &'a str) -> Pending<'a, io::Result<Vec<IpAddr>>> {
        let mut looked_up = self.looked_up.lock().unwrap();
        let before = looked_up.iter().filter(|before| *before == name).count();
        looked_up.push(name.to_owned());
        let here = || vec![IpAddr::from([127, 0, 0, 1])];
        let found = self.names.get(name).map_or_else(here, |answers| answers[before.min(answers.len() - 1)].clone());
        Box::pin(async move {
            match found.is_empty() {
                true => Err(io::Error::other("no such name")),
                false => Ok(found),
            }
        })
    }

    /// Only this machine is there.
    fn connect(&self, address: SocketAddr) -> Pending<'_, io::Result<TcpStream>> {
        self.connected.lock().unwrap().push(address);
        Box::pin(async move {
            match address.ip().is_loopback() {
                _ if self.is_silent => pending().await,
                true => TcpStream::connect(address).await,
                false => Err(io::ErrorKind::ConnectionRefused.into()),
            }
        })
    }
}

fn client(plain: Plain, network: &Arc<Played>) -> WebhookClient {
    WebhookClient::new(plain).unwrap().over(network.clone())
}

async fn deliver(client: &WebhookClient, url: &str) -> Result<u16, DeliveryFault> {
    let headers = [("content-type", "application/json".to_owned()), ("webhook-id", SECRET.to_owned())];
    client.deliver(url, &headers, SECRET.as_bytes().to_vec()).await
}

/// What is said of a delivery, in a word.
fn word(delivered: &Result<u16, DeliveryFault>) -> String {
    match delivered {
        Ok(status) => return status.to_string(),
        Err(fault) => assert!(!format!("{fault} {fault:?}").contains(SECRET), "{fault:?}"),
    }
    match delivered {
        Ok(status) | Err(DeliveryFault::Status(status)) => format!("failed with {status}"),
        Err(DeliveryFault::Refused(_)) => "refused".to_owned(),
        Err(DeliveryFault::NotSent(_)) => "not sent".to_owned(),
        Err(DeliveryFault::Lost(_)) => "lost".to_owned(),
        Err(DeliveryFault::NotTaken(_)) => "not taken".to_owned(),
    }
}
