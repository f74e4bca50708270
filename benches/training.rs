//! Images a second of training (forward, cross-entropy, backward, SGD with momentum and weight decay) and of inference,
//! on random 32x32 images with 10 classes. Each figure is the median of several rounds.
//!
//! `cargo bench --bench training [-- small|resnet18 [ROUNDS]]`; beside it `benches/training_torch.py` does the same with
//! PyTorch, and `benches/compare.sh` alternates the two, so that both see the same state of the machine.

use burn::backend::{Autodiff, Flex};
use burn::module::AutodiffModule;
use burn::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::time::Instant;
use tuneout::kernel::{self, Train};
use tuneout::model::{Mode, PreActResNet};
use tuneout::run::threads;
use tuneout::spec::Model;
use tuneout::train::{Sgd, Trainer};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Name, network, images a step, steps a round.
const CASES: [(&str, Model, usize, usize); 2] = [("small", Model::PreactSmall, 128, 20), ("resnet18", Model::PreactResnet18, 64, 3)];

fn images<B: Backend>(batch: usize, device: &B::Device) -> Tensor<B, 4> {
    let values: Vec<f32> = (0..batch * 3072).map(|i| (i as f32 * 0.618_034).fract() * 4.0 - 2.0).collect();
    Tensor::from_data(TensorData::new(values, [batch, 3, 32, 32]), device)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn bench<B: Train>((name, model, batch, steps): &(&str, Model, usize, usize), rounds: usize, device: &B::Device) {
    let net = PreActResNet::<B>::new(&model.stages(), 10, &mut ChaCha8Rng::seed_from_u64(0), device);
    let mut trainer = Trainer { model: net, sgd: Sgd::new(0.9, 5e-4), device: device.clone() };
    let x = images::<B>(*batch, device);
    let labels: Vec<i32> = (0..*batch as i32).map(|i| i % 10).collect();
    let y = Tensor::<B, 1, Int>::from_data(TensorData::new(labels, [*batch]), device);
    let mut train = |count: usize| {
        let started = Instant::now();
        let losses: Vec<_> = (0..count).map(|_| trainer.step(x.clone(), y.clone(), 0.01)).collect();
        losses.into_iter().for_each(|loss| drop(loss.into_data()));
        (count * batch) as f64 / started.elapsed().as_secs_f64()
    };
    train(2);
    let training = median((0..rounds).map(|_| train(*steps)).collect());
    let net = trainer.model.valid();
    let x = images::<B::InnerBackend>(*batch, device);
    let infer = |count: usize| {
        let started = Instant::now();
        (0..count).for_each(|_| drop(net.forward(x.clone(), Mode::Eval).into_data()));
        (count * batch) as f64 / started.elapsed().as_secs_f64()
    };
    let inference = median((0..rounds).map(|_| infer(*steps)).collect());
    println!("tuneout {name} batch {batch}: training {training:.0} images/s, inference {inference:.0} images/s");
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let rounds = words.iter().find_map(|w| w.parse().ok()).unwrap_or(7);
    threads::init(0);
    println!("{} threads, {}", rayon::current_num_threads(), kernel::isa().name());
    let chosen = |name: &str| !words.iter().any(|w| CASES.iter().any(|c| c.0 == w)) || words.iter().any(|w| w == name);
    CASES.iter().filter(|case| chosen(case.0)).for_each(|case| bench::<Autodiff<Flex>>(case, rounds, &Default::default()));
}
