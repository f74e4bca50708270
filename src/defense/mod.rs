//! Defenses: one file each behind one trait. What is trained, and how long, is said here; the loop that carries it out is
//! `train`.
//!
//! ```text
//! fine-tuning, super-fine-tuning   clean images                               -> every weight
//! fine-pruning, NAD, NC            clean images, a search                     -> every weight
//! AC, spectral, ABL                the poisoned set, a search for the poison  -> a new network, without it
//! ```
//! Conventional and super-fine-tuning differ in the learning rate alone (spec.md 3.1, 3.2): the schedule is a property of
//! the run's settings ([`RunSpec::schedule`]).

mod abl;
mod ac;
mod cluster;
mod eigen;
mod filter;
mod fine_pruning;
mod fine_tuning;
mod nad;
mod neural_cleanse;
#[cfg(test)]
mod planted;
mod reduce;
mod reversal;
mod spectral;

use crate::attack::Poisoned;
use crate::data::{Dataset, Split};
use crate::kernel::Train;
use crate::model::PreActResNet;
use crate::rng;
use crate::run::evidence::Evidence;
use crate::spec::{Method, Pace, RunSpec, Stage};
use crate::train::{Learner, Lens, Lookup};
use burn::module::AutodiffModule;
use std::path::Path;

/// What a defense is given.
pub struct Case<'a, B: Train> {
    /// The run's settings.
    pub spec: &'a RunSpec,
    /// The backdoored model.
    pub model: PreActResNet<B>,
    /// The data set; its test images are for measuring, not for defending.
    pub data: &'a Dataset,
    /// The clean images that the defender holds; none where it holds the poisoned set.
    pub clean: &'a Split,
    /// The training set as the attacker left it, where the defender holds that.
    pub poisoned: Option<&'a Poisoned>,
    /// Input normalisation.
    pub lookup: &'a Lookup,
    /// Samples under the trigger lens, for what is shown of a defense.
    pub lens: &'a Lens,
    /// Where the model lives.
    pub device: B::Device,
}

impl<B: Train> Case<'_, B> {
    /// A copy of the backdoored model to be trained. A clone would share its running statistics, which training moves.
    pub fn copy(&self) -> PreActResNet<B> {
        PreActResNet::from_inner(self.model.valid())
    }

    /// The images that the defender trains on: the poisoned training set where it holds that, its clean images elsewhere.
    pub fn held(&self) -> &Split {
        self.poisoned.map_or(self.clean, |poisoned| &poisoned.split)
    }

    /// A network of the same kind with fresh weights, for defenses that train from scratch.
    pub fn fresh(&self) -> PreActResNet<B> {
        let mut rng = rng::stream(self.spec.seed, "retraining weights", 0);
        PreActResNet::new(&self.spec.model.stages(), self.data.classes.len(), &mut rng, &self.device)
    }
}

/// A defense that cannot do its work.
#[derive(Debug, thiserror::Error)]
pub enum DefenseError {
    /// A number grew beyond all bounds, or is none.
    #[error("{what} diverged; lower {setting}")]
    Diverged {
        /// What.
        what: String,
        /// The setting that tames it.
        setting: &'static str,
    },
    /// What was found before cannot be read.
    #[error("{file}: {message}; move the run's directory away to compute the defense anew")]
    Recall {
        /// The file.
        file: String,
        /// What is wrong.
        message: String,
    },
    /// There is not enough to work with.
    #[error("defense.name = \"{defense}\": {message}")]
    Given {
        /// The defense.
        defense: &'static str,
        /// What is missing, and the setting that gives it.
        message: String,
    },
}

/// Why a search ended without a result.
#[derive(Debug)]
pub enum Halt {
    /// The user ended it.
    Ended,
    /// It cannot go on.
    Failed(DefenseError),
}

impl From<DefenseError> for Halt {
    fn from(error: DefenseError) -> Self {
        Self::Failed(error)
    }
}

/// Told what a search is at, how much is done, and of how much; says whether it is to go on. Asked often enough, a pause
/// and a stop are obeyed at once.
pub type Watch<'w> = dyn FnMut(&str, usize, usize) -> bool + 'w;

/// Goes on, or ends at the user's wish.
///
/// # Errors
/// [`Halt::Ended`].
pub fn at(watch: &mut Watch<'_>, what: &str, done: usize, total: usize) -> Result<(), Halt> {
    if watch(what, done, total) { Ok(()) } else { Err(Halt::Ended) }
}

/// A defense.
pub trait Defense<B: Train> {
    /// Looks at model and images before any training; its time counts as the defense's.
    ///
    /// # Errors
    /// When the user ends it, or it cannot go on.
    fn search(&mut self, _case: &Case<'_, B>, _watch: &mut Watch<'_>) -> Result<Vec<Evidence>, Halt> {
        Ok(Vec::new())
    }

    /// The files of `evidence/`: pictures, and what [`Self::recall`] reads.
    ///
    /// # Errors
    /// When what was found cannot be written down.
    fn files(&self) -> Result<Vec<(String, Vec<u8>)>, DefenseError> {
        Ok(Vec::new())
    }

    /// Takes in again what an earlier search wrote to `folder`.
    ///
    /// # Errors
    /// When a file is missing or damaged.
    fn recall(&mut self, _case: &Case<'_, B>, _folder: &Path) -> Result<(), DefenseError> {
        Ok(())
    }

    /// Training images of an epoch (of the first, where they differ).
    fn images(&self, case: &Case<'_, B>) -> usize {
        case.clean.len()
    }

    /// How its steps make epochs; no step at all where there is nothing to mend.
    fn pace(&self, case: &Case<'_, B>) -> Pace {
        case.spec.pace(Stage::Defense, self.images(case))
    }

    /// What is trained.
    fn learner<'s>(&'s self, case: &'s Case<'s, B>) -> Box<dyn Learner<B> + 's>;
}

/// The defense that `spec` describes.
pub fn build<B: Train>(spec: &RunSpec) -> Box<dyn Defense<B>> {
    match &spec.defense.method {
        Method::FinePruning(_) => Box::new(fine_pruning::FinePruning::default()),
        Method::Nad(_) => Box::new(nad::Nad),
        Method::NeuralCleanse(_) => Box::new(neural_cleanse::NeuralCleanse::default()),
        Method::Abl(settings) => Box::new(abl::Abl::new(settings.clone())),
        Method::Ac(settings) => Box::new(ac::Ac::new(settings.clone())),
        Method::Spectral(settings) => Box::new(spectral::Spectral::new(settings.clone())),
        Method::FineTuning(_) | Method::SuperFineTuning(_) | Method::ClassifierOnly(_) | Method::Whole(_) => Box::new(fine_tuning::FineTuning),
    }
}

/// The clean images that the defender holds: a share of the clean training set, drawn by the run's seed.
pub fn clean_set(spec: &RunSpec, train: &Split) -> Split {
    if spec.clean_images(train.len()) == train.len() { train.clone() } else { train.select(&clean_places(spec, train.len())) }
}

/// Places of those images among `train` training images, ascending.
pub fn clean_places(spec: &RunSpec, train: usize) -> Vec<usize> {
    let count = spec.clean_images(train);
    if count == train {
        return (0..train).collect();
    }
    let mut places = rng::permutation(train, rng::stream(spec.seed, "clean share", 0));
    places.truncate(count);
    places.sort_unstable();
    places
}

/// Places of those among `train` training images that the weights of a defended model were trained on, ascending;
/// `evidence`: that folder of its run. AC and Spectral train a new network without what they removed. Every other model
/// was trained on all images: by the attack, where the defense goes on from its weights, whatever share the defense then
/// sees; by ABL itself, which unlearns some of them again.
///
/// # Errors
/// When what was removed cannot be read.
pub fn trained_places(spec: &RunSpec, evidence: &Path, train: usize) -> Result<Vec<usize>, DefenseError> {
    match &spec.defense.method {
        Method::Ac(_) | Method::Spectral(_) => Ok(filter::Removed::recall(evidence, train)?.kept(train)),
        _ => Ok((0..train).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Images;

    #[test]
    fn the_share_is_exact_and_follows_the_seed() {
        let train = Split { images: Images { shape: [1, 1, 1], pixels: (0..200).collect() }, labels: vec![0; 200] };
        let share = |seed, clean_share| {
            let mut spec = RunSpec { seed, ..RunSpec::default() };
            spec.defense.clean_share = clean_share;
            clean_set(&spec, &train).images.pixels
        };
        assert_eq!(share(0, 1.0), train.images.pixels);
        assert_eq!(share(0, 0.1).len(), 20);
        assert_eq!(share(3, 0.1), share(3, 0.1));
        assert_ne!(share(3, 0.1), share(4, 0.1));
    }
}
