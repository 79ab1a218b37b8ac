//! The binary `kessai`: the local server, and the commands of set-up; see `kessai_functions::local` and `command`.

use clap::Parser;
use kessai_functions::lambda::StartError;
use kessai_functions::local::arguments::Arguments;
use kessai_functions::local::start::start;

fn main() -> Result<(), StartError> {
    start(Arguments::parse())
}
