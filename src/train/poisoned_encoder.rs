//! Planting a backdoor in a clean encoder: BadEncoder's training (spec.md 1.7). The loss stands in `attack::badencoder`.

use super::batch::{Lookup, Order, number};
use super::checkpoint::Files;
use super::evaluate::Examine;
use super::features::{Monitor, features};
use super::learner::Learner;
use super::sgd::Sgd;
use super::step::Loss;
use super::views::{Augmentation, views};
use crate::attack::badencoder::{self, Batch};
use crate::attack::{self, Attack};
use crate::data::{Dataset, Images};
use crate::kernel::Train;
use crate::model::store::StoreError;
use crate::model::{ResNet, l2_normalise};
use crate::rng;
use crate::spec::RunSpec;
use burn::module::AutodiffModule;
use burn::optim::GradientsParams;
use burn::prelude::*;

/// The learner.
pub struct PoisonedEncoder<'a, B: Train> {
    /// f'.
    encoder: ResNet<B>,
    sgd: Sgd<B>,
    /// The shadow set, whose labels are not used.
    shadow: &'a Dataset,
    trigger: &'a dyn Attack,
    /// r alone.
    reference: &'a Images,
    how: Augmentation,
    lookup: &'a Lookup,
    /// What the clean encoder f sees in every shadow image, `[images, width]`, and in r, `[1, width]`; of length 1.
    clean: [Tensor<B::InnerBackend, 2>; 2],
    lambda: [f64; 2],
    order: Order,
    seed: u64,
    steps_per_epoch: u64,
    monitor: &'a Monitor<'a>,
    device: B::Device,
}

/// What the learner works on.
pub struct Material<'a> {
    /// The shadow set.
    pub shadow: &'a Dataset,
    /// The trigger.
    pub trigger: &'a dyn Attack,
    /// The reference image, alone.
    pub reference: &'a Images,
    /// Input normalisation of the clean encoder.
    pub lookup: &'a Lookup,
    /// What the encoder is watched by.
    pub monitor: &'a Monitor<'a>,
}

impl<'a, B: Train> PoisonedEncoder<'a, B> {
    /// A learner that starts from the clean encoder and measures against it.
    pub fn new(material: &Material<'a>, spec: &RunSpec, lambda: [f64; 2], clean: ResNet<B>, device: &B::Device) -> Self {
        let &Material { shadow, trigger, reference, lookup, monitor } = material;
        let (images, seed) = (&shadow.train.images, spec.seed);
        let frozen = clean.valid();
        let seen = [images, reference].map(|images| l2_normalise(features(&frozen, images, lookup, device)));
        let how = super::simclr::augmentation(&spec.pretrain.clone().unwrap_or_default()).whole();
        Self {
            encoder: clean,
            sgd: Sgd::new(spec.attack.momentum, spec.attack.weight_decay),
            shadow,
            trigger,
            reference,
            how,
            lookup,
            clean: seen,
            lambda,
            order: Order::new(images.len(), spec.attack.batch, seed, "order attack".to_owned()),
            seed,
            steps_per_epoch: spec.steps_per_epoch(crate::spec::Stage::Attack, images.len()),
            monitor,
            device: device.clone(),
        }
    }

    fn batch(&mut self, epoch: u64, within: u64) -> Batch<B> {
        let indices = self.order.get(epoch, within);
        let images = self.shadow.train.images.select(indices);
        let places: Vec<i32> = indices.iter().map(|&i| i as i32).collect();
        let places = Tensor::<B::InnerBackend, 1, Int>::from_data(TensorData::new(places, [indices.len()]), &self.device);
        let triggered = attack::triggered(self.trigger, &images);
        // As many variants of r as there are images in the batch, as in the authors' code.
        let mut rng = rng::stream(self.seed, "reference", number(epoch, within));
        let variants = vec![0; images.len()];
        Batch {
            x: self.lookup.plain(&images, 0..images.len(), &self.device),
            triggered: self.lookup.plain(&triggered, 0..triggered.len(), &self.device),
            x_clean: self.clean[0].clone().select(0, places),
            reference: self.lookup.plain(self.reference, 0..1, &self.device),
            augmented: views(self.reference, &variants, &self.how, &self.shadow.normalise, &mut rng, &self.device),
            reference_clean: self.clean[1].clone(),
        }
    }
}

impl<B: Train> Learner<B> for PoisonedEncoder<'_, B> {
    fn step(&mut self, step: u64, lr: f64) -> Loss<B> {
        let batch = self.batch(step / self.steps_per_epoch, step % self.steps_per_epoch);
        let total = badencoder::loss(&self.encoder, batch, self.lambda).total;
        let value = total.clone().inner();
        let grads = GradientsParams::from_grads(total.backward(), &self.encoder);
        self.encoder = self.sgd.step(self.encoder.clone(), grads, lr);
        value
    }

    fn examiner(&self) -> Box<dyn Examine + '_> {
        self.monitor.examiner(self.encoder.valid(), self.device.clone())
    }

    fn save(&self, files: &Files) -> Result<(), StoreError> {
        self.sgd.save(self.encoder.valid(), files)
    }

    fn restore(&mut self, files: &Files, steps: u64) -> Result<(), StoreError> {
        self.encoder = self.sgd.load(self.encoder.clone(), files, steps)?;
        Ok(())
    }
}
