//! Input-aware against PyTorch (tests/attack_reference/generate.py), and what the metrics count on the official sets.

mod common;

use burn::backend::Flex;
use burn::prelude::*;
use common::formula::{fill, floats, weight};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use std::path::Path;
use tuneout::attack::{Role, apply, build, diversity, poison, threshold};
use tuneout::data::{Images, Split};
use tuneout::model::{Generator, Mode, store};
use tuneout::spec::Attack;
use tuneout::train::{Exam, Posteriors, Rule};

fn reference() -> Value {
    serde_json::from_str(include_str!("attack_reference/reference.json")).unwrap()
}

fn formula(n: usize, i: usize) -> f64 {
    let noise = 43_758.545_3 * (12.9898 * (i + 1) as f64 + 78.233 * n as f64).sin();
    noise - noise.floor() - 0.5
}

fn tensor(values: Vec<f32>, shape: [usize; 4]) -> Tensor<Flex, 4> {
    Tensor::from_data(TensorData::new(values, shape), &Default::default())
}

/// Noise on blocks of 4 x 4 pixels.
fn images(count: usize) -> Tensor<Flex, 4> {
    let value = |i: usize| {
        let (plane, y, x) = (i / 1024, i / 32 % 32, i % 32);
        (4.0 * formula(1000, plane * 64 + y / 4 * 8 + x / 4) + formula(1001, i)) as f32
    };
    tensor((0..count * 3072).map(value).collect(), [count, 3, 32, 32])
}

/// A generator with the formula's weights, written in PyTorch's layout, filled there and read back; and the weights' names.
fn generator(outputs: usize, dir: &Path) -> (Generator<Flex>, Vec<String>) {
    let net = || Generator::<Flex>::new(&[4, 6, 8], outputs, &mut ChaCha8Rng::seed_from_u64(0), &Default::default());
    let file = dir.join("generator.safetensors");
    store::save(&net(), &file).unwrap();
    let names = fill(&file, |n, name, shape, i| weight(formula(n, i), name.contains("norm"), name, shape, 5.0));
    (store::load(net(), &file).unwrap(), names)
}

/// Every fifth row and seventh column, as the reference keeps them.
fn sampled(x: Tensor<Flex, 4>) -> Vec<f32> {
    let [planes, side] = [x.dims()[0] * x.dims()[1], 32];
    let values: Vec<f32> = x.into_data().to_vec().unwrap();
    let places = (0..planes).flat_map(|p| (0..side).step_by(5).flat_map(move |y| (0..side).step_by(7).map(move |x| (p * side + y) * side + x)));
    places.map(|at| values[at]).collect()
}

#[track_caller]
fn close(ours: &[f32], theirs: &[f32], tolerance: f32) {
    assert_eq!(ours.len(), theirs.len());
    for (i, (a, b)) in ours.iter().zip(theirs).enumerate() {
        assert!((a - b).abs() <= tolerance * b.abs().max(1.0), "{i}: {a} is not {b}");
    }
}

#[test]
fn the_generators_are_pytorchs() {
    let (dir, reference) = (tempfile::tempdir().unwrap(), reference());
    let keys: Vec<String> = serde_json::from_value(reference["keys"].clone()).unwrap();
    for (outputs, what) in [(3, "pattern"), (1, "mask")] {
        let (net, names) = generator(outputs, dir.path());
        assert_eq!(names, keys);
        for (mode, when) in [(Mode::Eval, "eval"), (Mode::Train, "train")] {
            close(&sampled(net.forward(images(4), mode)), &floats(&reference[format!("{what}_{when}")]), 1e-4);
        }
    }
}

#[test]
fn mask_diversity_and_trigger_are_pytorchs() {
    let (dir, reference) = (tempfile::tempdir().unwrap(), reference());
    let (x, pattern) = (images(4), generator(3, dir.path()).0.forward(images(4), Mode::Eval));
    let masks = threshold(tensor((0..4096).map(|i| (formula(9, i) + 0.5) as f32).collect(), [4, 1, 32, 32]));
    close(&sampled(masks.clone()), &floats(&reference["thr"]), 1e-5);
    let halves = |t: &Tensor<Flex, 4>| [t.clone().slice(0..2), t.clone().slice(2..4)];
    let ([a, b], [pa, pb]) = (halves(&x), halves(&pattern));
    close(&[diversity(a, b, pa, pb).into_scalar()], &floats(&reference["div"]), 1e-4);
    close(&sampled(apply(x, pattern, masks)), &floats(&reference["triggered"]), 1e-4);
}

/// Test images of GTSRB's 43 classes, as its publishers count them.
const GTSRB: [usize; 43] = [
    60, 720, 750, 450, 660, 630, 150, 450, 450, 480, 660, 420, 690, 720, 270, 210, 150, 360, 390, 60, 90, 90, 120, 150, 90, 480, 180, 60, 150, 90,
    150, 270, 60, 210, 120, 390, 120, 60, 690, 90, 90, 60, 90,
];

/// A set of so many images of each class, mixed, each 8 x 8.
fn set(counts: &[usize]) -> Split {
    let total: usize = counts.iter().sum();
    let sorted: Vec<u16> = counts.iter().enumerate().flat_map(|(class, count)| std::iter::repeat_n(class as u16, *count)).collect();
    // 7,919 is a prime that divides none of the totals.
    let labels = (0..total).map(|i| sorted[i * 7_919 % total]).collect();
    Split { images: Images { shape: [3, 8, 8], pixels: vec![100; total * 192] }, labels }
}

/// spec.md 12(7): success is counted over 9,000, 9,900 and 12,570 triggered images; those of the target class are left out.
#[test]
fn success_is_counted_over_the_other_classes_of_the_official_sets() {
    let settings = Attack::default();
    let trigger = build(&settings, [3, 8, 8], 0).unwrap().unwrap();
    for (counts, all, victims) in [(vec![1_000; 10], 10_000, 9_000), (vec![100; 100], 10_000, 9_900), (GTSRB.to_vec(), 12_630, 12_570)] {
        let exam = Exam::new(set(&counts), Some(trigger.as_ref()), Rule::Target(settings.target));
        assert_eq!((exam.clean.len(), exam.victims()), (all, victims));
        // A model that takes what has the trigger's white corner for the target, but every seventh image as what comes next.
        let asked = std::cell::Cell::new(0);
        let model = |images: &Images| -> Posteriors {
            let white = |i: usize| images.get(i)[63] == 255;
            asked.set(asked.get() + (0..images.len()).filter(|i| white(*i)).count());
            let row = |i: usize| if white(i) && !i.is_multiple_of(7) { [1.0, 0.0] } else { [0.0, 1.0] };
            Posteriors { classes: 2, values: (0..images.len()).flat_map(row).collect() }
        };
        let measured = exam.measure(&model, None, None);
        assert_eq!(asked.get(), victims);
        let missed = victims.div_ceil(7);
        assert_eq!(measured.asr, (victims - missed) as f64 / victims as f64);
        // In the transfer and the encoder scenario every image is triggered.
        assert_eq!(Exam::new(set(&counts), Some(trigger.as_ref()), Rule::Majority).victims(), all);
        assert_eq!(Exam::new(set(&counts), Some(trigger.as_ref()), Rule::Everyone(0)).victims(), all);
    }
}

/// spec.md 12(7): a tenth of the official training sets, the same for the same seed and another for another.
#[test]
fn the_poisoned_images_of_the_official_sets_follow_the_seed() {
    for (images, poisoned) in [(50_000, 5_000), (39_209, 3_921)] {
        let (clean, settings) = (set(&[images]), Attack::default());
        let trigger = build(&settings, clean.images.shape, 0).unwrap().unwrap();
        let chosen = |seed| poison(trigger.as_ref(), &settings, &clean, seed).indices(Role::Poisoned);
        assert_eq!(chosen(3).len(), poisoned);
        assert_eq!(chosen(3), chosen(3));
        assert_ne!(chosen(3), chosen(4));
    }
    // All classes, the target's included: about a tenth of the poisoned images already have its label.
    let (clean, settings) = (set(&[5_000; 10]), Attack::default());
    let trigger = build(&settings, [3, 8, 8], 0).unwrap().unwrap();
    let poisoned = poison(trigger.as_ref(), &settings, &clean, 0);
    assert_eq!(poisoned.count(Role::Poisoned), 5_000);
    let already = poisoned.indices(Role::Poisoned).iter().filter(|i| clean.labels[**i] == 0).count();
    assert!((400..600).contains(&already), "{already}");
    assert_eq!(poisoned.split.labels.iter().filter(|label| **label == 0).count(), 5_000 + 5_000 - already);
}
