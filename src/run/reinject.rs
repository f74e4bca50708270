//! Re-injection: the same attack again, on a model that was cleaned, and on others to compare with (spec.md 5.2).
//!
//! ```text
//! defended model   --+
//! backdoored model --+-- the attack's own trigger, recipe and schedule, new poisoned images --> a run for each ratio
//! clean model      --+
//! ```
//! The trigger is that of the backdoored model, file by file. Which images are poisoned, and the order of training, are
//! drawn anew.

use super::event::Facts;
use super::score::Rule;
use super::search::Found;
use super::store::{self, Lineage, RunDir, StoreError};
use super::trained::Trained;
use super::work::{LENS, Plan, Work, poisoned_images};
use super::worker::RunError;
use crate::attack::{self, Attack, Poisoned, Wanet};
use crate::kernel::Train;
use crate::model::store as weights;
use crate::rng;
use crate::spec::{Reinjection, RunSpec, Stage, Start, Trigger};
use crate::train::{self, Batches, Classifier, Exam, Learner, Lens, Sgd, Source, Trainer, Warped};
use rand::Rng;
use std::path::{Path, PathBuf};

/// What is put into which models again.
#[derive(Clone, Debug)]
pub struct Reinject {
    /// The run of the defense, or of the attack itself.
    pub run: Trained,
    /// The run of the attack.
    pub attack: Trained,
    /// Which models, in this order; of an attack's run nothing is defended.
    pub starts: Vec<Start>,
    /// Shares of the training images to poison, each a run of its own.
    pub ratios: Vec<f64>,
    /// Epochs of each.
    pub epochs: u64,
}

/// A model that the backdoor is put into.
struct Base {
    start: Start,
    /// The run that it is the result of; none for initial weights.
    parent: Option<String>,
    /// Its weights.
    weights: Option<PathBuf>,
}

impl<B: Train> Work<'_, B> {
    /// Computes every re-injection that is not done.
    pub(super) fn reinject(&mut self, job: &Reinject) -> Result<(), RunError> {
        job.run.same(&self.fingerprint)?;
        for &start in &job.starts {
            self.spec = job.run.spec.clone();
            let Some(base) = self.base(start, job)? else { return Ok(()) };
            for &ratio in &job.ratios {
                if !self.reinjection(&base, job, ratio)? {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// The model to start from, trained first where it is a clean one that is not there; `None` when the user ended it.
    fn base(&mut self, start: Start, job: &Reinject) -> Result<Option<Base>, RunError> {
        let of = |run: &Trained| Base { start, parent: Some(run.id.clone()), weights: Some(run.weights()) };
        Ok(Some(match start {
            Start::Defended => of(&job.run),
            Start::Backdoored => of(&job.attack),
            Start::Scratch => Base { start, parent: None, weights: None },
            Start::Clean => {
                if self.clean_model()?.is_none() {
                    return Ok(None);
                }
                let id = self.spec.clean_id(&self.fingerprint);
                let done = store::read_done(&self.request.runs.join(&id));
                let weights = done.map(|done| store::weights(&self.request.runs, &id, &done));
                Base { start, parent: Some(id), weights }
            }
        }))
    }

    /// One run; false when the user ended it.
    fn reinjection(&mut self, base: &Base, job: &Reinject, ratio: f64) -> Result<bool, RunError> {
        let defense = if base.start == Start::Defended { job.run.spec.defense.name().to_owned() } else { String::new() };
        let what = Reinjection { start: base.start, defense, source: job.attack.id.clone(), ratio };
        self.spec = job.run.spec.reinjection(base.start, ratio, job.epochs);
        let id = self.spec.reinjection_id(&self.fingerprint, &what, base.parent.as_deref());
        let lineage = Lineage { parent: base.parent.clone() };
        let (mut dir, step, events) = match store::open(&self.request.runs, &id, &self.spec, &lineage)? {
            store::Found::Done(events, _) => {
                self.replay(Stage::Reinjection, &self.request.runs.join(&id), &events);
                return Ok(true);
            }
            store::Found::Open(dir, step, events) => (dir, step, events),
        };
        copy_trigger(&job.attack.dir, &dir)?;
        let trigger = self.stored_trigger(&dir.path)?;
        let (spec, data, lookup) = (self.spec.clone(), self.data.clone(), self.lookup.clone());
        let exam = Exam::new(data.test.clone(), Some(trigger.as_ref()), Rule::of(&spec, Stage::Reinjection));
        let lens = Lens::new(&data.test, &data.classes, Some(spec.attack.target), LENS, Some(trigger.as_ref()));
        let model = match &base.weights {
            Some(file) => weights::load(self.network(), file)?,
            None => self.network(),
        };
        let trainer = Trainer { model, sgd: Sgd::new(spec.attack.momentum, spec.attack.weight_decay), device: self.device.clone() };
        let parameters = trainer.model.parameters();
        let drawn = drawn_anew(&spec);
        let poisoned = poisoned(&drawn, trigger.as_ref(), &data.train);
        let facts = Facts {
            poisoned_images: poisoned_images(&spec, &poisoned, data.train.len()),
            reinjection: Some(what),
            ..self.facts(Stage::Reinjection, &id, base.parent.clone(), data.train.len(), &exam, parameters)
        };
        let mut learner = learner(&drawn, &poisoned, &lookup, trainer, &dir.path.join("trigger"))?;
        let plan = Plan { stage: Stage::Reinjection, spec: spec.clone(), exam: &exam, lens: &lens, facts, found: Found::default() };
        let Some(done) = self.stage(plan, &mut dir, (step, events), learner.as_mut())? else { return Ok(false) };
        dir.finish(&done)?;
        Ok(true)
    }
}

/// The settings with a seed of their own for everything that is drawn: other images are poisoned, in another order.
fn drawn_anew(spec: &RunSpec) -> RunSpec {
    RunSpec { seed: rng::stream(spec.seed, "reinjection", 0).next_u64(), ..spec.clone() }
}

/// The training set with new poisoned images; attacks that poison batch by batch take it as it is.
fn poisoned(drawn: &RunSpec, trigger: &dyn Attack, clean: &crate::data::Split) -> Poisoned {
    if drawn.attack.controls_training() { Poisoned::none(clean.clone()) } else { attack::poison(trigger, &drawn.attack, clean, drawn.seed) }
}

/// The attack's training with the trigger in the directory `trigger`.
fn learner<'s, B: Train>(
    drawn: &'s RunSpec,
    poisoned: &'s Poisoned,
    lookup: &'s train::Lookup,
    trainer: Trainer<B>,
    trigger: &Path,
) -> Result<Box<dyn Learner<B> + 's>, RunError> {
    let split = &poisoned.split;
    let source: Box<dyn Source + 's> = match &drawn.attack.trigger {
        Trigger::InputAware(settings) => {
            return Ok(Box::new(train::InputAware::new(split, lookup, drawn, settings, trainer).given(trigger)?));
        }
        Trigger::Wanet(settings) => Box::new(Warped::new(split, lookup, drawn, settings, Wanet::load(trigger, split.images.shape)?)),
        _ => Box::new(Batches::new(split, lookup, &drawn.augment, drawn.attack.batch, drawn.seed, Stage::Reinjection.name())),
    };
    let steps_per_epoch = drawn.steps_per_epoch(Stage::Reinjection, split.len());
    Ok(Box::new(Classifier { source, trainer, lookup, steps_per_epoch }))
}

/// The files of the attack's `trigger/`, as they are; a trigger that its settings tell has none.
fn copy_trigger(attack: &Path, dir: &RunDir) -> Result<(), StoreError> {
    let folder = attack.join("trigger");
    let entries = match std::fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(StoreError::Io { path: folder, source }),
    };
    for entry in entries {
        let io = |path: &Path| {
            let path = path.to_owned();
            |source| StoreError::Io { path, source }
        };
        let path = entry.map_err(io(&folder))?.path();
        let bytes = std::fs::read(&path).map_err(io(&path))?;
        dir.write(&Path::new("trigger").join(path.file_name().unwrap_or_default()), &bytes)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Images, Split};

    /// "New poison sample" (spec.md 5.2): as many images as the ratio says, and others than the attack's.
    #[test]
    fn other_images_are_poisoned_than_the_first_time() {
        let pixels = (0..500 * 768).map(|i| ((i % 768) * (31 + i / 768) % 251) as u8).collect();
        let clean = Split { images: Images { shape: [3, 16, 16], pixels }, labels: (0..500).map(|i| (i % 10) as u16).collect() };
        let spec = RunSpec::default();
        let trigger = attack::build(&spec.attack, clean.images.shape, spec.seed).unwrap().unwrap();
        let first = attack::poison(trigger.as_ref(), &spec.attack, &clean, spec.seed);
        let again = |ratio| {
            let drawn = drawn_anew(&spec.reinjection(Start::Clean, ratio, 25));
            (poisoned(&drawn, trigger.as_ref(), &clean), drawn.seed)
        };
        let (second, seed) = again(0.1);
        assert_eq!((first.count(attack::Role::Poisoned), second.count(attack::Role::Poisoned)), (50, 50));
        assert_ne!(first.roles, second.roles);
        assert_eq!(again(0.1), (second, seed));
        assert_eq!(again(0.01).0.count(attack::Role::Poisoned), 5);
        let other = drawn_anew(&RunSpec { seed: 1, ..spec.clone() });
        assert!(seed != spec.seed && seed != other.seed);
    }
}
