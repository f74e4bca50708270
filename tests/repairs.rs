//! Fine-pruning, NAD and Neural Cleanse on networks of which the answer is known: NAD against PyTorch
//! (tests/nad_reference/generate.py), Neural Cleanse on a planted backdoor.

mod common;

use burn::backend::{Autodiff, Flex};
use burn::module::AutodiffModule;
use burn::prelude::*;
use common::formula::{close, filled, floats, formula};
use rand::RngExt;
use serde_json::Value;
use tuneout::data::{Dataset, Images, Normalise, Split};
use tuneout::defense::{Case, Halt, build};
use tuneout::model::{Mode, PreActResNet, store};
use tuneout::rng;
use tuneout::run::evidence::{Attention, Evidence, Pruning, Reversal, Reversals};
use tuneout::spec::{Augment, Defense, FinePruning, Method, Model, Nad, NeuralCleanse, RunSpec, Stages};
use tuneout::train::checkpoint::Files;
use tuneout::train::{Batches, Classifier, Learner, Lens, Lookup, Sgd, Trainer, examiner};

type B = Autodiff<Flex>;

const CLASSES: usize = 5;
const STEPS: u64 = 5;
const TEACHER: u64 = 2;
const LR: f64 = 1e-3;

/// What a case borrows.
struct Setting {
    spec: RunSpec,
    model: PreActResNet<B>,
    data: Dataset,
    lookup: Lookup,
    lens: Lens,
}

fn network() -> Model {
    Model::Preact(Stages { widths: vec![8, 12, 16, 24], blocks: 1 })
}

/// Pictures and labels of `generate.py`.
fn pictures(count: usize) -> Split {
    let pixels = (0..count * 3072).map(|i| ((formula(50, i) + 0.5) * 256.0).floor().clamp(0.0, 255.0) as u8).collect();
    Split { images: Images { shape: [3, 32, 32], pixels }, labels: (0..count).map(|i| (i * 3 % CLASSES) as u16).collect() }
}

impl Setting {
    /// `generate.py`'s: 8 pictures, all in one step, nothing augmented, two epochs of teacher and three of student.
    fn nad(bb_compat: bool) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let model = filled::<B>(&network(), CLASSES, dir.path()).0;
        let method = Method::Nad(Nad { teacher_epochs: TEACHER, bb_compat, ..Nad::default() });
        Self::new(network(), model, pictures(8), Defense { method, epochs: STEPS - TEACHER, batch: 8, ..Defense::default() })
    }

    fn new(network: Model, model: PreActResNet<B>, split: Split, defense: Defense) -> Self {
        let normalise = Normalise { mean: [0.5; 3], std: [0.25; 3] };
        let classes: Vec<String> = (0..=split.labels.iter().copied().max().unwrap_or_default()).map(|c| c.to_string()).collect();
        let lens = Lens::new(&split, &classes, None, 2, None);
        let data = Dataset { name: "formula".to_owned(), classes, normalise, train: split.clone(), test: split };
        let augment = Augment { crop_padding: 0, flip: false };
        Self { spec: RunSpec { model: network, defense, augment, ..RunSpec::default() }, model, lookup: Lookup::new(&normalise), data, lens }
    }

    fn case(&self) -> Case<'_, B> {
        Case {
            spec: &self.spec,
            model: self.model.clone(),
            data: &self.data,
            clean: &self.data.train,
            poisoned: None,
            lookup: &self.lookup,
            lens: &self.lens,
            device: Default::default(),
        }
    }
}

fn loss(learner: &mut dyn Learner<B>, step: u64) -> f32 {
    learner.step(step, LR).into_scalar()
}

fn confidences(learner: &dyn Learner<B>, images: &Images) -> Vec<f32> {
    (learner.examiner())(images).answers().iter().map(|a| a.confidence).collect()
}

fn maps(learner: &mut dyn Learner<B>) -> Attention {
    match learner.evidence().pop() {
        Some(Evidence::Attention(attention)) => attention,
        other => panic!("{other:?}"),
    }
}

fn reference(name: &str) -> Value {
    let all: Value = serde_json::from_str(include_str!("nad_reference/reference.json")).unwrap();
    all[name].clone()
}

fn is_pytorchs(name: &str, bb_compat: bool) {
    let (setting, reference) = (Setting::nad(bb_compat), reference(name));
    let case = setting.case();
    let defense = build::<B>(&setting.spec);
    let mut learner = defense.learner(&case);
    let losses: Vec<f32> = (0..STEPS).map(|step| loss(learner.as_mut(), step)).collect();
    close(&losses, &floats(&reference["losses"]), 2e-3);
    close(&confidences(learner.as_ref(), &setting.data.train.images), &floats(&reference["confidences"]), 2e-3);
}

#[test]
fn losses_and_steps_are_pytorchs() {
    is_pytorchs("default", false);
}

/// spec.md 12(10): what is left after averaging over pixels has one map, whatever the network sees.
#[test]
fn the_third_term_of_the_published_groups_is_nothing() {
    is_pytorchs("bb_compat", true);
    let terms = reference("bb_compat")["terms"].as_array().unwrap().iter().map(|t| t[2].as_f64().unwrap()).fold(0.0, f64::max);
    assert!(terms < 1e-9, "{terms}");
    let setting = Setting::nad(true);
    let (case, defense) = (setting.case(), build::<B>(&setting.spec));
    let mut learner = defense.learner(&case);
    for step in 0..STEPS {
        loss(learner.as_mut(), step);
    }
    let groups = maps(learner.as_mut()).groups;
    assert_eq!(groups.iter().map(|g| (g.name.as_str(), g.side)).collect::<Vec<_>>(), [("layer3", 8), ("layer4", 4), ("avgpool", 1)]);
    assert!(groups[0].distance > 1e-6 && groups[1].distance > 1e-6 && groups[2].distance < 1e-9, "{groups:?}");
}

/// The student begins where the teacher began; maps are small, and 255 where they are largest.
#[test]
fn the_teacher_is_looked_at_first_and_then_the_student() {
    let setting = Setting::nad(false);
    let (case, defense, images) = (setting.case(), build::<B>(&setting.spec), &setting.data.train.images);
    let mut learner = defense.learner(&case);
    let backdoored = confidences(learner.as_ref(), images);
    assert!(maps(learner.as_mut()).groups.iter().all(|g| g.distance == 0.0 && g.teacher == g.student));
    for step in 0..TEACHER {
        loss(learner.as_mut(), step);
    }
    let taught = confidences(learner.as_ref(), images);
    let at_rest = maps(learner.as_mut());
    loss(learner.as_mut(), TEACHER);
    let student = confidences(learner.as_ref(), images);
    assert!(backdoored != taught && taught != student);
    let now = maps(learner.as_mut());
    for (before, after) in at_rest.groups.iter().zip(&now.groups) {
        assert_eq!(before.teacher, after.teacher, "a teacher who teaches learns no more");
        assert_eq!((after.teacher.len(), after.student.len()), (after.side * after.side, after.side * after.side));
        assert!(after.side <= 8 && after.teacher.contains(&255) && after.student.contains(&255));
    }
    assert_eq!(now.groups.iter().map(|g| g.name.as_str()).collect::<Vec<_>>(), ["layer2", "layer3", "layer4"]);
}

/// Stopped after any epoch, it ends in the same numbers.
#[test]
fn both_networks_go_on_from_any_epoch() {
    let setting = Setting::nad(false);
    let (case, defense, images) = (setting.case(), build::<B>(&setting.spec), &setting.data.train.images);
    let mut through = defense.learner(&case);
    let dir = tempfile::tempdir().unwrap();
    let losses: Vec<f32> = (0..STEPS)
        .map(|step| {
            through.save(&Files::of(dir.path(), step)).unwrap();
            loss(through.as_mut(), step)
        })
        .collect();
    for start in 0..STEPS {
        let mut again = defense.learner(&case);
        again.restore(&Files::of(dir.path(), start), start).unwrap();
        let rest: Vec<f32> = (start..STEPS).map(|step| loss(again.as_mut(), step)).collect();
        assert_eq!(rest, losses[start as usize..], "from step {start}");
        assert_eq!(confidences(again.as_ref(), images), confidences(through.as_ref(), images));
        assert_eq!(maps(again.as_mut()), maps(through.as_mut()));
    }
}

fn pruning(evidence: &[Evidence]) -> Pruning {
    match evidence {
        [Evidence::Pruning(pruning)] => pruning.clone(),
        other => panic!("{other:?}"),
    }
}

/// A network that answers all pictures right: their labels are its answers.
fn all_right() -> Setting {
    let dir = tempfile::tempdir().unwrap();
    let model = filled::<B>(&network(), CLASSES, dir.path()).0;
    let method = Method::FinePruning(FinePruning { prune_step: 0.1, largest_fall: 0.5, ..FinePruning::default() });
    let mut setting = Setting::new(network(), model, pictures(40), Defense { method, epochs: 3, batch: 16, ..Defense::default() });
    let plain = setting.model.valid();
    let ask = examiner(|x| plain.forward(x, Mode::Eval), &setting.lookup, Default::default());
    let labels = ask(&setting.data.train.images).answers().into_iter().map(|a| a.class).collect();
    drop(ask);
    setting.data.train.labels = labels;
    setting
}

/// Mean activations are those of the images that are not held out; pruned channels say nothing, through training and
/// through a checkpoint, and what was found is recalled.
#[test]
fn pruned_channels_stay_pruned() {
    let setting = all_right();
    let (case, mut defense, dir) = (setting.case(), build::<B>(&setting.spec), tempfile::tempdir().unwrap());
    let found = pruning(&defense.search(&case, &mut |_, _, _| true).unwrap());
    assert_eq!(defense.images(&case), 32);
    assert_eq!((found.order.len(), found.steps[0], found.steps[1].0, found.limit), (24, (0, 1.0), 3, 0.5));
    assert!(found.pruned > 0 && found.pruned.is_multiple_of(3) && found.activations.is_sorted(), "{found:?}");
    for (name, bytes) in defense.files().unwrap() {
        std::fs::write(dir.path().join(name), bytes).unwrap();
    }
    let mut recalled = build::<B>(&setting.spec);
    recalled.recall(&case, dir.path()).unwrap();
    let (mut first, mut second) = (defense.learner(&case), recalled.learner(&case));
    let silent = |learner: &dyn Learner<B>, step: u64| {
        let files = Files::of(dir.path(), step);
        learner.save(&files).unwrap();
        let net = store::load(setting.model.valid(), &files.weights).unwrap();
        let only = |channels: &[u32]| {
            let mut features = [0f32; 24];
            channels.iter().for_each(|&c| features[c as usize] = 1.0);
            net.classify(Tensor::<Flex, 2>::from_data(TensorData::new(features.to_vec(), [1, 24]), &Default::default()))
                .into_data()
                .to_vec::<f32>()
                .unwrap()
        };
        let (pruned, kept) = found.order.split_at(found.pruned);
        assert_eq!(only(pruned), only(&[]), "step {step}");
        assert!(kept.iter().all(|c| only(&[*c]) != only(&[])));
    };
    silent(first.as_ref(), 0);
    let losses: Vec<f32> = (0..4).map(|step| loss(first.as_mut(), step)).collect();
    silent(first.as_ref(), 4);
    assert_eq!((0..4).map(|step| loss(second.as_mut(), step)).collect::<Vec<_>>(), losses);
    let mut third = recalled.learner(&case);
    third.restore(&Files::of(dir.path(), 4), 4).unwrap();
    assert_eq!(loss(third.as_mut(), 4), loss(second.as_mut(), 4));
    silent(third.as_ref(), 5);
    std::fs::write(dir.path().join("pruning.json"), b"{").unwrap();
    let message = build::<B>(&setting.spec).recall(&case, dir.path()).unwrap_err().to_string();
    assert!(message.contains("pruning.json"), "{message}");
}

/// Side of the planted pictures.
const SIDE: usize = 16;
/// The planted backdoor's class and square: a white one of 3 x 3 pixels in the lower right corner.
const TARGET: u16 = 3;

/// Waves whose direction is their class, with a random phase and noise.
fn waves(count: usize, seed: u64) -> Split {
    let mut rng = rng::stream(seed, "waves", 0);
    let (mut pixels, mut labels) = (Vec::with_capacity(count * 3 * SIDE * SIDE), Vec::with_capacity(count));
    for i in 0..count {
        let (class, phase) = (i % 7, rng.random_range(0.0..std::f64::consts::TAU));
        let angle = class as f64 * std::f64::consts::PI / 7.0;
        for at in 0..3 * SIDE * SIDE {
            let (y, x) = ((at / SIDE % SIDE) as f64, (at % SIDE) as f64);
            let wave = (phase + 1.4 * (x * angle.cos() + y * angle.sin())).sin();
            pixels.push((128.0 + 80.0 * wave + rng.random_range(-25.0..25.0)) as u8);
        }
        labels.push(class as u16);
    }
    Split { images: Images { shape: [3, SIDE, SIDE], pixels }, labels }
}

fn corner(at: usize) -> bool {
    at / SIDE % SIDE >= SIDE - 3 && at % SIDE >= SIDE - 3
}

/// What a search found, and the files that it leaves.
type Search = (Reversals, Vec<(String, Vec<u8>)>);

/// What Neural Cleanse finds in a network that was trained on waves, a share of them with the square and its label.
fn cleansed(poisoned: usize, watch: &mut dyn FnMut(&str, usize, usize) -> bool) -> Result<Search, Halt> {
    let network = Model::Preact(Stages { widths: vec![8, 16], blocks: 1 });
    let model = PreActResNet::new(&network.stages(), 7, &mut rng::stream(0, "net", 0), &Default::default());
    let method = Method::NeuralCleanse(NeuralCleanse { passes: 60, early_patience: 15, ..NeuralCleanse::default() });
    let mut setting = Setting::new(network, model, waves(105, 1), Defense { method, batch: 35, ..Defense::default() });
    let mut split = waves(700, 0);
    for i in 0..poisoned {
        // Neighbours are of different classes.
        split.labels[i] = TARGET;
        split.images.get_mut(i).iter_mut().enumerate().filter(|(at, _)| corner(*at)).for_each(|(_, p)| *p = 255);
    }
    let trainer = Trainer { model: setting.model.clone(), sgd: Sgd::new(0.9, 5e-4), device: Default::default() };
    let source = Batches::new(&split, &setting.lookup, &setting.spec.augment, 35, 0, "attack");
    let mut learner = Classifier { source: Box::new(source), trainer, lookup: &setting.lookup, steps_per_epoch: 20 };
    for step in 0..400 {
        Learner::step(&mut learner, step, 0.05);
    }
    setting.model = learner.trainer.model.clone();
    drop(learner);
    let mut defense = build::<B>(&setting.spec);
    let evidence = defense.search(&setting.case(), watch)?;
    match &evidence[..] {
        [Evidence::Reversals(reversals)] => Ok((reversals.clone(), defense.files().unwrap())),
        other => panic!("{other:?}"),
    }
}

/// The planted class is flagged, and its patch is far smaller than any other and as compact as the square. Another class may be
/// flagged too: the deviation of seven norms says little.
#[test]
fn neural_cleanse_finds_the_planted_square() {
    let (found, files) = cleansed(105, &mut |_, _, _| true).unwrap();
    let (target, others): (Vec<&Reversal>, Vec<&Reversal>) = found.labels.iter().partition(|l| l.label == TARGET);
    assert!(target[0].flagged && others.iter().all(|l| 4.0 * target[0].norm < l.norm && l.anomaly < target[0].anomaly), "{found:?}");
    let mask = &files.iter().find(|(name, _)| *name == format!("label-{TARGET:03}-mask.png")).unwrap().1;
    let mask = image::load_from_memory(mask).unwrap().to_luma8().into_raw();
    // This small network means every pixel alike, so that the square opens it wherever it lies: the mask is as small and
    // compact as the square, but not bound to its corner. (On the drawn signs it lies there; docs/benchmarks.md.)
    let value = |y: usize, x: usize| u32::from(mask[y * SIDE + x]);
    let whole: u32 = mask.iter().map(|&v| u32::from(v)).sum();
    let window = |top: usize, left: usize| (top..top + 5).flat_map(|y| (left..left + 5).map(move |x| (y, x))).map(|(y, x)| value(y, x)).sum::<u32>();
    let densest = (0..=SIDE - 5).flat_map(|top| (0..=SIDE - 5).map(move |left| (top, left))).map(|(top, left)| window(top, left)).max().unwrap_or(0);
    assert!(f64::from(densest) > 0.5 * f64::from(whole), "{densest} of {whole} lies in one place");
}

/// Without a backdoor no class has such a patch.
#[test]
fn no_patch_of_a_clean_network_is_far_smaller_than_the_others() {
    let (found, _) = cleansed(0, &mut |_, _, _| true).unwrap();
    assert!(found.labels.iter().all(|l| l.norm > 0.5 * found.median), "{found:?}");
}

#[test]
fn a_search_ends_at_once_when_it_is_told_to() {
    let mut asked = 0;
    let ended = cleansed(0, &mut |what, done, total| {
        asked += 1;
        assert!(what.starts_with("label 1/7, pass ") && done < total, "{what} {done} {total}");
        asked < 8
    });
    assert!(matches!(ended, Err(Halt::Ended)) && asked == 8);
}
