//! Conventional fine-tuning and super-fine-tuning (spec.md 3.1, 3.2): every weight, on clean images.

use super::{Case, Defense};
use crate::kernel::Train;
use crate::spec::Stage;
use crate::train::{Batches, Classifier, Learner, Sgd, Trainer};

/// Both: they differ in the learning rate alone.
pub(super) struct FineTuning;

impl<B: Train> Defense<B> for FineTuning {
    fn learner<'s>(&'s self, case: &'s Case<'s, B>) -> Box<dyn Learner<B> + 's> {
        let spec = case.spec;
        let sgd = Sgd::new(spec.defense.momentum, spec.defense.weight_decay);
        let trainer = Trainer { model: case.model.clone(), sgd, device: case.device.clone() };
        let source = Batches::new(case.clean, case.lookup, &spec.augment, spec.defense.batch, spec.seed, Stage::Defense.name());
        let steps_per_epoch = spec.steps_per_epoch(Stage::Defense, case.clean.len());
        Box::new(Classifier { source: Box::new(source), trainer, lookup: case.lookup, steps_per_epoch })
    }
}
