//! The one reducer: an event log becomes what a person wants to see of it.

use super::event::{Event, EventKind, Facts, LensAnswer, Measures};
use super::evidence::Evidence;
use crate::spec::Stage;

/// Where a run stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Status {
    /// Nothing was read yet.
    #[default]
    Empty,
    /// Training.
    Running,
    /// Standing still at the user's wish.
    Paused,
    /// Done.
    Finished,
    /// Ended early by the user.
    Stopped,
    /// It could not go on; the reason.
    Failed(String),
}

/// A point of the curves: on the whole test set after an epoch, or on the fixed subset within one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Epochs done, with the fraction of the current one.
    pub epoch: f64,
    /// Optimiser steps done.
    pub step: u64,
    /// Learning rate of the last step.
    pub lr: f64,
    /// Mean training loss since the point before.
    pub loss: f64,
    /// CA, ASR, RA.
    pub measures: Measures,
}

/// A setting that was changed under way.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// Epochs done when it took effect.
    pub epoch: f64,
    /// Steps done when it took effect.
    pub step: u64,
    /// Dotted path.
    pub path: String,
    /// New value.
    pub value: f64,
}

/// A run as its log tells it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunView {
    /// Which computation; `None` before the first line.
    pub stage: Option<Stage>,
    /// What the first line stated.
    pub facts: Facts,
    /// Where it stands.
    pub status: Status,
    /// Steps done.
    pub step: u64,
    /// After each epoch, on the whole test set; the first is epoch 0.
    pub epochs: Vec<Point>,
    /// Within epochs, on the fixed subset.
    pub probes: Vec<Point>,
    /// Changes under way.
    pub marks: Vec<Mark>,
    /// Latest answers under the trigger lens.
    pub lens: Vec<LensAnswer>,
    /// What the defense found, the latest of each kind.
    pub evidence: Vec<Evidence>,
    /// Of the final model.
    pub result: Option<Measures>,
    /// Steps done at the latest checkpoint, once there is one.
    pub checkpoint: Option<u64>,
    /// Seconds of training, evaluation excluded.
    pub train_seconds: f64,
    /// Current training speed.
    pub images_per_second: f64,
    /// Milliseconds since 1970 of the first and the last line.
    pub clock_ms: (u64, u64),
}

impl RunView {
    /// The view of a whole log.
    pub fn of<'a>(events: impl IntoIterator<Item = &'a Event>) -> Self {
        let mut view = Self::default();
        events.into_iter().for_each(|e| view.reduce(e));
        view
    }

    /// Takes in one more line. Lines must come in order.
    pub fn reduce(&mut self, event: &Event) {
        self.step = event.step;
        self.train_seconds = event.clock.train_seconds;
        self.images_per_second = event.clock.images_per_second;
        self.clock_ms.1 = event.clock.unix_ms;
        match &event.kind {
            EventKind::Started { stage, facts } => {
                *self = Self { stage: Some(*stage), facts: (**facts).clone(), status: Status::Running, ..Self::default() };
                self.clock_ms = (event.clock.unix_ms, event.clock.unix_ms);
            }
            EventKind::Probe { epoch, lr, loss, measures } => {
                self.probes.push(Point { epoch: *epoch, step: event.step, lr: *lr, loss: *loss, measures: *measures });
            }
            EventKind::Epoch { epoch, lr, loss, measures } => {
                self.epochs.push(Point { epoch: *epoch as f64, step: event.step, lr: *lr, loss: *loss, measures: *measures });
            }
            EventKind::Lens { answers, .. } => self.lens.clone_from(answers),
            EventKind::Evidence(found) => {
                self.evidence.retain(|old| std::mem::discriminant(old) != std::mem::discriminant(found));
                self.evidence.push((**found).clone());
            }
            EventKind::Applied { path, value } => {
                let epoch = self.facts.pace().epoch(event.step as f64);
                self.marks.push(Mark { epoch, step: event.step, path: path.clone(), value: *value });
            }
            EventKind::Checkpoint { .. } => self.checkpoint = Some(event.step),
            EventKind::Paused => self.status = Status::Paused,
            EventKind::Continued => self.status = Status::Running,
            EventKind::Finished { measures } => {
                self.result = Some(*measures);
                self.status = Status::Finished;
            }
            EventKind::Stopped => self.status = Status::Stopped,
            EventKind::Failed { message } => self.status = Status::Failed(message.clone()),
        }
    }

    /// Steps of the whole run.
    pub fn total_steps(&self) -> u64 {
        self.facts.pace().steps()
    }

    /// Epochs done, with the fraction of the current one.
    pub fn epoch(&self) -> f64 {
        self.facts.pace().epoch(self.step as f64)
    }

    /// CA, ASR and RA before the first step: a defense's starting point.
    pub fn before(&self) -> Option<Measures> {
        self.epochs.first().map(|p| p.measures)
    }

    /// The latest CA, ASR and RA on the whole test set.
    pub fn latest(&self) -> Option<Measures> {
        self.result.or_else(|| self.epochs.last().map(|p| p.measures))
    }

    /// Seconds of training still to come at the speed so far.
    pub fn eta_seconds(&self) -> Option<f64> {
        let left = self.total_steps().checked_sub(self.step)?;
        (self.step > 0 && self.train_seconds > 0.0).then(|| self.train_seconds / self.step as f64 * left as f64)
    }

    /// Hours of training, evaluation excluded: GPU hours on a GPU, else CPU (wall) hours.
    pub fn hours(&self) -> f64 {
        self.train_seconds / 3600.0
    }

    /// Whether nothing more will come.
    pub fn ended(&self) -> bool {
        matches!(self.status, Status::Finished | Status::Stopped | Status::Failed(_))
    }
}
