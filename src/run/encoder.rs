//! The encoder scenario (spec.md section 2): an encoder is trained without labels and backdoored, and a classifier for a
//! second task is trained on it, alone or with the encoder.

use super::event::Facts;
use super::network;
use super::score::Rule;
use super::search::Found;
use super::store::{self, Done, Lineage};
use super::work::{LENS, Plan, Work, load, write_trigger};
use super::worker::RunError;
use crate::attack::{self, AttackError};
use crate::data::{Dataset, Images};
use crate::defense;
use crate::kernel::Train;
use crate::model::{Downstream, ResNet, SimClr, store as weights};
use crate::spec::{self, Method, Stage, Trigger};
use crate::train::{self, Contrastive, Exam, Learner, Lens, Material, Monitor, PoisonedEncoder, SecondTask};

/// The second task, and the pixels that it is known by.
struct Second {
    data: Dataset,
    fingerprint: String,
}

impl<B: Train> Work<'_, B> {
    /// Carries out the encoder scenario with the settings `pretrain` and `badencoder` of this run.
    pub(super) fn encoder(&mut self, pretrain: &spec::Pretrain, badencoder: &spec::BadEncoder) -> Result<(), RunError> {
        let task = self.spec.downstream.clone().unwrap_or_default();
        let data = load(&task, &self.request, self.signals)?;
        self.same_size(&data)?;
        data.has_class(self.spec.attack.target)?;
        let second = Second { fingerprint: data.fingerprint(), data };
        let reference = self.reference(badencoder, &second.data)?;
        let Some((clean, encoder)) = self.clean_encoder(pretrain)? else { return Ok(()) };
        let Some((id, encoder)) = self.poisoned_encoder(badencoder, &second, &reference, clean, encoder)? else { return Ok(()) };
        if self.request.until == Stage::Defense { self.second_task(&second, id, encoder) } else { Ok(()) }
    }

    /// The image that the trigger is to stand for, alone.
    fn reference(&self, badencoder: &spec::BadEncoder, second: &Dataset) -> Result<Images, RunError> {
        let target = self.spec.attack.target;
        let of: Vec<usize> = (0..second.train.len()).filter(|&i| second.train.labels[i] == target).collect();
        match of.get(badencoder.reference) {
            Some(&index) => Ok(second.train.images.select(&[index])),
            None => Err(AttackError::Reference {
                wanted: badencoder.reference,
                class: second.classes.get(usize::from(target)).cloned().unwrap_or_default(),
                there: of.len(),
            }
            .into()),
        }
    }

    /// An encoder with the run's initial weights, and its projection head.
    fn untrained(&self) -> SimClr<B> {
        network::encoder(&self.spec, &self.device)
    }

    /// Trains the clean encoder, or takes the one that was trained before; `None` when the user ended it.
    fn clean_encoder(&mut self, pretrain: &spec::Pretrain) -> Result<Option<(String, ResNet<B>)>, RunError> {
        let id = self.spec.encoder_id(&self.fingerprint);
        let done = match store::open(&self.request.runs, &id, &self.spec, &Lineage::default())? {
            store::Found::Done(events, done) => {
                self.replay(Stage::Pretrain, &self.request.runs.join(&id), &events);
                done
            }
            store::Found::Open(mut dir, step, events) => {
                let (data, lookup) = (self.data.clone(), self.lookup.clone());
                let (monitor, asked) = Monitor::new(&data, &lookup);
                let lens = Lens::new(&asked, &data.classes, None, LENS, None);
                let exam = Exam::new(asked, None, Rule::of(&self.spec, Stage::Pretrain));
                let net = self.untrained();
                let facts = Facts {
                    attack: "simclr".to_owned(),
                    ..self.facts(Stage::Pretrain, &id, None, data.train.len(), &exam, net.f.parameters() + net.g.parameters())
                };
                let how = train::augmentation(pretrain);
                let mut learner = Contrastive::new(&data, pretrain, &how, self.spec.seed, net, &monitor, &self.device);
                let plan = Plan { stage: Stage::Pretrain, spec: self.spec.clone(), exam: &exam, lens: &lens, facts, found: Found::default() };
                let Some(done) = self.stage(plan, &mut dir, (step, events), &mut learner)? else { return Ok(None) };
                dir.finish(&done)?;
                done
            }
        };
        let encoder = self.stored(&id, &done)?;
        Ok(Some((id, encoder)))
    }

    fn stored(&self, id: &str, done: &Done) -> Result<ResNet<B>, RunError> {
        Ok(weights::load(self.untrained().f, &store::weights(&self.request.runs, id, done))?)
    }

    /// Plants the backdoor in the clean encoder, or takes the one that was planted before; `None` when the user ended it.
    fn poisoned_encoder(
        &mut self,
        badencoder: &spec::BadEncoder,
        second: &Second,
        reference: &Images,
        parent: String,
        clean: ResNet<B>,
    ) -> Result<Option<(String, ResNet<B>)>, RunError> {
        let id = self.spec.attack_id(&self.fingerprint, Some(&second.fingerprint));
        let lineage = Lineage { parent: Some(parent.clone()) };
        let done = match store::open(&self.request.runs, &id, &self.spec, &lineage)? {
            store::Found::Done(events, done) => {
                self.replay(Stage::Attack, &self.request.runs.join(&id), &events);
                done
            }
            store::Found::Open(mut dir, step, events) => {
                let (shadow, lookup, spec) = (self.data.clone(), self.lookup.clone(), self.spec.clone());
                let trigger = attack::badencoder::BadEncoder;
                write_trigger(&dir, &trigger, reference.shape)?;
                dir.write(std::path::Path::new("trigger/reference.png"), &attack::png(reference.get(0), reference.shape)?)?;
                let (monitor, asked) = Monitor::new(&second.data, &lookup);
                let lens = Lens::new(&asked, &second.data.classes, Some(spec.attack.target), LENS, Some(&trigger));
                let exam = Exam::new(asked, Some(&trigger), Rule::of(&spec, Stage::Attack));
                let images = shadow.train.len();
                let facts = Facts {
                    poisoned_images: images,
                    ..self.facts_of_second(second, self.facts(Stage::Attack, &id, Some(parent), images, &exam, clean.parameters()))
                };
                let material = Material { shadow: &shadow, trigger: &trigger, reference, lookup: &lookup, monitor: &monitor };
                let lambda = [badencoder.lambda1, badencoder.lambda2];
                let mut learner = PoisonedEncoder::new(&material, &spec, lambda, clean, &self.device);
                let plan = Plan { stage: Stage::Attack, spec: spec.clone(), exam: &exam, lens: &lens, facts, found: Found::default() };
                let Some(done) = self.stage(plan, &mut dir, (step, events), &mut learner)? else { return Ok(None) };
                dir.finish(&done)?;
                done
            }
        };
        let encoder = self.stored(&id, &done)?;
        Ok(Some((id, encoder)))
    }

    /// Trains a classifier for the second task on the backdoored encoder.
    fn second_task(&mut self, second: &Second, parent: String, encoder: ResNet<B>) -> Result<(), RunError> {
        let id = self.spec.defense_id(&self.fingerprint, Some(&second.fingerprint));
        let lineage = Lineage { parent: Some(parent.clone()) };
        let (mut dir, step, events) = match store::open(&self.request.runs, &id, &self.spec, &lineage)? {
            store::Found::Done(events, _) => {
                self.replay(Stage::Defense, &self.request.runs.join(&id), &events);
                return Ok(());
            }
            store::Found::Open(dir, step, events) => (dir, step, events),
        };
        let (spec, lookup, data) = (self.spec.clone(), self.lookup.clone(), &second.data);
        let (trigger, target) = (attack::badencoder::BadEncoder, spec.attack.target);
        let lens = Lens::new(&data.test, &data.classes, Some(target), LENS, Some(&trigger));
        let exam = Exam::new(data.test.clone(), Some(&trigger), Rule::of(&spec, Stage::Defense));
        let clean = defense::clean_set(&spec, &data.train);
        let head = network::head(&spec, encoder.width(), data.classes.len(), &self.device);
        let classifier_only = matches!(spec.defense.method, Method::ClassifierOnly(_));
        let parameters = head.parameters() + if classifier_only { 0 } else { encoder.parameters() };
        let facts = Facts {
            clean_images: clean.len(),
            ..self.facts_of_second(second, self.facts(Stage::Defense, &id, Some(parent), clean.len(), &exam, parameters))
        };
        let net = Downstream { encoder, head };
        let mut learner: Box<dyn Learner<B> + '_> = if classifier_only {
            Box::new(SecondTask::classifier_only(net, &clean, &lookup, &spec, &self.device))
        } else {
            Box::new(SecondTask::whole(net, &clean, &lookup, &spec.augment, &spec, &self.device))
        };
        let plan = Plan { stage: Stage::Defense, spec: spec.clone(), exam: &exam, lens: &lens, facts, found: Found::default() };
        if let Some(done) = self.stage(plan, &mut dir, (step, events), learner.as_mut())? {
            dir.finish(&done)?;
        }
        Ok(())
    }

    /// `facts` of a computation that is measured by the second task.
    fn facts_of_second(&self, second: &Second, facts: Facts) -> Facts {
        Facts {
            upstream: Some(self.data.name.clone()),
            data: second.data.name.clone(),
            fingerprint: second.fingerprint.clone(),
            classes: second.data.classes.clone(),
            ..facts
        }
    }
}

/// The settings of the encoder scenario, where a run is one.
pub(super) fn settings(spec: &spec::RunSpec) -> Option<(spec::Pretrain, spec::BadEncoder)> {
    match (&spec.pretrain, &spec.attack.trigger) {
        (Some(pretrain), Trigger::Badencoder(badencoder)) => Some((pretrain.clone(), badencoder.clone())),
        _ => None,
    }
}
