//! A classifier for a second task on an encoder: trained alone on frozen features, or together with the encoder
//! (spec.md section 2). Adam trains either.

use super::adam::{Adam, BETAS};
use super::batch::{Batches, Lookup, Order, Source, number};
use super::checkpoint::Files;
use super::evaluate::{Examine, examiner};
use super::features::features;
use super::learner::Learner;
use super::step::{Loss, cross_entropy};
use crate::data::Split;
use crate::kernel::Train;
use crate::model::store::{self, StoreError};
use crate::model::{Downstream, Head};
use crate::rng;
use crate::spec::{Augment, RunSpec, Stage};
use burn::module::AutodiffModule;
use burn::optim::GradientsParams;
use burn::prelude::*;

/// What is trained.
enum Part<'a, B: Train> {
    /// The head alone; the frozen encoder's features `[images, width]` of every training image were computed once.
    Classifier { features: Tensor<B::InnerBackend, 2>, labels: &'a [u16], order: Order },
    /// Everything, batch normalisation with the batch's statistics.
    Whole(Batches<'a>),
}

/// The learner.
pub struct SecondTask<'a, B: Train> {
    net: Downstream<B>,
    adam: Adam<B>,
    part: Part<'a, B>,
    lookup: &'a Lookup,
    seed: u64,
    steps_per_epoch: u64,
    device: B::Device,
}

impl<'a, B: Train> SecondTask<'a, B> {
    /// Trains the classifier on the features of `split`; the encoder stays as it is.
    pub fn classifier_only(net: Downstream<B>, split: &'a Split, lookup: &'a Lookup, spec: &RunSpec, device: &B::Device) -> Self {
        let features = features(&net.encoder.valid(), &split.images, lookup, device);
        let order = Order::new(split.len(), spec.defense.batch, spec.seed, "order defense".to_owned());
        Self::new(net, Part::Classifier { features, labels: &split.labels, order }, split.len(), lookup, spec, device)
    }

    /// Trains encoder and classifier on `split`.
    pub fn whole(net: Downstream<B>, split: &'a Split, lookup: &'a Lookup, augment: &'a Augment, spec: &RunSpec, device: &B::Device) -> Self {
        let batches = Batches::new(split, lookup, augment, spec.defense.batch, spec.seed, Stage::Defense.name());
        Self::new(net, Part::Whole(batches), split.len(), lookup, spec, device)
    }

    fn new(net: Downstream<B>, part: Part<'a, B>, images: usize, lookup: &'a Lookup, spec: &RunSpec, device: &B::Device) -> Self {
        let steps_per_epoch = spec.steps_per_epoch(Stage::Defense, images);
        Self { net, adam: Adam::new(BETAS, 0.0), part, lookup, seed: spec.seed, steps_per_epoch, device: device.clone() }
    }
}

impl<B: Train> Learner<B> for SecondTask<'_, B> {
    fn step(&mut self, step: u64, lr: f64) -> Loss<B> {
        let (epoch, within) = (step / self.steps_per_epoch, step % self.steps_per_epoch);
        let mut dropout = rng::stream(self.seed, "dropout", number(epoch, within));
        match &mut self.part {
            Part::Classifier { features, labels, order } => {
                let indices = order.get(epoch, within);
                let ints = |values: Vec<i32>| TensorData::new(values, [indices.len()]);
                let places = Tensor::<B::InnerBackend, 1, Int>::from_data(ints(indices.iter().map(|&i| i as i32).collect()), &self.device);
                let labels = Tensor::<B, 1, Int>::from_data(ints(indices.iter().map(|&i| i32::from(labels[i])).collect()), &self.device);
                let x = Tensor::from_inner(features.clone().select(0, places));
                let loss = cross_entropy(self.net.head.forward(x, Some(&mut dropout)), labels);
                let value = loss.clone().inner();
                let grads = GradientsParams::from_grads(loss.backward(), &self.net.head);
                self.net.head = self.adam.step(self.net.head.clone(), grads, lr);
                value
            }
            Part::Whole(batches) => {
                let (x, labels) = batches.get(epoch, within).tensors(&self.device);
                let loss = cross_entropy(self.net.forward_train(x, &mut dropout), labels);
                let value = loss.clone().inner();
                let grads = GradientsParams::from_grads(loss.backward(), &self.net);
                self.net = self.adam.step(self.net.clone(), grads, lr);
                value
            }
        }
    }

    fn examiner(&self) -> Box<dyn Examine + '_> {
        let net = self.net.valid();
        examiner(move |x| net.forward(x), self.lookup, self.device.clone())
    }

    fn save(&self, files: &Files) -> Result<(), StoreError> {
        let net = self.net.valid();
        store::save(&net, &files.weights)?;
        match self.part {
            Part::Classifier { .. } => self.adam.save(&net.head, files, "adam"),
            Part::Whole(_) => self.adam.save(&net, files, "adam"),
        }
    }

    fn restore(&mut self, files: &Files, steps: u64) -> Result<(), StoreError> {
        self.net = store::load(self.net.clone(), &files.weights)?;
        match self.part {
            Part::Classifier { .. } => self.adam.restore::<Head<B>>(&self.net.head, files, "adam", steps),
            Part::Whole(_) => self.adam.restore(&self.net, files, "adam", steps),
        }
    }
}
