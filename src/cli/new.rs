//! `new`: a sequence to begin with, with its data and its cases, from one that ships.

use std::{
    fs::OpenOptions,
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};

use clap::builder::PossibleValuesParser;

use super::{
    Context, Failure, Result,
    output::{DIM, talk},
};

/// A sequence that ships, and what stands beside it.
struct Template {
    name: &'static str,
    sequence: &'static str,
    data: &'static str,
    cases: &'static str,
}

macro_rules! template {
    ($name:literal) => {
        Template {
            name: $name,
            sequence: include_str!(concat!("../../sequences/", $name, ".yml")),
            data: include_str!(concat!("../../sequences/", $name, ".data.json")),
            cases: include_str!(concat!("../../sequences/", $name, ".test.yml")),
        }
    };
}

const TEMPLATES: [Template; 5] = [
    template!("order-escalation"),
    template!("on-call"),
    template!("appointment-reminder"),
    template!("invoice-dunning"),
    template!("lead-follow-up"),
];

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The name of the new sequence, and of its files.
    name: String,
    /// What it begins as.
    #[arg(long, value_name = "SEQUENCE", default_value = "order-escalation",
          value_parser = PossibleValuesParser::new(TEMPLATES.map(|template| template.name)))]
    from: String,
    /// Where the files are put.
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    folder: PathBuf,
}

pub(super) fn new(args: &Args, _: &Context) -> Result<()> {
    let is_name = args.name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && args.name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if !is_name || args.name.len() > 100 {
        let expected = "up to 100 letters, digits, `-` and `_`, beginning with a letter or a digit";
        return Err(Failure::usage(format!("a name has {expected}")));
    }
    let Some(template) = TEMPLATES.iter().find(|template| template.name == args.from) else {
        return Err(Failure::usage(format!("there is no sequence `{}`", args.from)));
    };
    let named = |text: &str| {
        let line = format!("sequence: {}", template.name);
        text.replacen(&line, &format!("sequence: {}", spelled(&args.name)), 1)
    };
    let file = |ending: &str| args.folder.join(format!("{}.{ending}", args.name));
    let files = [
        (file("yml"), named(template.sequence)),
        (file("data.json"), template.data.to_owned()),
        (file("test.yml"), template.cases.to_owned()),
    ];
    if let Some((there, _)) = files.iter().find(|(path, _)| path.exists()) {
        return Err(Failure::refused(format!("{} is there already", there.display())));
    }
    for (path, text) in &files {
        write(path, text)?;
    }
    let (sequence, folder) = (files[0].0.display(), args.folder.display());
    talk(&format!(
        "{DIM}written, with its data and its cases:{DIM:#} {sequence}\n\
         {DIM}next:{DIM:#} rungs simulate {sequence}\n      rungs test {folder}"
    ));
    Ok(())
}

/// Never over a file that somebody else has put there meanwhile.
fn write(path: &Path, text: &str) -> Result<()> {
    let wrong = |error: std::io::Error| match error.kind() {
        ErrorKind::AlreadyExists => {
            Failure::refused(format!("{} is there already", path.display()))
        }
        _ => Failure::refused(format!("{}: {error}", path.display())),
    };
    let mut file = OpenOptions::new().write(true).create_new(true).open(path).map_err(wrong)?;
    file.write_all(text.as_bytes()).map_err(wrong)
}

/// A name as YAML reads it as text: `123` and `true` would be something else.
fn spelled(name: &str) -> String {
    let is_word = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
        .contains(&name.to_lowercase().as_str());
    let is_number = name.starts_with(|c: char| c.is_ascii_digit());
    if is_word || is_number { format!("\"{name}\"") } else { name.to_owned() }
}
