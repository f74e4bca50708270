//! A run from its settings to its result: what is planted, what is cleaned, and what each starts from.
//!
//! ```text
//! clean model (where the attack's pattern is computed from one) -> backdoored model -> cleaned model
//! ```
//! Each is a run directory of its own, computed once.

use super::command::Command;
use super::desk::Desk;
use super::encoder;
use super::event::{Event, EventKind, Facts};
use super::network;
use super::reinject::Reinject;
use super::score::Rule;
use super::search::Found;
use super::session::Signal;
use super::store::{self, Done, Lineage, RunDir};
use super::worker::{Request, RunError};
use crate::attack::{self, Attack};
use crate::data::{self, Dataset};
use crate::defense::{self, Case};
use crate::kernel::Train;
use crate::model::{PreActResNet, store as weights};
use crate::rng;
use crate::spec::{self, RunSpec, Stage, Trigger};
use crate::train::{self, Batches, Classifier, Ending, Exam, Learner, Lens, Lookup, Sgd, Source, Task, Trainer, Warped, checkpoint};
use crossbeam_channel::{Receiver, Sender};
use std::path::Path;

/// Samples under the trigger lens.
pub(super) const LENS: usize = 4;

/// A run under way.
pub(super) struct Work<'a, B: Train> {
    pub(super) request: Request,
    /// The run's settings; those of the defense may still change while the backdoor is being planted.
    pub(super) spec: RunSpec,
    pub(super) device: B::Device,
    pub(super) data: Dataset,
    pub(super) fingerprint: String,
    pub(super) lookup: Lookup,
    pub(super) signals: &'a Sender<Signal>,
    pub(super) commands: &'a Receiver<Command>,
}

/// What a stage is to do.
pub(super) struct Plan<'p> {
    pub(super) stage: Stage,
    /// Settings of the stage; the watching may differ from what was started.
    pub(super) spec: RunSpec,
    pub(super) exam: &'p Exam,
    pub(super) lens: &'p Lens,
    pub(super) facts: Facts,
    /// What a defense found before its first step.
    pub(super) found: Found,
}

/// A model with the trigger that opens it.
struct Backdoored<B: Train> {
    id: String,
    model: PreActResNet<B>,
    trigger: Box<dyn Attack>,
}

impl<'a, B: Train> Work<'a, B> {
    pub(super) fn run(
        request: Request,
        job: Option<&Reinject>,
        device: B::Device,
        signals: &'a Sender<Signal>,
        commands: &'a Receiver<Command>,
    ) -> Result<(), RunError> {
        let mut work = Self::prepare(request, device, signals, commands)?;
        if let Some(job) = job {
            return work.reinject(job);
        }
        if let Some((pretrain, badencoder)) = encoder::settings(&work.spec) {
            return work.encoder(&pretrain, &badencoder);
        }
        match work.attack()? {
            Some(backdoored) if work.request.until == Stage::Defense => work.defense(backdoored),
            _ => Ok(()),
        }
    }

    fn prepare(request: Request, device: B::Device, signals: &'a Sender<Signal>, commands: &'a Receiver<Command>) -> Result<Self, RunError> {
        let spec = request.spec.clone();
        let data = load(&spec.data, &request, signals)?;
        if spec.pretrain.is_none() {
            data.has_class(spec.attack.target)?;
        }
        if matches!(spec.attack.trigger, Trigger::InputAware(_)) {
            attack::check_size(data.train.images.shape)?;
        }
        let (fingerprint, lookup) = (data.fingerprint(), Lookup::new(&data.normalise));
        Ok(Self { request, spec, device, data, fingerprint, lookup, signals, commands })
    }

    /// Plants the backdoor, or takes the one that was planted before; `None` when the user ended it.
    fn attack(&mut self) -> Result<Option<Backdoored<B>>, RunError> {
        let id = self.spec.attack_id(&self.fingerprint, None);
        let path = self.request.runs.join(&id);
        let found = store::open(&self.request.runs, &id, &self.spec, &Lineage::default())?;
        if let store::Found::Done(events, done) = found {
            self.replay(Stage::Attack, &path, &events);
            let model = weights::load(self.network(), &store::weights(&self.request.runs, &id, &done))?;
            let trigger = self.stored_trigger(&path)?;
            return Ok(Some(Backdoored { id, model, trigger }));
        }
        let store::Found::Open(mut dir, step, events) = found else { return Ok(None) };
        let Some(trigger) = self.trigger(&dir, &events)? else { return Ok(None) };
        let (spec, data) = (self.spec.clone(), self.data.clone());
        let target = spec.attack.target;
        let exam = Exam::new(data.test.clone(), trigger.as_deref(), Rule::of(&spec, Stage::Attack));
        let lens = Lens::new(&data.test, &data.classes, Some(target), LENS, trigger.as_deref());
        let trainer = Trainer { model: self.network(), sgd: Sgd::new(spec.attack.momentum, spec.attack.weight_decay), device: self.device.clone() };
        let facts = self.facts(Stage::Attack, &id, None, data.train.len(), &exam, trainer.model.parameters());
        let lookup = self.lookup.clone();
        let poisoned = match trigger.as_deref().filter(|_| !spec.attack.controls_training()) {
            Some(trigger) => attack::poison(trigger, &spec.attack, &data.train, spec.seed),
            None => attack::Poisoned::none(data.train.clone()),
        };
        let facts = Facts { poisoned_images: poisoned_images(&spec, &poisoned, data.train.len()), ..facts };
        let mut learner = learner(&spec, &poisoned.split, &lookup, trainer);
        let plan = Plan { stage: Stage::Attack, spec: spec.clone(), exam: &exam, lens: &lens, facts, found: Found::default() };
        let Some(done) = self.stage(plan, &mut dir, (step, events), learner.as_mut())? else { return Ok(None) };
        if let Some(learned) = learner.trigger() {
            write_trigger(&dir, learned.as_ref(), data.test.images.shape)?;
        }
        drop(learner);
        dir.finish(&done)?;
        let model = weights::load(self.network(), &store::weights(&self.request.runs, &id, &done))?;
        Ok(Some(Backdoored { id, model, trigger: self.stored_trigger(&path)? }))
    }

    /// The attack's trigger, written to `trigger/`, where it is there before the attack: `Some(None)` where the attack
    /// learns it; `None` when the user ended it.
    fn trigger(&mut self, dir: &RunDir, events: &[Event]) -> Result<Option<Option<Box<dyn Attack>>>, RunError> {
        let shape = self.data.train.images.shape;
        let built = attack::build(&self.spec.attack, shape, self.spec.seed)?;
        let trigger = match (built, &self.spec.attack.trigger) {
            (None, Trigger::InputAware(_)) => return Ok(Some(None)),
            (Some(built), _) => built,
            // A pattern that was computed before the run was cut off.
            (None, _) if !events.is_empty() => return Ok(Some(Some(self.stored_trigger(&dir.path)?))),
            (None, _) => match self.universal_pattern()? {
                Some(pattern) => attack::low_frequency(pattern),
                None => return Ok(None),
            },
        };
        write_trigger(dir, trigger.as_ref(), shape)?;
        Ok(Some(Some(trigger)))
    }

    pub(super) fn stored_trigger(&self, run: &Path) -> Result<Box<dyn Attack>, RunError> {
        let shape = self.data.train.images.shape;
        Ok(attack::load::<B::InnerBackend>(&self.spec.attack, shape, &run.join("trigger"), &self.lookup, &self.device)?)
    }

    /// LF's pattern from a clean model, which is trained first; `None` when the user ended it.
    fn universal_pattern(&mut self) -> Result<Option<Vec<u8>>, RunError> {
        let Some(model) = self.clean_model()? else { return Ok(None) };
        let what = "universal perturbation".to_owned();
        let mut progress = |done, total| drop(self.signals.send(Signal::Preparing { what: what.clone(), done, total }));
        let (target, seed) = (self.spec.attack.target, self.spec.seed);
        let (pattern, _) = attack::universal(&model, &self.data.train.images, &self.lookup, target, seed, &self.device, &mut progress);
        Ok(Some(pattern))
    }

    /// A model of the same network, data and recipe without poison.
    pub(super) fn clean_model(&mut self) -> Result<Option<PreActResNet<B>>, RunError> {
        let spec = self.spec.clean();
        let id = spec.clean_id(&self.fingerprint);
        let found = store::open(&self.request.runs, &id, &spec, &Lineage::default())?;
        let done = match found {
            store::Found::Done(events, done) => {
                self.replay(Stage::Pretrain, &self.request.runs.join(&id), &events);
                done
            }
            store::Found::Open(mut dir, step, events) => {
                let (data, lookup) = (self.data.clone(), self.lookup.clone());
                let exam = Exam::new(data.test.clone(), None, Rule::of(&spec, Stage::Pretrain));
                let lens = Lens::new(&data.test, &data.classes, Some(spec.attack.target), LENS, None);
                let sgd = Sgd::new(spec.attack.momentum, spec.attack.weight_decay);
                let trainer = Trainer { model: self.network(), sgd, device: self.device.clone() };
                let facts = self.facts(Stage::Pretrain, &id, None, data.train.len(), &exam, trainer.model.parameters());
                let mut learner = learner(&spec, &data.train, &lookup, trainer);
                let plan = Plan { stage: Stage::Pretrain, spec: spec.clone(), exam: &exam, lens: &lens, facts, found: Found::default() };
                let Some(done) = self.stage(plan, &mut dir, (step, events), learner.as_mut())? else { return Ok(None) };
                dir.finish(&done)?;
                done
            }
        };
        Ok(Some(weights::load(self.network(), &store::weights(&self.request.runs, &id, &done))?))
    }

    /// Cleans the backdoored model, or carries it over to the second task.
    fn defense(&mut self, from: Backdoored<B>) -> Result<(), RunError> {
        let downstream = match &self.spec.downstream {
            Some(downstream) => Some(load(downstream, &self.request, self.signals)?),
            None => None,
        };
        if let Some(second) = &downstream {
            self.same_size(second)?;
        }
        let second = downstream.as_ref().map(Dataset::fingerprint);
        let id = self.spec.defense_id(&self.fingerprint, second.as_deref());
        let lineage = Lineage { parent: Some(from.id.clone()) };
        let (mut dir, step, events) = match store::open(&self.request.runs, &id, &self.spec, &lineage)? {
            store::Found::Done(events, _) => {
                self.replay(Stage::Defense, &self.request.runs.join(&id), &events);
                return Ok(());
            }
            store::Found::Open(dir, step, events) => (dir, step, events),
        };
        let (spec, lookup) = (self.spec.clone(), self.lookup.clone());
        let data = downstream.as_ref().unwrap_or(&self.data).clone();
        let (avoid, model) = match &downstream {
            // The network keeps the normalisation that it was backdoored with (spec.md section 2).
            Some(data) => {
                let head = &mut rng::stream(spec.seed, "second head", 0);
                (None, from.model.with_head(data.classes.len(), head, &self.device))
            }
            None => (Some(spec.attack.target), from.model),
        };
        let exam = Exam::new(data.test.clone(), Some(from.trigger.as_ref()), Rule::of(&spec, Stage::Defense));
        let lens = Lens::new(&data.test, &data.classes, avoid, LENS, Some(from.trigger.as_ref()));
        let clean = defense::clean_set(&spec, &data.train);
        let poisoned = spec.defense.filters().then(|| attack::poison(from.trigger.as_ref(), &spec.attack, &data.train, spec.seed));
        let parameters = model.parameters();
        let given = [clean.len(), poisoned.as_ref().map_or(0, |p| p.count(attack::Role::Poisoned))];
        let device = self.device.clone();
        let case = Case { spec: &spec, model, data: &data, clean: &clean, poisoned: poisoned.as_ref(), lookup: &lookup, lens: &lens, device };
        let mut method = defense::build::<B>(&spec);
        let Some(found) = self.search(method.as_mut(), &case, &dir)? else { return Ok(()) };
        let (images, pace) = (method.images(&case), method.pace(&case));
        let facts = Facts {
            clean_images: given[0],
            poisoned_images: given[1],
            data: data.name.clone(),
            upstream: downstream.as_ref().map(|_| self.data.name.clone()),
            fingerprint: second.unwrap_or_else(|| self.fingerprint.clone()),
            classes: data.classes.clone(),
            ..self.facts(Stage::Defense, &id, Some(from.id), images, &exam, parameters).at(&pace)
        };
        let mut learner = method.learner(&case);
        let plan = Plan { stage: Stage::Defense, spec: spec.clone(), exam: &exam, lens: &lens, facts, found };
        if let Some(done) = self.stage(plan, &mut dir, (step, events), learner.as_mut())? {
            dir.finish(&done)?;
        }
        Ok(())
    }

    /// A network has one input size: both tasks' images must have it.
    pub(super) fn same_size(&self, second: &Dataset) -> Result<(), RunError> {
        let [_, first_height, first_width] = self.data.train.images.shape;
        let [_, height, width] = second.train.images.shape;
        if (first_width, first_height) == (width, height) {
            return Ok(());
        }
        Err(RunError::Sizes { first: [first_width, first_height], second: [width, height] })
    }

    /// A network with the run's initial weights.
    pub(super) fn network(&self) -> PreActResNet<B> {
        network::classifier(&self.spec, self.data.classes.len(), &self.device)
    }

    /// Runs a stage, from its last checkpoint where there is one; `None` when the user ended it.
    pub(super) fn stage(
        &mut self,
        plan: Plan<'_>,
        dir: &mut RunDir,
        (step, events): (u64, Vec<Event>),
        learner: &mut dyn Learner<B>,
    ) -> Result<Option<Done>, RunError> {
        let Plan { stage, mut spec, exam, lens, facts, found } = plan;
        let (mut progress, pace) = (None, facts.pace());
        self.replay(stage, &dir.path, &events);
        let mut host = Desk { stage, dir, spec: &mut self.spec, signals: self.signals, commands: self.commands };
        if events.is_empty() {
            host.dir.write_samples(&lens.clean.images, &lens.triggered)?;
            host.say(EventKind::Started { stage, facts: Box::new(facts) })?;
            for evidence in found.evidence {
                host.say(EventKind::Evidence(Box::new(evidence)))?;
            }
        } else {
            progress = Some(checkpoint::load(&host.dir.checkpoints(), step, learner)?);
        }
        spec.watch = host.spec.watch.clone();
        let probe = exam.probe(spec.watch.probe_images);
        let task = Task { stage, exam, probe: &probe, lens, pace, spent: found.seconds };
        match train::run(&task, &spec, learner, progress, &mut host) {
            Ok(Ending::Finished(finished)) => {
                let file = checkpoint::Files::of(Path::new("checkpoints"), finished.step).weights;
                Ok(Some(Done {
                    weights: file.display().to_string(),
                    measures: finished.measures,
                    train_seconds: finished.train_seconds,
                    steps: finished.step,
                    threads: if self.request.device.is_gpu() { 0 } else { rayon::current_num_threads() },
                }))
            }
            Ok(Ending::Stopped) => Ok(None),
            Err(error) => {
                // The log may be what failed; the error itself is reported either way.
                drop(host.say(EventKind::Failed { message: error.to_string() }));
                Err(error.into())
            }
        }
    }

    pub(super) fn replay(&self, stage: Stage, dir: &Path, events: &[Event]) {
        for event in events {
            drop(self.signals.send(Signal::Event { stage, dir: dir.to_owned(), replayed: true, event: event.clone() }));
        }
    }

    pub(super) fn facts(&self, stage: Stage, id: &str, parent: Option<String>, images: usize, exam: &Exam, parameters: usize) -> Facts {
        let spec = &self.spec;
        Facts {
            id: id.to_owned(),
            parent,
            scenario: spec.scenario,
            data: spec.data.name().to_owned(),
            fingerprint: self.fingerprint.clone(),
            model: spec.model.name().to_owned(),
            attack: if stage == Stage::Pretrain { "clean".to_owned() } else { spec.attack.name().to_owned() },
            defense: if stage == Stage::Defense { spec.defense.name().to_owned() } else { String::new() },
            seed: spec.seed,
            classes: self.data.classes.clone(),
            target: spec.attack.target,
            parameters,
            train_images: images,
            test_images: exam.clean.len(),
            asr_images: exam.victims(),
            batch: spec.batch(stage),
            device: self.request.device.describe(),
            gpu: self.request.device.is_gpu(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            ..Facts::default()
        }
        .at(&spec.pace(stage, images))
    }
}

/// Loads or draws a data set, and tells how far it is.
pub(super) fn load(data: &spec::Data, request: &Request, signals: &Sender<Signal>) -> Result<Dataset, RunError> {
    let what = format!("images of {}", data.name());
    let mut progress = |done, total| drop(signals.send(Signal::Preparing { what: what.clone(), done, total }));
    Ok(data::load(data, &request.data, &mut progress)?)
}

pub(super) fn write_trigger(dir: &RunDir, trigger: &dyn Attack, shape: [usize; 3]) -> Result<(), RunError> {
    for (name, bytes) in trigger.files(shape)? {
        dir.write(&Path::new("trigger").join(name), &bytes)?;
    }
    Ok(())
}

/// Images that carry the trigger in one epoch.
pub(super) fn poisoned_images(spec: &RunSpec, poisoned: &attack::Poisoned, images: usize) -> usize {
    if !spec.attack.controls_training() {
        return poisoned.count(attack::Role::Poisoned);
    }
    let of_batch = spec.attack.poison_ratio * spec.attack.batch as f64;
    let of_batch = if of_batch >= 1.0 { of_batch.floor() } else { of_batch };
    (of_batch * spec.steps_per_epoch(Stage::Attack, images) as f64).round() as usize
}

/// What trains the classifier as the attack wants it: on a poisoned set, or batch by batch.
fn learner<'s, B: Train>(spec: &'s RunSpec, split: &'s data::Split, lookup: &'s Lookup, trainer: Trainer<B>) -> Box<dyn Learner<B> + 's> {
    let source: Box<dyn Source + 's> = match &spec.attack.trigger {
        Trigger::InputAware(settings) => return Box::new(train::InputAware::new(split, lookup, spec, settings, trainer)),
        Trigger::Wanet(settings) => {
            let warp = attack::Wanet::new(settings, split.images.shape, spec.seed);
            Box::new(Warped::new(split, lookup, spec, settings, warp))
        }
        _ => Box::new(Batches::new(split, lookup, &spec.augment, spec.attack.batch, spec.seed, Stage::Attack.name())),
    };
    Box::new(Classifier { source, trainer, lookup, steps_per_epoch: spec.steps_per_epoch(Stage::Attack, split.len()) })
}
