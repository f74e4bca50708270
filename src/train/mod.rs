//! The one training loop: attacks and defenses are what it is given.
//!
//! ```text
//! Started, Epoch 0, Lens, Checkpoint
//! every step:   commands -> learning rate -> forward, cross-entropy, backward, SGD
//! every k-th:   Probe (fixed subset), Lens
//! every epoch:  Epoch (whole test set), Lens, Checkpoint; with `watch.test_every` = n every n-th, and a Probe in between
//! Finished
//! ```

mod adam;
mod batch;
pub mod checkpoint;
mod colour;
pub mod contrastive;
mod downstream;
mod evaluate;
mod features;
mod input_aware;
pub mod knn;
mod learner;
mod moments;
mod poisoned_encoder;
mod sgd;
mod simclr;
mod step;
pub mod views;
mod warped;

pub use adam::{Adam, BETAS};
pub use batch::{Batches, Lookup, Source};
pub use downstream::SecondTask;
pub use evaluate::{Answer, Exam, Examine, Lens, Posteriors, Rule, cross_entropies, examiner, lens_indices};
pub use features::Monitor;
pub use input_aware::InputAware;
pub use learner::{Classifier, Learner};
pub use poisoned_encoder::{Material, PoisonedEncoder};
pub use sgd::Sgd;
pub use simclr::{Contrastive, augmentation};
pub use step::{Loss, Trainer, cross_entropy, read as read_loss};
pub use warped::Warped;

use crate::attack::{self, Attack};
use crate::data::Images;
use crate::kernel::Train;
use crate::model::store::StoreError;
use crate::run::command::Command;
use crate::run::event::{Clock, EventKind, LensAnswer, Measures};
use crate::spec::{Pace, RunSpec, SpecError, Stage};
use checkpoint::Progress;
use std::path::PathBuf;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Why training ended without a result.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The loss, or what the model answers, is no number any more.
    #[error("the loss is no longer a number after step {step} at learning rate {lr:.2e}; lower the learning rate ({setting})")]
    Diverged {
        /// Step.
        step: u64,
        /// Learning rate of that step.
        lr: f64,
        /// The setting to lower.
        setting: &'static str,
    },
    /// A checkpoint cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The log cannot be written.
    #[error("the event log: {0}")]
    Log(std::io::Error),
    /// A command names a setting or value that cannot be.
    #[error(transparent)]
    Spec(#[from] SpecError),
}

/// Who the loop reports to and takes orders from.
pub trait Host {
    /// Takes one line of the log.
    ///
    /// # Errors
    /// When it cannot be written.
    fn emit(&mut self, step: u64, clock: Clock, kind: EventKind) -> std::io::Result<()>;
    /// Orders that have come in, without waiting.
    fn orders(&mut self) -> Vec<Command>;
    /// Waits for an order.
    fn wait(&mut self) -> Command;
    /// Where checkpoints go.
    fn checkpoints(&self) -> PathBuf;
    /// Takes the samples under the lens with a trigger that has changed.
    ///
    /// # Errors
    /// When they cannot be written.
    fn samples(&mut self, clean: &Images, triggered: &Images) -> std::io::Result<()>;
}

/// How a stage ended.
pub enum Ending {
    /// All epochs were trained.
    Finished(Summary),
    /// The user ended it; a checkpoint was written.
    Stopped,
}

/// What a finished stage reached.
#[derive(Clone, Copy, Debug)]
pub struct Summary {
    /// Optimiser steps.
    pub step: u64,
    /// Seconds of training, evaluation excluded.
    pub train_seconds: f64,
    /// Of the final model, on the whole test set.
    pub measures: Measures,
}

/// What a stage is measured by, and how long it takes.
pub struct Task<'a> {
    /// Which computation.
    pub stage: Stage,
    /// The whole test set.
    pub exam: &'a Exam,
    /// The fixed subset that is looked at within epochs.
    pub probe: &'a Exam,
    /// Samples under the trigger lens.
    pub lens: &'a Lens,
    /// How its steps make epochs.
    pub pace: Pace,
    /// Seconds that were spent before the first step, on what the defense looked for: they are part of its cost.
    pub spent: f64,
}

/// Trains a stage to its end: from the start, or from the checkpoint that `learner` and `progress` were read from.
///
/// # Errors
/// When the loss diverges or the disk refuses.
pub fn run<B: Train>(
    task: &Task<'_>,
    spec: &RunSpec,
    learner: &mut dyn Learner<B>,
    progress: Option<Progress>,
    host: &mut dyn Host,
) -> Result<Ending, TrainError> {
    let resumed = progress.is_some();
    let progress = progress.unwrap_or(Progress { train_seconds: task.spent, ..Progress::default() });
    let mut run = Loop {
        task,
        spec: spec.clone(),
        learner,
        progress,
        host,
        speed: (0.0, progress.step, progress.train_seconds),
        loss: None,
        lr: 0.0,
        tested: None,
    };
    if !resumed {
        run.epoch()?;
    }
    run.go()
}

/// What a model that knows numbers says at one moment.
struct Look {
    measures: Measures,
    /// Of the samples under the lens.
    answers: Vec<LensAnswer>,
    /// The lens with the trigger as it is now, where that is learned.
    renewed: Option<Lens>,
}

struct Loop<'a, B: Train> {
    task: &'a Task<'a>,
    spec: RunSpec,
    learner: &'a mut dyn Learner<B>,
    progress: Progress,
    host: &'a mut dyn Host,
    /// Images a second, and step and seconds when it was last taken.
    speed: (f64, u64, f64),
    /// Losses since the last reading, summed on the device: a reading waits for the device.
    loss: Option<(step::Loss<B>, u64)>,
    /// Learning rate of the last step.
    lr: f64,
    /// The last look at the whole test set, and after which step.
    tested: Option<(u64, Measures)>,
}

impl<B: Train> Loop<'_, B> {
    fn go(&mut self) -> Result<Ending, TrainError> {
        let pace = &self.task.pace;
        while self.progress.step < pace.steps() && !self.learner.done() {
            if self.obey()? {
                return Ok(Ending::Stopped);
            }
            self.step();
            let step = self.progress.step;
            if pace.ends_epoch(step) {
                self.epoch()?;
            } else if pace.within(step).is_multiple_of(self.spec.watch.probe_every) {
                self.probe()?;
            }
        }
        // The last epoch ended with such a look, but for a run that goes on from its last checkpoint.
        let measures = match self.tested {
            Some((step, measures)) if step == self.progress.step => measures,
            _ => self.look(self.task.exam)?.measures,
        };
        self.emit(EventKind::Finished { measures })?;
        let summary = Summary { step: self.progress.step, train_seconds: self.progress.train_seconds, measures };
        Ok(Ending::Finished(summary))
    }

    /// One optimiser step; nothing is read back.
    fn step(&mut self) {
        let started = Instant::now();
        let step = self.progress.step;
        self.lr = self.spec.schedule(self.task.stage, &self.task.pace).lr(step);
        let loss = self.learner.step(step, self.lr);
        self.loss = Some(match self.loss.take() {
            Some((sum, count)) => (sum + loss, count + 1),
            None => (loss, 1),
        });
        self.progress.step += 1;
        self.progress.train_seconds += started.elapsed().as_secs_f64();
    }

    /// Reads the losses back, which waits for the device; that wait is training time.
    fn settle(&mut self) -> Result<(), TrainError> {
        let Some((sum, count)) = self.loss.take() else { return Ok(()) };
        let started = Instant::now();
        let sum = step::read(sum);
        self.progress.train_seconds += started.elapsed().as_secs_f64();
        for (total, steps) in [&mut self.progress.probe_loss, &mut self.progress.epoch_loss] {
            (*total, *steps) = (*total + sum, *steps + count);
        }
        if sum.is_finite() { Ok(()) } else { Err(self.diverged()) }
    }

    /// The error of a model whose numbers are none any more.
    fn diverged(&self) -> TrainError {
        let phase = &self.task.pace.phases()[self.task.pace.place(self.progress.step.saturating_sub(1)).phase].name;
        let setting = match self.task.stage {
            Stage::Defense if phase == "teacher" => "defense.teacher_lr",
            Stage::Pretrain if self.spec.pretrain.is_some() => "pretrain.lr",
            Stage::Pretrain | Stage::Attack | Stage::Reinjection => "attack.lr",
            Stage::Defense => self.defense_rate(),
        };
        TrainError::Diverged { step: self.progress.step, lr: self.lr, setting }
    }

    /// The setting behind the learning rate of the defense's last step.
    fn defense_rate(&self) -> &'static str {
        let pace = &self.task.pace;
        let phase = pace.place(self.progress.step.saturating_sub(1)).phase;
        match pace.phases()[phase].name.as_str() {
            "isolate" => "defense.isolation_lr",
            "unlearn" => "defense.unlearn_lr",
            "teacher" => "defense.teacher_lr",
            _ if self.spec.get("defense.lr").is_some() => "defense.lr",
            _ => "defense.lr_max1 or defense.lr_max2",
        }
    }

    /// A look at the fixed subset.
    fn probe(&mut self) -> Result<(), TrainError> {
        self.settle()?;
        let (loss, look) = (mean(std::mem::take(&mut self.progress.probe_loss)), self.look(self.task.probe)?);
        let epoch = self.task.pace.epoch(self.progress.step as f64);
        self.emit(EventKind::Probe { epoch, lr: self.lr, loss, measures: look.measures })?;
        self.show(look)
    }

    /// The end of an epoch, or the state before the first.
    fn epoch(&mut self) -> Result<(), TrainError> {
        let epoch = self.task.pace.whole_epochs(self.progress.step);
        let last = epoch == self.task.pace.epochs() || self.learner.done();
        if last || epoch <= 1 || epoch.is_multiple_of(self.spec.watch.test_every) {
            self.test(epoch)?;
        } else if self.task.pace.steps_of_epoch(self.progress.step) >= self.spec.watch.probe_every {
            self.probe()?;
        }
        for found in self.learner.evidence() {
            self.emit(EventKind::Evidence(Box::new(found)))?;
        }
        if last || epoch.is_multiple_of(self.spec.watch.checkpoint_every) {
            self.checkpoint()?;
        }
        Ok(())
    }

    /// A look at the whole test set.
    fn test(&mut self, epoch: u64) -> Result<(), TrainError> {
        self.settle()?;
        self.progress.probe_loss = (0.0, 0);
        let (loss, look) = (mean(std::mem::take(&mut self.progress.epoch_loss)), self.look(self.task.exam)?);
        let measures = look.measures;
        self.tested = Some((self.progress.step, measures));
        if epoch == 1 {
            self.progress.first_majority = measures.transfer.map(|t| t.c_star);
        }
        self.emit(EventKind::Epoch { epoch, lr: self.lr, loss, measures })?;
        self.show(look)
    }

    /// Asks the model as it is now. An encoder's examiner computes its neighbours' features first: one serves all.
    /// The step that broke its weights may have had a finite loss still, so its posteriors are looked at too: what is no
    /// number has no place in a log.
    fn look(&self, exam: &Exam) -> Result<Look, TrainError> {
        let (examiner, trigger) = (self.learner.examiner(), self.learner.trigger());
        let measures = exam.measure(&examiner, trigger.as_deref().map(|t| t as &dyn Attack), self.progress.first_majority);
        let lens = self.task.lens;
        let renewed = trigger.map(|trigger| Lens { triggered: attack::triggered(trigger.as_ref(), &lens.clean.images), ..lens.clone() });
        let answers = renewed.as_ref().unwrap_or(lens).look(&examiner);
        if answers.iter().all(|a| a.clean.confidence.is_finite() && a.triggered.confidence.is_finite()) {
            Ok(Look { measures, answers, renewed })
        } else {
            Err(self.diverged())
        }
    }

    fn show(&mut self, look: Look) -> Result<(), TrainError> {
        let Look { answers, renewed, .. } = look;
        if let Some(lens) = &renewed {
            self.host.samples(&lens.clean.images, &lens.triggered).map_err(TrainError::Log)?;
        }
        self.emit(EventKind::Lens { answers, renewed: renewed.is_some() })
    }

    fn checkpoint(&mut self) -> Result<(), TrainError> {
        self.settle()?;
        let file = checkpoint::save(&self.host.checkpoints(), &*self.learner, &self.progress)?;
        self.emit(EventKind::Checkpoint { file })
    }

    /// Carries out what has been ordered; true when that is to end.
    fn obey(&mut self) -> Result<bool, TrainError> {
        let mut orders = self.host.orders();
        let mut paused = false;
        loop {
            for order in std::mem::take(&mut orders) {
                match order {
                    Command::Set { path, value } => self.set(path, value)?,
                    Command::Pause if !paused => {
                        paused = true;
                        self.settle()?;
                        self.emit(EventKind::Paused)?;
                    }
                    Command::Resume if paused => {
                        paused = false;
                        self.emit(EventKind::Continued)?;
                    }
                    Command::Pause | Command::Resume => {}
                    Command::Stop => {
                        // The log up to the checkpoint is what a later process goes on from: it does not stand still.
                        if paused {
                            self.emit(EventKind::Continued)?;
                        }
                        self.checkpoint()?;
                        self.emit(EventKind::Stopped)?;
                        return Ok(true);
                    }
                }
            }
            if !paused {
                return Ok(false);
            }
            orders.push(self.host.wait());
        }
    }

    /// Changes a live setting of the running defense; an order that cannot be carried out changes nothing.
    fn set(&mut self, path: String, value: f64) -> Result<(), TrainError> {
        let live = crate::spec::field::find(&path).is_some_and(|f| f.live) && self.task.stage == Stage::Defense;
        let Ok(spec) = self.spec.with(&path, &value.to_string(), "order") else { return Ok(()) };
        if !live || spec == self.spec {
            return Ok(());
        }
        self.spec = spec;
        self.emit(EventKind::Applied { path, value })
    }

    fn emit(&mut self, kind: EventKind) -> Result<(), TrainError> {
        let (step, seconds) = (self.progress.step, self.progress.train_seconds);
        // Over a second or more: shorter stretches say more about the scheduler than about the speed.
        if seconds - self.speed.2 >= 1.0 || self.speed.0 == 0.0 && seconds > self.speed.2 {
            let batch = self.spec.batch(self.task.stage);
            self.speed = ((step - self.speed.1) as f64 * batch as f64 / (seconds - self.speed.2), step, seconds);
        }
        let clock = Clock { unix_ms: now_ms(), train_seconds: seconds, images_per_second: self.speed.0 };
        self.host.emit(step, clock, kind).map_err(TrainError::Log)
    }
}

/// Milliseconds since 1970.
pub fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map(|d| d.as_millis() as u64).unwrap_or_default()
}

fn mean((sum, count): (f64, u64)) -> f64 {
    if count == 0 { 0.0 } else { sum / count as f64 }
}
