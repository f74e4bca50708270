//! Membership inference (spec.md 5.1) as plain data: settings, what came of it, and the file that keeps it.

use crate::files;
use crate::statistics::Summary;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// What guessing reaches: as many members as others are asked about.
pub const BASELINE: f64 = 0.5;
/// Folder of a run directory.
const FOLDER: &str = "sequela";
/// Beginning of the files' names.
const PREFIX: &str = "membership-";

/// What the attack sees, and how it learns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Variant {
    /// Sorted posteriors and three layers.
    #[default]
    Paper,
    /// Sorted logits, and whether the model was right, in two branches (ML-Doctor's partial, black-box attack; its softmax
    /// before the loss and its gradients that are never cleared are left out).
    Mldoctor,
}

impl Variant {
    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Paper => "paper",
            Self::Mldoctor => "mldoctor",
        }
    }
}

/// Which training images count as members.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Members {
    /// Those that the model's weights were trained on, by the attack or by the defense.
    #[default]
    Trained,
    /// Those that the defense was given: its share.
    Given,
}

impl Members {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Trained => "training images that the model was trained on",
            Self::Given => "training images that the defense was given",
        }
    }
}

/// The settings. All of them decide the result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// What the attack sees.
    pub variant: Variant,
    /// Which images are members.
    pub members: Members,
    /// Repetitions, each with images, weights and order of its own: seeds 0, 1, ..
    pub seeds: u64,
    /// Epochs of the attack model.
    pub epochs: u64,
    /// Examples a step; a last, smaller batch is kept.
    pub batch: usize,
    /// Learning rate of Adam.
    pub lr: f64,
    /// Widths of the hidden layers (of each branch).
    pub hidden: [usize; 2],
}

impl Settings {
    /// Those of spec.md 5.1: 50 epochs of batch 64; Adam at 1e-3, or at ML-Doctor's 1e-5.
    pub fn of(variant: Variant) -> Self {
        let lr = if variant == Variant::Mldoctor { 1e-5 } else { 1e-3 };
        Self { variant, members: Members::Trained, seeds: 3, epochs: 50, batch: 64, lr, hidden: [128, 64] }
    }

    /// The file within a run directory that keeps the result of these settings.
    pub fn file(&self) -> PathBuf {
        let text = serde_json::to_string(self).unwrap_or_default();
        Path::new(FOLDER).join(format!("{PREFIX}{}.json", &blake3::hash(text.as_bytes()).to_hex()[..10]))
    }

    /// In words, for notes: `sorted posteriors, 50 epochs of batch 64, Adam at 0.001`.
    pub fn words(&self) -> String {
        let seen = match self.variant {
            Variant::Paper => "sorted posteriors",
            Variant::Mldoctor => "sorted logits and whether the model is right (mldoctor)",
        };
        let Self { epochs, batch, lr, hidden: [first, second], .. } = self;
        format!("{seen}, hidden layers of {first} and {second}, {epochs} epochs of batch {batch}, Adam at {lr}")
    }
}

/// What one repetition reached.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Its seed.
    pub seed: u64,
    /// Share of the images on the side of the test that were judged rightly.
    pub accuracy: f64,
    /// Share of the members there that were judged members.
    pub true_positive_rate: f64,
    /// Share of the others there that were judged members.
    pub false_positive_rate: f64,
    /// Accuracy on the images that the attack learned from.
    pub train_accuracy: f64,
    /// Mean loss of its last epoch.
    pub loss: f64,
}

/// The result for one model: `sequela/membership-HASH.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The run whose model was attacked, as its directory was called then.
    pub run: String,
    /// The settings.
    pub settings: Settings,
    /// Members there are.
    pub members: usize,
    /// Non-members there are: test images.
    pub others: usize,
    /// Images of each kind that the attack learns from, and as many that it is tested on.
    pub half: usize,
    /// One for each seed.
    pub outcomes: Vec<Outcome>,
    /// Mean accuracy.
    pub mean: f64,
    /// Standard deviation over the seeds (of a sample: n - 1); none of one seed.
    pub deviation: Option<f64>,
    /// Version of the program.
    pub version: String,
}

impl Report {
    /// Of the outcomes of all seeds.
    pub fn new(run: &str, settings: &Settings, there: [usize; 2], half: usize, outcomes: Vec<Outcome>) -> Self {
        let accuracies: Vec<f64> = outcomes.iter().map(|o| o.accuracy).collect();
        let (mean, deviation) = Summary::of(&accuracies).map_or((f64::NAN, None), |s| (s.mean, s.deviation));
        Self {
            run: run.to_owned(),
            settings: settings.clone(),
            members: there[0],
            others: there[1],
            half,
            outcomes,
            mean,
            deviation,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// How far the accuracy of one seed strays from 0.5 by chance alone: the standard error of as many fair coins as images
    /// are asked about.
    pub fn standard_error(&self) -> f64 {
        0.5 / (2.0 * self.half.max(1) as f64).sqrt()
    }
}

/// Keeps a result in the run directory `dir`.
///
/// # Errors
/// The system's own.
pub fn write(dir: &Path, report: &Report) -> std::io::Result<()> {
    files::write(&dir.join(report.settings.file()), &serde_json::to_vec_pretty(report).unwrap_or_default())
}

/// The result of `settings` that a run directory keeps. A damaged file, or one of other settings, counts as none: it is
/// computed anew.
pub fn read(dir: &Path, settings: &Settings) -> Option<Report> {
    let report: Report = serde_json::from_slice(&std::fs::read(dir.join(settings.file())).ok()?).ok()?;
    (report.settings == *settings).then_some(report)
}

/// Every result that a run directory keeps, by file name, and the files that cannot be read, with the reason.
pub fn read_all(dir: &Path) -> (Vec<Report>, Vec<(PathBuf, String)>) {
    let entries = std::fs::read_dir(dir.join(FOLDER)).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_result = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(PREFIX) && name.ends_with(".json")
    };
    let mut paths: Vec<PathBuf> = entries.filter(is_result).collect();
    paths.sort();
    let (mut reports, mut damaged) = (Vec::new(), Vec::new());
    for path in paths {
        let read = std::fs::read(&path).map_err(|e| e.to_string());
        match read.and_then(|bytes| serde_json::from_slice(&bytes).map_err(|e| e.to_string())) {
            Ok(report) => reports.push(report),
            Err(message) => damaged.push((path, message)),
        }
    }
    (reports, damaged)
}

/// What is told while a model is attacked.
#[derive(Clone, Debug, PartialEq)]
pub enum News {
    /// Something goes on.
    Working {
        /// What, in words.
        what: String,
        /// Parts done.
        done: usize,
        /// Parts in all.
        total: usize,
    },
    /// A seed is done.
    Seed(Outcome),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(settings: &Settings, accuracies: &[f64]) -> Report {
        let outcome = |(seed, &accuracy): (usize, &f64)| Outcome {
            seed: seed as u64,
            accuracy,
            true_positive_rate: accuracy,
            false_positive_rate: 1.0 - accuracy,
            train_accuracy: accuracy,
            loss: 0.6,
        };
        Report::new("a", settings, [100, 60], 30, accuracies.iter().enumerate().map(outcome).collect())
    }

    #[test]
    fn mean_and_deviation_are_those_of_a_sample() {
        let settings = Settings::of(Variant::Paper);
        let three = report(&settings, &[0.5, 0.6, 0.7]);
        assert!((three.mean - 0.6).abs() < 1e-12 && (three.deviation.unwrap() - 0.1).abs() < 1e-12);
        assert_eq!(report(&settings, &[0.6]).deviation, None);
        assert!((three.standard_error() - 0.5 / 60f64.sqrt()).abs() < 1e-12);
    }

    /// spec.md 5.1.
    #[test]
    fn the_defaults_are_the_specifications() {
        let paper = Settings::of(Variant::Paper);
        assert_eq!((paper.seeds, paper.epochs, paper.batch, paper.lr, paper.hidden), (3, 50, 64, 1e-3, [128, 64]));
        assert_eq!(Settings::of(Variant::Mldoctor), Settings { variant: Variant::Mldoctor, lr: 1e-5, ..paper });
    }

    #[test]
    fn every_setting_has_a_file_of_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let paper = Settings::of(Variant::Paper);
        let others = [
            Settings::of(Variant::Mldoctor),
            Settings { members: Members::Given, ..paper.clone() },
            Settings { seeds: 5, ..paper.clone() },
            Settings { epochs: 5, ..paper.clone() },
            Settings { batch: 5, ..paper.clone() },
            Settings { lr: 0.5, ..paper.clone() },
            Settings { hidden: [128, 32], ..paper.clone() },
        ];
        write(dir.path(), &report(&paper, &[0.5])).unwrap();
        assert_eq!(read(dir.path(), &paper), Some(report(&paper, &[0.5])));
        for other in &others {
            assert_eq!(read(dir.path(), other), None);
            write(dir.path(), &report(other, &[0.6])).unwrap();
        }
        assert_eq!(read_all(dir.path()).0.len(), 1 + others.len());
        std::fs::write(dir.path().join(paper.file()), "{").unwrap();
        assert_eq!(read(dir.path(), &paper), None);
        let (reports, damaged) = read_all(dir.path());
        assert_eq!((reports.len(), damaged.len()), (others.len(), 1));
        assert!(damaged[0].0.ends_with(paper.file()));
    }
}
