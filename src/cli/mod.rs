//! The command line: parses, calls one thing below, renders.
//!
//! Promises: data on stdout, talk on stderr; with `--format json` every answer is one JSON
//! document or a line of JSON each, with stable names in snake_case. The exit code is 0
//! when it is done, 1 when it is refused or failed, 2 when the command line is wrong.
//! Does not: decide anything. Commands work on the configured database, also while a
//! `serve` works beside them.
//! Called by: `main.rs`, or a program that is built around this one, both through
//! [`Program`](crate::Program).

use std::{ffi::OsString, path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand, ValueEnum};

use rungs_runners::Kind;

use crate::config::Config;

mod apply;
mod audit;
mod backtest;
mod backup;
mod bounds;
mod caller_ids;
mod change;
mod check;
mod diagram;
mod evaluate;
mod event;
mod explain;
mod failure;
mod fuzz;
mod import;
mod input;
mod intake;
mod lock;
pub(crate) mod log;
mod lsp;
mod migrate;
mod new;
pub(crate) mod open;
mod output;
mod plan;
mod ps;
mod queue;
mod ready;
mod restore;
mod run;
mod schema;
mod sequences;
mod serve;
mod show;
mod signals;
mod simulate;
mod start;
mod test;
mod tick;
mod timeline;
#[cfg(feature = "otel")]
mod traces;
mod view;
mod words;
mod xml;

pub(crate) use failure::Failure;
use output::{Output, WARN};

/// What a command answers.
type Result<T, E = Failure> = std::result::Result<T, E>;

const FIRST_STEPS: &str = "\
First steps:
  rungs check FILE              says what is wrong with a sequence, all of it
  rungs simulate FILE           goes through a whole climb in no time, and sends nothing
  rungs test                    tries the cases in *.test.yml
  rungs run FILE --speed 600    climbs it here and now, ten minutes in a second
  rungs serve                   API and engine in one program, on rungs.db

Settings come from the environment (RUNGS_...) and from rungs.toml.";

/// Escalations as code: ladders of steps in YAML, climbed durably and on time.
#[derive(Debug, Parser)]
#[command(name = "rungs", version, about, after_help = FIRST_STEPS)]
struct Cli {
    /// Where settings are, in place of rungs.toml.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// How answers are written.
    #[arg(long, global = true, value_enum, default_value_t)]
    format: Format,
    #[command(subcommand)]
    command: Command,
}

/// How answers are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON document, or one a line.
    Json,
    /// A picture, where there is one.
    Svg,
    /// A flowchart for documents, where there is one.
    Mermaid,
    /// A page to read, where there is one.
    Markdown,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run one process of a sequence here, to its end, and watch it.
    Run(run::Args),
    /// Go through a whole climb in no time, and send nothing.
    Simulate(simulate::Args),
    /// Begin a sequence from one that ships, with its data and its cases.
    New(new::Args),
    /// Print the JSON Schema of sequences, or of fragments, for editors; or the runners, as a
    /// page to read.
    Schema(schema::Args),
    /// Speak with an editor, as a language server on stdin and stdout.
    Lsp(lsp::Args),
    /// Show a sequence as a diagram.
    Diagram(diagram::Args),
    /// Try the cases that authors wrote beside their sequences.
    Test(test::Args),
    /// Search for a climb that contacts nobody, goes on after its goal, never ends, or fails.
    Fuzz(fuzz::Args),
    /// Say everything that is wrong with sequences, and what the others can come to.
    Check(check::Args),
    /// Serve the API and run the engine, in one program.
    Serve(serve::Args),
    /// Do what is due now, once; for cron and Lambda.
    Evaluate(evaluate::Args),
    /// Say what `apply` would do, and what moving would do to the processes that live.
    Plan(plan::Args),
    /// Publish sequences.
    Apply(apply::Args),
    /// Replay recorded processes through a file, and say who would have been contacted differently.
    Backtest(backtest::Args),
    /// List published sequences.
    Sequences(sequences::Args),
    /// Start a process of a published sequence.
    Start(start::Args),
    /// Stop a process: nothing of it begins any more.
    Stop(change::StopArgs),
    /// Hold a process where it is.
    Pause(change::Args),
    /// Let a paused process go on, or try a failed one again.
    Resume(change::Args),
    /// Tell a process that something happened.
    Event(event::Args),
    /// List processes, youngest first.
    Ps(ps::Args),
    /// Show a process: where it stands, whom it reached, and why (not).
    Show(show::Args),
    /// Explain a process: what holds it, when it goes on and why then, and what comes next.
    Explain(explain::Args),
    /// Look for what nothing will ever wake, and what is overdue.
    Audit(audit::Args),
    /// Show or change who calls and texts whom.
    CallerIds(caller_ids::Args),
    /// Bring the database's schema up to date.
    Migrate,
    /// Bring what lives in another system, once.
    Import(import::Args),
    /// Copy the database, while others work on it.
    Backup(backup::Args),
    /// Put a copy in the place of the database.
    Restore(restore::Args),
    /// Ask the `serve` that runs here whether it can do its work; for healthchecks.
    Ready(ready::Args),
    /// Take in what is in the queue, and end.
    Intake,
    /// Take in what is in the queue, do what is due, deliver, and end; for cron.
    Tick,
}

/// What every command is given.
struct Context {
    config: Option<PathBuf>,
    /// Runners of the program that is built around this one.
    kinds: Vec<Kind>,
    output: Output,
}

impl Context {
    fn config(&self) -> Result<Config> {
        Ok(Config::load(self.config.as_deref())?.with_kinds(&self.kinds)?)
    }

    /// The runners there are, for who needs nothing else of a configuration.
    fn known_kinds(&self) -> Result<Vec<Kind>> {
        Ok(self.known_config()?.kinds)
    }

    /// The configuration, for who can do without. If it cannot be used, that is said, and what it
    /// names is left out.
    fn known_config(&self) -> Result<Config> {
        let config = match Config::load(self.config.as_deref()) {
            Ok(config) => config,
            Err(error) => {
                output::talk(&format!(
                    "{WARN}no runners of the configuration are known, nor its time zone{WARN:#}: {error}"
                ));
                Config::default()
            }
        };
        Ok(config.with_kinds(&self.kinds)?)
    }
}

/// Runs the program with runners beside those that come with it. `args` begins with its name.
pub(crate) fn run<I, T>(args: I, kinds: Vec<Kind>) -> ExitCode
where
    I: IntoIterator<Item = T>,
    T: Into<OsString> + Clone,
{
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // If nobody listens any more, nobody is to be told.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let context = Context { config: cli.config, kinds, output: Output::new(cli.format) };
    let done = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::refused(format!("no threads can be started: {error}")))
        .and_then(|runtime| runtime.block_on(cli.command.run(&context)));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

impl Command {
    /// Whether its answer can be written so.
    fn draws(&self, format: Format) -> bool {
        match format {
            Format::Text | Format::Json => true,
            Format::Svg => matches!(self, Self::Simulate(_) | Self::Diagram(_)),
            Format::Mermaid => matches!(self, Self::Diagram(_)),
            Format::Markdown => matches!(self, Self::Schema(_)),
        }
    }

    async fn run(self, context: &Context) -> Result<()> {
        if !self.draws(context.output.format()) {
            return Err(Failure::usage(
                "--format svg, mermaid or markdown: only `simulate` and `diagram` draw, and \
                 only `schema` writes a page",
            ));
        }
        match self {
            // These are told how to log.
            Self::Serve(_) | Self::Evaluate(_) | Self::Intake | Self::Tick => {}
            // The timeline tells what becomes of the process.
            Self::Run(_) => log::quiet(tracing::Level::ERROR),
            _ => log::quiet(tracing::Level::WARN),
        }
        match self {
            Self::Run(args) => run::run(args, context).await,
            Self::Simulate(args) => simulate::simulate(&args, context),
            Self::New(args) => new::new(&args, context),
            Self::Schema(args) => schema::schema(&args, context),
            Self::Lsp(args) => lsp::lsp(&args, context),
            Self::Diagram(args) => diagram::diagram(&args, context),
            Self::Test(args) => test::test(&args, context),
            Self::Fuzz(args) => fuzz::fuzz(&args, context),
            Self::Check(args) => check::check(&args, context),
            Self::Serve(args) => Box::pin(serve::serve(args, context)).await,
            Self::Evaluate(args) => evaluate::evaluate(&args, context).await,
            Self::Plan(args) => plan::plan(&args, context).await,
            Self::Apply(args) => apply::apply(&args, context).await,
            Self::Backtest(args) => backtest::backtest(&args, context).await,
            Self::Sequences(args) => sequences::sequences(&args, context).await,
            Self::Start(args) => start::start(args, context).await,
            Self::Stop(args) => change::stop(&args, context).await,
            Self::Pause(args) => change::pause(&args, context).await,
            Self::Resume(args) => change::resume(&args, context).await,
            Self::Event(args) => event::event(args, context).await,
            Self::Ps(args) => ps::ps(&args, context).await,
            Self::Show(args) => show::show(&args, context).await,
            Self::Explain(args) => explain::explain(&args, context).await,
            Self::Audit(args) => audit::audit(&args, context).await,
            Self::CallerIds(args) => caller_ids::caller_ids(&args, context).await,
            Self::Migrate => migrate::migrate(context).await,
            Self::Import(args) => import::import(args, context).await,
            Self::Backup(args) => backup::backup(&args, context).await,
            Self::Restore(args) => restore::restore(&args, context).await,
            Self::Ready(args) => ready::ready(&args, context).await,
            Self::Intake => Box::pin(intake::intake(context)).await,
            Self::Tick => Box::pin(tick::tick(context)).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_arguments_fit_together() {
        super::Cli::command().debug_assert();
    }
}
