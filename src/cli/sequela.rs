//! `tuneout sequela`: what a defense leaves behind (spec.md section 5).

use super::progress::Progress;
use super::{CliError, Exit, Place, run, show};
use crate::run::command::Command;
use crate::run::event::EventKind;
use crate::run::find;
use crate::run::reinject::Reinject;
use crate::run::session::{Session, Signal};
use crate::run::trained::Trained;
use crate::run::view::RunView;
use crate::run::worker::{self, Request};
use crate::sequela::infer;
use crate::sequela::membership::{BASELINE, Members, News, Outcome, Report, Settings, Variant};
use crate::sequela::reinjection::{self, LEVELS, Row};
use crate::spec::{Stage, Start};
use crate::statistics::Summary;
use clap::{Args, Subcommand, ValueEnum};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::atomic::Ordering;

/// What to measure.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// How well it can be told, from what a run's model says of an image, whether it was trained on it
    #[command(
        after_help = "Half of the test images and as many training images teach an attack model; the others test it. 0.5 is guessing.\nThe result is kept in the run's directory: the same settings are computed once.\n\nExamples:\n  tuneout sequela membership signs-12-badnets-super\n  tuneout sequela membership RUN --variant mldoctor --seeds 5 --json"
    )]
    Membership(MembershipArgs),
    /// How fast the same backdoor comes back when it is put into a run's model again
    #[command(
        after_help = "The attack's own trigger, recipe and schedule, new poisoned images: a run for each model and ratio, computed once and\nresumed like any other. The clean model is trained first where it is not there.\n\nExamples:\n  tuneout sequela reinject signs-12-badnets-super\n  tuneout sequela reinject RUN --ratios 0.1,0.01 --epochs 10 --into run,clean"
    )]
    Reinject(ReinjectArgs),
}

/// Which model, and how it is attacked.
#[derive(Debug, Args)]
pub struct MembershipArgs {
    /// Run of a defense or an attack: its name, the beginning of it, or a path (`tuneout runs` lists them)
    #[arg(value_name = "RUN")]
    run: String,
    /// What the attack sees: `paper` sorted posteriors; `mldoctor` sorted logits and whether the model is right
    #[arg(long, value_enum, default_value_t = Which::Paper)]
    variant: Which,
    /// Which training images count as members: `trained` those that the model was trained on, by the attack or by the
    /// defense; `given` those that the defense was given
    #[arg(long, value_enum, default_value_t = Of::Trained)]
    members: Of,
    /// Repetitions, each with images, weights and order of its own
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=1000))]
    seeds: u64,
    /// Epochs of the attack model
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    epochs: u64,
    /// Examples a step of the attack model
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    batch: u32,
    /// Learning rate of the attack model's Adam [default: 0.001; mldoctor: 0.00001]
    #[arg(long, value_name = "RATE", value_parser = rate)]
    lr: Option<f64>,
    /// Widths of the attack model's two hidden layers
    #[arg(long, value_name = "A,B", default_value = "128,64", value_parser = widths)]
    hidden: [usize; 2],
    /// Print one JSON object on standard output
    #[arg(long)]
    json: bool,
}

/// [`Variant`] as the command line spells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Which {
    /// Sorted posteriors, three layers
    Paper,
    /// Sorted logits and whether the model is right, two branches
    Mldoctor,
}

/// [`Members`] as the command line spells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Of {
    /// Those that the model was trained on
    Trained,
    /// Those that the defense was given
    Given,
}

/// Which models, and how often they are poisoned.
#[derive(Debug, Args)]
pub struct ReinjectArgs {
    /// Run of a defense or an attack: its name, the beginning of it, or a path (`tuneout runs` lists them)
    #[arg(value_name = "RUN")]
    run: String,
    /// Shares of the training images to poison, separated by commas
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_values_t = reinjection::RATIOS)]
    ratios: Vec<f64>,
    /// Epochs of each
    #[arg(long, value_name = "N", default_value_t = reinjection::EPOCHS)]
    epochs: u64,
    /// Models to put the backdoor into, separated by commas
    #[arg(long, value_enum, value_name = "LIST", value_delimiter = ',', default_values_t = [Into::Run, Into::Backdoored, Into::Clean])]
    into: Vec<Into>,
    /// Print one JSON object on standard output
    #[arg(long)]
    json: bool,
}

/// [`Start`] as the command line spells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Into {
    /// The model of RUN
    Run,
    /// The backdoored model
    Backdoored,
    /// A model of the same recipe without poison, trained first where it is not there
    Clean,
    /// A network with initial weights
    Scratch,
}

fn rate(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|lr| (1e-9..=10.0).contains(lr)).ok_or_else(|| "allowed 0.000000001..10".to_owned())
}

fn widths(text: &str) -> Result<[usize; 2], String> {
    let widths: Option<Vec<usize>> = text.split(',').map(|w| w.trim().parse().ok().filter(|w| (1..=4096).contains(w))).collect();
    widths.and_then(|w| w.try_into().ok()).ok_or_else(|| "two widths of 1..4096, for instance 128,64".to_owned())
}

/// Measures what the command line says.
pub fn act(action: &Action, place: &Place) -> Result<Exit, CliError> {
    match action {
        Action::Membership(args) => membership(args, place),
        Action::Reinject(args) => reinject(args, place),
    }
}

impl MembershipArgs {
    fn settings(&self) -> Settings {
        let plain = Settings::of(if self.variant == Which::Paper { Variant::Paper } else { Variant::Mldoctor });
        Settings {
            members: if self.members == Of::Trained { Members::Trained } else { Members::Given },
            seeds: self.seeds,
            epochs: self.epochs,
            batch: self.batch as usize,
            lr: self.lr.unwrap_or(plain.lr),
            hidden: self.hidden,
            ..plain
        }
    }
}

fn membership(args: &MembershipArgs, place: &Place) -> Result<Exit, CliError> {
    let (dir, settings) = (find::find(&place.runs(), &args.run)?, args.settings());
    let (report, kept) = infer(&dir, &settings, place)?;
    if kept {
        eprintln!("computed before, taken from {}", dir.join(settings.file()).display());
    }
    let text = if args.json { serde_json::to_string(&report).unwrap_or_default() + "\n" } else { told(&report) };
    show::print(&text)
}

/// Attacks the model of a run directory, or takes the result that it keeps, and says whether it did.
pub(super) fn infer(dir: &Path, settings: &Settings, place: &Place) -> Result<(Report, bool), CliError> {
    let mut progress = Progress::new();
    let mut tell = |news| match news {
        News::Working { what, done, total } => progress.preparing(&what, done, total),
        News::Seed(o) => progress.say(&format!(
            "seed {}: accuracy {:.3} on images that it had not seen, {:.3} on those that it learned from, loss {:.3}",
            o.seed, o.accuracy, o.train_accuracy, o.loss
        )),
    };
    let result = infer::infer(dir, settings, &place.data(), &mut tell);
    progress.end();
    Ok(result?)
}

/// The result as a person reads it.
fn told(report: &Report) -> String {
    let Report { settings, half, mean, .. } = report;
    let spread = report.deviation.map_or_else(|| "one seed".to_owned(), |d| format!("± {d:.3} over {} seeds", report.outcomes.len()));
    let of = |rate: fn(&Outcome) -> f64| Summary::of(&report.outcomes.iter().map(rate).collect::<Vec<_>>()).map_or(f64::NAN, |s| s.mean);
    format!(
        "membership inference against {}\nattack model: {}\nmembers: {} {}; others: {} test images\n\
         {half} + {half} images to learn from, {half} + {half} others to be tested on\n\
         accuracy {mean:.3} {spread}; guessing is {BASELINE}, and chance alone strays from it by {:.3} a seed\n\
         judged members: {:.1}% of the members, {:.1}% of the others; accuracy on what it learned from {:.3}\n",
        report.run,
        settings.words(),
        report.members,
        settings.members.words(),
        report.others,
        report.standard_error(),
        of(|o| o.true_positive_rate) * 100.0,
        of(|o| o.false_positive_rate) * 100.0,
        of(|o| o.train_accuracy),
    )
}

fn reinject(args: &ReinjectArgs, place: &Place) -> Result<Exit, CliError> {
    let run = Trained::open(&find::find(&place.runs(), &args.run)?)?;
    let attack = run.attack()?;
    for ratio in &args.ratios {
        run.spec.with("attack.poison_ratio", &ratio.to_string(), "--ratios")?;
    }
    run.spec.with("attack.epochs", &args.epochs.to_string(), "--epochs")?;
    let (id, source) = (run.id.clone(), attack.id.clone());
    let job = Reinject { starts: starts(args, run.stage), ratios: distinct(&args.ratios), epochs: args.epochs, attack, run };
    let (rows, exit) = inject(job, place)?;
    if exit != Exit::Ok {
        eprintln!("stopped at a checkpoint; the same command goes on from there");
        return Ok(exit);
    }
    let json = || serde_json::json!({ "run": id, "attack": source, "epochs": args.epochs, "levels": LEVELS, "reinjections": rows });
    show::print(&if args.json { format!("{}\n", json()) } else { table(&source, args.epochs, &rows) })
}

/// Computes every re-injection of `job` that is not done; another exit than Ok where a signal ended it.
pub(super) fn inject(job: Reinject, place: &Place) -> Result<(Vec<Row>, Exit), CliError> {
    let wanted = job.starts.len() * job.ratios.len();
    // What is computed stands beside the run, where what it came from stands too.
    let (spec, runs) = (job.run.spec.clone(), job.run.runs());
    let request = Request { spec, until: Stage::Reinjection, device: place.device()?, data: place.data(), runs };
    let session = worker::reinject(request, job);
    let commands = session.commands.clone();
    let interrupted = run::stop_on_signals(move || drop(commands.send(Command::Stop)))?;
    let rows: Vec<Row> = watch(&session)?.iter().filter_map(reinjection::row).collect();
    let done = rows.iter().filter(|row| row.finished).count() == wanted;
    Ok((rows, if done { Exit::Ok } else { Exit::of_signal(interrupted.load(Ordering::Relaxed)) }))
}

/// The models asked for, each once; of an attack's run its own model is the backdoored one.
fn starts(args: &ReinjectArgs, stage: Stage) -> Vec<Start> {
    let start = |into: &Into| match into {
        Into::Run if stage == Stage::Defense => Start::Defended,
        Into::Run | Into::Backdoored => Start::Backdoored,
        Into::Clean => Start::Clean,
        Into::Scratch => Start::Scratch,
    };
    distinct(&args.into.iter().map(start).collect::<Vec<_>>())
}

fn distinct<T: PartialEq + Copy>(values: &[T]) -> Vec<T> {
    let mut out = Vec::with_capacity(values.len());
    values.iter().for_each(|value| {
        if !out.contains(value) {
            out.push(*value);
        }
    });
    out
}

/// Follows a session to its end: the views of the re-injections, in order.
fn watch(session: &Session) -> Result<Vec<RunView>, CliError> {
    let (mut progress, mut other, mut views) = (Progress::new(), RunView::default(), Vec::<RunView>::new());
    let mut result = Ok(());
    for signal in &session.signals {
        match signal {
            Signal::Preparing { what, done, total } => progress.preparing(&what, done, total),
            Signal::Event { stage, replayed, event, .. } => {
                if stage == Stage::Reinjection && matches!(event.kind, EventKind::Started { .. }) {
                    views.push(RunView::default());
                }
                let view = views.last_mut().filter(|_| stage == Stage::Reinjection).unwrap_or(&mut other);
                view.reduce(&event);
                progress.event(view, &event, replayed);
            }
            Signal::Ended(ended) => result = ended,
        }
    }
    progress.end();
    result.map(|()| views).map_err(CliError::Run)
}

/// The result as a person reads it.
fn table(source: &str, epochs: u64, rows: &[Row]) -> String {
    let mut out = format!(
        "the backdoor of {source} put in again, {epochs} epochs\n{:<18} {:>8} {:>9} {:>7} {:>7} {:>7} {:>11} {:>11}\n",
        "into",
        "ratio",
        "poisoned",
        "ASR",
        "then",
        "CA",
        format!("to ASR {}", LEVELS[0]),
        format!("to ASR {}", LEVELS[1]),
    );
    let level = |epochs: Option<u64>| epochs.map_or_else(|| "not reached".to_owned(), |n| format!("{n} epochs"));
    for row in rows {
        let share = |v: f64| format!("{:.1}%", v * 100.0);
        let [first, second] = row.epochs_to.map(level);
        let _ = writeln!(
            out,
            "{:<18} {:>8} {:>9} {:>7} {:>7} {:>7} {first:>11} {second:>11}",
            row.model,
            row.ratio,
            row.poisoned_images,
            share(row.before.asr),
            share(row.after.asr),
            share(row.after.ca)
        );
    }
    if let Some(row) = rows.iter().find(|row| row.poisoned_images == 0) {
        let _ = writeln!(out, "ratio {} poisons no image of an epoch here: that training has no backdoor to learn", row.ratio);
    }
    out
}
