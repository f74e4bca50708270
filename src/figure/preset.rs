//! What belongs to each figure, as data: `presets/figures/*.toml`, embedded in the binary, overridden by files of the
//! same name in `presets/figures` of the user's configuration directory.

use super::cells::Scale;
use super::scene::{Colour, Dash, Marker};
use super::select::Wanted;
use super::{FigureError, FigureId};
use crate::spec::Scenario;
use crate::spec::sweep::{self, Sweep};
use include_dir::{Dir, include_dir};
use serde::Deserialize;
use std::collections::BTreeMap;

mod check;

static EMBEDDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/presets/figures");

/// A figure before any run is looked at.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FigurePreset {
    /// One line for lists.
    pub title: String,
    /// What stands under the figure.
    pub caption: String,
    /// Width and height of a panel's frame, in points of 1/72 inch.
    pub frame: (f64, f64),
    /// What is drawn.
    pub draw: Draw,
    /// The runs that it is made of at the paper's scale; none where it needs no run.
    #[serde(default)]
    pub full: Option<Sweep>,
    /// The runs that show the same on a laptop, from the embedded sets.
    #[serde(default)]
    pub reduced: Option<Sweep>,
    /// In the place of `reduced`: an embedded sweep whose runs they are.
    #[serde(default)]
    reduced_from: Option<Part>,
}

/// Some seeds of an embedded sweep.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    sweep: String,
    seeds: Vec<u64>,
}

/// The kinds of figures.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Draw {
    /// A learning rate over iterations (paper Figure 1).
    Schedule(Settings),
    /// Measures over epochs (paper Figure 4).
    Curves(Curves),
    /// Defenses in the plane of CA and ASR (paper Figures 5, 12 and 13).
    Plane(PlanePreset),
    /// Hours of defenses (paper Figure 6).
    Hours(Hours),
    /// Results over a setting (paper Figures 7 and 9), or over epochs for each of its values (paper Figure 8).
    Ablation(Ablation),
    /// Samples of attacks (paper Table 1).
    Pictures(Pictures),
    /// How well members are told from others (paper Figure 10).
    Membership(Membership),
    /// The same backdoor put in again (paper Figures 11 and 14 to 17).
    Reinjection(Reinjection),
}

/// Accuracies of membership inference: a group of bars for each attack, a panel for each data set.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Membership {
    /// The attacks, from left to right.
    pub attacks: Vec<String>,
    /// The bars of each: `backdoored`, or a defense.
    pub models: Vec<String>,
    /// Title of the vertical axis.
    pub y: String,
}

/// ASR over the epochs of re-injections: a panel for each ratio.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reinjection {
    /// The attack.
    pub attack: String,
    /// Poison ratios, a panel each.
    pub ratios: Vec<f64>,
    /// Epochs of each re-injection.
    pub epochs: u64,
    /// Both for the reduced figure.
    pub reduced: Again,
    /// The curves: `clean`, `scratch`, `backdoored`, or a defense.
    pub models: Vec<String>,
    /// Title of the horizontal axis.
    pub x: String,
    /// Title of the vertical axis.
    pub y: String,
}

/// How often and how long a backdoor is put in again.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Again {
    /// Poison ratios.
    pub ratios: Vec<f64>,
    /// Epochs of each re-injection.
    pub epochs: u64,
}

impl Reinjection {
    /// As it is drawn at `scale`.
    #[must_use]
    pub fn at(&self, scale: Scale) -> Self {
        let Again { ratios, epochs } = self.reduced.clone();
        if scale == Scale::Full { self.clone() } else { Self { ratios, epochs, ..self.clone() } }
    }
}

/// Defenses in the plane of CA and ASR, a panel for each attack and data set.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanePreset {
    /// The scenario whose runs belong to the figure.
    pub scenario: Scenario,
    /// The data sets that it is about.
    pub data: Vec<String>,
    /// Data sets that are drawn where nothing was run on those.
    pub stand_ins: Vec<String>,
    /// The defenses, in the order of the legend.
    pub defenses: Vec<String>,
    /// Whether a line shows each defense's way through the plane, epoch by epoch.
    pub trails: bool,
    /// Whether the Pareto front is drawn.
    pub front: bool,
}

/// Hours of defenses, pooled over data sets, attacks and seeds.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// The scenario whose runs belong to the figure.
    pub scenario: Scenario,
    /// The defenses, from left to right.
    pub defenses: Vec<String>,
}

/// What becomes of a defense as one of its settings changes: a row of panels for each measure.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ablation {
    /// The scenario whose runs belong to the figure.
    pub scenario: Scenario,
    /// The defense.
    pub defense: String,
    /// Dotted path of the setting that changes.
    pub setting: String,
    /// Other settings, with the only value that runs of the figure have.
    #[serde(default)]
    pub held: BTreeMap<String, f64>,
    /// What stands along the horizontal axis.
    pub over: Over,
    /// Title of that axis, where the setting's name says too little.
    #[serde(default)]
    pub x: String,
    /// The measures, from top to bottom.
    pub measures: Vec<Measure>,
}

/// What stands along the horizontal axis of an ablation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Over {
    /// The setting: a column for each data set, a curve for each attack.
    Setting,
    /// Epochs: a column for each data set and attack, a curve for each value of the setting.
    Epochs,
}

/// Samples of attacks: a column for each attack, a row for each kind of picture.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pictures {
    /// The attacks, from left to right.
    pub attacks: Vec<String>,
    /// The pictures of each, from top to bottom.
    pub rows: Vec<Row>,
    /// Which of a run's samples, from 0.
    pub sample: usize,
}

/// A kind of picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Row {
    /// As it is.
    Clean,
    /// With the trigger.
    Triggered,
    /// What sets the two apart, amplified.
    Difference,
}

impl Row {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Triggered => "triggered",
            Self::Difference => "difference",
        }
    }
}

/// Where a figure of settings alone takes them from.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The preset of runs that is drawn unless another is given.
    pub preset: String,
    /// Training images of its data set, which is not read for the figure.
    pub train_images: usize,
}

/// Measures over epochs, a panel for each value of two settings.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Curves {
    /// The scenario whose runs belong to the figure.
    pub scenario: Scenario,
    /// Dotted path of the setting that differs from row to row.
    pub rows: String,
    /// Dotted path of the setting that differs from column to column.
    pub columns: String,
    /// The first epoch that is drawn: 0 is the state before the defense.
    pub first_epoch: u64,
    /// Title of the horizontal axis.
    pub x: String,
    /// Title of the vertical axis.
    pub y: String,
    /// What is drawn in each panel.
    pub series: Vec<SeriesPreset>,
}

impl Curves {
    /// The runs that it asks for.
    pub(super) fn wanted(&self) -> Wanted<'_> {
        let mut defenses: Vec<&str> = Vec::new();
        for series in &self.series {
            if !defenses.contains(&series.defense.as_str()) {
                defenses.push(&series.defense);
            }
        }
        Wanted { scenario: self.scenario, rows: &self.rows, columns: &self.columns, defenses, first_epoch: self.first_epoch, ..Wanted::default() }
    }
}

/// One curve of each panel.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeriesPreset {
    /// Entry in the legend.
    pub label: String,
    /// Which defense's runs.
    pub defense: String,
    /// Which number of theirs.
    pub measure: Measure,
    /// Colour.
    pub colour: Colour,
    /// Mark at points.
    pub marker: Marker,
    /// Line between points.
    pub dash: Dash,
}

/// A number of [`crate::run::event::Measures`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// Clean accuracy.
    Ca,
    /// Attack success rate.
    Asr,
    /// Robust accuracy.
    Ra,
}

impl Measure {
    /// The abbreviation for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ca => "CA",
            Self::Asr => "ASR",
            Self::Ra => "RA",
        }
    }

    /// The number itself, a share of 1.
    pub fn of(self, measures: &crate::run::event::Measures) -> f64 {
        match self {
            Self::Ca => measures.ca,
            Self::Asr => measures.asr,
            Self::Ra => measures.ra,
        }
    }
}

/// Names of the embedded figures' presets.
pub(super) fn names() -> Vec<String> {
    EMBEDDED.files().filter_map(|f| Some(f.path().file_stem()?.to_str()?.to_owned())).collect()
}

/// The preset of a figure.
///
/// # Errors
/// When the user's file cannot be read, or is not a figure.
pub fn load(id: FigureId) -> Result<FigurePreset, FigureError> {
    let file = format!("{}.toml", id.stem());
    let user = crate::spec::preset::user_dir().map(|dir| dir.join("figures").join(&file)).filter(|path| path.exists());
    let (origin, text) = match user {
        Some(path) => (path.display().to_string(), std::fs::read_to_string(&path).map_err(|source| FigureError::Io { path: path.clone(), source })?),
        None => {
            let text = EMBEDDED.get_file(&file).and_then(|f| f.contents_utf8());
            let missing = || FigureError::Preset { origin: file.clone(), message: "is not part of this program".to_owned() };
            (format!("figure preset {file}"), text.ok_or_else(missing)?.to_owned())
        }
    };
    let mut preset: FigurePreset =
        toml::from_str(&text).map_err(|e| FigureError::Preset { origin: origin.clone(), message: e.to_string().trim_end().to_owned() })?;
    check::check(&preset).map_err(|message| FigureError::Preset { origin: origin.clone(), message })?;
    if let Some(part) = &preset.reduced_from {
        let whole = sweep::load(&part.sweep).map_err(|e| FigureError::Preset { origin: origin.clone(), message: e.to_string() })?;
        preset.reduced = Some(Sweep { seeds: part.seeds.clone(), ..whole });
    }
    for (name, runs) in [("full", &preset.full), ("reduced", &preset.reduced)] {
        let checked = runs.as_ref().map_or(Ok(()), |sweep| sweep.check(name));
        checked.map_err(|e| FigureError::Preset { origin: origin.clone(), message: e.to_string() })?;
    }
    Ok(preset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_figure_is_understood() {
        assert!(FigureId::all().contains(&FigureId::Figure(4)));
        for id in FigureId::all() {
            let preset = load(id).unwrap_or_else(|e| panic!("{e}"));
            assert!(!preset.title.is_empty() && preset.frame.0 > 50.0 && preset.frame.1 > 30.0, "{id}");
        }
    }

    #[test]
    fn a_wrong_setting_is_named() {
        let mut preset = load(FigureId::Figure(4)).unwrap();
        let Draw::Curves(curves) = &mut preset.draw else { panic!() };
        curves.rows = "data.nam".into();
        assert!(check::check(&preset).unwrap_err().contains("data.nam"));
    }
}
