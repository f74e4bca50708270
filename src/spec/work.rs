//! How much arithmetic a run is, from its settings alone, and how long that takes at a measured speed.
//!
//! What counts are the multiply-adds of convolutions. Normalisation, augmentation and reading images are in a measured speed
//! and scale with it, more or less: an estimate from another network's speed is a rough one, and says so.

use super::{Data, Method, Model, Pace, Pattern, RunSpec, Stage, Stages, Trigger};

/// Passes of one training step: forward, gradient of the inputs, gradient of the weights.
const BACK_AND_FORTH: f64 = 3.0;
/// Training images by whose neighbours an encoder is watched; each look computes their features anew.
const BANK: f64 = 2_000.0;
/// Classes of a set that only the disk knows.
const CLASSES: usize = 10;
/// NAD's student has the teacher's forward pass beside its own three.
const WITH_TEACHER: f64 = 4.0 / 3.0;

/// Training images of one epoch of `stage`.
pub fn epoch_images(spec: &RunSpec, stage: Stage) -> usize {
    match stage {
        Stage::Pretrain | Stage::Attack | Stage::Reinjection => spec.data.train_images(),
        Stage::Defense if spec.defense.filters() => spec.data.train_images(),
        Stage::Defense => spec.clean_images(spec.downstream.as_ref().unwrap_or(&spec.data).train_images()),
    }
}

/// The phases of `stage`, as far as the settings tell: how many images AC and Spectral keep is known once they have looked.
pub fn pace(spec: &RunSpec, stage: Stage) -> Pace {
    spec.pace(stage, epoch_images(spec, stage))
}

/// Images that go through training in `stage`, all epochs.
fn trained(spec: &RunSpec, stage: Stage) -> f64 {
    let (images, batch) = (epoch_images(spec, stage), spec.batch(stage) as u64);
    let of = |p: &super::Phase| p.epochs * (p.steps_per_epoch * batch).min(images as u64);
    pace(spec, stage).phases().iter().map(of).sum::<u64>() as f64
}

/// Multiply-adds of what a defense looks for before it trains, at the most; `net`: of one image, forward.
fn search(spec: &RunSpec, net: f64) -> f64 {
    let images = epoch_images(spec, Stage::Defense) as f64;
    match &spec.defense.method {
        // Forward and back to the image, for each class.
        Method::NeuralCleanse(s) => spec.data.classes().unwrap_or(CLASSES) as f64 * s.passes as f64 * images * 2.0 * net,
        Method::Ac(_) | Method::Spectral(_) | Method::FinePruning(_) => images * net,
        _ => 0.0,
    }
}

/// The stages of a run, in order.
pub fn stages(spec: &RunSpec) -> impl Iterator<Item = Stage> {
    let model_first = matches!(&spec.attack.trigger, Trigger::Lf(lf) if lf.pattern == Pattern::Universal);
    let first = if spec.pretrain.is_some() || model_first { Stage::Pretrain } else { Stage::Attack };
    [Stage::Pretrain, Stage::Attack, Stage::Defense].into_iter().filter(move |s| *s >= first)
}

/// Times that an image goes through the network, forward and back, in a step of `stage`: an encoder sees two views of it;
/// BadEncoder the image, the image with the trigger and a variant of the reference.
pub fn passes(spec: &RunSpec, stage: Stage) -> f64 {
    match (stage, &spec.pretrain, &spec.defense.method) {
        (Stage::Pretrain, Some(_), _) => 2.0,
        (Stage::Attack, Some(_), _) => 3.0,
        (Stage::Defense, _, Method::ClassifierOnly(_)) => 0.02,
        (Stage::Defense, _, Method::Nad(_)) => WITH_TEACHER,
        _ => 1.0,
    }
}

/// Whether every step of `stage` costs alike and is the network's: only then its speed says something about others.
pub fn typical(spec: &RunSpec, stage: Stage) -> bool {
    let two_parts = matches!(stage, Stage::Attack | Stage::Reinjection) && matches!(spec.attack.trigger, Trigger::InputAware(_));
    let searched = stage == Stage::Defense && (matches!(spec.defense.method, Method::NeuralCleanse(_)) || passes(spec, stage) == WITH_TEACHER);
    passes(spec, stage) >= 1.0 && !two_parts && !searched
}

/// The network in a word or two, for instance `preact-small`: what speeds are kept by.
pub fn network(model: &Model) -> String {
    match model {
        Model::Preact(stages) | Model::Resnet(stages) => {
            let widths: Vec<String> = stages.widths.iter().map(ToString::to_string).collect();
            format!("{} {} x {}", model.name(), widths.join("-"), stages.blocks)
        }
        named => named.name().to_owned(),
    }
}

/// Multiply-adds of the network for one image of `side` pixels, forward. Both families have the same convolutions.
pub fn forward(Stages { widths, blocks }: &Stages, side: usize) -> f64 {
    let (mut side, mut inputs, mut sum) = (side, 3, 0);
    for (stage, &width) in widths.iter().enumerate() {
        if stage == 0 {
            sum += 9 * inputs * width * side * side;
            inputs = width;
        }
        for block in 0..*blocks {
            let halves = stage > 0 && block == 0;
            side = if halves { side.div_ceil(2) } else { side };
            let shortcut = if halves || inputs != width { inputs * width } else { 0 };
            sum += (9 * inputs * width + 9 * width * width + shortcut) * side * side;
            inputs = width;
        }
    }
    sum as f64
}

/// Multiply-adds of one of Input-aware's generators for one image of `side` pixels, forward.
fn generator(widths: &[usize], outputs: usize, side: usize) -> f64 {
    let at = |level: usize| (side >> level) * (side >> level);
    let mut sum = 0;
    for (level, &width) in widths.iter().enumerate() {
        let inputs = level.checked_sub(1).map_or(3, |below| widths[below]);
        let next = level.checked_sub(1).map_or(outputs, |below| widths[below]);
        // Down and up again at the same resolution.
        sum += 9 * (inputs * width + width * width + width * width + width * next) * at(level);
    }
    let deepest = widths.last().copied().unwrap_or_default();
    (sum + 9 * deepest * deepest * at(widths.len())) as f64
}

fn side(data: &Data) -> usize {
    match data {
        Data::Stl10(s) | Data::Stl10Unlabeled(s) | Data::Gtsrb(s) => s.size,
        Data::Idx(s) | Data::Folder(s) => s.size,
        _ => super::data::SIDE,
    }
}

/// Multiply-adds of training in `stage`, all epochs.
fn training(spec: &RunSpec, stage: Stage) -> f64 {
    let (images, side) = (epoch_images(spec, stage) as f64, side(&spec.data));
    let net = forward(&spec.model.stages(), side);
    match (&spec.attack.trigger, stage) {
        (Trigger::InputAware(own), Stage::Attack) => {
            let (pattern, mask) = (generator(&own.generator_widths, 3, side), generator(&own.generator_widths, 1, side));
            // Two images for the diversity of masks; then a share of each batch goes through both generators.
            let masks = own.mask_epochs as f64 * 2.0 * BACK_AND_FORTH * mask;
            let triggered = spec.attack.poison_ratio * (1.0 + own.cross_ratio);
            let joint = spec.attack.epochs as f64 * (BACK_AND_FORTH * net + triggered * (BACK_AND_FORTH * pattern + mask));
            images * (masks + joint)
        }
        (_, Stage::Defense) => trained(spec, stage) * passes(spec, stage) * BACK_AND_FORTH * net + search(spec, net),
        _ => images * spec.epochs(stage) as f64 * passes(spec, stage) * BACK_AND_FORTH * net,
    }
}

/// Multiply-adds of a step of `stage` for each of its images, on the average.
pub fn per_image(spec: &RunSpec, stage: Stage) -> f64 {
    training(spec, stage) / (epoch_images(spec, stage) as f64 * spec.epochs(stage) as f64).max(1.0)
}

/// Multiply-adds of the looks at the test set in `stage`: clean and triggered, before the first epoch, after each, and at
/// the end; at the fixed subset in between.
fn looks(spec: &RunSpec, stage: Stage) -> f64 {
    let second = spec.downstream.as_ref().filter(|_| stage == Stage::Defense || stage == Stage::Attack && spec.pretrain.is_some());
    let test = second.unwrap_or(&spec.data).test_images() as f64;
    let side = side(&spec.data);
    let net = forward(&spec.model.stages(), side);
    let made = match &spec.attack.trigger {
        Trigger::InputAware(own) if stage == Stage::Attack => generator(&own.generator_widths, 3, side) + generator(&own.generator_widths, 1, side),
        _ => 0.0,
    };
    let bank = if spec.pretrain.is_some() && stage != Stage::Defense { BANK * net } else { 0.0 };
    let look = |images: f64| images * (2.0 * net + made) + bank;
    let epochs = spec.epochs(stage);
    let probes = pace(spec, stage).steps().saturating_sub(epochs) / spec.watch.probe_every.max(1);
    // Before the first epoch, after it, and at the end besides.
    let tests = epochs / spec.watch.test_every.max(1) + if spec.watch.test_every > 1 { 3 } else { 2 };
    tests as f64 * look(test) + probes as f64 * look((spec.watch.probe_images as f64).min(test))
}

/// Multiply-adds of the stages after `stage`, or of all.
pub fn to_come(spec: &RunSpec, stage: Option<Stage>) -> f64 {
    whole(spec, |s| stage.is_none_or(|here| s > here))
}

/// Multiply-adds of one cell of a sweep: the defense alone, or the backdoored model with all that comes before it.
pub fn of_cell(spec: &RunSpec, stage: Stage) -> f64 {
    whole(spec, |s| (s == Stage::Defense) == (stage == Stage::Defense))
}

fn whole(spec: &RunSpec, wanted: impl Fn(Stage) -> bool) -> f64 {
    stages(spec).filter(|s| wanted(*s)).map(|s| training(spec, s) + looks(spec, s)).sum()
}

/// How fast a device trains a network.
#[derive(Clone, Debug, PartialEq)]
pub struct Speed {
    /// The network, as [`network`] says it.
    pub network: String,
    /// Its multiply-adds for one image, forward.
    pub forward: f64,
    /// Multiply-adds a second.
    pub per_second: f64,
    /// Runs that it was measured in; 0: a short test.
    pub runs: usize,
}

/// The speed `per_second` of the network of `spec`, measured in `runs`.
pub fn speed(spec: &RunSpec, per_second: f64, runs: usize) -> Speed {
    Speed { network: network(&spec.model), forward: forward(&spec.model.stages(), side(&spec.data)), per_second, runs }
}

/// What is known about a device's speed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Speeds {
    /// Network by network.
    known: Vec<Speed>,
    /// Whether something else used the processor during a test that speeds come from.
    pub disturbed: bool,
}

/// Where an estimate comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Basis {
    /// So many runs of the same network on the same device.
    Runs(usize),
    /// A short test of the same network on the same device.
    Test,
    /// The speed of another network.
    Scaled(String),
}

/// How long a run takes from its start to its end.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    /// Seconds of training and of looks at the test set.
    pub seconds: f64,
    /// Where the speed comes from.
    pub basis: Basis,
}

impl Speeds {
    /// Takes in a speed, instead of an older one of the same network.
    pub fn insert(&mut self, speed: Speed) {
        if speed.per_second > 0.0 && speed.per_second.is_finite() {
            self.known.retain(|other| other.network != speed.network);
            self.known.push(speed);
        }
    }

    /// Takes in `others`, except for networks that are known better.
    pub fn fill(&mut self, others: Self) {
        let known: Vec<String> = self.known.iter().map(|s| s.network.clone()).collect();
        self.disturbed |= others.disturbed;
        others.known.into_iter().filter(|s| !known.contains(&s.network)).for_each(|s| self.insert(s));
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// What is known, network by network.
    pub fn iter(&self) -> impl Iterator<Item = &Speed> {
        self.known.iter()
    }

    /// How long `spec` takes, by the speed of its network, else by that of the network nearest in size; `None` when
    /// nothing is known.
    pub fn estimate(&self, spec: &RunSpec) -> Option<Estimate> {
        self.takes(spec, to_come(spec, None))
    }

    /// As [`Self::estimate`], for a cell of a sweep that computes `stage`.
    pub fn cell(&self, spec: &RunSpec, stage: Stage) -> Option<Estimate> {
        self.takes(spec, of_cell(spec, stage))
    }

    /// As [`Self::estimate`], for one re-injection with the settings `spec` ([`RunSpec::reinjection`]).
    pub fn again(&self, spec: &RunSpec) -> Option<Estimate> {
        self.takes(spec, training(spec, Stage::Reinjection) + looks(spec, Stage::Reinjection))
    }

    fn takes(&self, spec: &RunSpec, work: f64) -> Option<Estimate> {
        let (name, size) = (network(&spec.model), forward(&spec.model.stages(), side(&spec.data)));
        let distance = |speed: &&Speed| (speed.network != name, (speed.forward / size).ln().abs());
        let nearest = self.known.iter().min_by(|a, b| distance(a).partial_cmp(&distance(b)).unwrap_or(std::cmp::Ordering::Equal))?;
        let basis = match (nearest.network == name, nearest.runs) {
            (false, _) => Basis::Scaled(nearest.network.clone()),
            (true, 0) => Basis::Test,
            (true, runs) => Basis::Runs(runs),
        };
        Some(Estimate { seconds: work / nearest.per_second, basis })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::preset;

    #[test]
    fn the_cells_of_a_run_take_as_long_as_the_run() {
        let mut speeds = Speeds::default();
        speeds.insert(speed(&of("demo"), 1e9, 1));
        for name in ["demo", "demo-encoder", "demo-input-aware", "demo-nc"] {
            let seconds = |stage| speeds.cell(&of(name), stage).unwrap().seconds;
            let all = speeds.estimate(&of(name)).unwrap().seconds;
            assert!(((seconds(Stage::Attack) + seconds(Stage::Defense)) / all - 1.0).abs() < 1e-9);
        }
    }

    fn of(name: &str) -> RunSpec {
        preset::load(name).unwrap().spec
    }

    /// The published network at 32 x 32, as profilers count it (convolutions alone): 555.4 million.
    #[test]
    fn resnet18_has_its_known_cost() {
        let counted = forward(&Model::PreactResnet18.stages(), 32);
        let by_hand = 1024.0 * (27.0 * 64.0 + 4.0 * 9.0 * 64.0 * 64.0)
            + 256.0 * (9.0 * 128.0 * (64.0 + 3.0 * 128.0) + 64.0 * 128.0)
            + 64.0 * (9.0 * 256.0 * (128.0 + 3.0 * 256.0) + 128.0 * 256.0)
            + 16.0 * (9.0 * 512.0 * (256.0 + 3.0 * 512.0) + 256.0 * 512.0);
        assert_eq!(counted, by_hand);
        assert!((counted / 1e6 - 555.4).abs() < 0.1, "{counted}");
    }

    /// 13 convolutions at 32, 16, 8 and 4 pixels, worked out apart from the code.
    #[test]
    fn a_generator_has_its_known_cost() {
        let at_32 = 3 * 32 + 32 * 32 + 32 * 32 + 32 * 3;
        let at_16 = 32 * 64 + 64 * 64 + 64 * 64 + 64 * 32;
        let at_8 = 64 * 128 + 128 * 128 + 128 * 128 + 128 * 64;
        let expected = 9 * (1024 * at_32 + 256 * at_16 + 64 * at_8 + 16 * 128 * 128);
        assert_eq!(generator(&[32, 64, 128], 3, 32), f64::from(expected));
    }

    #[test]
    fn training_is_images_times_epochs_times_three_passes() {
        let spec = of("paper-cifar10");
        let net = forward(&Model::PreactResnet18.stages(), 32);
        assert_eq!(training(&spec, Stage::Attack), 50_000.0 * 200.0 * 3.0 * net);
        assert_eq!(training(&spec, Stage::Defense), 50_000.0 * 100.0 * 3.0 * net);
        assert_eq!(per_image(&spec, Stage::Attack), 3.0 * net);
        // 10,000 clean and as many triggered images after each of 200 epochs, before them and at the end.
        let whole = 202.0 * 2.0 * 10_000.0 * net;
        // 19 looks at 256 images within each epoch of 195 steps.
        let within = 200.0 * 19.0 * 2.0 * 256.0 * net;
        assert!((looks(&spec, Stage::Attack) / (whole + within) - 1.0).abs() < 0.03);
        let universal = spec.with("attack.name", "lf", "test").unwrap().with("attack.pattern", "universal", "test").unwrap();
        assert_eq!(stages(&universal).next(), Some(Stage::Pretrain));
        assert!(to_come(&universal, None) > 1.6 * to_come(&spec, None));
    }

    #[test]
    fn an_estimate_says_where_it_comes_from() {
        let mut speeds = Speeds::default();
        let (demo, paper) = (of("demo"), of("paper-cifar10"));
        assert_eq!(speeds.estimate(&demo), None);
        let speed = |name: &str, per_second, runs| speed(&of(name), per_second, runs);
        speeds.insert(speed("demo", 8e10, 0));
        assert_eq!(speeds.estimate(&demo).unwrap().basis, Basis::Test);
        assert_eq!(speeds.estimate(&paper).unwrap().basis, Basis::Scaled("preact-small".to_owned()));
        let before = speeds.estimate(&paper).unwrap().seconds;
        speeds.insert(speed("paper-cifar10", 1.6e11, 2));
        let after = speeds.estimate(&paper).unwrap();
        assert_eq!((after.basis, (before / after.seconds).round()), (Basis::Runs(2), 2.0));
        // A network between the two goes by the nearer one.
        let wide = demo.with("model.name", "preact", "test").unwrap().with("model.widths", "64,128,256", "test").unwrap();
        assert_eq!(speeds.estimate(&wide).unwrap().basis, Basis::Scaled("preact-resnet18".to_owned()));
        let mut more = Speeds::default();
        more.insert(speed("demo", 1.0, 9));
        speeds.fill(more);
        assert_eq!(speeds.estimate(&demo).unwrap().basis, Basis::Test);
    }
}
