//! An embedded DynamoDB for one test, over loopback.

use std::net::SocketAddr;
use std::thread;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Credentials, Region};
use dynoxide::Database;
use dynoxide::server::serve_with_shutdown;
use kessai_infra::aws::Account;
use kessai_infra::dynamodb::DynamoDb;
use tokio::runtime::Builder;
use tokio::sync::oneshot;

/// Ends when it is dropped.
pub(crate) struct Embedded {
    pub(crate) address: SocketAddr,
    pub(crate) url: String,
    _until_dropped: oneshot::Sender<()>,
}

impl Embedded {
    /// Its calls block, so it has a thread and a runtime of its own.
    pub(crate) fn start() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (until_dropped, dropped) = oneshot::channel::<()>();
        thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                let ended = async { dropped.await.unwrap_or_default() };
                serve_with_shutdown(listener, Database::memory().unwrap(), ended).await.unwrap();
            });
        });
        Self { address, url: format!("http://{address}"), _until_dropped: until_dropped }
    }

    /// A new table.
    pub(crate) async fn table(&self, name: &str) -> DynamoDb {
        let table = Account::at(&self.url).table(name);
        table.create_indexed_table().await.unwrap();
        table
    }

    /// A new table of stored payment methods.
    pub(crate) async fn vault(&self) -> DynamoDb {
        let table = Account::at(&self.url).table("vault").with_lists();
        table.create_vault_table().await.unwrap();
        table
    }

    /// A new table of what recurs.
    pub(crate) async fn schedules(&self) -> DynamoDb {
        let table = Account::at(&self.url).table("schedules");
        table.create_schedules_table().await.unwrap();
        table
    }

    /// A client of the SDK's own, for what our store has no way to ask.
    pub(crate) fn client(&self) -> Client {
        let http_client = kessai_infra::sdk::http_client();
        let config = Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("local", "local", None, None, "test"))
            .http_client(http_client)
            .endpoint_url(&self.url);
        Client::from_conf(config.build())
    }
}
