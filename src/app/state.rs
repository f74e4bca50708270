//! What the screen knows.

use super::browse::Browse;
use super::compare::Compare;
use super::figures::Figures;
use super::layer::Layer;
use super::lens::Lens;
use super::rates::History;
use super::sequela::{Sequela, Wanted};
use super::setup::Setup;
use super::sweep::Sweep;
use crate::figure::cells::Scale;
use crate::figure::comparison::Comparison;
use crate::figure::evidence::Pictures;
use crate::figure::{FigureId, Scene};
use crate::run::answers::Ask;
use crate::run::command::Command;
use crate::run::view::{RunView, Status};
use crate::spec::sweep::Cell;
use crate::spec::work::Speeds;
use crate::spec::{Preset, RunSpec, Scenario, Stage};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// Something to be done outside of the state.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Start a run.
    Start(Box<RunSpec>),
    /// Tell the running worker.
    Send(Command),
    /// Compute the pictures that this run would show under the lens.
    Preview(Box<RunSpec>),
    /// Read `count` sample pictures of a run directory.
    LoadSamples {
        /// The run directory.
        dir: PathBuf,
        /// Number of samples.
        count: usize,
    },
    /// Ask a model what it sees in the test images; what was asked before is given up.
    Examine(Ask),
    /// Give that up.
    StopExamining,
    /// Read the pictures of what the defense saw in its run directory.
    LoadEvidence(PathBuf),
    /// Write what is shown to files.
    Export,
    /// Read what stands in the directory of runs.
    ReadRuns(PathBuf),
    /// Read where the cells of a sweep stand, in the directory of runs.
    ReadCells(Arc<Vec<Cell>>, PathBuf),
    /// Write a comparison to files.
    ExportComparison(Box<Comparison>),
    /// Write a figure to files of this name.
    ExportScene(Box<Scene>, String),
    /// Read what is known of a run's after-effects.
    ReadAftermath(PathBuf),
    /// Read where the figures stand, in the directory of runs.
    ReadFigures(Scale, PathBuf, Speeds),
    /// Draw a figure from what was run.
    PreviewFigure(FigureId, Scale, PathBuf),
    /// Compute what a figure is made of, and write it.
    MakeFigure(FigureId, Scale),
    /// End that; it goes on from there another time.
    StopMaking,
    /// Ask the models of these runs, one after the other, which images they were trained on.
    Infer(Vec<PathBuf>),
    /// Put a backdoor into models again.
    Reinject(Wanted),
    /// Hand the terminal back and stop until the shell says `fg`.
    Suspend,
    /// Draw everything anew.
    Redraw,
    /// Leave.
    Quit,
}

/// The panel that gets the arrow keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Focus {
    /// The settings.
    #[default]
    Setup,
    /// Curves and learning rate; the arrows turn the handles.
    Charts,
    /// The trigger lens.
    Lens,
}

impl Focus {
    /// In the order of Tab.
    pub const ALL: [Self; 3] = [Self::Setup, Self::Charts, Self::Lens];
}

/// What the charts' epoch axis spans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Span {
    /// Attack and clean-up.
    #[default]
    Both,
    /// Only the clean-up.
    Defense,
    /// Only the attack.
    Attack,
}

/// Whether a worker is at it.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Run {
    /// Nothing was started yet.
    #[default]
    Idle,
    /// A worker runs or stands still.
    Active,
    /// It ended, well or with a reason.
    Over(Result<(), String>),
}

/// What the worker was asked for and has not confirmed yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// To stand still.
    Pause,
    /// To go on.
    Resume,
    /// To end.
    Stop,
}

/// What follows once the worker has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// A new run with the settings as they are then.
    Restart,
    /// Leaving.
    Quit,
}

/// How a line of news is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// For information.
    Plain,
    /// Good news.
    Good,
    /// Something was refused.
    Warn,
    /// Something failed.
    Bad,
}

/// A line of news above the keys.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// How it is meant.
    pub tone: Tone,
    /// What happened.
    pub text: String,
}

/// Something that takes a while before the first step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Preparing {
    /// What, in words.
    pub what: String,
    /// Parts done.
    pub done: usize,
    /// Parts in all.
    pub total: usize,
}

/// What is known about this machine.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Machine {
    /// The device that runs will use, in words.
    pub device: String,
    /// Where run directories are written.
    pub runs_dir: PathBuf,
    /// Bytes of memory in use by this program.
    pub memory: Option<u64>,
    /// How fast the device computes, as far as that is known.
    pub speeds: Speeds,
}

/// How things are drawn.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Look {
    /// Names of the themes there are.
    pub themes: Vec<String>,
    /// The one in use.
    pub theme: usize,
    /// What the epoch axis spans.
    pub span: Span,
    /// Whether learning rates stand on a linear axis.
    pub linear: bool,
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// Whether what the defense saw stands in the place of the trigger lens, where that is large enough.
    pub evidence: bool,
}

/// Columns and rows from which what a defense saw has room beside the charts.
const SPACIOUS: (u16, u16) = (150, 40);

impl Look {
    /// Whether what a defense saw has room beside the charts.
    pub fn spacious(&self) -> bool {
        self.size.0 >= SPACIOUS.0 && self.size.1 >= SPACIOUS.1
    }
}

/// Everything the screen knows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// The run as it is set up now.
    pub spec: RunSpec,
    /// The preset it was loaded from.
    pub preset: Option<String>,
    /// Every preset there is.
    pub presets: Vec<Preset>,
    /// Whether a worker is at it.
    pub run: Run,
    /// What was started, as it was then.
    pub started: Option<RunSpec>,
    /// What the curves belong to: as started, with the changes under way.
    pub ran: Option<RunSpec>,
    /// What goes on before the first step.
    pub preparing: Option<Preparing>,
    /// The training of a clean model, where the attack starts from one.
    pub pretrain: RunView,
    /// The planting of the backdoor.
    pub attack: RunView,
    /// The clean-up.
    pub defense: RunView,
    /// The clean-up before this one, of the same backdoored model: to compare with.
    pub before: Option<RunView>,
    /// The learning rates of each computation, in their order.
    pub histories: [History; 3],
    /// Whether the backdoored model was computed earlier.
    pub reused: bool,
    /// Asked, not yet confirmed.
    pub asked: Option<Asked>,
    /// Changes sent, not yet confirmed.
    pub pending: BTreeMap<String, f64>,
    /// What follows once the worker has ended.
    pub after: Option<After>,
    /// The panel that gets the arrow keys.
    pub focus: Focus,
    /// What lies over the Bench.
    pub layers: Vec<Layer>,
    /// The latest news.
    pub notice: Option<Notice>,
    /// The settings' panel.
    pub setup: Setup,
    /// The trigger lens.
    pub lens: Lens,
    /// The test images with the model's answers.
    pub browse: Browse,
    /// Runs side by side.
    pub compare: Compare,
    /// The sweep that is watched.
    pub sweep: Sweep,
    /// What a run leaves behind.
    pub sequela: Sequela,
    /// The paper's figures.
    pub figures: Figures,
    /// Pictures of what the defense saw.
    pub evidence: Pictures,
    /// How things are drawn.
    pub look: Look,
    /// This machine.
    pub machine: Machine,
    /// Whether Ctrl-C was pressed a moment ago.
    pub interrupted: bool,
}

impl State {
    /// A Bench with `spec` loaded.
    pub fn new(spec: RunSpec, preset: Option<String>, presets: Vec<Preset>) -> Self {
        Self { spec, preset, presets, ..Self::default() }
    }

    /// Whether a worker is at it.
    pub fn active(&self) -> bool {
        self.run == Run::Active
    }

    /// Whether a worker has the device, for a run or for its after-effects.
    pub fn computing(&self) -> bool {
        self.active() || self.sequela.again.is_some()
    }

    /// The computation that goes on, or went on last.
    pub fn stage(&self) -> Stage {
        let begun = [Stage::Defense, Stage::Attack, Stage::Pretrain].into_iter().find(|stage| self.view(*stage).stage.is_some());
        begun.unwrap_or(Stage::Attack)
    }

    /// The view of `stage`.
    pub fn view(&self, stage: Stage) -> &RunView {
        match stage {
            Stage::Pretrain => &self.pretrain,
            Stage::Attack | Stage::Reinjection => &self.attack,
            Stage::Defense => &self.defense,
        }
    }

    /// The learning rates of `stage` so far.
    pub fn history(&self, stage: Stage) -> &History {
        &self.histories[stage as usize]
    }

    /// The view that goes on, or went on last.
    pub fn current(&self) -> &RunView {
        self.view(self.stage())
    }

    /// Whether training stands still, or was asked to.
    pub fn paused(&self) -> bool {
        match self.asked {
            Some(Asked::Pause) => true,
            Some(Asked::Resume) => false,
            _ => self.active() && self.current().status == Status::Paused,
        }
    }

    /// The name of the theme in use.
    pub fn theme(&self) -> &str {
        self.look.themes.get(self.look.theme).map_or("dark", String::as_str)
    }

    /// Names of the classes, as far as they are known.
    pub fn class(&self, label: u16) -> String {
        let known = [&self.defense.facts.classes, &self.attack.facts.classes, &self.lens.classes];
        let name = known.iter().find_map(|names| names.get(usize::from(label)));
        name.cloned().unwrap_or_else(|| format!("class {label}"))
    }

    /// The target class by name. In the transfer scenario it is a class of the first task, which the attack was trained on; the
    /// runs and pictures of later stages name those of the second.
    pub fn target_class(&self, label: u16) -> String {
        if self.spec.scenario != Scenario::Transfer {
            return self.class(label);
        }
        let known = if self.attack.facts.classes.is_empty() { &self.lens.classes } else { &self.attack.facts.classes };
        known.get(usize::from(label)).cloned().unwrap_or_else(|| format!("class {label}"))
    }

    /// Puts a line of news above the keys.
    pub fn say(&mut self, tone: Tone, text: impl Into<String>) {
        self.notice = Some(Notice { tone, text: text.into() });
    }
}
