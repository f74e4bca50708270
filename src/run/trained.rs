//! A finished run of the standalone scenario, as its directory tells: the model that questions are asked of afterwards.

use super::event::Facts;
use super::store::{self, Done, StoreError};
use super::view::RunView;
use crate::data::{self, DataDirs, DataError, Dataset};
use crate::spec::{RunSpec, Scenario, Stage};
use std::path::{Path, PathBuf};

/// A run whose model cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum TrainedError {
    /// No run is there.
    #[error("{}: no run is there (its events.jsonl has no first line); `tuneout runs` lists those that are", .0.display())]
    NoRun(PathBuf),
    /// It has no final model yet.
    #[error("{id}: the run is not finished (it has no done.json); the command that began it goes on with it")]
    Unfinished {
        /// The run.
        id: String,
    },
    /// It belongs to another scenario.
    #[error(
        "{id}: a run of the scenario {}; what a defense leaves behind is measured in the standalone scenario (scenario = \"standalone\")", scenario.name()
    )]
    Scenario {
        /// The run.
        id: String,
        /// Its scenario.
        scenario: Scenario,
    },
    /// No attack belongs to it.
    #[error("{id}: {what}, to which no attack belongs; name the run of an attack, or of a defense")]
    NoAttack {
        /// The run.
        id: String,
        /// What it is.
        what: &'static str,
    },
    /// The run of the attack is gone.
    #[error(
        "{id}: the backdoored model that it started from, `{parent}`, is not beside it; put that run directory back, or compute it with `tuneout run`"
    )]
    NoParent {
        /// The run.
        id: String,
        /// The attack's run.
        parent: String,
    },
    /// The images are not those of the run.
    #[error("{id}: the images of {data} are not those that this run was computed from; restore those files, or compute the run anew")]
    OtherImages {
        /// The run.
        id: String,
        /// The data set.
        data: String,
    },
    /// The run directory.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The images.
    #[error(transparent)]
    Data(#[from] DataError),
}

impl TrainedError {
    /// Whether the name that was given is to blame.
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::NoRun(_) | Self::Scenario { .. } | Self::NoAttack { .. })
    }

    /// Whether images are missing, damaged or others.
    pub fn is_data(&self) -> bool {
        matches!(self, Self::Data(_) | Self::OtherImages { .. })
    }
}

/// A finished run.
#[derive(Clone, Debug)]
pub struct Trained {
    /// Its directory.
    pub dir: PathBuf,
    /// Name of the directory.
    pub id: String,
    /// Its settings, those of the standalone scenario alone.
    pub spec: RunSpec,
    /// Which computation.
    pub stage: Stage,
    /// What its first line states.
    pub facts: Facts,
    /// Its last file.
    pub done: Done,
}

impl Trained {
    /// Reads the run directory `dir`.
    ///
    /// # Errors
    /// When no run is there, it is not finished, cannot be read, or is one of another scenario.
    pub fn open(dir: &Path) -> Result<Self, TrainedError> {
        let id = dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let view = RunView::of(&store::read_log(&dir.join("events.jsonl"))?);
        let Some(stage) = view.stage else { return Err(TrainedError::NoRun(dir.to_owned())) };
        let spec = store::read_spec(dir)?;
        // A backdoored classifier is the same in both scenarios that begin with one.
        let second = spec.pretrain.is_some() || stage == Stage::Defense && spec.downstream.is_some();
        if second {
            return Err(TrainedError::Scenario { id, scenario: spec.scenario });
        }
        let Some(done) = store::read_done(dir) else { return Err(TrainedError::Unfinished { id }) };
        Ok(Self { dir: dir.to_owned(), id, spec: spec.standalone(), stage, facts: view.facts, done })
    }

    /// The directory that the run stands in, with those that it came from.
    pub fn runs(&self) -> PathBuf {
        self.dir.parent().unwrap_or(Path::new("")).to_owned()
    }

    /// Its final weights.
    pub fn weights(&self) -> PathBuf {
        self.dir.join(&self.done.weights)
    }

    /// The run of the attack that planted the backdoor: this one, or the one that this defense started from.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub fn attack(&self) -> Result<Self, TrainedError> {
        let id = || self.id.clone();
        match self.stage {
            Stage::Attack => Ok(self.clone()),
            Stage::Pretrain => Err(TrainedError::NoAttack { id: id(), what: "a clean model" }),
            Stage::Reinjection => Err(TrainedError::NoAttack { id: id(), what: "a re-injection" }),
            Stage::Defense => {
                let parent = self.facts.parent.clone().unwrap_or_default();
                let dir = self.dir.with_file_name(&parent);
                if parent.is_empty() || !dir.join("spec.toml").is_file() {
                    return Err(TrainedError::NoParent { id: id(), parent });
                }
                Self::open(&dir)
            }
        }
    }

    /// The images that it was computed from; `progress(done, total)`.
    ///
    /// # Errors
    /// When they are not there, damaged, or others.
    pub fn images(&self, dirs: &DataDirs, progress: &mut dyn FnMut(usize, usize)) -> Result<Dataset, TrainedError> {
        let set = data::load(&self.spec.data, dirs, progress)?;
        self.same(&set.fingerprint())?;
        Ok(set)
    }

    /// Whether images with this `fingerprint` are those that it was computed from.
    ///
    /// # Errors
    /// When they are others.
    pub fn same(&self, fingerprint: &str) -> Result<(), TrainedError> {
        if self.facts.fingerprint == fingerprint {
            return Ok(());
        }
        Err(TrainedError::OtherImages { id: self.id.clone(), data: self.spec.data.name().to_owned() })
    }
}
