//! Numbers that others reported, as data: `assets/references/*.toml`, embedded in the binary (spec.md section 8).
//!
//! They are drawn faintly behind what was measured, at the user's wish alone, and never counted among runs. Where two
//! reported numbers contradict each other, both are drawn and a note names them.

mod check;
mod draw;
mod notes;

pub use draw::{along_setting, hours, in_plane, inferred, injected_again, over_epochs, shown_name};
pub use notes::notes;

use super::FigureError;
use super::preset::Measure;
use crate::spec::{RunSpec, Scenario};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::str::FromStr;

/// A model that no defense has touched.
pub const UNDEFENDED: &str = "none";
/// A model that was never attacked.
pub const CLEAN: &str = "clean";

/// Where reported numbers come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The paper's text.
    Paper,
    /// BackdoorBench's leaderboard.
    Leaderboard,
}

impl Origin {
    /// Every origin.
    pub const ALL: [Self; 2] = [Self::Paper, Self::Leaderboard];

    /// Name on a command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Paper => "paper",
            Self::Leaderboard => "leaderboard",
        }
    }

    /// Its letter beside a mark, where several origins share a figure.
    pub fn letter(self) -> &'static str {
        match self {
            Self::Paper => "P",
            Self::Leaderboard => "L",
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Paper => include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/references/paper.toml")),
            Self::Leaderboard => include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/references/leaderboard.toml")),
        }
    }
}

impl FromStr for Origin {
    type Err = FigureError;

    fn from_str(name: &str) -> Result<Self, FigureError> {
        let name = name.trim();
        Self::ALL.into_iter().find(|origin| origin.name() == name).ok_or_else(|| FigureError::Origin(name.to_owned()))
    }
}

/// The numbers of one origin.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Collection {
    /// Where they come from.
    #[serde(skip, default = "paper")]
    pub origin: Origin,
    /// Name within a sentence, for instance `the paper`.
    pub title: String,
    /// What a reader would look up.
    pub source: String,
    /// Settings that hold where an entry names none, by dotted path.
    #[serde(default)]
    pub defaults: BTreeMap<String, f64>,
    /// The numbers.
    pub reported: Vec<Reported>,
}

fn paper() -> Origin {
    Origin::Paper
}

/// What was reported of one model: each number a share of 1, hours aside.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Reported {
    /// What is attacked and what is cleaned.
    pub scenario: Scenario,
    /// Data set that the backdoor was planted on.
    pub data: String,
    /// Data set of the second task, where there is one.
    pub downstream: Option<String>,
    /// Attack.
    pub attack: String,
    /// Defense, or [`UNDEFENDED`], or [`CLEAN`].
    pub defense: String,
    /// Epochs of the defense, where that is known; none: when it was done.
    pub epoch: Option<f64>,
    /// Clean accuracy.
    pub ca: Option<f64>,
    /// Attack success rate.
    pub asr: Option<f64>,
    /// Robust accuracy.
    pub ra: Option<f64>,
    /// Hours of the defense on a GPU.
    pub gpu_hours: Option<f64>,
    /// Accuracy of membership inference.
    pub membership: Option<f64>,
    /// Whether the source gives the number roughly.
    pub approximate: bool,
    /// Settings other than the source's defaults, by dotted path.
    pub settings: BTreeMap<String, f64>,
    /// Where the same attack was made once more on the model described.
    pub reinjection: Option<Reinjection>,
    /// Where in the source it stands.
    pub at: String,
    /// What a reader must know of it.
    pub note: String,
}

/// An attack that was made once more.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reinjection {
    /// Share of training images that were poisoned.
    pub ratio: f64,
    /// First and last epoch after which the number held.
    pub epochs: (f64, f64),
}

impl Reported {
    /// The value of `measure`, where it was reported.
    pub fn value(&self, measure: Measure) -> Option<f64> {
        match measure {
            Measure::Ca => self.ca,
            Measure::Asr => self.asr,
            Measure::Ra => self.ra,
        }
    }

    /// Whether it is of a defense as it usually is, neither under settings of its own nor of what came after.
    pub fn usual(&self) -> bool {
        self.settings.is_empty() && self.reinjection.is_none()
    }

    /// Whether it is of the end of a defense; 100 epochs are the longest there is.
    pub fn of_the_end(&self) -> bool {
        self.epoch.is_none_or(|epoch| epoch >= 100.0)
    }
}

/// Which reported numbers a figure shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// What defenses reach.
    Defenses,
    /// What membership inference learns of a model.
    Membership,
    /// What the same attack reaches once more.
    Reinjection,
}

impl About {
    fn shows(self, reported: &Reported) -> bool {
        match self {
            Self::Defenses => reported.usual() && reported.membership.is_none(),
            Self::Membership => reported.membership.is_some(),
            Self::Reinjection => reported.reinjection.is_some(),
        }
    }
}

/// What reported numbers are looked up by: one panel's scenario, data sets and attack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// Scenario.
    pub scenario: Scenario,
    /// Data set that the backdoor was planted on.
    pub data: String,
    /// Data set of the second task.
    pub downstream: Option<String>,
    /// Attack.
    pub attack: String,
}

impl Subject {
    /// That of a run.
    pub fn of(spec: &RunSpec) -> Self {
        let downstream = spec.downstream.as_ref().map(|second| second.name().to_owned());
        Self { scenario: spec.scenario, data: spec.data.name().to_owned(), downstream, attack: spec.attack.name().to_owned() }
    }

    fn is_of(&self, reported: &Reported) -> bool {
        (self.scenario, &self.data, &self.downstream, &self.attack) == (reported.scenario, &reported.data, &reported.downstream, &reported.attack)
    }
}

impl Collection {
    /// The numbers of `subject`.
    pub fn of<'a>(&'a self, subject: &'a Subject) -> impl Iterator<Item = &'a Reported> {
        self.reported.iter().filter(|reported| subject.is_of(reported))
    }

    /// The value of the setting at `path` in an entry, where the source tells it.
    pub fn setting(&self, reported: &Reported, path: &str) -> Option<f64> {
        reported.settings.get(path).or_else(|| self.defaults.get(path)).copied()
    }
}

/// The numbers of each origin.
///
/// # Errors
/// When an embedded file is damaged.
pub fn load(origins: &[Origin]) -> Result<Vec<Collection>, FigureError> {
    origins.iter().map(|origin| read(*origin, origin.text())).collect()
}

fn read(origin: Origin, text: &str) -> Result<Collection, FigureError> {
    let wrong = |message: String| FigureError::Preset { origin: format!("references/{}.toml", origin.name()), message };
    let collection: Collection = toml::from_str(text).map_err(|e| wrong(e.to_string().trim_end().to_owned()))?;
    check::check(&collection).map_err(wrong)?;
    Ok(Collection { origin, ..collection })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collection(origin: Origin) -> Collection {
        load(&[origin]).unwrap_or_else(|e| panic!("{e}")).remove(0)
    }

    fn find(origin: Origin, data: &str, attack: &str, defense: &str) -> Vec<Reported> {
        let matches =
            |r: &&Reported| r.scenario == Scenario::Standalone && (r.data.as_str(), r.attack.as_str(), r.defense.as_str()) == (data, attack, defense);
        collection(origin).reported.iter().filter(matches).cloned().collect()
    }

    /// Every line of spec.md's table of the paper is there, as often as it is written.
    #[test]
    fn the_papers_numbers_are_all_there() {
        let paper = collection(Origin::Paper);
        let mut asr: Vec<f64> = paper.reported.iter().filter_map(|r| r.asr).collect();
        asr.sort_by(f64::total_cmp);
        let expected = [
            0.002, 0.004, 0.009, 0.023, 0.044, 0.069, 0.073, 0.081, 0.082, 0.088, 0.096, 0.127, 0.2, 0.221, 0.378, 0.763, 0.819, 0.896, 0.935, 0.935,
            0.945, 0.954, 0.954, 0.978, 0.988, 0.997, 0.998, 0.998,
        ];
        assert_eq!(asr, expected);
        let rest = |value: fn(&Reported) -> Option<f64>| {
            let mut all: Vec<f64> = paper.reported.iter().filter_map(value).collect();
            all.sort_by(f64::total_cmp);
            all
        };
        assert_eq!(rest(|r| r.ca), [0.582, 0.672, 0.678, 0.798, 0.881, 0.898, 0.919, 0.932, 0.936, 0.937, 0.937]);
        assert_eq!(rest(|r| r.gpu_hours), [0.004, 0.089, 0.089, 0.147, 0.617, 0.997]);
        assert_eq!(rest(|r| r.membership), [0.569, 0.618, 0.653, 0.726, 0.765, 0.815]);
        assert_eq!(rest(|r| r.reinjection.map(|again| again.ratio)), [0.001, 0.001, 0.01, 0.1, 0.1]);
        let contradictory: Vec<_> =
            find(Origin::Paper, "cifar10", "badnets", "super-fine-tuning").iter().filter(|r| r.usual()).filter_map(|r| r.asr).collect();
        assert_eq!(contradictory, [0.069, 0.073, 0.009]);
    }

    #[test]
    fn the_leaderboard_is_whole() {
        let board = collection(Origin::Leaderboard);
        let of = |data: &str| board.reported.iter().filter(|r| r.data == data).count();
        // Eight rows of five attacks; no LF on CIFAR-100, and AC there.
        assert_eq!((of("cifar10"), of("cifar100"), of("gtsrb")), (40, 5, 5));
        let sum = |value: fn(&Reported) -> Option<f64>| board.reported.iter().filter(|r| r.data == "cifar10").filter_map(value).sum::<f64>();
        // The rows of spec.md's table, each added up.
        let (ca, asr) = (
            459.9 + 461.71 + 460.58 + 460.76 + 458.55 + 449.65 + 456.24 + 388.72,
            482.22 + 194.85 + 256.49 + 172.32 + 110.89 + 469.46 + 471.52 + 91.1,
        );
        assert!((sum(|r| r.ca) - ca / 100.0).abs() < 1e-9, "{}", sum(|r| r.ca) * 100.0);
        assert!((sum(|r| r.asr) - asr / 100.0).abs() < 1e-9, "{}", sum(|r| r.asr) * 100.0);
        let [ft] = &find(Origin::Leaderboard, "cifar10", "lf", "fine-tuning")[..] else { panic!() };
        assert_eq!((ft.ca, ft.asr, ft.ra), (Some(0.9237), Some(0.7844), Some(0.1942)));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let cases = [
            ("data = \"cifar11\", attack = \"badnets\", defense = \"abl\", ca = 0.5", "cifar11"),
            ("data = \"cifar10\", attack = \"badnet\", defense = \"abl\", ca = 0.5", "badnet"),
            ("data = \"cifar10\", attack = \"badnets\", defense = \"ab\", ca = 0.5", "ab"),
            ("data = \"cifar10\", attack = \"badnets\", defense = \"abl\", ca = 50.0", "ca = 50"),
            ("data = \"cifar10\", attack = \"badnets\", defense = \"abl\", asr = 0.7, ra = 0.4", "asr + ra"),
            ("data = \"cifar10\", attack = \"badnets\", defense = \"abl\"", "no number"),
            ("data = \"cifar10\", attack = \"badnets\", defense = \"whole\", ca = 0.5", "whole"),
            ("scenario = \"transfer\", data = \"cifar10\", attack = \"badnets\", defense = \"fine-tuning\", ca = 0.5", "downstream"),
            ("data = \"cifar10\", attack = \"badnets\", defense = \"abl\", ca = 0.5, settings = { \"defense.sharp\" = 1.0 }", "defense.sharp"),
            ("data = \"cifar10\", attack = \"badnets\", defense = \"abl\", caa = 0.5", "caa"),
        ];
        for (entry, expected) in cases {
            let message = read(Origin::Paper, &format!("title = \"t\"\nsource = \"s\"\nreported = [{{ {entry} }}]")).unwrap_err().to_string();
            assert!(message.contains(expected) && message.contains("references/paper.toml"), "{message}");
        }
        assert!("papers".parse::<Origin>().unwrap_err().to_string().contains("paper, leaderboard"));
    }
}
