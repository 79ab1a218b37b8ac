//! What `kessai` can be told on the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::command::SetUp;

/// A payments service. Without a command: in one process, over an embedded database, with sandbox gateways.
#[derive(Debug, Parser)]
#[command(name = "kessai", version, args_conflicts_with_subcommands = true, subcommand_value_name = "COMMAND")]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub serve: Serve,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the sandbox gateways alone, so that they outlive the server
    Sandbox(Sandbox),
    #[command(flatten)]
    SetUp(Box<SetUp>),
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

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn every_command_is_sound() {
        Arguments::command().debug_assert();
    }
}
