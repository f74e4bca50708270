//! What the training loop trains: one step at a time, looked at now and then, written down and read back.

use super::batch::{Lookup, Source};
use super::checkpoint::Files;
use super::evaluate::{Examine, examiner};
use super::step::{Loss, Trainer};
use crate::attack::Attack;
use crate::kernel::Train;
use crate::model::Mode;
use crate::model::store::StoreError;
use crate::run::evidence::Evidence;
use burn::module::AutodiffModule;

/// Something that is trained.
pub trait Learner<B: Train> {
    /// Optimiser step number `step` (from 0) at learning rate `lr`; the loss is not waited for.
    fn step(&mut self, step: u64, lr: f64) -> Loss<B>;

    /// The model as it is now, to be asked.
    fn examiner(&self) -> Box<dyn Examine + '_>;

    /// The trigger as it is now, where it is learned too; where it is given, there is none here.
    fn trigger(&self) -> Option<Box<dyn Attack + '_>> {
        None
    }

    /// What it found since it was last asked; asked after each epoch.
    fn evidence(&mut self) -> Vec<Evidence> {
        Vec::new()
    }

    /// Whether it ends before its last epoch.
    fn done(&self) -> bool {
        false
    }

    /// Writes everything that training needs to go on, the weights that outlive it to `files.weights`.
    ///
    /// # Errors
    /// When the disk refuses.
    fn save(&self, files: &Files) -> Result<(), StoreError>;

    /// Reads it back, as it was after `steps` steps.
    ///
    /// # Errors
    /// When a file is missing or damaged.
    fn restore(&mut self, files: &Files, steps: u64) -> Result<(), StoreError>;
}

/// A classifier on labelled batches: data attacks, WaNet, and every way of fine-tuning.
pub struct Classifier<'a, B: Train> {
    /// Where batches come from.
    pub source: Box<dyn Source + 'a>,
    /// Network and optimiser.
    pub trainer: Trainer<B>,
    /// Input normalisation.
    pub lookup: &'a Lookup,
    /// Steps of one epoch.
    pub steps_per_epoch: u64,
}

impl<B: Train> Learner<B> for Classifier<'_, B> {
    fn step(&mut self, step: u64, lr: f64) -> Loss<B> {
        let batch = self.source.get(step / self.steps_per_epoch, step % self.steps_per_epoch);
        let (x, y) = batch.tensors(&self.trainer.device);
        self.trainer.step(x, y, lr)
    }

    fn examiner(&self) -> Box<dyn Examine + '_> {
        self.trainer.examiner(self.lookup)
    }

    fn save(&self, files: &Files) -> Result<(), StoreError> {
        self.trainer.save(files)
    }

    fn restore(&mut self, files: &Files, steps: u64) -> Result<(), StoreError> {
        self.trainer.restore(files, steps)
    }
}

impl<B: Train> Trainer<B> {
    /// The network as it is now, to be asked.
    pub fn examiner<'a>(&self, lookup: &'a Lookup) -> Box<dyn Examine + 'a> {
        let model = self.model.valid();
        examiner(move |x| model.forward(x, Mode::Eval), lookup, self.device.clone())
    }

    /// Writes weights and velocities.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn save(&self, files: &Files) -> Result<(), StoreError> {
        self.sgd.save(self.model.valid(), files)
    }

    /// Reads weights and velocities.
    ///
    /// # Errors
    /// When a file is missing or damaged.
    pub fn restore(&mut self, files: &Files, steps: u64) -> Result<(), StoreError> {
        self.model = self.sgd.load(self.model.clone(), files, steps)?;
        Ok(())
    }
}
