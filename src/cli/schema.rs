//! `schema`: the JSON Schema of sequences, or of fragments, for editors: with the runners of this program and of
//! its configuration.

use super::{Context, Result, output};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// That of fragments, the steps in a file of their own that sequences share.
    #[arg(long)]
    fragment: bool,
}

pub(super) fn schema(args: &Args, context: &Context) -> Result<()> {
    let kinds = context.known_kinds()?;
    let schema = if args.fragment {
        rungs_core::schema::fragment(&kinds)
    } else {
        rungs_core::schema::schema(&kinds)
    };
    Ok(output::text(format!("{schema:#}"))?)
}
