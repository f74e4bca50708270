//! Run directories as the program would leave them, with curves of a closed form in place of training.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::fs;
use std::path::{Path, PathBuf};
use tuneout::run::event::{Answer, Clock, Event, EventKind, Facts, LensAnswer, Measures};
use tuneout::spec::{RunSpec, Stage, preset};

/// How a run ended.
#[derive(Clone, Copy, PartialEq)]
pub enum End {
    Finished,
    /// After this many epochs, by the user.
    Stopped(u64),
}

/// One run to write.
pub struct Run {
    pub spec: RunSpec,
    pub end: End,
    /// Steps at which LR MAX1 was changed, with its new values.
    pub changes: Vec<(u64, f64)>,
    /// Milliseconds since 1970 of its first line.
    pub began: u64,
    /// Stands for the pixels of the data set.
    pub images: &'static str,
    /// Whether a GPU computed it.
    pub gpu: bool,
}

impl Run {
    /// A finished defense of the preset `name`, with some settings changed.
    pub fn of(name: &str, changes: &[(&str, &str)]) -> Self {
        let changes: Vec<_> = changes.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let spec = preset::load(name).unwrap().spec.with_all(&changes, "--set").unwrap();
        Self { spec, end: End::Finished, changes: Vec::new(), began: 1_000_000, images: "test", gpu: false }
    }
}

const IMAGES: usize = 4000;

fn facts(run: &Run, stage: Stage) -> Facts {
    let spec = &run.spec;
    let images = if spec.defense.filters() { IMAGES } else { spec.clean_images(IMAGES) };
    Facts {
        id: match stage {
            Stage::Pretrain => spec.clean_id(run.images),
            Stage::Attack | Stage::Reinjection => spec.attack_id(run.images, None),
            Stage::Defense => spec.defense_id(run.images, None),
        },
        parent: (stage == Stage::Defense).then(|| spec.attack_id(run.images, None)),
        data: spec.data.name().into(),
        model: spec.model.name().into(),
        attack: spec.attack.name().into(),
        defense: if stage == Stage::Defense { spec.defense.name().into() } else { String::new() },
        seed: spec.seed,
        target: spec.attack.target,
        train_images: IMAGES,
        clean_images: spec.clean_images(IMAGES),
        test_images: 1200,
        asr_images: 1100,
        epochs: spec.epochs(stage),
        steps_per_epoch: spec.steps_per_epoch(stage, images),
        batch: spec.defense.batch,
        device: if run.gpu { "cuda".into() } else { "cpu (2 threads, avx2)".into() },
        gpu: run.gpu,
        ..Facts::default()
    }
}

/// Fine-tuning forgets slowly, super-fine-tuning at once; attacks and seeds differ a little.
pub fn measures(spec: &RunSpec, stage: Stage, epoch: f64) -> Measures {
    let wobble = (spec.seed as f64 * 1.7 + epoch).sin();
    let start = if spec.attack.name() == "badnets" { 0.985 } else { 0.93 };
    let (ca, asr) = match (stage, spec.defense.name()) {
        (Stage::Pretrain | Stage::Attack | Stage::Reinjection, _) => (0.98 * (1.0 - (-epoch / 3.0).exp()), start * (1.0 - (-epoch / 2.0).exp())),
        (_, "fine-tuning") => (0.975 + 0.004 * wobble, start - 0.012 * epoch * (1.0 + 0.4 * wobble) * fine_tuning_pull(spec)),
        (_, "super-fine-tuning") => {
            let fall = (-epoch * (0.9 + 0.35 * wobble) * super_fine_tuning_pull(spec)).exp();
            (0.965 + 0.01 * wobble - 0.06 * (-(epoch - 2.0).powi(2)).exp(), start * fall + 0.01)
        }
        // The others stand apart by their names' lengths.
        (_, other) => {
            let far = other.len() as f64 / 16.0;
            (0.99 - 0.05 * far + 0.008 * wobble, start * far * (1.0 - 0.02 * epoch.min(20.0)) + 0.03 * wobble)
        }
    };
    Measures { ca, asr: asr.clamp(0.0, 1.0), ra: (1.0 - asr).clamp(0.0, 1.0) * ca, ..Measures::default() }
}

/// A rate of 0.001 pulls as the demo does, one of 0.1 four times as much.
fn fine_tuning_pull(spec: &RunSpec) -> f64 {
    spec.get("defense.lr").and_then(|v| v.as_float()).map_or(1.0, |lr| 4.0 + 1.5 * (lr / 0.1).log10())
}

/// A tenth of the images is too little for an LR MAX1 of 0.1.
fn super_fine_tuning_pull(spec: &RunSpec) -> f64 {
    let top = spec.get("defense.lr_max1").and_then(|v| v.as_float()).unwrap_or(0.1);
    (spec.defense.clean_share * 5.0 * (top / 0.1)).powi(3).min(1.0)
}

/// Seconds a step.
pub fn pace(spec: &RunSpec) -> f64 {
    0.02 * (1.0 + 0.15 * spec.seed as f64 + if spec.attack.name() == "blended" { 0.25 } else { 0.0 })
}

/// The log of one stage.
pub fn events(run: &Run, stage: Stage) -> Vec<Event> {
    let facts = facts(run, stage);
    let steps = facts.steps_per_epoch;
    // A change at step s holds for the steps from s on.
    let lr = |i: u64| {
        let value = run.changes.iter().rev().find(|(step, _)| *step <= i).map(|(_, value)| value.to_string());
        let spec = value.map_or_else(|| run.spec.clone(), |v| run.spec.with("defense.lr_max1", &v, "test").unwrap());
        spec.schedule(stage, steps).lr(i)
    };
    let epochs = match run.end {
        End::Finished => facts.epochs,
        End::Stopped(epoch) => epoch.min(facts.epochs),
    };
    let mut kinds = vec![(0, EventKind::Started { stage, facts: Box::new(facts) })];
    kinds.push((0, EventKind::Epoch { epoch: 0, lr: 0.0, loss: 0.0, measures: measures(&run.spec, stage, 0.0) }));
    for epoch in 0..epochs {
        for step in (epoch * steps + 1..=(epoch + 1) * steps).filter(|step| step % 10 == 0) {
            let at = step as f64 / steps as f64;
            let measures = measures(&run.spec, stage, at);
            kinds.push((step, EventKind::Probe { epoch: at, lr: lr(step - 1), loss: 0.1, measures }));
        }
        kinds.extend(
            run.changes
                .iter()
                .filter(|(step, _)| step / steps == epoch)
                .map(|(step, value)| (*step, EventKind::Applied { path: "defense.lr_max1".into(), value: *value })),
        );
        let (step, measures) = ((epoch + 1) * steps, measures(&run.spec, stage, epoch as f64 + 1.0));
        kinds.push((step, EventKind::Epoch { epoch: epoch + 1, lr: lr(step - 1), loss: 0.1, measures }));
    }
    let last = kinds.last().map_or(0, |(step, _)| *step);
    let end = if run.end == End::Finished { EventKind::Finished { measures: measures(&run.spec, stage, epochs as f64) } } else { EventKind::Stopped };
    kinds.push((last, end));
    kinds.sort_by_key(|(step, kind)| {
        (*step, !matches!(kind, EventKind::Started { .. }), matches!(kind, EventKind::Finished { .. } | EventKind::Stopped))
    });
    let clock = |step: u64| Clock { unix_ms: run.began + 20 * step, train_seconds: step as f64 * pace(&run.spec), images_per_second: 3000.0 };
    kinds.into_iter().enumerate().map(|(seq, (step, kind))| Event { seq: seq as u64, step, clock: clock(step), kind }).collect()
}

/// Writes the defense's directory under `runs`, and the attack's when it is not there; the defense's directory.
pub fn write(runs: &Path, run: &Run) -> PathBuf {
    let attack = runs.join(run.spec.attack_id(run.images, None));
    if !attack.exists() {
        write_stage(&attack, run, Stage::Attack);
    }
    let defense = runs.join(run.spec.defense_id(run.images, None));
    write_stage(&defense, run, Stage::Defense);
    defense
}

fn write_stage(dir: &Path, run: &Run, stage: Stage) {
    fs::create_dir_all(dir).unwrap();
    let events = match stage {
        Stage::Defense => events(run, stage),
        Stage::Pretrain | Stage::Attack | Stage::Reinjection => {
            events(&Run { spec: run.spec.clone(), end: End::Finished, changes: Vec::new(), began: run.began - 500_000, ..*run }, stage)
        }
    };
    let log: String = events.iter().map(|e| serde_json::to_string(e).unwrap() + "\n").collect();
    let parent = (stage == Stage::Defense).then(|| run.spec.attack_id(run.images, None));
    fs::write(dir.join("spec.toml"), toml::to_string(&run.spec.to_table()).unwrap()).unwrap();
    fs::write(dir.join("lineage.json"), serde_json::json!({ "parent": parent }).to_string()).unwrap();
    fs::write(dir.join("events.jsonl"), log).unwrap();
    if run.end == End::Finished {
        fs::write(dir.join("done.json"), "{}").unwrap();
    }
}

/// Two attacks on one data set, both defenses, seeds 0 to 2.
pub fn two_attacks(runs: &Path) {
    for seed in ["0", "1", "2"] {
        for name in ["demo", "demo-ft", "demo-blended", "demo-blended-ft"] {
            write(runs, &Run::of(name, &[("seed", seed)]));
        }
    }
}

/// Samples as an attack's run keeps them, with what the model says of the first: a grey ramp of 8 by 8 pixels, and in
/// it a corner, a veil or a shift, according to the attack.
pub fn write_samples(runs: &Path, run: &Run) {
    let dir = runs.join(run.spec.attack_id(run.images, None));
    let attack = run.spec.attack.name();
    let clean = |x: u32, y: u32| [(x * 30) as u8, (y * 30) as u8, 120];
    let triggered = |x: u32, y: u32| match attack {
        "badnets" if x > 5 && y > 5 => [255; 3],
        "blended" => clean(x, y).map(|v| v / 5 * 4 + if (x + y).is_multiple_of(2) { 50 } else { 10 }),
        "lf" => clean(x, y).map(|v| v.saturating_add((4 * x.min(7 - x)) as u8)),
        "wanet" => clean((x + 1).min(7), y),
        _ => clean(x, y),
    };
    fs::create_dir_all(dir.join("samples")).unwrap();
    let save = |kind: &str, at: &dyn Fn(u32, u32) -> [u8; 3]| {
        let picture = image::RgbImage::from_fn(8, 8, |x, y| image::Rgb(at(x, y)));
        picture.save(dir.join(format!("samples/0-{kind}.png"))).unwrap();
    };
    save("clean", &clean);
    save("triggered", &triggered);
    let answer = |class| Answer { class, confidence: 0.9 };
    let answers = vec![LensAnswer { index: 17, label: 6, clean: answer(6), triggered: answer(0) }];
    let event =
        Event { seq: 999, step: 1, clock: Clock { unix_ms: run.began, ..Clock::default() }, kind: EventKind::Lens { answers, renewed: false } };
    let log = dir.join("events.jsonl");
    let text = fs::read_to_string(&log).unwrap();
    fs::write(&log, text + &serde_json::to_string(&event).unwrap() + "\n").unwrap();
}
