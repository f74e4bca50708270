//! Asking a checkpoint what it sees in every test image, clean and triggered. On the CPU, whatever the run computes on,
//! and apart from it: nothing is locked or written.
//!
//! ```text
//! run directory -> newest checkpoint -> network, trigger, test images -> chunk after chunk of answers
//! ```

use super::answers::{Ask, Chunk, News, Sample, Subject, TOP};
use super::event::{EventKind, Facts, LensAnswer};
use super::network;
use super::score::Rule;
use super::session::{Failure, FailureKind};
use super::store::{self, StoreError};
use super::view::RunView;
use crate::attack::{self, Attack, AttackError};
use crate::data::{self, DataDirs, DataError, Split};
use crate::model::{Downstream, Mode, store as weights};
use crate::spec::{Data, RunSpec, Stage};
use crate::train::checkpoint::{self, Files};
use crate::train::{Examine, Lookup, Monitor, examiner};
use burn_flex::Flex;
use std::path::{Path, PathBuf};

/// Images of one chunk: a second's work for the largest network on two cores.
const CHUNK: usize = 64;
/// Looks for the newest checkpoint: training may drop the one that was found before it is read.
const TRIES: usize = 3;

/// A run that cannot be examined.
#[derive(Debug, thiserror::Error)]
pub enum ExamineError {
    /// No run is there.
    #[error("{}: no run is there (its events.jsonl has no first line); `tuneout runs` lists those that are", .0.display())]
    NoRun(PathBuf),
    /// Nothing was written yet.
    #[error("{}: no checkpoint is whole yet; the first is written before the first step", .0.display())]
    NoCheckpoint(PathBuf),
    /// The test images are not those of the run.
    #[error("{run}: the test images of {data} are not those of this run ({what}); restore the files that it was computed from")]
    OtherImages {
        /// The run.
        run: String,
        /// The data set.
        data: String,
        /// How that shows.
        what: String,
    },
    /// The run directory.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The images.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The trigger.
    #[error(transparent)]
    Attack(#[from] AttackError),
    /// The weights.
    #[error("{0}; the checkpoint is damaged or of another version: move the run's directory away to compute it anew")]
    Weights(#[from] weights::StoreError),
}

impl From<ExamineError> for Failure {
    fn from(error: ExamineError) -> Self {
        let kind = match error {
            ExamineError::OtherImages { .. } | ExamineError::Data(_) | ExamineError::Attack(_) => FailureKind::Data,
            _ => FailureKind::Other,
        };
        Self { message: error.to_string(), kind }
    }
}

/// Whoever takes the answers; false ends the examination.
pub type Listener<'a> = dyn FnMut(News) -> bool + Send + 'a;

/// Asks the newest checkpoint of a run directory, until every test image is answered or `tell` has heard enough.
///
/// # Errors
/// When there is no run or no checkpoint, a file is damaged, or the data set is not there or another one.
pub fn examine(ask: &Ask, dirs: &DataDirs, tell: &mut Listener) -> Result<(), ExamineError> {
    let run = Run::read(&ask.dir)?;
    let mut step = run.newest()?;
    let images = run.images(dirs)?;
    for left in (0..TRIES).rev() {
        match run.ask(step, &images, ask.known, tell) {
            Err(error) => {
                let newest = run.newest()?;
                if left == 0 || newest == step {
                    return Err(error);
                }
                step = newest;
            }
            done => return done,
        }
    }
    Ok(())
}

/// A run directory as it is read.
struct Run {
    dir: PathBuf,
    spec: RunSpec,
    stage: Stage,
    facts: Facts,
    view: RunView,
    lens: Vec<LensAnswer>,
}

/// The images of a run.
struct Material {
    test: Split,
    /// Training images that an encoder's neighbours are taken from.
    bank: Option<data::Dataset>,
}

impl Run {
    fn read(dir: &Path) -> Result<Self, ExamineError> {
        let events = store::read_log(&dir.join("events.jsonl"))?;
        let view = RunView::of(&events);
        let Some(stage) = view.stage else { return Err(ExamineError::NoRun(dir.to_owned())) };
        let spec = store::read_spec(dir)?;
        let lens = events.iter().find_map(|e| if let EventKind::Lens { answers, .. } = &e.kind { Some(answers.clone()) } else { None });
        Ok(Self { dir: dir.to_owned(), spec, stage, facts: view.facts.clone(), view, lens: lens.unwrap_or_default() })
    }

    fn files(&self, step: u64) -> Files {
        Files::of(&self.dir.join("checkpoints"), step)
    }

    /// The newest checkpoint whose files are there.
    fn newest(&self) -> Result<u64, ExamineError> {
        let steps = checkpoint::steps(&self.dir.join("checkpoints"));
        let whole = steps.into_iter().rev().find(|step| self.files(*step).weights.exists());
        whole.ok_or_else(|| ExamineError::NoCheckpoint(self.dir.clone()))
    }

    /// Whether an encoder is asked through its nearest neighbours: it has no classifier yet.
    fn by_neighbours(&self) -> bool {
        self.spec.pretrain.is_some() && self.stage != Stage::Defense
    }

    /// The data set that this computation is measured on.
    fn data(&self) -> &Data {
        match (&self.spec.pretrain, self.stage) {
            (Some(_), Stage::Attack | Stage::Defense) | (None, Stage::Defense) => self.spec.downstream.as_ref().unwrap_or(&self.spec.data),
            _ => &self.spec.data,
        }
    }

    fn images(&self, dirs: &DataDirs) -> Result<Material, ExamineError> {
        let material = if self.by_neighbours() {
            let set = data::load(self.data(), dirs, &mut |_, _| {})?;
            let (_, test) = Monitor::new(&set, &self.lookup());
            Material { test, bank: Some(set) }
        } else {
            Material { test: data::preview(self.data(), dirs, self.facts.test_images)?, bank: None }
        };
        self.same(&material.test)?;
        Ok(material)
    }

    /// The normalisation of the first task's images: a network keeps it (spec.md section 2).
    fn lookup(&self) -> Lookup {
        Lookup::new(&data::normalise(&self.spec.data))
    }

    /// Whether these are the images that the log speaks of.
    fn same(&self, test: &Split) -> Result<(), ExamineError> {
        let other = |what: String| ExamineError::OtherImages { run: self.facts.id.clone(), data: self.facts.data.clone(), what };
        if test.len() != self.facts.test_images {
            return Err(other(format!("{} images, and it had {}", test.len(), self.facts.test_images)));
        }
        match self.lens.iter().find(|a| test.labels.get(a.index) != Some(&a.label)) {
            Some(sample) => Err(other(format!("image {} has another label", sample.index))),
            None => Ok(()),
        }
    }

    /// The trigger; none for a clean model.
    fn trigger(&self, step: u64, shape: [usize; 3], lookup: &Lookup) -> Result<Option<Box<dyn Attack>>, ExamineError> {
        let dir = match (self.stage, &self.facts.parent) {
            (Stage::Pretrain, _) => return Ok(None),
            (Stage::Defense, Some(parent)) => self.dir.with_file_name(parent),
            _ => self.dir.clone(),
        };
        let (attack, device) = (&self.spec.attack, Default::default());
        // While an attack learns its trigger, that stands with the checkpoint.
        let learned = if self.stage == Stage::Attack { attack::learned::<Flex>(attack, &self.files(step), lookup, &device)? } else { None };
        match learned {
            Some(trigger) => Ok(Some(trigger)),
            None => Ok(Some(attack::load::<Flex>(attack, shape, &dir.join("trigger"), lookup, &device)?)),
        }
    }

    /// Asks the checkpoint of `step`.
    fn ask(&self, step: u64, images: &Material, known: Option<(u64, usize)>, tell: &mut Listener) -> Result<(), ExamineError> {
        let (lookup, device) = (self.lookup(), Default::default());
        let (file, classes) = (self.files(step).weights, self.facts.classes.len());
        let trigger = self.trigger(step, images.test.images.shape, &lookup)?;
        let monitor = images.bank.as_ref().map(|set| Monitor::new(set, &lookup).0);
        let examine: Box<dyn Examine + '_> = match (&monitor, &self.spec.pretrain) {
            (Some(monitor), _) => monitor.examiner(weights::load(network::encoder::<Flex>(&self.spec, &device).f, &file)?, device),
            (None, Some(_)) => {
                let encoder = network::encoder::<Flex>(&self.spec, &device).f;
                let head = network::head(&self.spec, encoder.width(), classes, &device);
                let net = weights::load(Downstream { encoder, head }, &file)?;
                examiner(move |x| net.forward(x), &lookup, device)
            }
            (None, None) => {
                let net = weights::load(network::classifier::<Flex>(&self.spec, classes, &device), &file)?;
                examiner(move |x| net.forward(x, Mode::Eval), &lookup, device)
            }
        };
        let subject = self.subject(step)?;
        if tell(News::Opened(Box::new(subject))) {
            let start = known.map_or(0, |(at, count)| if at == step { count } else { 0 });
            chunks(&examine, trigger.as_deref(), &images.test, step, start, tell);
        }
        Ok(())
    }

    fn subject(&self, step: u64) -> Result<Subject, ExamineError> {
        let progress = checkpoint::progress(&self.files(step))?;
        Ok(Subject {
            dir: self.dir.clone(),
            stage: self.stage,
            step,
            facts: self.facts.clone(),
            rule: Rule::of(&self.spec, self.stage),
            first_majority: progress.first_majority,
            images: self.facts.test_images,
            logged: self.view.epochs.iter().find(|p| p.step == step).map(|p| p.measures),
        })
    }
}

/// Answers from image `start` on.
fn chunks(examine: &dyn Examine, trigger: Option<&dyn Attack>, test: &Split, step: u64, start: usize, tell: &mut Listener) {
    for start in (start..test.len()).step_by(CHUNK) {
        let some = test.select(&(start..(start + CHUNK).min(test.len())).collect::<Vec<_>>());
        let triggered = trigger.map_or_else(|| some.images.clone(), |trigger| attack::triggered(trigger, &some.images));
        let answers = examine(&some.images).rankings(TOP).into_iter().zip(examine(&triggered).rankings(TOP));
        let samples = some.labels.iter().zip(answers).map(|(&label, (clean, triggered))| Sample { label, clean, triggered }).collect();
        if !tell(News::Chunk(Chunk { step, start, samples, clean: some.images, triggered })) {
            return;
        }
    }
}
