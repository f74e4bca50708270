//! Training with Input-aware (spec.md 1.5): first the mask generator alone, then classifier and pattern generator together.
//!
//! ```text
//! stage 1, mask_epochs:  100 mean(relu(thr(M) - 0.032)) + div(x1, x2, thr(M(x1)), thr(M(x2)))         M
//! stage 2, epochs:       CE(C(backdoor, cross, clean)) + div(x1, x2, G(x1), G(x2))                    C and G, M frozen
//!   backdoor: the first share of the batch under its own trigger, labelled as the target
//!   cross:    as many of the next under another image's trigger, with their own label
//! ```
//! With generators that are given (re-injection, spec.md 5.2) there is stage 2 alone, and C alone is trained.

use super::adam::Adam;
use super::batch::{Batches, Lookup, Source, number};
use super::checkpoint::Files;
use super::evaluate::Examine;
use super::learner::Learner;
use super::step::{Loss, Trainer, cross_entropy};
use super::warped::roles;
use crate::attack::{self, Attack, Role, apply, diversity, threshold};
use crate::data::Split;
use crate::kernel::Train;
use crate::model::store::{self, StoreError};
use crate::model::{Generator, Mode};
use crate::rng;
use crate::schedule::Schedule;
use crate::spec::{self, RunSpec};
use burn::module::AutodiffModule;
use burn::optim::GradientsParams;
use burn::prelude::*;
use burn::tensor::activation::relu;
use std::path::Path;

/// Adam's betas for both generators.
const BETAS: (f64, f64) = (0.5, 0.9);

/// One generator and its optimiser.
struct Part<B: Train> {
    net: Generator<B>,
    adam: Adam<B>,
}

/// The learner.
pub struct InputAware<'a, B: Train> {
    /// Two orders over the same images: the second gives the triggers of the cross images.
    sources: [Batches<'a>; 2],
    trainer: Trainer<B>,
    pattern: Part<B>,
    mask: Part<B>,
    lookup: &'a Lookup,
    spec: &'a RunSpec,
    settings: &'a spec::InputAware,
    steps_per_epoch: u64,
    generator_schedule: Schedule,
    /// Whether both generators are finished: the classifier alone is trained.
    given: bool,
}

impl<'a, B: Train> InputAware<'a, B> {
    /// A learner on the clean training set `split`; generators take the run's initial weights.
    pub fn new(split: &'a Split, lookup: &'a Lookup, spec: &'a RunSpec, settings: &'a spec::InputAware, trainer: Trainer<B>) -> Self {
        let source = |order| Batches::new(split, lookup, &spec.augment, spec.attack.batch, spec.seed, order);
        let [pattern, mask] = attack::InputAware::generators(settings, spec.seed, &trainer.device);
        let adam = || Adam::new(BETAS, 0.0);
        let steps_per_epoch = spec.steps_per_epoch(spec::Stage::Attack, split.len());
        Self {
            sources: [source("attack"), source("attack cross")],
            pattern: Part { net: pattern, adam: if settings.bb_compat { adam().hoarding() } else { adam() } },
            mask: Part { net: mask, adam: adam() },
            trainer,
            lookup,
            spec,
            settings,
            steps_per_epoch,
            generator_schedule: settings.generator_schedule(steps_per_epoch),
            given: false,
        }
    }

    /// With the finished generators that stand in the directory `trigger`: the trigger stays as it is, and the classifier
    /// alone is trained.
    ///
    /// # Errors
    /// When a file is missing or damaged.
    pub fn given(mut self, trigger: &Path) -> Result<Self, StoreError> {
        for (part, name) in [(&mut self.pattern, "pattern"), (&mut self.mask, "mask")] {
            part.net = store::load(part.net.clone(), &trigger.join(format!("{name}.safetensors")))?;
        }
        Ok(Self { given: true, ..self })
    }

    fn mask_steps(&self) -> u64 {
        self.settings.mask_epochs * self.steps_per_epoch
    }

    /// Stage 1: masks that are small, and different for different images.
    fn mask_step(&mut self, [x1, x2]: [Tensor<B, 4>; 2], lr: f64) -> Loss<B> {
        let masks = [&x1, &x2].map(|x| threshold(self.mask.net.forward(x.clone(), Mode::Train)));
        let size = relu(masks[0].clone() - self.settings.mask_density).mean();
        let [m1, m2] = masks;
        let loss = size * self.settings.mask_weight + diversity(x1, x2, m1, m2) * self.settings.diversity_weight;
        let value = loss.clone().inner();
        let grads = GradientsParams::from_grads(loss.backward(), &self.mask.net);
        self.mask.net = self.mask.adam.step(self.mask.net.clone(), grads, lr);
        value
    }

    /// Stage 2: the classifier learns backdoor, cross and clean images; the pattern generator learns to be recognised.
    fn joint_step(&mut self, [x1, x2]: [Tensor<B, 4>; 2], labels: Tensor<B, 1, Int>, roles: &[Role], lr: f64, generator_lr: f64) -> Loss<B> {
        let count = |role: Role| roles.iter().filter(|r| **r == role).count();
        let (poisoned, cross, size) = (count(Role::Poisoned), count(Role::Cross), roles.len());
        let mut parts: Vec<Tensor<B, 4>> = Vec::with_capacity(3);
        let mut diverse = None;
        let mut made = Vec::with_capacity(2);
        if poisoned > 0 {
            let x = x1.clone().slice(0..poisoned);
            let pattern = self.pattern_of(x.clone());
            parts.push(apply(x.clone(), pattern.clone(), self.mask_of(x.clone())));
            made.push((x, pattern));
        }
        if cross > 0 {
            let range = poisoned..poisoned + cross;
            let (x, source) = (x1.clone().slice(range.clone()), x2.slice(range));
            let pattern = self.pattern_of(source.clone());
            parts.push(apply(x, pattern.clone(), self.mask_of(source.clone())));
            made.push((source, pattern));
        }
        if let ([(a, pa), (b, pb)], false) = (&made[..], self.given) {
            let n = poisoned.min(cross);
            let first = |t: &Tensor<B, 4>| t.clone().slice(0..n);
            diverse = Some(diversity(first(a), first(b), first(pa), first(pb)));
        }
        if poisoned + cross < size {
            parts.push(x1.slice(poisoned + cross..size));
        }
        let labels = if poisoned > 0 {
            let target = Tensor::full([poisoned], i32::from(self.spec.attack.target), &self.trainer.device);
            Tensor::cat(vec![target, labels.slice(poisoned..size)], 0)
        } else {
            labels
        };
        let mut loss = cross_entropy(self.trainer.model.forward(Tensor::cat(parts, 0), Mode::Train), labels);
        if let Some(diverse) = diverse {
            loss = loss + diverse * self.settings.diversity_weight;
        }
        let value = loss.clone().inner();
        let mut grads = loss.backward();
        let of_model = GradientsParams::from_module(&mut grads, &self.trainer.model);
        self.trainer.model = self.trainer.sgd.step(self.trainer.model.clone(), of_model, lr);
        if !self.given {
            let of_pattern = GradientsParams::from_module(&mut grads, &self.pattern.net);
            self.pattern.net = self.pattern.adam.step(self.pattern.net.clone(), of_pattern, generator_lr);
        }
        value
    }

    fn pattern_of(&self, x: Tensor<B, 4>) -> Tensor<B, 4> {
        if self.given {
            return Tensor::from_inner(self.lookup.normalise(self.pattern.net.valid().forward(x.inner(), Mode::Eval)));
        }
        self.lookup.normalise(self.pattern.net.forward(x, Mode::Train))
    }

    /// The mask generator is finished: evaluated, and without a gradient.
    fn mask_of(&self, x: Tensor<B, 4>) -> Tensor<B, 4> {
        Tensor::from_inner(threshold(self.mask.net.valid().forward(x.inner(), Mode::Eval)))
    }
}

impl<B: Train> Learner<B> for InputAware<'_, B> {
    fn step(&mut self, step: u64, lr: f64) -> Loss<B> {
        let (epoch, within) = (step / self.steps_per_epoch, step % self.steps_per_epoch);
        let [(x1, labels), (x2, _)] = self.sources.each_mut().map(|s| s.get(epoch, within).tensors(&self.trainer.device));
        if step < self.mask_steps() {
            return self.mask_step([x1, x2], lr);
        }
        let mut chance = rng::stream(self.spec.seed, "input-aware poison", number(epoch, within));
        let roles = roles(&self.spec.attack, self.settings.cross_ratio, x1.dims()[0], &mut chance);
        let generator_lr = self.generator_schedule.lr(step - self.mask_steps());
        self.joint_step([x1, x2], labels, &roles, lr, generator_lr)
    }

    fn examiner(&self) -> Box<dyn Examine + '_> {
        self.trainer.examiner(self.lookup)
    }

    fn trigger(&self) -> Option<Box<dyn Attack + '_>> {
        if self.given {
            return None;
        }
        let (pattern, mask) = (self.pattern.net.valid(), self.mask.net.valid());
        Some(Box::new(attack::InputAware::new(pattern, mask, self.lookup, &self.trainer.device)))
    }

    fn save(&self, files: &Files) -> Result<(), StoreError> {
        self.trainer.save(files)?;
        if self.given {
            return Ok(());
        }
        for (part, name) in [(&self.pattern, "pattern"), (&self.mask, "mask")] {
            let net = part.net.valid();
            store::save(&net, &files.part(name))?;
            part.adam.save(&net, files, name)?;
        }
        Ok(())
    }

    fn restore(&mut self, files: &Files, steps: u64) -> Result<(), StoreError> {
        let joint = steps.saturating_sub(self.mask_steps());
        self.trainer.restore(files, joint)?;
        if self.given {
            return Ok(());
        }
        let masked = steps.min(self.mask_steps());
        for (part, name, count) in [(&mut self.pattern, "pattern", joint), (&mut self.mask, "mask", masked)] {
            part.net = store::load(part.net.clone(), &files.part(name))?;
            part.adam.restore(&part.net, files, name, count)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Images, Normalise};
    use crate::model::PreActResNet;
    use crate::spec::{Stages, Trigger};
    use crate::train::Sgd;
    use burn::backend::{Autodiff, Flex};

    type B = Autodiff<Flex>;

    /// Every number of a network, running statistics included.
    fn weights<M: burn::module::Module<Flex>>(net: &M) -> Vec<f32> {
        struct Numbers(Vec<f32>);
        impl burn::module::ModuleVisitor<Flex> for Numbers {
            fn visit_float<const D: usize>(&mut self, param: &burn::module::Param<Tensor<Flex, D>>) {
                self.0.extend(param.val().into_data().to_vec::<f32>().unwrap());
            }
        }
        let mut numbers = Numbers(Vec::new());
        net.visit(&mut numbers);
        numbers.0
    }

    /// Twenty images of three classes, all of them a batch.
    fn small(settings: &spec::InputAware) -> (RunSpec, Split, Lookup) {
        let mut spec = RunSpec::default();
        spec.attack = spec::Attack { trigger: Trigger::InputAware(settings.clone()), batch: 20, ..spec.attack };
        let pixels = (0..20 * 768).map(|i| (i * 37 % 256) as u8).collect();
        let split = Split { images: Images { shape: [3, 16, 16], pixels }, labels: (0..20).map(|i| i % 3).collect() };
        (spec, split, Lookup::new(&Normalise { mean: [0.5; 3], std: [0.25; 3] }))
    }

    fn trainer() -> Trainer<B> {
        let model = PreActResNet::new(&Stages { widths: vec![4, 6], blocks: 1 }, 3, &mut rng::stream(0, "test", 0), &Default::default());
        Trainer { model, sgd: Sgd::new(0.9, 0.0), device: Default::default() }
    }

    /// spec.md 12(5): stage 1 leaves classifier and pattern generator alone, stage 2 the mask generator, its running
    /// statistics included.
    #[test]
    fn each_stage_changes_its_own_networks_alone() {
        let settings = spec::InputAware { mask_epochs: 1, generator_widths: vec![2, 3, 4], ..spec::InputAware::default() };
        let (spec, split, lookup) = small(&settings);
        let mut learner = InputAware::<B>::new(&split, &lookup, &spec, &settings, trainer());
        let now = |l: &InputAware<'_, B>| [weights(&l.trainer.model.valid()), weights(&l.pattern.net.valid()), weights(&l.mask.net.valid())];
        let start = now(&learner);
        learner.step(0, 0.01);
        let masked = now(&learner);
        assert_eq!([start[0] == masked[0], start[1] == masked[1], start[2] == masked[2]], [true, true, false]);
        learner.step(1, 0.01);
        let joint = now(&learner);
        assert_eq!([joint[0] == masked[0], joint[1] == masked[1], joint[2] == masked[2]], [false, false, true]);
        // What is written down and read back goes on alike.
        let dir = tempfile::tempdir().unwrap();
        let files = Files::of(dir.path(), 2);
        learner.save(&files).unwrap();
        learner.step(2, 0.01);
        let ahead = now(&learner);
        learner.restore(&files, 2).unwrap();
        assert_eq!(now(&learner), joint);
        learner.step(2, 0.01);
        assert_eq!(now(&learner), ahead);
    }

    /// Finished generators are read back, and only the classifier changes.
    #[test]
    fn a_given_trigger_stays_as_it_is() {
        let settings = spec::InputAware { mask_epochs: 0, generator_widths: vec![2, 3, 4], ..spec::InputAware::default() };
        let (spec, split, lookup) = small(&settings);
        let [pattern, mask] = attack::InputAware::<Flex>::generators(&settings, 99, &Default::default());
        let finished = attack::InputAware::new(pattern, mask, &lookup, &Default::default());
        let dir = tempfile::tempdir().unwrap();
        for (name, bytes) in finished.files([3, 16, 16]).unwrap() {
            std::fs::write(dir.path().join(name), bytes).unwrap();
        }
        let mut learner = InputAware::<B>::new(&split, &lookup, &spec, &settings, trainer()).given(dir.path()).unwrap();
        let now = |l: &InputAware<'_, B>| [weights(&l.trainer.model.valid()), weights(&l.pattern.net.valid()), weights(&l.mask.net.valid())];
        let start = now(&learner);
        assert!(learner.trigger().is_none());
        learner.step(0, 0.01);
        let after = now(&learner);
        assert_eq!([start[0] == after[0], start[1] == after[1], start[2] == after[2]], [false, true, true]);
        let files = Files::of(dir.path(), 1);
        learner.save(&files).unwrap();
        learner.step(1, 0.01);
        let ahead = now(&learner);
        learner.restore(&files, 1).unwrap();
        assert_eq!(now(&learner), after);
        learner.step(1, 0.01);
        assert_eq!(now(&learner), ahead);
        assert!(InputAware::<B>::new(&split, &lookup, &spec, &settings, trainer()).given(&dir.path().join("none")).is_err());
    }
}
