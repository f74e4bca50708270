//! Neural attention distillation (Li et al. 2021; spec.md 3.6): a fine-tuned copy of the backdoored model leads it back to
//! looking where clean images are decided.
//!
//! ```text
//! teacher   the backdoored model, fine-tuned                                  cross-entropy
//! student   the backdoored model again   cross-entropy + sum_l weight_l MSE(map_l(student), map_l(teacher))
//! map_l     sum over channels of F_l^2, flattened, divided by its length (+ 1e-6); l: the last three stages
//! ```
//! The teacher is evaluated with its running statistics and without a gradient; the student goes through the network once
//! a step. BackdoorBench's third group is what is left after averaging over pixels: one number, whose map is 1 whatever
//! the network sees, so that its term is 0 (`bb_compat`).

use super::{Case, Defense};
use crate::data::Images;
use crate::kernel::{self, Kernels, Train};
use crate::model::store::{self, StoreError};
use crate::model::{Mode, PreActResNet};
use crate::run::evidence::{Attention, AttentionGroup, Evidence};
use crate::spec::{self, Method, Stage};
use crate::train::checkpoint::Files;
use crate::train::{Batches, Examine, Learner, Loss, Sgd, Source, Trainer, cross_entropy};
use burn::module::AutodiffModule;
use burn::optim::GradientsParams;
use burn::prelude::*;
use burn::tensor::module::adaptive_avg_pool2d;

/// Keeps the division by a map's length finite.
const EPSILON: f64 = 1e-6;
/// Side of the largest map that is shown.
const SHOWN: usize = 8;

/// The defense.
pub(super) struct Nad;

impl<B: Train> Defense<B> for Nad {
    fn learner<'s>(&'s self, case: &'s Case<'s, B>) -> Box<dyn Learner<B> + 's> {
        let spec = case.spec;
        let settings = match &spec.defense.method {
            Method::Nad(settings) => settings.clone(),
            _ => spec::Nad::default(),
        };
        let trainer = || {
            let sgd = Sgd::new(spec.defense.momentum, spec.defense.weight_decay);
            Trainer { model: case.copy(), sgd, device: case.device.clone() }
        };
        let source = Batches::new(case.clean, case.lookup, &spec.augment, spec.defense.batch, spec.seed, Stage::Defense.name());
        let pace = spec.pace(Stage::Defense, case.clean.len());
        let steps_per_epoch = spec.steps_per_epoch(Stage::Defense, case.clean.len());
        let lens = &case.lens.triggered;
        let sample = (!lens.is_empty()).then(|| lens.select(&[0]));
        Box::new(Distillation {
            case,
            sample,
            source,
            steps_per_epoch,
            teacher_steps: pace.begin(1),
            teacher: trainer(),
            student: trainer(),
            settings,
            steps: 0,
        })
    }
}

/// A group of layers: its name, and its output.
pub(super) struct Group<B: Kernels> {
    name: String,
    output: Tensor<B, 4>,
}

/// The groups whose attention is compared, of the outputs of all stages; a network of fewer stages has fewer.
pub(super) fn groups<B: Kernels>(outputs: Vec<Tensor<B, 4>>, bb_compat: bool) -> Vec<Group<B>> {
    let (stages, of_stages) = (outputs.len(), if bb_compat { 2 } else { 3 });
    let pooled = outputs.last().filter(|_| bb_compat).map(|last| {
        let [count, channels, ..] = last.dims();
        Group { name: "avgpool".to_owned(), output: kernel::mean_pixels(last.clone()).reshape([count, channels, 1, 1]) }
    });
    let groups = outputs.into_iter().enumerate().skip(stages.saturating_sub(of_stages));
    groups.map(|(stage, output)| Group { name: format!("layer{}", stage + 1), output }).chain(pooled).collect()
}

/// Where a network looks: the squares of all channels' outputs, summed, of length 1.
///
/// # Shapes
/// - output: `[batch, channels, height, width]`
/// - result: `[batch, height * width]`
pub(super) fn attention<B: Backend>(output: Tensor<B, 4>) -> Tensor<B, 2> {
    let [count, _, height, width] = output.dims();
    let map = output.powi_scalar(2).sum_dim(1).reshape([count, height * width]);
    // The root's slope is finite where a map is black, and the same everywhere else.
    let length = (map.clone().powi_scalar(2).sum_dim(1) + 1e-30).sqrt();
    map / (length + EPSILON)
}

/// Mean squared difference of two networks' maps, one for each group.
pub(super) fn distances<B: Kernels>(student: &[Group<B>], teacher: &[Group<B>]) -> Vec<Tensor<B, 1>> {
    let of = |(s, t): (&Group<B>, &Group<B>)| (attention(s.output.clone()) - attention(t.output.clone())).powi_scalar(2).mean();
    student.iter().zip(teacher).map(of).collect()
}

/// Teacher first, then student.
struct Distillation<'a, B: Train> {
    case: &'a Case<'a, B>,
    /// The triggered picture whose maps are shown.
    sample: Option<Images>,
    settings: spec::Nad,
    source: Batches<'a>,
    steps_per_epoch: u64,
    teacher_steps: u64,
    teacher: Trainer<B>,
    student: Trainer<B>,
    /// Steps done: they decide which of the two is looked at, written down and read back.
    steps: u64,
}

impl<B: Train> Distillation<'_, B> {
    /// Whether the last step was the student's.
    fn distilling(&self) -> bool {
        self.steps > self.teacher_steps
    }

    fn distil(&mut self, x: Tensor<B, 4>, labels: Tensor<B, 1, Int>, lr: f64) -> Loss<B> {
        let taught = self.teacher.model.valid().stages(x.clone().inner(), Mode::Eval).0.into_iter().map(Tensor::from_inner).collect();
        let (outputs, logits) = self.student.model.stages(x, Mode::Train);
        let [student, teacher] = [outputs, taught].map(|o| groups(o, self.settings.bb_compat));
        // A network of fewer stages takes the weights of the last ones.
        let weights = self.settings.attention.iter().skip(self.settings.attention.len().saturating_sub(student.len()));
        let loss = distances(&student, &teacher).into_iter().zip(weights).fold(cross_entropy(logits, labels), |sum, (d, w)| sum + d * *w);
        let value = loss.clone().inner();
        let grads = GradientsParams::from_grads(loss.backward(), &self.student.model);
        self.student.model = self.student.sgd.step(self.student.model.clone(), grads, lr);
        value
    }

    /// Both networks' maps of `sample`.
    fn shown(&self, sample: &Images) -> Vec<AttentionGroup> {
        let seen = |model: &PreActResNet<B>| {
            let x = self.case.lookup.plain(sample, 0..1, &self.case.device);
            groups(model.valid().stages(x, Mode::Eval).0, self.settings.bb_compat)
        };
        let (student, teacher) = (seen(&self.student.model), seen(&self.teacher.model));
        let distances = distances(&student, &teacher);
        let mut shown = Vec::with_capacity(distances.len());
        for ((s, t), d) in student.into_iter().zip(teacher).zip(distances) {
            let (side, teacher) = picture(t.output);
            shown.push(AttentionGroup { name: s.name, side, teacher, student: picture(s.output).1, distance: d.into_scalar().elem() });
        }
        shown
    }
}

/// The map of one output `[1, channels, height, width]`, at most [`SHOWN`] pixels a side, 255 where it is largest.
fn picture<B: Backend>(output: Tensor<B, 4>) -> (usize, Vec<u8>) {
    let [.., height, width] = output.dims();
    let side = SHOWN.min(height).min(width);
    let map = adaptive_avg_pool2d(output.powi_scalar(2).sum_dim(1), [side, side]);
    let values: Vec<f32> = map.into_data().convert::<f32>().to_vec().unwrap_or_default();
    let largest = values.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    (side, values.into_iter().map(|v| (255.0 * v / largest).round() as u8).collect())
}

impl<B: Train> Learner<B> for Distillation<'_, B> {
    fn step(&mut self, step: u64, lr: f64) -> Loss<B> {
        let (x, labels) = self.source.get(step / self.steps_per_epoch, step % self.steps_per_epoch).tensors(&self.case.device);
        self.steps = step + 1;
        if self.distilling() { self.distil(x, labels, lr) } else { self.teacher.step(x, labels, lr) }
    }

    fn examiner(&self) -> Box<dyn Examine + '_> {
        let trainer = if self.distilling() { &self.student } else { &self.teacher };
        trainer.examiner(self.case.lookup)
    }

    fn evidence(&mut self) -> Vec<Evidence> {
        self.sample.iter().map(|sample| Evidence::Attention(Attention { groups: self.shown(sample) })).collect()
    }

    /// The weights are those of the network that is looked at; until the student's first step it is the backdoored model.
    fn save(&self, files: &Files) -> Result<(), StoreError> {
        if !self.distilling() {
            return self.teacher.save(files);
        }
        store::save(&self.teacher.model.valid(), &files.part("teacher"))?;
        self.student.save(files)
    }

    fn restore(&mut self, files: &Files, steps: u64) -> Result<(), StoreError> {
        self.steps = steps;
        if !self.distilling() {
            return self.teacher.restore(files, steps);
        }
        self.teacher.model = store::load(self.teacher.model.clone(), &files.part("teacher"))?;
        self.student.restore(files, steps - self.teacher_steps)
    }
}
