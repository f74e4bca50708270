//! A row: one defense with its settings, and its seeds.

use super::Candidate;
use crate::figure::runs::RunEntry;
use crate::figure::scene::Look;
use crate::run::cell::Outcome;
use crate::run::event::Measures;
use crate::run::evidence::{Detection, Evidence};
use crate::run::view::{Point, RunView, Status};
use crate::spec::{RunSpec, Scenario, Stage};

/// What one run came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trial {
    /// The run.
    pub run: String,
    /// Its seed.
    pub seed: u64,
    /// Of the backdoored model that it started from; none where that is not known.
    pub before: Option<Measures>,
    /// Of its model, or of its latest epoch while it goes on.
    pub after: Measures,
    /// Seconds of training, its searches and retraining included, evaluation excluded.
    pub seconds: f64,
    /// Whether they are a GPU's.
    pub gpu: bool,
    /// Device in words.
    pub device: String,
    /// Clean images that the defense was given.
    pub clean_images: usize,
    /// Poisoned images that the defense was given.
    pub poisoned_images: usize,
    /// What the defense removed.
    pub detection: Option<Detection>,
    /// Neural Cleanse: whether the attacker's class is among those that it flagged.
    pub flagged: Option<bool>,
    /// The whole test set after each epoch.
    pub epochs: Vec<Point>,
    /// Epochs to be done.
    pub planned: u64,
}

impl Trial {
    /// What `run` came to, which started from `parent`; none before it was looked at.
    pub(super) fn of(run: &RunEntry, parent: Option<&RunEntry>) -> Option<Self> {
        let (view, planted) = (&run.view, run.view.stage == Some(Stage::Attack));
        // A filter trains a fresh network, whose first look says nothing of the backdoored model.
        let start = || view.before().filter(|_| !run.spec.defense.filters() && run.spec.downstream.is_none());
        let before = if planted { None } else { parent.and_then(|p| p.view.latest()).or_else(start) };
        Some(Self {
            run: run.id.clone(),
            seed: view.facts.seed,
            before,
            after: view.latest()?,
            seconds: view.train_seconds,
            gpu: view.facts.gpu,
            device: view.facts.device.clone(),
            clean_images: if planted { 0 } else { view.facts.clean_images },
            poisoned_images: if planted { 0 } else { view.facts.poisoned_images },
            detection: detection(view),
            flagged: flagged(view),
            epochs: view.epochs.clone(),
            planned: view.facts.epochs,
        })
    }

    /// What a cell of a sweep came to.
    pub fn of_cell(seed: u64, stage: Stage, outcome: &Outcome) -> Self {
        Self {
            run: outcome.defense_run.clone().unwrap_or_else(|| outcome.attack_run.clone()),
            seed,
            before: (stage == Stage::Defense).then_some(outcome.before),
            after: outcome.after,
            seconds: outcome.seconds,
            gpu: outcome.gpu,
            device: outcome.device.clone(),
            clean_images: outcome.clean_images,
            poisoned_images: outcome.poisoned_images,
            detection: outcome.detection,
            flagged: outcome.flagged,
            ..Self::default()
        }
    }

    /// What it is rated against. A second task is another task: its CA and ASR are no improvement on the first one's.
    pub fn rated(&self) -> Option<&Measures> {
        self.before.as_ref().filter(|_| self.after.transfer.is_none() && self.after.asr_excluding_target.is_none())
    }

    /// Hours of training.
    pub fn hours(&self) -> f64 {
        self.seconds / 3600.0
    }
}

/// What the defense of a run removed.
pub fn detection(view: &RunView) -> Option<Detection> {
    view.evidence.iter().find_map(|found| match found {
        Evidence::Clusters(found) => Some(found.detection),
        Evidence::Scores(found) => Some(found.detection),
        Evidence::Isolation(found) => Some(found.detection),
        _ => None,
    })
}

/// Whether the attacker's class is among those that the defense of a run flagged; `None` of a defense that flags none.
pub fn flagged(view: &RunView) -> Option<bool> {
    view.evidence.iter().find_map(|found| match found {
        Evidence::Reversals(r) => Some(r.labels.iter().any(|l| l.flagged && l.label == view.facts.target)),
        _ => None,
    })
}

/// Runs that differ in their seed alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// What the runs have in common: [`Candidate::group`].
    pub group: String,
    /// What they started from: [`Candidate::model`].
    pub model: String,
    /// A name that no other row of the comparison has.
    pub label: String,
    /// Whether these are backdoored models or defended ones.
    pub stage: Stage,
    /// The settings of the first.
    pub spec: RunSpec,
    /// Where they stand: finished, or one run that is not.
    pub status: Status,
    /// Whether settings were changed by hand while it ran.
    pub steered: bool,
    /// How it is drawn.
    pub look: Look,
    /// The runs, by seed.
    pub trials: Vec<Trial>,
}

impl Row {
    pub(super) fn new(candidate: &Candidate, trials: Vec<Trial>) -> Self {
        let run = &candidate.run;
        Self {
            group: candidate.group.clone(),
            model: candidate.model.clone(),
            label: String::new(),
            stage: run.view.stage.unwrap_or(Stage::Attack),
            spec: run.spec.clone(),
            status: run.view.status.clone(),
            steered: run.steered(),
            look: Look::default(),
            trials,
        }
    }

    /// Whether its numbers are final, and it may be called the best of some.
    pub fn counts(&self) -> bool {
        self.status == Status::Finished && self.stage == Stage::Defense
    }

    /// The images that its models are judged by: `signs-12`, `signs-12 to digits`. A backdoored encoder is judged by the second task too.
    pub fn images(&self) -> String {
        match &self.spec.downstream {
            Some(second) if self.stage == Stage::Defense || self.spec.scenario == Scenario::Encoder => {
                format!("{} to {}", self.spec.data.name(), second.name())
            }
            _ => self.spec.data.name().to_owned(),
        }
    }

    /// The defense's name; none for backdoored models.
    pub fn defense(&self) -> Option<&'static str> {
        (self.stage == Stage::Defense).then(|| self.spec.defense.name())
    }

    /// Seeds with commas.
    pub fn seeds(&self) -> String {
        self.trials.iter().map(|t| t.seed.to_string()).collect::<Vec<_>>().join(", ")
    }

    /// Whether all its hours are a GPU's (true) or a CPU's; none where there are both.
    pub fn gpu(&self) -> Option<bool> {
        let first = self.trials.first()?.gpu;
        self.trials.iter().all(|t| t.gpu == first).then_some(first)
    }

    /// Epochs done and to be done, of the run that is furthest behind.
    pub fn progress(&self) -> (u64, u64) {
        let of = |t: &Trial| (t.epochs.last().map_or(0, |p| p.epoch as u64), t.planned);
        self.trials.iter().map(of).min().unwrap_or_default()
    }

    /// Where an unfinished run stands, in a word or two; none where it is finished.
    pub fn standing(&self) -> Option<String> {
        let (done, planned) = self.progress();
        match self.status {
            Status::Finished => None,
            Status::Failed(_) => Some(format!("failed {done}/{planned}")),
            Status::Stopped => Some(format!("stopped {done}/{planned}")),
            Status::Paused => Some(format!("paused {done}/{planned}")),
            Status::Empty | Status::Running => Some(format!("at {done}/{planned}")),
        }
    }
}
