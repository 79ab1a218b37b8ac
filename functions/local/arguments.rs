//! What the local server can be told on the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use kessai_shared::gateways::{ADAPTERS, Adapter};
use kessai_shared::ids::MerchantId;
use kessai_shared::money::Currency;

/// A payments service in one process, over an embedded database, with sandbox gateways.
#[derive(Debug, Parser)]
#[command(name = "kessai", about, args_conflicts_with_subcommands = true)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub serve: Serve,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Runs the sandbox gateways alone, so that they outlive the server.
    Sandbox(Sandbox),
    /// Makes a merchant with an API key in a deployment's table, and prints how to speak for it.
    Merchant(Merchant),
}

#[derive(Debug, Args)]
pub struct Serve {
    /// Port to listen on; 0 picks a free one.
    #[arg(long, default_value_t = 9400)]
    pub port: u16,
    /// Where the data rest, and local.env.
    #[arg(long, value_name = "DIR", default_value = ".kessai")]
    pub data: PathBuf,
    /// Keep payments in memory only.
    #[arg(long)]
    pub memory: bool,
    /// Use the sandbox gateways at this address instead of starting them.
    #[arg(long, value_name = "URL")]
    pub sandbox_url: Option<String>,
    /// Port of the sandbox gateways; 0 picks a free one.
    #[arg(long, default_value_t = 9401, conflicts_with = "sandbox_url")]
    pub sandbox_port: u16,
    /// Print nothing per request.
    #[arg(long)]
    pub quiet: bool,
}

#[derive(Debug, Args)]
pub struct Sandbox {
    /// Port to listen on; 0 picks a free one.
    #[arg(long, default_value_t = 9401)]
    pub port: u16,
    /// Where the ledger rests; in memory only where there is none.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Merchant {
    /// Name of the deployment's table of merchants. Region and credentials are taken from the environment.
    #[arg(long, value_name = "TABLE")]
    pub table: String,
    /// Make an API key for this merchant, which is there, instead of a merchant.
    #[arg(long, value_name = "ID", value_parser = merchant, conflicts_with_all = ["name", "currency", "gateways"])]
    pub merchant: Option<MerchantId>,
    /// What people call the merchant.
    #[arg(long, required_unless_present = "merchant")]
    pub name: Option<String>,
    /// Currency of requests that name none, as ISO 4217 has it.
    #[arg(long, value_name = "CODE", value_parser = currency)]
    pub currency: Option<Currency>,
    /// A gateway: the adapter that speaks to it, and where it listens. May be given several times.
    #[arg(long = "gateway", value_name = "ADAPTER=URL", value_parser = gateway, required_unless_present = "merchant")]
    pub gateways: Vec<(String, String)>,
}

fn merchant(id: &str) -> Result<MerchantId, String> {
    MerchantId::parse(id).ok_or_else(|| "must be a merchant's id, of 15 or 18 characters".to_owned())
}

fn currency(code: &str) -> Result<Currency, String> {
    Currency::parse(code).ok_or_else(|| "must be a currency code of ISO 4217, such as USD".to_owned())
}

fn gateway(text: &str) -> Result<(String, String), String> {
    let (adapter, url) = text.split_once('=').ok_or("must be ADAPTER=URL")?;
    if Adapter::named(adapter).is_none() {
        let known: Vec<_> = ADAPTERS.iter().map(|adapter| adapter.name).collect();
        return Err(format!("there is no adapter {adapter:?}; there are {}", known.join(", ")));
    }
    if !["http://", "https://"].iter().any(|scheme| url.starts_with(scheme)) {
        return Err("the URL must begin with https:// (or http:// on the same machine)".to_owned());
    }
    Ok((adapter.to_owned(), url.trim_end_matches('/').to_owned()))
}
