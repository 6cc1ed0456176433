//! `diagram`: a sequence to look at, in the terminal, as Mermaid, or as SVG.

use std::path::PathBuf;

use rungs_core::diagram;

use super::{
    Context, Failure, Format, Result,
    input::{self, Source},
    output,
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The sequence, in YAML or JSON; `-` is stdin.
    file: PathBuf,
}

pub(super) fn diagram(args: &Args, context: &Context) -> Result<()> {
    let source = Source::read(&args.file).map_err(Failure::refused)?;
    let sequence = input::checked(&source, &context.known_kinds()?)?;
    let drawn = match context.output.format() {
        Format::Text => diagram::text(&sequence),
        Format::Mermaid => diagram::mermaid(&sequence),
        Format::Svg => diagram::svg(&sequence),
        Format::Json | Format::Markdown => {
            return Err(Failure::usage("--format json: a diagram is text, mermaid or svg"));
        }
    };
    Ok(output::text(drawn.trim_end())?)
}
