//! `lsp`: the language server, for editors, with the runners of this program and of its
//! configuration.

use std::io;

use super::{Context, Failure, Result};
use crate::lsp::{self, Ended};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// What editors say who know several ways; there is no other.
    #[arg(long)]
    stdio: bool,
}

pub(super) fn lsp(args: &Args, context: &Context) -> Result<()> {
    let Args { stdio: _ } = args;
    let kinds = context.known_kinds()?;
    // The lock of stdin cannot be given to another thread.
    let input = io::BufReader::new(io::stdin());
    match lsp::serve(&kinds, input, io::stdout().lock()) {
        Ended::Properly => Ok(()),
        Ended::Left => Err(Failure::said(1)),
        Ended::Garbage(why) => Err(Failure::refused(format!(
            "what comes is no language server protocol ({why}); this is for editors"
        ))),
    }
}
