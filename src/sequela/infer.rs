//! Asks a run's final model about members and others, and attacks what it says (spec.md 5.1).

use super::attack::{Examples, attack};
use super::membership::{self, Members, News, Report, Settings};
use super::sample::{FEWEST, Halves, Side};
use crate::data::{self, DataDirs, Dataset, Images, Split};
use crate::defense::{self, DefenseError};
use crate::model::{Mode, PreActResNet, store as weights};
use crate::rng;
use crate::run::store::StoreError;
use crate::run::trained::{Trained, TrainedError};
use crate::spec::Stage;
use crate::train::Lookup;
use burn_flex::Flex;
use std::collections::BTreeMap;
use std::path::Path;

/// Images of one pass: a second's work for the largest network on two cores.
const CHUNK: usize = 64;

/// A model that cannot be attacked.
#[derive(Debug, thiserror::Error)]
pub enum MembershipError {
    /// The run.
    #[error(transparent)]
    Trained(#[from] TrainedError),
    /// What the defense removed.
    #[error(transparent)]
    Defense(#[from] DefenseError),
    /// The weights.
    #[error("{0}; the checkpoint is damaged or of another version: move the run's directory away to compute it anew")]
    Weights(#[from] weights::StoreError),
    /// There are too few images for halves.
    #[error(
        "{id}: {there} {what}; at least {} are needed, half of them to learn from and half to be tested on: raise {setting}", 2 * FEWEST
    )]
    TooFew {
        /// The run.
        id: String,
        /// How many there are.
        there: usize,
        /// Of what.
        what: &'static str,
        /// The setting that gives more.
        setting: &'static str,
    },
    /// It is no defense's model.
    #[error("--members given: {id} is no model of a defense, which alone is given images; leave it out, or name the run of a defense")]
    NotGiven {
        /// The run.
        id: String,
    },
    /// Its outputs cannot be learned from.
    #[error("{id}: what the model says is no number; its training diverged: lower its learning rate and compute it anew")]
    NoNumbers {
        /// The run.
        id: String,
    },
    /// The result cannot be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl MembershipError {
    /// Whether what was asked for is to blame.
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::NotGiven { .. }) || matches!(self, Self::Trained(error) if error.is_usage())
    }

    /// Whether images are missing, too few, or others.
    pub fn is_data(&self) -> bool {
        matches!(self, Self::TooFew { .. }) || matches!(self, Self::Trained(error) if error.is_data())
    }
}

/// Attacks the final model of the run directory `dir`, or takes the result that it keeps, and says whether it did. What is
/// computed is kept there.
///
/// # Errors
/// When the run is not finished, a file is damaged, or the data set is not there or another one.
pub fn infer(dir: &Path, settings: &Settings, dirs: &DataDirs, tell: &mut dyn FnMut(News)) -> Result<(Report, bool), MembershipError> {
    let run = Trained::open(dir)?;
    if let Some(report) = membership::read(dir, settings) {
        return Ok((report, true));
    }
    let working = |what: &str, done, total| News::Working { what: what.to_owned(), done, total };
    let set = run.images(dirs, &mut |done, total| tell(working(&format!("images of {}", run.spec.data.name()), done, total)))?;
    let members = members(&run, settings.members, set.train.len())?;
    enough(&run, members.len(), set.test.len())?;
    let halves: Vec<Halves> = (0..settings.seeds).map(|seed| Halves::draw(&members, set.test.len(), seed)).collect();
    let mut model = Model::load(&run, &set)?;
    let mut outcomes = Vec::with_capacity(halves.len());
    for (seed, halves) in halves.iter().enumerate() {
        let mut asked = |what: &str, done, total| tell(working(&format!("seed {seed}: {what}"), done, total));
        let train = model.examples(settings, &set, &halves.train, &mut |done, total| asked("images to learn from", done, total))?;
        let test = model.examples(settings, &set, &halves.test, &mut |done, total| asked("images to be tested on", done, total))?;
        let outcome = attack(settings, seed as u64, &train, &test, &mut |done, total| asked("attack model", done as usize, total as usize));
        tell(News::Seed(outcome));
        outcomes.push(outcome);
    }
    let half = halves.first().map_or(0, Halves::count);
    let report = Report::new(&run.id, settings, [members.len(), set.test.len()], half, outcomes);
    membership::write(dir, &report).map_err(|source| StoreError::Io { path: dir.join(settings.file()), source })?;
    Ok((report, false))
}

/// Places of the members in the training set.
fn members(run: &Trained, members: Members, train: usize) -> Result<Vec<usize>, MembershipError> {
    let evidence = run.dir.join("evidence");
    match (run.stage, members) {
        (Stage::Defense, Members::Given) if !run.spec.defense.filters() => Ok(defense::clean_places(&run.spec, train)),
        (Stage::Defense, _) => Ok(defense::trained_places(&run.spec, &evidence, train)?),
        (_, Members::Given) => Err(MembershipError::NotGiven { id: run.id.clone() }),
        (_, Members::Trained) => Ok((0..train).collect()),
    }
}

fn enough(run: &Trained, members: usize, others: usize) -> Result<(), MembershipError> {
    let too_few = |there, what, setting| Err(MembershipError::TooFew { id: run.id.clone(), there, what, setting });
    match () {
        () if members < 2 * FEWEST => too_few(members, "members", "data.train, or defense.clean_share with --members given"),
        () if others < 2 * FEWEST => too_few(others, "test images", "data.test"),
        () => Ok(()),
    }
}

/// A run's final model, in evaluation, with what it has said so far.
struct Model {
    id: String,
    net: PreActResNet<Flex>,
    lookup: Lookup,
    classes: usize,
    /// Logits by part (training set or not) and place: seeds ask about the same images.
    said: BTreeMap<(bool, usize), Vec<f32>>,
}

impl Model {
    fn load(run: &Trained, set: &Dataset) -> Result<Self, MembershipError> {
        // The initial weights are all replaced.
        let mut initial = rng::stream(0, "initial weights", 0);
        let net = PreActResNet::<Flex>::new(&run.spec.model.stages(), set.classes.len(), &mut initial, &Default::default());
        let net = weights::load(net, &run.weights())?;
        let lookup = Lookup::new(&data::normalise(&run.spec.data));
        Ok(Self { id: run.id.clone(), net, lookup, classes: set.classes.len(), said: BTreeMap::new() })
    }

    /// What it says of one side's images: the un-triggered originals, without augmentation.
    fn examples(&mut self, settings: &Settings, set: &Dataset, side: &Side, told: &mut dyn FnMut(usize, usize)) -> Result<Examples, MembershipError> {
        let mut examples = Examples::default();
        let total = side.members.len() + side.others.len();
        for (member, split, places, before) in [(true, &set.train, &side.members, 0), (false, &set.test, &side.others, side.members.len())] {
            self.ask(member, split, places, &mut |done| told(before + done, total))?;
            for place in places {
                let logits = self.said.get(&(member, *place)).map_or(&[][..], Vec::as_slice);
                examples.push(settings.variant, logits, split.labels[*place], member);
            }
        }
        Ok(examples)
    }

    /// Asks about those images of `split` that it was not asked about before.
    fn ask(&mut self, member: bool, split: &Split, places: &[usize], told: &mut dyn FnMut(usize)) -> Result<(), MembershipError> {
        let fresh: Vec<usize> = places.iter().copied().filter(|place| !self.said.contains_key(&(member, *place))).collect();
        let known = places.len() - fresh.len();
        for (number, places) in fresh.chunks(CHUNK).enumerate() {
            let logits = self.logits(&split.images.select(places));
            if logits.iter().any(|v| !v.is_finite()) {
                return Err(MembershipError::NoNumbers { id: self.id.clone() });
            }
            self.said.extend(places.iter().map(|place| (member, *place)).zip(logits.chunks_exact(self.classes).map(<[f32]>::to_vec)));
            told(known + number * CHUNK + places.len());
        }
        Ok(())
    }

    /// `[images][classes]`.
    fn logits(&self, images: &Images) -> Vec<f32> {
        let x = self.lookup.plain(images, 0..images.len(), &Default::default());
        self.net.forward(x, Mode::Eval).into_data().convert::<f32>().to_vec().unwrap_or_default()
    }
}
