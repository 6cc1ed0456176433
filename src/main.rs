//! The `rungs` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    rungs::cli::run(std::env::args_os())
}
