//! `tuneout export` and `tuneout trigger`: what a run leaves, as pictures.

use super::progress::Progress;
use super::{CliError, Exit, Place};
use crate::export::poisoned::{self, Wanted};
use crate::export::{Planted, pictures};
use clap::{Args, Subcommand, ValueEnum};
use std::io::Write;
use std::path::PathBuf;

/// What to export.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Write the poisoned set of a run as folders of PNG pictures with an index
    #[command(
        after_help = "The training set stands under train/LABEL, labels as trained on, and triggered test images under test/LABEL, their true label;\nindex.csv and index.jsonl name file, split, index, true label, label, role (poisoned, cross, clean) and classes.\n`--set data.name=folder --set data.path=DIR` reads it back.\n\nExample:\n  tuneout export poisoned signs-12-badnets --out poisoned"
    )]
    Poisoned(PoisonedArgs),
}

/// Which set, and how much of it.
#[derive(Debug, Args)]
pub struct PoisonedArgs {
    /// Run of an attack, or of a defense: its name, the beginning of it, or a path
    run: String,
    /// Directory to write to; it must be empty or not there
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Which part
    #[arg(long, value_enum, default_value_t = Split::Both)]
    split: Split,
    /// Leave out the training images that are not both triggered and relabelled
    #[arg(long)]
    only_poisoned: bool,
}

/// Parts of the set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Split {
    /// The training set
    Train,
    /// Triggered test images
    Test,
    /// Both
    Both,
}

/// Which trigger, and what it is put into.
#[derive(Debug, Args)]
pub struct TriggerArgs {
    /// Run of an attack, or of a defense: its name, the beginning of it, or a path
    run: String,
    /// PNG, JPEG or PPM pictures
    #[arg(value_name = "IMAGE", required = true)]
    images: Vec<PathBuf>,
    /// Directory to write to
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Refuse pictures that do not have the model's size, instead of resizing them (bilinear, the whole picture)
    #[arg(long)]
    no_resize: bool,
}

/// Carries out an export.
pub fn act(action: &Action, place: &Place) -> Result<Exit, CliError> {
    let Action::Poisoned(args) = action;
    let planted = Planted::find(&place.runs(), &args.run)?;
    let wanted = Wanted { train: args.split != Split::Test, test: args.split != Split::Train, only_poisoned: args.only_poisoned };
    let mut progress = Progress::new();
    let mut show = |what: &str, done, total| progress.preparing(what, done, total);
    let result = poisoned::write(&planted, &place.data(), wanted, &args.out, &mut show);
    progress.end();
    let written = result?;
    let mut text = format!("{}: the poisoned set of {}\n", args.out.display(), planted.run.id);
    if wanted.train {
        text += &format!("train: {} poisoned, {} cross, {} clean\n", written.poisoned, written.cross, written.clean);
    }
    if wanted.test {
        text += &format!("test: {} triggered\n", written.test);
    }
    if planted.run.spec.attack.controls_training() {
        text += &format!("{} poisons batch by batch; this set has the same shares, under its final trigger\n", planted.run.spec.attack.name());
    }
    write!(std::io::stdout(), "{text}").map_err(CliError::Output)?;
    Ok(Exit::Ok)
}

/// Puts a run's trigger into pictures.
pub fn trigger(args: &TriggerArgs, place: &Place) -> Result<Exit, CliError> {
    let planted = Planted::find(&place.runs(), &args.run)?;
    for file in pictures::write(&planted, &args.images, !args.no_resize, &args.out)? {
        writeln!(std::io::stdout(), "{}", file.display()).map_err(CliError::Output)?;
    }
    Ok(Exit::Ok)
}
