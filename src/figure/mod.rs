//! The paper's figures as data: presets and logs become one [`Scene`], and a scene becomes a terminal picture, SVG,
//! PNG or CSV.
//!
//! ```text
//! presets/figures/*.toml -> preset::FigurePreset -+
//! runs/ID/ -> runs::Scan -> select::Cell ---------+-> kind::* -> Scene -+-> terminal
//! a preset of runs (figures of settings alone) ---+                     +-> draw::svg -> draw::png
//! a run that goes on -> watch::Watch -------------+                     +-> csv
//! ```
//!
//! The screen's charts are the panels of the same [`watch::Watch`], drawn by the same [`terminal`] code in the colours
//! of its themes.
//!
//! No figure needs a model or a tensor: the logs are enough.

pub mod aftermath;
mod axis;
pub mod cells;
pub mod comparison;
mod csv;
pub mod draw;
mod error;
mod id;
mod kind;
mod look;
pub mod names;
mod notes;
pub mod palette;
mod picture;
pub mod preset;
pub mod rates;
pub mod reported;
pub mod runs;
pub mod scene;
mod select;
pub mod terminal;
pub mod ticks;
pub mod watch;
mod write;

pub use kind::{evidence, plane};

pub use csv::{COLUMNS, PICTURE_COLUMNS, csv};
pub use draw::layout::Style;
pub use draw::png::png;
pub use draw::svg::svg;
pub use error::FigureError;
pub use id::FigureId;
pub use scene::Scene;
pub use write::{Format, write};

use crate::run::view::RunView;
use crate::spec::{Attack, RunSpec, Stage};
use cells::Scale;
use preset::Draw;
use reported::{Collection, Origin};
use std::collections::BTreeSet;

/// What a figure is made from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Source {
    /// The runs there are.
    pub scan: runs::Scan,
    /// Settings and their name, in place of those that a figure of settings alone names itself.
    pub settings: Option<(String, RunSpec)>,
    /// Attacks, in place of those that a figure of pictures names itself.
    pub attacks: Vec<String>,
    /// Whose reported numbers are drawn behind what was measured.
    pub references: Vec<Origin>,
    /// At which scale it is drawn.
    pub scale: Scale,
}

impl Source {
    /// The runs of `scan`, and the figures' own settings.
    pub fn of(scan: runs::Scan) -> Self {
        Self { scan, ..Self::default() }
    }
}

/// The paper's figure `id` (spec.md section 9), from whatever of it was run.
///
/// # Errors
/// When nothing of it was run, when the settings given have no such figure, or when its preset cannot be understood.
pub fn build(id: FigureId, source: &Source) -> Result<Scene, FigureError> {
    let preset = preset::load(id)?;
    let figure = id.to_string();
    attacks(&figure, &preset.draw, source)?;
    let reported = references(&figure, &preset.draw, source)?;
    let empty = || FigureError::Empty { id, runs: source.scan.dir.clone() };
    let unmeasured = |command| FigureError::Unmeasured { id, runs: source.scan.dir.clone(), command };
    let scene = match &preset.draw {
        Draw::Curves(curves) => kind::curves::scene(curves, &source.scan, &reported).ok_or_else(empty)?,
        Draw::Plane(plane) => kind::outcomes::scene(plane, own(id)?, &source.scan, &reported).ok_or_else(empty)?,
        Draw::Hours(hours) => kind::hours::scene(hours, own(id)?, &source.scan, &reported).ok_or_else(empty)?,
        Draw::Ablation(ablation) => kind::ablation::scene(ablation, &source.scan, &reported).ok_or_else(empty)?,
        Draw::Membership(membership) => {
            kind::membership::scene(membership, &source.scan, &reported).ok_or_else(|| unmeasured("tuneout sequela membership RUN"))?
        }
        Draw::Pictures(pictures) => kind::pictures::scene(pictures, &source.attacks, &source.scan).ok_or_else(empty)?,
        Draw::Reinjection(reinjection) => kind::reinjection::scene(&reinjection.at(source.scale), &source.scan, &reported)
            .ok_or_else(|| unmeasured("tuneout sequela reinject RUN"))?,
        Draw::Schedule(own) => {
            let (name, spec, images) = settings(own, source)?;
            kind::schedule::scene(&figure, &spec, &name, images)?
        }
    };
    Ok(Scene { name: figure, caption: preset.caption, frame: preset.frame, ..scene })
}

/// Makes sure that the attacks given are some, and that the figure shows attacks at the reader's choice.
fn attacks(figure: &str, draw: &Draw, source: &Source) -> Result<(), FigureError> {
    let wrong = |message: String| FigureError::Settings { figure: figure.to_owned(), message };
    if !source.attacks.is_empty() && !matches!(draw, Draw::Pictures(_)) {
        return Err(wrong("shows what was run of every attack; leave --attacks out".to_owned()));
    }
    match source.attacks.iter().find(|name| !Attack::NAMES.contains(&name.as_str())) {
        Some(name) => Err(wrong(format!("has no attack `{name}` to show; there are: {}", Attack::NAMES.join(", ")))),
        None => Ok(()),
    }
}

/// The settings of the runs that the figure itself names, at either scale. Defenses are compared by these first: an ablation's
/// runs, which may be newer, are another figure's matter.
fn own(id: FigureId) -> Result<BTreeSet<String>, FigureError> {
    let mut own = BTreeSet::new();
    for scale in [Scale::Full, Scale::Reduced] {
        let cells = match cells::cells(id, scale) {
            Err(FigureError::Settings { .. }) => continue,
            other => other?,
        };
        own.extend(cells.iter().filter(|cell| cell.stage == Stage::Defense).filter_map(|cell| Some(select::settings(&cell.run().ok()?, |_| true))));
    }
    Ok(own)
}

/// The reported numbers asked for, where the figure is of measurements that others report.
fn references(figure: &str, draw: &Draw, source: &Source) -> Result<Vec<Collection>, FigureError> {
    if !source.references.is_empty() && !measured(draw) {
        let message = "shows no measurement that others report; leave --references out".to_owned();
        return Err(FigureError::Settings { figure: figure.to_owned(), message });
    }
    reported::load(&source.references)
}

/// Whether the figure `id` is of measurements, which others may have reported too.
///
/// # Errors
/// When its preset cannot be understood.
pub fn reports(id: FigureId) -> Result<bool, FigureError> {
    Ok(measured(&preset::load(id)?.draw))
}

fn measured(draw: &Draw) -> bool {
    !matches!(draw, Draw::Schedule(_) | Draw::Pictures(_))
}

/// The settings that are drawn, with the name of where they come from and the training images there are.
fn settings(own: &preset::Settings, source: &Source) -> Result<(String, RunSpec, usize), FigureError> {
    if let Some((name, spec)) = &source.settings {
        return Ok((name.clone(), spec.clone(), spec.data.train_images()));
    }
    let preset = crate::spec::preset::load(&own.preset)
        .map_err(|e| FigureError::Preset { origin: format!("preset {}", own.preset), message: e.to_string() })?;
    Ok((preset.name, preset.spec, own.train_images))
}

/// What the screen shows of a run: CA and ASR over epochs and the learning rate below, of the defense as soon as it
/// has begun and of the attack before. `spec` is the run as it was started, or as it is set now.
pub fn live(attack: &RunView, defense: &RunView, spec: &RunSpec) -> Scene {
    kind::live::scene(attack, defense, spec)
}
