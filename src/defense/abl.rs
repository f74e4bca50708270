//! Anti-backdoor learning (Li et al. 2021; spec.md 3.3): a new network learns the poisoned set, and what it learns too fast
//! is unlearned.
//!
//! ```text
//! isolate      every image, no augmentation, the loss held up at gamma  -> the images with the lowest loss
//! fine-tune    the others, augmented
//! unlearn      the isolated ones, as they are, up the gradient; ended where it costs too much
//! ```
//! One network goes through all three; each phase begins with a fresh optimiser (SGD with Nesterov's momentum). The loss
//! that is shown is the cross-entropy in all of them, whatever is descended.

use super::{Case, Defense, filter};
use crate::data::Split;
use crate::files;
use crate::kernel::Train;
use crate::model::store::{self, StoreError};
use crate::model::{Mode, PreActResNet};
use crate::rng;
use crate::run::evidence::{Detection, Evidence, Guard, Histogram, Isolation};
use crate::spec::{self, Augment, IsolationLoss, Pace, Stage};
use crate::train::checkpoint::Files;
use crate::train::{Batches, Examine, Learner, Loss, Sgd, Source, Trainer, cross_entropies, cross_entropy};
use burn::module::AutodiffModule;
use burn::optim::GradientsParams;
use burn::prelude::*;
use serde::{Deserialize, Serialize};

/// Bins of the histogram of losses.
const BINS: usize = 40;
/// Training images on which the guard measures accuracy.
const GUARDED: usize = 1000;
/// Nothing is done to the images of the first and the last phase: a crop may cut off the trigger that they are about.
const PLAIN: Augment = Augment { crop_padding: 0, flip: false };

/// The defense.
pub(super) struct Abl {
    settings: spec::Abl,
}

impl Abl {
    /// With these settings.
    pub(super) fn new(settings: spec::Abl) -> Self {
        Self { settings }
    }
}

impl<B: Train> Defense<B> for Abl {
    fn images(&self, case: &Case<'_, B>) -> usize {
        case.held().len()
    }

    fn learner<'s>(&'s self, case: &'s Case<'s, B>) -> Box<dyn Learner<B> + 's> {
        Box::new(Unlearning::new(case, &self.settings))
    }
}

/// A phase of the pace, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Isolate,
    FineTune,
    Unlearn,
}

impl Kind {
    fn of(pace: &Pace, phase: usize) -> Self {
        match pace.phases()[phase].name.as_str() {
            "isolate" => Self::Isolate,
            "unlearn" => Self::Unlearn,
            _ => Self::FineTune,
        }
    }

    /// The name of its random order.
    fn order(self) -> &'static str {
        match self {
            Self::Isolate => "abl isolate",
            Self::FineTune => "abl fine-tune",
            Self::Unlearn => "abl unlearn",
        }
    }
}

/// What is known beside the weights.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Known {
    /// Places of the isolated images, ascending.
    isolated: Vec<usize>,
    /// Accuracy on the guarded images before the unlearning.
    before: Option<f64>,
    /// The unlearning was ended early.
    ended: bool,
}

/// The name of [`Known`] among a checkpoint's files, and of the weights before the epoch of unlearning under way.
const PARTS: [&str; 2] = ["isolation", "before"];

type Net<B> = PreActResNet<<B as burn::tensor::backend::AutodiffBackend>::InnerBackend>;

struct Unlearning<'a, B: Train> {
    case: &'a Case<'a, B>,
    settings: &'a spec::Abl,
    pace: Pace,
    trainer: Trainer<B>,
    /// The batches of the phase under way.
    source: Option<(usize, Batches<'a>)>,
    known: Known,
    /// The network before the epoch of unlearning under way.
    held: Option<Net<B>>,
    news: Vec<Evidence>,
}

impl<'a, B: Train> Unlearning<'a, B> {
    fn new(case: &'a Case<'a, B>, settings: &'a spec::Abl) -> Self {
        let spec = case.spec;
        let sgd = Sgd::new(spec.defense.momentum, spec.defense.weight_decay).nesterov();
        Self {
            case,
            settings,
            pace: spec.pace(Stage::Defense, case.held().len()),
            trainer: Trainer { model: case.fresh(), sgd, device: case.device.clone() },
            source: None,
            known: Known::default(),
            held: None,
            news: Vec::new(),
        }
    }

    /// Places of the images that were not isolated.
    fn kept(&self) -> Vec<usize> {
        (0..self.case.held().len()).filter(|i| self.known.isolated.binary_search(i).is_err()).collect()
    }

    /// The batches of a phase.
    fn batches(&self, kind: Kind) -> Batches<'a> {
        let (case, spec) = (self.case, self.case.spec);
        let augment = if kind == Kind::FineTune { &spec.augment } else { &PLAIN };
        let batches = Batches::new(case.held(), case.lookup, augment, spec.defense.batch, spec.seed, kind.order());
        match kind {
            Kind::Isolate => batches,
            Kind::FineTune => batches.only(self.kept()),
            Kind::Unlearn => batches.only(self.known.isolated.clone()),
        }
    }

    /// Forward, the phase's objective, backward, SGD; the cross-entropy.
    fn descend(&mut self, kind: Kind, x: Tensor<B, 4>, labels: Tensor<B, 1, Int>, lr: f64) -> Loss<B> {
        let loss = cross_entropy(self.trainer.model.forward(x, Mode::Train), labels);
        let value = loss.clone().inner();
        let objective = match kind {
            Kind::Isolate => held_up(loss, self.settings.isolation_loss, self.settings.gamma),
            Kind::FineTune => loss,
            Kind::Unlearn => loss.neg(),
        };
        let grads = GradientsParams::from_grads(objective.backward(), &self.trainer.model);
        self.trainer.model = self.trainer.sgd.step(self.trainer.model.clone(), grads, lr);
        value
    }

    /// Looks for the images that were learned fastest.
    fn isolate(&mut self) {
        let split = self.case.held();
        let model = self.trainer.model.valid();
        let losses = cross_entropies(|x| model.forward(x, Mode::Eval), split, self.case.lookup, &self.case.device);
        let truth = filter::truth(self.case);
        let (isolated, found) = isolation(&losses, self.case.spec.isolated_images(split.len()), &truth);
        self.known.isolated = isolated;
        self.news.push(Evidence::Isolation(found));
    }

    /// Share of some kept training images that are taken for what they are labelled.
    fn accuracy(&self) -> f64 {
        let (case, kept) = (self.case, self.kept());
        let mut order = rng::permutation(kept.len(), rng::stream(case.spec.seed, "abl guard", 0));
        order.truncate(GUARDED);
        let guarded: Split = case.held().select(&order.into_iter().map(|at| kept[at]).collect::<Vec<_>>());
        let answers = (self.trainer.examiner(case.lookup))(&guarded.images).answers();
        let right = answers.iter().zip(&guarded.labels).filter(|(a, l)| a.class == **l).count();
        right as f64 / guarded.len().max(1) as f64
    }

    /// Ends the unlearning where epoch number `epoch` (from 0) of it cost too much, and takes back what that epoch did.
    fn guard(&mut self, epoch: u64) {
        let (before, after, held) = (self.known.before.unwrap_or_default(), self.accuracy(), self.held.take());
        if before - after <= self.settings.largest_fall {
            return;
        }
        if let Some(held) = held {
            self.trainer.model = PreActResNet::from_inner(held);
        }
        self.known.ended = true;
        self.news.push(Evidence::Guard(Guard { epoch: epoch + 1, before, after }));
    }
}

/// A loss that is held at `gamma`: below, it is climbed. Both ways have the same gradient, and are told apart by their
/// value alone.
fn held_up<B: Train>(loss: Tensor<B, 1>, how: IsolationLoss, gamma: f64) -> Tensor<B, 1> {
    match how {
        IsolationLoss::Flooding => (loss - gamma).abs() + gamma,
        IsolationLoss::Lga => (loss.clone().detach() - gamma).sign() * loss,
    }
}

/// The places of the `count` lowest losses, ascending (of equal ones the first; what is no number is high), and how that
/// looks to whoever knows the truth.
fn isolation(losses: &[f32], count: usize, truth: &[bool]) -> (Vec<usize>, Isolation) {
    let rank = |i: usize| if losses[i].is_nan() { f32::INFINITY } else { losses[i] };
    let mut order: Vec<usize> = (0..losses.len()).collect();
    order.sort_by(|&a, &b| rank(a).total_cmp(&rank(b)).then(a.cmp(&b)));
    order.truncate(count);
    let threshold = order.last().map_or(0.0, |&i| f64::from(losses[i]));
    order.sort_unstable();
    let histogram = Histogram::of(losses.iter().map(|l| f64::from(*l)).zip(truth.iter().copied()), BINS);
    let found = Isolation { detection: Detection::of(&order, truth), threshold, losses: histogram };
    (order, found)
}

impl<B: Train> Learner<B> for Unlearning<'_, B> {
    fn step(&mut self, step: u64, lr: f64) -> Loss<B> {
        let place = self.pace.place(step);
        let kind = Kind::of(&self.pace, place.phase);
        if step == self.pace.begin(place.phase) {
            self.trainer.sgd.forget();
        }
        if kind == Kind::Unlearn && place.within == 0 {
            if self.known.before.is_none() {
                self.known.before = Some(self.accuracy());
            }
            self.held = Some(self.trainer.model.valid());
        }
        let (_, mut source) = self.source.take().filter(|(phase, _)| *phase == place.phase).unwrap_or_else(|| (place.phase, self.batches(kind)));
        let (x, labels) = source.get(place.epoch, place.within).tensors(&self.trainer.device);
        self.source = Some((place.phase, source));
        let loss = self.descend(kind, x, labels, lr);
        match kind {
            Kind::Isolate if step + 1 == self.pace.begin(place.phase + 1) => self.isolate(),
            Kind::Unlearn if self.pace.ends_epoch(step + 1) => self.guard(place.epoch),
            _ => {}
        }
        loss
    }

    fn examiner(&self) -> Box<dyn Examine + '_> {
        self.trainer.examiner(self.case.lookup)
    }

    fn evidence(&mut self) -> Vec<Evidence> {
        std::mem::take(&mut self.news)
    }

    fn done(&self) -> bool {
        self.known.ended
    }

    fn save(&self, files: &Files) -> Result<(), StoreError> {
        self.trainer.save(files)?;
        if let Some(held) = &self.held {
            store::save(held, &files.part(PARTS[1]))?;
        }
        let file = files.state(PARTS[0]);
        let bytes = serde_json::to_vec(&self.known).unwrap_or_default();
        files::write(&file, &bytes).map_err(|e| StoreError { file: file.display().to_string(), message: e.to_string() })
    }

    fn restore(&mut self, files: &Files, steps: u64) -> Result<(), StoreError> {
        let place = self.pace.place(steps);
        self.trainer.restore(files, steps - self.pace.begin(place.phase))?;
        let file = files.state(PARTS[0]);
        let failed = |message: String| StoreError { file: file.display().to_string(), message };
        let bytes = std::fs::read(&file).map_err(|e| failed(e.to_string()))?;
        self.known = serde_json::from_slice(&bytes).map_err(|e| failed(e.to_string()))?;
        let fits = self.known.isolated.windows(2).all(|w| w[0] < w[1]) && self.known.isolated.last().is_none_or(|i| *i < self.case.held().len());
        if !fits {
            return Err(failed("it names images that the training set does not hold".to_owned()));
        }
        let under_way = Kind::of(&self.pace, place.phase) == Kind::Unlearn && place.within > 0;
        self.held = if under_way { Some(store::load(self.trainer.model.valid(), &files.part(PARTS[1]))?) } else { None };
        self.source = None;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::planted::{B, Planted};
    use super::*;
    use burn::backend::Flex;

    /// spec.md 12(10), and losses that are no number are isolated last.
    #[test]
    fn the_lowest_losses_are_isolated_and_their_number_is_the_setting_s() {
        let losses: Vec<f32> = (0..50_000).map(|i| if i % 7 == 3 { f32::NAN } else { ((i * 7919) % 50_000) as f32 }).collect();
        let spec = Planted::new(&[1, 1], 0).with("abl", &[]).spec;
        assert_eq!(spec.isolated_images(50_000), 500);
        let truth: Vec<bool> = losses.iter().map(|l| *l < 400.0).collect();
        let (isolated, found) = isolation(&losses, 500, &truth);
        assert_eq!((isolated.len(), found.detection.removed), (500, 500));
        assert_eq!(found.detection.hits, found.detection.poisoned);
        let highest = isolated.iter().map(|&i| losses[i]).fold(0.0, f32::max);
        assert_eq!(f64::from(highest), found.threshold);
        let left_out = |i: &usize| isolated.binary_search(i).is_err() && !losses[*i].is_nan();
        assert!((0..50_000).filter(left_out).all(|i| losses[i] >= highest));
        assert_eq!(isolation(&[1.0, 0.5, 0.5, f32::NAN], 1, &[false; 4]).0, [1]);
        assert!(isolation(&[], 0, &[]).0.is_empty());
    }

    /// Above gamma the loss is descended, below it is climbed; flooding and LGA differ in value alone.
    #[test]
    fn a_held_up_loss_turns_round_at_gamma() {
        for (x, turned) in [(0.8, 1.0), (0.2, -1.0)] {
            for (how, value) in [(IsolationLoss::Flooding, (x - 0.5f32).abs() + 0.5), (IsolationLoss::Lga, turned * x)] {
                let loss = Tensor::<B, 1>::from_floats([x], &Default::default()).require_grad();
                let held = held_up(loss.clone(), how, 0.5);
                let grads = held.backward();
                let slope: f32 = loss.grad(&grads).unwrap().into_scalar();
                assert_eq!((slope, held.into_scalar()), (turned, value), "{how:?} at {x}");
            }
        }
    }

    /// Every number of a network, running statistics included.
    fn weights(net: &Net<B>) -> Vec<f32> {
        struct Numbers(Vec<f32>);
        impl burn::module::ModuleVisitor<Flex> for Numbers {
            fn visit_float<const D: usize>(&mut self, param: &burn::module::Param<Tensor<Flex, D>>) {
                self.0.extend(param.val().into_data().to_vec::<f32>().unwrap());
            }
        }
        let mut numbers = Numbers(Vec::new());
        burn::module::Module::visit(net, &mut numbers);
        numbers.0
    }

    fn planted(changes: &[(&str, &str)]) -> Planted {
        let own = [("defense.epochs", "2"), ("defense.batch", "40"), ("defense.isolation_epochs", "6"), ("defense.isolation_ratio", "0.1")];
        Planted::new(&[70, 70, 70, 70], 30).with("abl", &[&own[..], changes].concat())
    }

    /// Runs steps `from` up to `to`, at the settings' learning rates; what was found on the way.
    fn walk(learner: &mut Unlearning<'_, B>, from: u64, to: u64) -> Vec<Evidence> {
        let schedule = learner.case.spec.schedule(Stage::Defense, &learner.pace);
        for step in (from..to).take_while(|_| !learner.known.ended).collect::<Vec<_>>() {
            if !learner.done() {
                learner.step(step, schedule.lr(step));
            }
        }
        learner.evidence()
    }

    fn settings(planted: &Planted) -> spec::Abl {
        match &planted.spec.defense.method {
            spec::Method::Abl(settings) => settings.clone(),
            _ => spec::Abl::default(),
        }
    }

    /// Thirty of 310 images share a white half, and are learned first.
    #[test]
    fn what_is_planted_is_learned_first_and_isolated() {
        let planted = planted(&[("defense.isolation_lr", "0.05")]);
        let (case, settings) = (planted.case(), settings(&planted));
        let mut learner = Unlearning::new(&case, &settings);
        let isolated = learner.pace.begin(1);
        let found = walk(&mut learner, 0, isolated);
        let [Evidence::Isolation(found)] = &found[..] else { panic!("{found:?}") };
        assert_eq!((found.detection.removed, found.detection.poisoned), (31, 30));
        assert!(found.detection.hits >= 28, "{:?}", found.detection);
    }

    /// Written down at any step and read back, it goes on to the same numbers.
    #[test]
    fn it_goes_on_from_any_step_to_the_same_numbers() {
        let planted = planted(&[("defense.isolation_epochs", "2"), ("defense.unlearn_epochs", "2"), ("defense.isolation_ratio", "0.2")]);
        let (case, settings) = (planted.case(), settings(&planted));
        let end = Unlearning::new(&case, &settings).pace.steps();
        let dir = tempfile::tempdir().unwrap();
        let now = |learner: &Unlearning<'_, B>| (weights(&learner.trainer.model.valid()), learner.known.clone());
        let mut whole = Unlearning::new(&case, &settings);
        let mut states = vec![now(&whole)];
        for step in 0..end {
            walk(&mut whole, step, step + 1);
            whole.save(&Files::of(dir.path(), step + 1)).unwrap();
            states.push(now(&whole));
        }
        assert_eq!(whole.known.isolated.len(), 62);
        for step in 1..end {
            let mut late = Unlearning::new(&case, &settings);
            late.restore(&Files::of(dir.path(), step), step).unwrap();
            for ahead in step..end {
                assert!(now(&late) == states[ahead as usize], "read back at step {step} of {end}, it differs at {ahead}");
                walk(&mut late, ahead, ahead + 1);
            }
            assert!(now(&late) == states[end as usize], "read back at step {step}, it ends elsewhere");
        }
    }

    /// The ascent is ended in the epoch that costs too much, and what that epoch did is taken back.
    #[test]
    fn the_guard_ends_the_ascent_and_takes_its_last_epoch_back() {
        let planted = planted(&[("defense.unlearn_lr", "5"), ("defense.lr", "0.05"), ("defense.largest_fall", "0.02")]);
        let (case, settings) = (planted.case(), settings(&planted));
        let mut learner = Unlearning::new(&case, &settings);
        let (begin, end) = (learner.pace.begin(2), learner.pace.steps());
        walk(&mut learner, 0, begin);
        let before = (learner.accuracy(), weights(&learner.trainer.model.valid()));
        let found = walk(&mut learner, begin, end);
        let [Evidence::Guard(guard)] = &found[..] else { panic!("{found:?}") };
        assert_eq!((guard.epoch, guard.before), (1, before.0));
        assert!(guard.after < guard.before - 0.02 && learner.done());
        assert!(weights(&learner.trainer.model.valid()) == before.1, "the weights are others");
        let dir = tempfile::tempdir().unwrap();
        let files = Files::of(dir.path(), begin + 1);
        learner.save(&files).unwrap();
        let mut later = Unlearning::new(&case, &settings);
        later.restore(&files, begin + 1).unwrap();
        assert!(later.done());
    }
}
