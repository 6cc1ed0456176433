//! `schema`: the JSON Schema of sequences, or of fragments, for editors; or the runners as a page to
//! read: those of this program and of its configuration.

use rungs_core::{reference, schema};

use super::{Context, Format, Result, output};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// That of fragments, the steps in a file of their own that sequences share.
    #[arg(long)]
    fragment: bool,
}

pub(super) fn schema(args: &Args, context: &Context) -> Result<()> {
    let kinds = context.known_kinds()?;
    if context.output.format() == Format::Markdown {
        return Ok(output::text(reference::markdown(&kinds).trim_end())?);
    }
    let schema = if args.fragment { schema::fragment(&kinds) } else { schema::schema(&kinds) };
    Ok(output::text(format!("{schema:#}"))?)
}
