//! `tuneout examine`: the twin of browsing without a screen.

use super::{CliError, Exit, Place};
use crate::export::answers;
use crate::run::answers::{Ask, Filter, News, Sample, Subject};
use crate::run::session::Failure;
use crate::run::{examine, find};
use clap::{Args, ValueEnum};
use std::io::Write;

/// Flags of `tuneout examine`.
#[derive(Debug, Args)]
pub struct ExamineArgs {
    /// Run: an id, the beginning of one that no other run shares, or a path (`tuneout runs` lists them)
    #[arg(value_name = "RUN")]
    run: String,
    /// List only images that pass
    #[arg(long, value_name = "FILTER", default_value = "all")]
    filter: Passing,
    /// List at most so many images; the sums are always over all of them
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Print one JSON object on standard output
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// Print comma-separated values; the sums go to standard error
    #[arg(long)]
    csv: bool,
}

/// [`Filter`] as the command line spells it.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Passing {
    /// Every image
    All,
    /// Taken for the target when triggered, and of another class
    Fooled,
    /// Taken for another class without any trigger
    Wrong,
    /// Taken for what they are in spite of the trigger, and not of the target's class
    Right,
}

impl From<Passing> for Filter {
    fn from(passing: Passing) -> Self {
        match passing {
            Passing::All => Self::All,
            Passing::Fooled => Self::Fooled,
            Passing::Wrong => Self::Wrong,
            Passing::Right => Self::Right,
        }
    }
}

/// Asks the newest checkpoint of a run and prints its answers.
pub fn examine(args: &ExamineArgs, place: &Place) -> Result<Exit, CliError> {
    let dir = find::find(&place.runs(), &args.run)?;
    let (mut subject, mut samples): (Option<Subject>, Vec<Sample>) = (None, Vec::new());
    let mut listener = |news| {
        match news {
            News::Opened(opened) => subject = Some(*opened),
            News::Chunk(chunk) => samples.extend(chunk.samples),
        }
        true
    };
    examine::examine(&Ask { dir, known: None }, &place.data(), &mut listener).map_err(|e| CliError::Run(Failure::from(e)))?;
    let Some(subject) = subject else { return Ok(Exit::Failed) };
    let listed = answers::listed(&subject, &samples, args.filter.into(), args.limit);
    let out = match (args.json, args.csv) {
        (true, _) => format!("{}\n", answers::json(&subject, &samples, &listed)),
        (_, true) => answers::csv(&subject, &samples, &listed),
        _ => answers::table(&subject, &samples, &listed),
    };
    if args.csv {
        eprint!("{}", answers::sums(&subject, &samples));
    }
    match std::io::stdout().write_all(out.as_bytes()) {
        // A reader that has seen enough (`| head`) is no failure.
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => Err(CliError::Output(e)),
        _ => Ok(Exit::Ok),
    }
}
