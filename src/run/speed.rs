//! How fast a device computes: from the logs of finished runs, else from a short test that is kept in the cache directory.

use super::device::Device;
use super::event::{Event, EventKind};
use super::{store, threads};
use crate::files;
use crate::kernel::Train;
use crate::model::PreActResNet;
use crate::paths;
use crate::rng;
use crate::spec::work::{self, Speed, Speeds};
use crate::spec::{Model, RunSpec, Stage};
use crate::train::{Sgd, Trainer, read_loss};
use burn::backend::{Autodiff, Flex};
use burn::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use sysinfo::System;

/// The networks of the test, the images of a step, and how long each is tried once it is warm.
const TEST: [(Model, usize, Duration); 2] =
    [(Model::PreactSmall, 64, Duration::from_millis(500)), (Model::PreactResnet18, 16, Duration::from_millis(500))];
/// Seconds that a step of the test may take.
const LONGEST_STEP: f64 = 0.75;
/// Percent of all cores that other programs may use during a test.
const BUSY: f32 = 20.0;
/// Runs shorter than this say more about the start than about the speed.
const SHORTEST: f64 = 2.0;

/// What is known about `device`, from the runs in `runs` and, for the networks that none of them had, from the test.
pub fn speeds(device: &Device, runs: &Path) -> Speeds {
    let mut speeds = of_runs(&device.describe(), runs);
    speeds.fill(tested(device));
    speeds
}

/// The median of each network's finished runs on a device. What cannot be read is passed over: `tuneout runs` says so.
fn of_runs(device: &str, runs: &Path) -> Speeds {
    let entries = std::fs::read_dir(runs).into_iter().flatten().flatten();
    let mut all = BTreeMap::<String, Vec<Speed>>::new();
    for speed in entries.filter_map(|entry| of_run(device, &entry.path())) {
        all.entry(speed.network.clone()).or_default().push(speed);
    }
    let mut speeds = Speeds::default();
    for mut of_network in all.into_values() {
        of_network.sort_by(|a, b| a.per_second.total_cmp(&b.per_second));
        let runs = of_network.len();
        let per_second = (of_network[(runs - 1) / 2].per_second + of_network[runs / 2].per_second) / 2.0;
        speeds.insert(Speed { runs, per_second, ..of_network.swap_remove(0) });
    }
    speeds
}

/// The speed of one finished run, if it was on that device and says something about others.
fn of_run(device: &str, dir: &Path) -> Option<Speed> {
    let done = store::read_done(dir).filter(|done| done.train_seconds >= SHORTEST)?;
    let mut line = String::new();
    BufReader::new(std::fs::File::open(dir.join("events.jsonl")).ok()?).read_line(&mut line).ok()?;
    let EventKind::Started { stage, facts } = serde_json::from_str::<Event>(&line).ok()?.kind else { return None };
    let table = std::fs::read_to_string(dir.join("spec.toml")).ok()?.parse().ok()?;
    let spec = RunSpec::from_table(&table, "spec.toml").ok()?;
    let images = (done.steps * facts.batch as u64) as f64;
    // A sweep gives each of its runs a part of the threads.
    let alike = done.threads == 0 || done.threads == rayon::current_num_threads();
    let typical = facts.device == device && alike && work::typical(&spec, stage);
    typical.then(|| work::speed(&spec, images * work::per_image(&spec, stage) / done.train_seconds, 1))
}

/// A test as the cache keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Kept {
    /// What was tested: device and threads.
    device: String,
    /// Version of the program.
    version: String,
    /// Multiply-adds a second, by network.
    per_second: BTreeMap<String, f64>,
}

fn cache() -> Option<PathBuf> {
    paths::cache_dir().map(|dir| dir.join("speed.json"))
}

/// The test's speeds: those that are kept for this device and version, else measured now and kept, unless the machine is
/// busy.
fn tested(device: &Device) -> Speeds {
    let name = device.with_threads();
    let version = env!("CARGO_PKG_VERSION");
    let text = cache().and_then(|file| std::fs::read(file).ok()).unwrap_or_default();
    let mut all: Vec<Kept> = serde_json::from_slice(&text).unwrap_or_default();
    if let Some(kept) = all.iter().find(|kept| kept.device == name && kept.version == version) {
        return known(&kept.per_second);
    }
    let disturbed = busy();
    let measured = measure(device);
    if !measured.is_empty() && !disturbed {
        all.retain(|kept| kept.device != name);
        all.push(Kept { device: name, version: version.to_owned(), per_second: measured.clone() });
        if let (Some(file), Ok(json)) = (cache(), serde_json::to_vec_pretty(&all)) {
            // Where nothing can be kept, the next program tests again.
            drop(files::write(&file, &json));
        }
    }
    let mut speeds = known(&measured);
    speeds.disturbed = disturbed;
    speeds
}

/// Whether other programs use much of the processor now: a test then says less than it could. Looks for a fifth of a second.
fn busy() -> bool {
    let Ok(mut system) = System::new() else { return false };
    system.refresh_cpu_usage();
    std::thread::sleep(sysinfo::MINIMUM_CPU_UPDATE_INTERVAL);
    system.refresh_cpu_usage();
    system.global_cpu_usage() > BUSY
}

fn known(per_second: &BTreeMap<String, f64>) -> Speeds {
    let mut speeds = Speeds::default();
    for (model, ..) in TEST {
        let spec = RunSpec { model, ..RunSpec::default() };
        if let Some(per_second) = per_second.get(&work::network(&spec.model)) {
            speeds.insert(work::speed(&spec, *per_second, 0));
        }
    }
    speeds
}

/// The one other place where a device becomes a backend (`worker.rs`). A device that gives up has no speed.
fn measure(device: &Device) -> BTreeMap<String, f64> {
    let body = || match device.clone() {
        Device::Cpu => test::<Autodiff<Flex>>(&Default::default()),
        #[cfg(feature = "wgpu")]
        Device::Wgpu(adapter) => test::<Autodiff<burn::backend::Wgpu>>(&adapter.device()),
        #[cfg(feature = "cuda")]
        Device::Cuda(number) => test::<Autodiff<burn::backend::Cuda>>(&burn::backend::cuda::CudaDevice::new(number)),
    };
    let thread = std::thread::scope(|scope| {
        let work = move || {
            threads::step_back();
            catch_unwind(AssertUnwindSafe(body)).unwrap_or_default()
        };
        std::thread::Builder::new().name("speed".to_owned()).spawn_scoped(scope, work).ok().and_then(|thread| thread.join().ok())
    });
    thread.unwrap_or_default()
}

fn test<B: Train>(device: &B::Device) -> BTreeMap<String, f64> {
    let mut per_second = BTreeMap::new();
    let mut slowest = f64::INFINITY;
    for (model, batch, time) in TEST {
        // Two steps at least: where they would take too long, the network goes without a test.
        if batch as f64 * of_image(&model) / slowest <= LONGEST_STEP {
            let measured = steps::<B>(model.clone(), batch, time, device);
            slowest = slowest.min(measured);
            per_second.insert(work::network(&model), measured);
        }
    }
    per_second
}

/// Multiply-adds of a training step for one image.
fn of_image(model: &Model) -> f64 {
    work::per_image(&RunSpec { model: model.clone(), ..RunSpec::default() }, Stage::Attack)
}

/// Multiply-adds a second of training steps with made-up images.
fn steps<B: Train>(model: Model, batch: usize, time: Duration, device: &B::Device) -> f64 {
    let net = PreActResNet::<B>::new(&model.stages(), 10, &mut rng::stream(0, "speed", 0), device);
    let mut trainer = Trainer { model: net, sgd: Sgd::new(0.9, 5e-4), device: device.clone() };
    let values: Vec<f32> = (0..batch * 3072).map(|i| (i as f32 * 0.618_034).fract() * 4.0 - 2.0).collect();
    let x = Tensor::<B, 4>::from_data(TensorData::new(values, [batch, 3, 32, 32]), device);
    let labels: Vec<i32> = (0..batch as i32).map(|i| i % 10).collect();
    let y = Tensor::<B, 1, Int>::from_data(TensorData::new(labels, [batch]), device);
    let mut step = || read_loss(trainer.step(x.clone(), y.clone(), 1e-3));
    // The first step allocates, and on a GPU compiles.
    step();
    let (started, mut shortest) = (Instant::now(), f64::INFINITY);
    while shortest.is_infinite() || started.elapsed() < time {
        let begun = Instant::now();
        step();
        // The least disturbed step counts.
        shortest = shortest.min(begun.elapsed().as_secs_f64());
    }
    batch as f64 * of_image(&model) / shortest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::event::{Clock, Facts, Measures};

    fn run(runs: &Path, id: &str, changes: &[(&str, &str)], device: &str, seconds: f64) {
        run_on(runs, id, changes, (device, 0), seconds);
    }

    fn run_on(runs: &Path, id: &str, changes: &[(&str, &str)], (device, threads): (&str, usize), seconds: f64) {
        let dir = runs.join(id);
        std::fs::create_dir_all(&dir).unwrap();
        let changes: Vec<_> = changes.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        let spec = RunSpec::default().with_all(&changes, "test").unwrap();
        std::fs::write(dir.join("spec.toml"), spec.to_table().to_string()).unwrap();
        let facts = Facts { batch: 100, device: device.to_owned(), ..Facts::default() };
        let kind = EventKind::Started { stage: Stage::Attack, facts: Box::new(facts) };
        let event = Event { seq: 0, step: 0, clock: Clock::default(), kind };
        std::fs::write(dir.join("events.jsonl"), serde_json::to_string(&event).unwrap() + "\n").unwrap();
        let done = store::Done { weights: String::new(), measures: Measures::default(), train_seconds: seconds, steps: 1000, threads };
        std::fs::write(dir.join("done.json"), serde_json::to_vec(&done).unwrap()).unwrap();
    }

    #[test]
    fn the_median_of_the_runs_on_the_same_device_counts() {
        let dir = tempfile::tempdir().unwrap();
        for (id, seconds) in [("a", 10.0), ("b", 20.0), ("z", 1000.0)] {
            run(dir.path(), id, &[], "cpu (x)", seconds);
        }
        let threads = rayon::current_num_threads();
        run_on(dir.path(), "c", &[], ("cpu (x)", threads), 20.0);
        // Another number of threads, another device, too short, Input-aware's two kinds of steps, and no run at all.
        run_on(dir.path(), "h", &[], ("cpu (x)", threads + 1), 1e9);
        run(dir.path(), "d", &[], "cpu (y)", 1e9);
        run(dir.path(), "e", &[], "cpu (x)", 0.1);
        run(dir.path(), "f", &[("attack.name", "input-aware")], "cpu (x)", 1e9);
        std::fs::create_dir(dir.path().join("g")).unwrap();
        let speeds = of_runs("cpu (x)", dir.path());
        let all: Vec<_> = speeds.iter().collect();
        let small = RunSpec::default();
        let expected = 100_000.0 * work::per_image(&small, Stage::Attack) / 20.0;
        assert_eq!((all.len(), all[0].runs, all[0].network.as_str(), all[0].per_second), (1, 4, "preact-small", expected));
        assert!(of_runs("cpu (x)", &dir.path().join("none")).is_empty());
    }

    #[test]
    fn the_test_measures_both_networks() {
        let small = steps::<Autodiff<Flex>>(Model::PreactSmall, 4, Duration::ZERO, &Default::default());
        assert!(small > 1e6 && small.is_finite(), "{small}");
        let kept = BTreeMap::from([("preact-small".to_owned(), 5.0), ("another".to_owned(), 1.0)]);
        let known: Vec<_> = known(&kept).iter().cloned().collect();
        assert_eq!((known.len(), known[0].per_second, known[0].runs), (1, 5.0, 0));
    }
}
