//! The event log: what a run says about itself, line by line, in `events.jsonl`.
//!
//! The log is the protocol. The screen, the headless progress, figures, resuming and attaching read the same stream
//! and reduce it with [`super::view::RunView`]. Two runs of the same spec on the same device write the same stream
//! but for [`Event::clock`].

use super::evidence::Evidence;
use crate::spec::{Pace, Phase, Reinjection, Scenario, Stage};
use serde::{Deserialize, Serialize};

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Position in the log, from 0.
    pub seq: u64,
    /// Optimiser steps done when it was written.
    pub step: u64,
    /// Everything about time, which alone may differ between two runs of the same spec.
    pub clock: Clock,
    /// What happened.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// When something happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Clock {
    /// Milliseconds since 1970.
    pub unix_ms: u64,
    /// Seconds spent in training steps so far, evaluation excluded (spec.md section 4, "GPU hours").
    pub train_seconds: f64,
    /// Training images a second, over the last few seconds.
    pub images_per_second: f64,
}

/// Clean accuracy, attack success rate and robust accuracy (spec.md section 4), each a share of 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Measures {
    /// Share of clean test images that are classified as they should be.
    pub ca: f64,
    /// Share of triggered test images of other classes that are taken for the target class.
    pub asr: f64,
    /// Share of those that are classified as what they truly are.
    pub ra: f64,
    /// What the transfer scenario measures besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transfer: Option<Transfer>,
    /// In the encoder scenario, where ASR is over all test images: ASR over those of other classes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asr_excluding_target: Option<f64>,
}

impl Measures {
    /// Defense effectiveness rating of a defense that made these measures out of `before`, 0 to 1: what ASR fell by, less
    /// what CA fell by (spec.md section 4). 0.5 where nothing changed.
    pub fn der(&self, before: &Self) -> f64 {
        ((before.asr - self.asr).max(0.0) - (before.ca - self.ca).max(0.0) + 1.0) / 2.0
    }

    /// Robustness improvement rating, 0 to 1: what RA rose by, less what CA fell by (spec.md section 4).
    pub fn rir(&self, before: &Self) -> f64 {
        ((self.ra - before.ra).max(0.0) - (before.ca - self.ca).max(0.0) + 1.0) / 2.0
    }
}

/// The transfer scenario's ASR in its parts (spec.md section 2): the target class of the first task means nothing in the
/// second, so an attack succeeds when triggered images go to one and the same class, c*.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Transfer {
    /// The class that most triggered images are taken for.
    pub c_star: u16,
    /// Share of the images of other classes that are taken for c* without the trigger.
    pub baseline: f64,
    /// ASR less the baseline.
    pub lift: f64,
    /// ASR by the class that was c* after the first epoch.
    pub asr_fixed: f64,
}

/// What the model says of one image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// Class with the largest posterior.
    pub class: u16,
    /// That posterior.
    pub confidence: f32,
}

/// What the model says of one sample under the trigger lens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LensAnswer {
    /// Index of the test image.
    pub index: usize,
    /// True class.
    pub label: u16,
    /// Of the image as it is.
    pub clean: Answer,
    /// Of the image with the trigger.
    pub triggered: Answer,
}

/// The facts of a run that its first line states.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// Name of the run directory.
    pub id: String,
    /// Directory name of the backdoored model that a defense started from.
    pub parent: Option<String>,
    /// What is attacked and what is cleaned.
    pub scenario: Scenario,
    /// Data set.
    pub data: String,
    /// Where the model was carried over to another task: the data set that it was backdoored on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream: Option<String>,
    /// Hash of every image and label: runs are comparable where it agrees.
    pub fingerprint: String,
    /// Network.
    pub model: String,
    /// Attack.
    pub attack: String,
    /// Defense; empty while the backdoor is being planted.
    pub defense: String,
    /// Seed.
    pub seed: u64,
    /// What each label stands for.
    pub classes: Vec<String>,
    /// The class that triggered images are to be taken for.
    pub target: u16,
    /// Trainable parameters.
    pub parameters: usize,
    /// Training images in use.
    pub train_images: usize,
    /// Of these, images that carry the trigger.
    pub poisoned_images: usize,
    /// What a backdoor was put into again, where this is a re-injection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reinjection: Option<Reinjection>,
    /// Clean images that a defense was given.
    pub clean_images: usize,
    /// Test images behind CA.
    pub test_images: usize,
    /// Test images behind ASR and RA: those whose label is not the target.
    pub asr_images: usize,
    /// Epochs to come.
    pub epochs: u64,
    /// Optimiser steps of one epoch.
    pub steps_per_epoch: u64,
    /// Where epochs differ in length: each kind of them, in turn.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub phases: Vec<Phase>,
    /// Images of one step.
    pub batch: usize,
    /// Device in words, for instance `cpu (avx512)`.
    pub device: String,
    /// Whether the device is a GPU: hours are then GPU hours.
    pub gpu: bool,
    /// Version of the program.
    pub version: String,
}

impl Facts {
    /// How steps make epochs.
    pub fn pace(&self) -> Pace {
        if self.phases.is_empty() { Pace::even(self.epochs, self.steps_per_epoch) } else { Pace::of(self.phases.clone()) }
    }

    /// These facts of a computation that goes at `pace`.
    #[must_use]
    pub fn at(self, pace: &Pace) -> Self {
        let phases = if pace.phases().len() > 1 { pace.phases().to_vec() } else { Vec::new() };
        Self { epochs: pace.epochs(), steps_per_epoch: pace.phases()[0].steps_per_epoch, phases, ..self }
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum EventKind {
    /// First line of a log.
    Started {
        /// Which computation.
        stage: Stage,
        /// What it consists of.
        facts: Box<Facts>,
    },
    /// A look at the fixed subset, every few steps.
    Probe {
        /// Epochs done, with the fraction of the current one.
        epoch: f64,
        /// Learning rate of the last step.
        lr: f64,
        /// Mean training loss since the last probe.
        loss: f64,
        /// On the subset.
        #[serde(flatten)]
        measures: Measures,
    },
    /// An epoch is over (epoch 0: before the first step) and the whole test set was looked at.
    Epoch {
        /// Epochs done.
        epoch: u64,
        /// Learning rate of the epoch's last step.
        lr: f64,
        /// Mean training loss of the epoch.
        loss: f64,
        /// On the whole test set.
        #[serde(flatten)]
        measures: Measures,
    },
    /// What the model says of the samples under the trigger lens.
    Lens {
        /// One entry a sample, in the order of the files `samples/N-clean.png` and `samples/N-triggered.png`.
        answers: Vec<LensAnswer>,
        /// Whether those files were written anew: the trigger is learned and has changed.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        renewed: bool,
    },
    /// A defense found something.
    Evidence(Box<Evidence>),
    /// A setting was changed while the run went on; it holds from this step on.
    Applied {
        /// Dotted path of the setting.
        path: String,
        /// Its new value.
        value: f64,
    },
    /// The weights were written.
    Checkpoint {
        /// File name within `checkpoints/`.
        file: String,
    },
    /// Training stands still at the user's wish.
    Paused,
    /// Training goes on.
    Continued,
    /// Last line: everything was done.
    Finished {
        /// Of the final model, on the whole test set.
        #[serde(flatten)]
        measures: Measures,
    },
    /// Last line: the user ended it early.
    Stopped,
    /// Last line: it cannot go on.
    Failed {
        /// Why, in words for the user.
        message: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    /// spec.md 12(11).
    #[test]
    fn ratings_are_those_of_the_specification() {
        let of = |ca, asr, ra| Measures { ca, asr, ra, ..Measures::default() };
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} {b}");
        close(of(0.9, 0.0, 0.9).der(&of(0.9, 1.0, 0.0)), 1.0);
        close(of(0.9, 1.0, 0.0).der(&of(0.9, 1.0, 0.0)), 0.5);
        close(of(0.7, 1.0, 0.0).der(&of(0.9, 1.0, 0.0)), 0.4);
        // A higher CA is no merit of the defense.
        close(of(0.95, 0.5, 0.5).der(&of(0.9, 1.0, 0.0)), 0.75);
        close(of(0.9, 0.0, 0.8).rir(&of(0.9, 1.0, 0.0)), 0.9);
        close(of(0.8, 0.0, 0.0).rir(&of(0.9, 1.0, 0.2)), 0.45);
    }

    #[test]
    fn facts_of_phases_come_back_from_the_log() {
        let pace = Pace::of(vec![Phase::new("teacher", 2, 5), Phase::new("student", 3, 4)]);
        let facts = Facts::default().at(&pace);
        let back: Facts = serde_json::from_str(&serde_json::to_string(&facts).unwrap()).unwrap();
        assert_eq!((back.pace(), back.epochs), (pace, 5));
        let even = Facts::default().at(&Pace::even(7, 3));
        assert!(even.phases.is_empty() && even.pace() == Pace::even(7, 3));
    }
}
