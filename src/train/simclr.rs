//! Training a clean encoder without labels: SimCLR (Chen et al. 2020; spec.md 1.7).

use super::adam::{Adam, BETAS};
use super::checkpoint::Files;
use super::contrastive::nt_xent;
use super::evaluate::Examine;
use super::features::Monitor;
use super::learner::Learner;
use super::step::Loss;
use super::views::{Augmentation, Pairs};
use crate::data::Dataset;
use crate::kernel::Train;
use crate::model::store::{self, StoreError};
use crate::model::{Mode, SimClr};
use crate::spec::Pretrain;
use burn::module::AutodiffModule;
use burn::optim::GradientsParams;

/// The learner: two views of each image are to find each other among all others of the batch.
pub struct Contrastive<'a, B: Train> {
    net: SimClr<B>,
    adam: Adam<B>,
    pairs: Pairs<'a>,
    temperature: f64,
    monitor: &'a Monitor<'a>,
    steps_per_epoch: u64,
    device: B::Device,
}

/// How views are made.
pub fn augmentation(settings: &Pretrain) -> Augmentation {
    Augmentation { crop: Some([settings.crop_min as f32, 1.0]), flip: settings.flip, ..Augmentation::default() }
}

impl<'a, B: Train> Contrastive<'a, B> {
    /// A learner on the training images of `data`, whose labels it does not see.
    pub fn new(
        data: &'a Dataset,
        settings: &Pretrain,
        how: &'a Augmentation,
        seed: u64,
        net: SimClr<B>,
        monitor: &'a Monitor<'a>,
        device: &B::Device,
    ) -> Self {
        let pairs = Pairs::new(&data.train.images, &data.normalise, how, settings.batch.min(data.train.len()), seed, "pretrain");
        let steps_per_epoch = pairs.steps();
        let adam = Adam::new(BETAS, settings.weight_decay);
        Self { net, adam, pairs, temperature: settings.temperature, monitor, steps_per_epoch, device: device.clone() }
    }
}

impl<B: Train> Learner<B> for Contrastive<'_, B> {
    fn step(&mut self, step: u64, lr: f64) -> Loss<B> {
        let views = self.pairs.get(step / self.steps_per_epoch, step % self.steps_per_epoch, &self.device);
        let loss = nt_xent(self.net.forward(views, Mode::Train), self.temperature);
        let value = loss.clone().inner();
        let grads = GradientsParams::from_grads(loss.backward(), &self.net);
        self.net = self.adam.step(self.net.clone(), grads, lr);
        value
    }

    fn examiner(&self) -> Box<dyn Examine + '_> {
        self.monitor.examiner(self.net.f.valid(), self.device.clone())
    }

    /// The encoder alone outlives the training: its weights are the run's.
    fn save(&self, files: &Files) -> Result<(), StoreError> {
        let net = self.net.valid();
        store::save(&net.f, &files.weights)?;
        store::save(&net.g, &files.part("projection"))?;
        self.adam.save(&net, files, "adam")
    }

    fn restore(&mut self, files: &Files, steps: u64) -> Result<(), StoreError> {
        self.net.f = store::load(self.net.f.clone(), &files.weights)?;
        self.net.g = store::load(self.net.g.clone(), &files.part("projection"))?;
        self.adam.restore(&self.net, files, "adam", steps)
    }
}
