//! The screen: draws [`crate::app::State`] with ratatui, and carries out its effects.
//!
//! ```text
//! input thread --+
//! worker --------+--> event_loop: select --> app::update / app::reduce --> effects
//! jobs thread ---+                       \-> bench::render, only when something changed
//! signals -------+
//! ```
//!
//! One file a panel, each with a free `render`; colours and glyphs are data. Nothing here knows the tensor library,
//! and the worker behind [`Hooks::start`] does not know that a screen exists.

mod asking;
pub mod bench;
pub mod compare;
mod event_loop;
pub mod figures;
pub mod glyphs;
pub mod hits;
mod input;
mod jobs;
mod making;
pub mod panel;
pub mod pictures;
mod reading;
pub mod sequela;
mod terminal;
pub mod theme;
pub mod view;
pub mod widget;

pub use crate::app::Preview;

use crate::app::sequela::Wanted;
use crate::figure::cells::Scale;
use crate::figure::comparison::Comparison;
use crate::figure::{FigureId, Scene};
use crate::run::answers::{Ask, News};
use crate::run::session::{Failure, Session};
use crate::run::view::RunView;
use crate::sequela::membership;
use crate::spec::RunSpec;
use crate::spec::sweep::Cell;
use crate::spec::work::Speeds;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How the screen is drawn.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// Only ASCII characters.
    pub ascii: bool,
    /// Name of a theme (`dark`, `light`, `mono`, or one of the user's); none: what fits the terminal.
    pub theme: Option<String>,
    /// Whether the mouse is left to the terminal (selecting text).
    pub no_mouse: bool,
    /// A sweep whose grid is shown first: the file of its cells, and the cells.
    pub sweep: Option<(PathBuf, Vec<Cell>)>,
    /// Frames a second at most while training alone changes something; 0 means 10. Keys are always answered at once.
    pub fps: u16,
}

/// What the screen needs from the rest of the program.
pub struct Hooks {
    /// Starts a worker.
    pub start: Box<dyn Fn(RunSpec) -> Session>,
    /// Makes pictures for the lens, on a thread of the screen.
    pub preview: PreviewHook,
    /// Writes what is shown (attack, clean-up, the run) to files, on a thread of the screen.
    pub export: ExportHook,
    /// Finds out how fast the device computes, on a thread of the screen.
    pub speeds: SpeedsHook,
    /// Asks a run's model what it sees in the test images, on a thread of the screen.
    pub examine: ExamineHook,
    /// Writes a comparison to files, on a thread of the screen.
    pub comparison: ComparisonHook,
    /// Writes a figure to files, on a thread of the screen.
    pub scene: SceneHook,
    /// The command that computes what a figure is made of, and writes it.
    pub figure: FigureHook,
    /// Asks a run's model which images it was trained on, on a thread of the screen.
    pub infer: InferHook,
    /// Starts a worker that puts a backdoor into models again.
    pub reinject: ReinjectHook,
    /// The device that runs will use, in words.
    pub device: String,
    /// Where run directories are written.
    pub runs_dir: PathBuf,
}

/// Makes pictures for the lens.
pub type PreviewHook = Box<dyn Fn(&RunSpec) -> Result<Preview, String> + Send + Sync>;
/// Writes what is shown to files.
pub type ExportHook = Box<dyn Fn(&RunView, &RunView, &RunSpec) -> Result<Vec<PathBuf>, String> + Send + Sync>;
/// Finds out how fast the device computes.
pub type SpeedsHook = Box<dyn Fn() -> Speeds + Send + Sync>;

/// Writes a comparison to files.
pub type ComparisonHook = Box<dyn Fn(&Comparison) -> Result<Vec<PathBuf>, String> + Send + Sync>;

/// Computes what a figure is made of.
pub type FigureHook = Box<dyn Fn(FigureId, Scale) -> Command>;

/// Writes a figure to files of a name.
pub type SceneHook = Box<dyn Fn(&Scene, &str) -> Result<Vec<PathBuf>, String> + Send + Sync>;

/// Membership inference against the model of a run directory.
pub type InferHook = Box<dyn Fn(&Path, &mut (dyn FnMut(membership::News) + Send)) -> Result<membership::Report, String> + Send + Sync>;

/// Starts a worker that puts a backdoor into models again.
pub type ReinjectHook = Box<dyn Fn(&Wanted) -> Result<Session, Failure>>;

/// Asks a run's model; ends early when the listener returns false.
pub type ExamineHook = Box<dyn Fn(&Ask, &mut (dyn FnMut(News) -> bool + Send)) -> Result<(), String> + Send + Sync>;

/// Why the screen ended early.
#[derive(Debug, thiserror::Error)]
pub enum UiError {
    /// The terminal is gone or refuses.
    #[error("the terminal: {0}; `tuneout run` needs none")]
    Terminal(#[from] std::io::Error),
    /// A theme file cannot be used.
    #[error(transparent)]
    Theme(#[from] theme::ThemeError),
    /// No theme of that name.
    #[error("there is no theme `{name}`; there are {}", there.join(", "))]
    NoTheme {
        /// Name given.
        name: String,
        /// Names there are.
        there: Vec<String>,
    },
    /// The operating system asked the program to end; the terminal is whole and the run was told to stop.
    #[error("ended by signal {0}; the run goes on from its last checkpoint when it is started again")]
    Signal(i32),
}

/// Opens the Bench with `spec` loaded, which came from `preset`, and returns when the user leaves.
///
/// # Errors
/// When the terminal cannot be used, a theme is missing or damaged, or a signal ended the program.
pub fn run(options: Options, spec: RunSpec, preset: Option<String>, hooks: Hooks) -> Result<(), UiError> {
    event_loop::run(&options, spec, preset, hooks)
}
