//! The command line: every action of the screen has a subcommand.

mod compare;
mod data;
mod examine;
mod exit;
mod export;
mod figure;
mod measure;
mod missing;
mod presets;
mod progress;
mod report;
mod run;
mod screen;
mod sequela;
mod show;
mod status;
mod sweep;

pub use exit::{CliError, Exit};

use crate::run::device::DeviceChoice;
use clap::{Args, CommandFactory, Parser, Subcommand};
use std::path::PathBuf;

/// Plant a backdoor in an image classifier, watch it, and tune it out again.
///
/// Without a subcommand the Bench opens on the terminal with the demo loaded.
#[derive(Debug, Parser)]
#[command(name = "tuneout", version, about, long_about, after_help = EXAMPLES)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    screen: ScreenArgs,
    #[command(flatten)]
    place: Place,
}

const EXAMPLES: &str = "Examples:
  tuneout                                     open the Bench with the demo loaded
  tuneout run demo                            the demo without a screen
  tuneout run demo --set defense.lr_max1=0.3  with a higher maximum
  tuneout run cifar10-small --data-dir DIR    real CIFAR-10 images
  tuneout examine RUN --filter fooled         which test images the trigger fools
  tuneout figure 4 --out pictures             the paper's Figure 4 from what was run";

/// Flags of the screen.
#[derive(Debug, Args)]
struct ScreenArgs {
    /// Preset to open the Bench with
    #[arg(long, value_name = "PRESET", default_value = "demo")]
    preset: String,
    /// Draw with plain ASCII characters only
    #[arg(long)]
    ascii: bool,
    /// Colours: auto, dark, light, mono, or the name of a file in the configuration's `themes`
    #[arg(long, value_name = "NAME", default_value = "auto")]
    theme: String,
    /// Leave the mouse to the terminal
    #[arg(long)]
    no_mouse: bool,
}

/// Where to compute and where things stand; every subcommand takes these.
#[derive(Clone, Debug, Args)]
pub struct Place {
    /// Device: auto, cpu, wgpu[:N] or cuda[:N]
    #[arg(long, global = true, value_name = "DEVICE", default_value = "auto")]
    device: String,
    /// Threads that compute on the CPU [default: one for each core]
    #[arg(long, global = true, value_name = "N", default_value_t = 0, hide_default_value = true)]
    threads: usize,
    /// Directory of data sets [default: TUNEOUT_DATA, else the platform's data directory]
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Directory of runs [default: TUNEOUT_RUNS, else `runs` in the platform's data directory]
    #[arg(long, global = true, value_name = "DIR")]
    runs_dir: Option<PathBuf>,
}

impl Place {
    fn device(&self) -> Result<crate::run::device::Device, CliError> {
        let choice: DeviceChoice = self.device.parse()?;
        Ok(crate::run::device::find(choice)?)
    }

    fn data(&self) -> crate::data::DataDirs {
        crate::data::DataDirs::resolve(self.data_dir.as_deref())
    }

    fn runs(&self) -> PathBuf {
        crate::paths::runs_dir(self.runs_dir.clone())
    }
}

/// Which run: a preset with changes.
#[derive(Clone, Debug, Args)]
pub struct What {
    /// Preset, or path of a preset file (`tuneout presets` lists them)
    #[arg(value_name = "PRESET")]
    preset: String,
    /// Change a setting, for instance defense.lr_max1=0.3 (may be repeated; `tuneout presets show PRESET` lists them)
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    set: Vec<(String, String)>,
    /// Seed of initial weights, poisoned images and training order
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

fn key_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE, for instance defense.lr_max1=0.3")?;
    Ok((key.trim().to_owned(), value.trim().to_owned()))
}

impl What {
    fn spec(&self) -> Result<crate::spec::RunSpec, CliError> {
        let preset = crate::spec::preset::load(&self.preset)?;
        let mut spec = preset.spec.with_all(&self.set, "--set")?;
        if let Some(seed) = self.seed {
            spec = spec.with("seed", &seed.to_string(), "--seed")?;
        }
        Ok(spec)
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Plant a backdoor and clean it without a screen
    #[command(
        after_help = "Examples:\n  tuneout run demo --json\n  tuneout run demo --set attack.name=blended --set defense.epochs=12 --seed 3\n  tuneout run cifar10-small --data-dir DIR --device cuda"
    )]
    Run {
        #[command(flatten)]
        what: What,
        /// Print one JSON object on standard output
        #[arg(long)]
        json: bool,
    },
    /// List the presets with the time that each takes here, or show one in full
    #[command(
        args_conflicts_with_subcommands = true,
        after_help = "Examples:\n  tuneout presets --scenario transfer\n  tuneout presets show paper-gtsrb-wanet-ft"
    )]
    Presets {
        #[command(subcommand)]
        action: Option<PresetAction>,
        #[command(flatten)]
        list: presets::ListArgs,
    },
    /// Say which devices this build and this machine have
    Devices,
    /// List the runs that were computed
    Runs {
        /// Print one JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Ask a run's model what it sees in every test image, clean and triggered
    #[command(
        after_help = "Examples:\n  tuneout examine signs-12-badnets-super --filter fooled\n  tuneout examine RUN --json --limit 0\n  tuneout examine path/to/run --csv > answers.csv"
    )]
    Examine(examine::ExamineArgs),
    /// Look at data sets, or check them
    Data {
        #[command(subcommand)]
        action: data::Action,
    },
    /// Make a figure of the paper from the logs
    #[command(after_help = "Examples:\n  tuneout figure 1\n  tuneout figure 4 --format svg,png --out pictures")]
    Figure(figure::FigureArgs),
    /// Write all figures, tables, settings and costs as one HTML page
    Report(report::ReportArgs),
    /// Write what a run made for other programs
    Export {
        #[command(subcommand)]
        action: export::Action,
    },
    /// Put a run's trigger into pictures of your own
    #[command(
        after_help = "Writes NAME-clean.png, NAME-triggered.png and NAME-difference-xGAIN.png for each picture.\n\nExample:\n  tuneout trigger signs-12-badnets stop.jpg --out triggered"
    )]
    Trigger(export::TriggerArgs),
    /// Measure what a defense leaves behind: membership inference, and the same backdoor put in again
    Sequela {
        #[command(subcommand)]
        action: sequela::Action,
    },
    /// Hold runs against each other: mean and deviation over seeds, as a table and as charts
    #[command(
        after_help = "Examples:\n  tuneout compare --attack badnets --data signs-12\n  tuneout compare --sort asr --csv > table.csv\n  tuneout compare RUN RUN RUN --out pictures"
    )]
    Compare(compare::CompareArgs),
    /// Compute many runs from one file: plan, run, show, status, collect
    #[command(
        after_help = "Examples:\n  tuneout sweep plan demo > cells.jsonl\n  tuneout sweep run cells.jsonl --jobs 2\n  tuneout sweep show cells.jsonl\n  tuneout sweep status cells.jsonl\n  tuneout sweep collect cells.jsonl --format markdown > results.md"
    )]
    Sweep {
        #[command(subcommand)]
        action: sweep::SweepAction,
    },
    /// Print completions for a shell
    #[command(hide = true)]
    Completions {
        /// bash, elvish, fish, powershell or zsh
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    #[command(hide = true)]
    Man,
}

#[derive(Debug, Subcommand)]
enum PresetAction {
    /// Print every setting of a preset
    Show {
        /// Its name
        name: String,
    },
}

/// Parses the command line, does what it says, and returns the exit code.
pub fn main() -> std::process::ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no errors; whether they can be printed changes nothing.
            drop(error.print());
            return Exit::from_clap(&error).into();
        }
    };
    match dispatch(cli) {
        Ok(exit) => exit.into(),
        Err(error) => {
            eprintln!("tuneout: {error}");
            error.exit().into()
        }
    }
}

fn dispatch(cli: Cli) -> Result<Exit, CliError> {
    let place = cli.place;
    crate::run::threads::init(place.threads);
    match cli.command {
        None => screen::open(&cli.screen, &place, None),
        Some(Command::Run { what, json }) => run::run(&what, &place, json),
        Some(Command::Presets { action: None, list }) => presets::list(&list, &place),
        Some(Command::Presets { action: Some(PresetAction::Show { name }), .. }) => presets::show(&name),
        Some(Command::Devices) => show::devices(),
        Some(Command::Runs { json }) => show::runs(&place.runs(), json),
        Some(Command::Examine(args)) => examine::examine(&args, &place),
        Some(Command::Data { action }) => data::act(&action, &place.data()),
        Some(Command::Figure(args)) => figure::make(&args, &place),
        Some(Command::Report(args)) => report::make(&args, &place),
        Some(Command::Export { action }) => export::act(&action, &place),
        Some(Command::Trigger(args)) => export::trigger(&args, &place),
        Some(Command::Sequela { action }) => sequela::act(&action, &place),
        Some(Command::Compare(args)) => compare::compare(&args, &place.runs()),
        Some(Command::Sweep { action }) => sweep::act(&action, &place, &cli.screen),
        Some(Command::Completions { shell }) => {
            clap_complete::generate(shell, &mut Cli::command(), "tuneout", &mut std::io::stdout());
            Ok(Exit::Ok)
        }
        Some(Command::Man) => {
            clap_mangen::Man::new(Cli::command()).render(&mut std::io::stdout()).map_err(CliError::Output)?;
            Ok(Exit::Ok)
        }
    }
}
