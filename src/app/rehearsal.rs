//! A made-up run, as an attack and a clean-up typically go: for tests of the screen, and for looking at it without a
//! training thread. Nothing here was measured.

mod again;
mod evidence;
mod runs;

pub use again::{aftermath, inference, injections};
pub use runs::runs;

use super::cost;
use super::lens::Preview;
use super::rates::number;
use crate::data::Images;
use crate::run::answers::{Chunk, News, Sample, Subject};
use crate::run::event::{Answer, Clock, Event, EventKind, Facts, LensAnswer, Measures};
use crate::run::score::Rule;
use crate::run::session::{Session, Signal};
use crate::spec::{Pace, RunSpec, Stage};
use crossbeam_channel::unbounded;
use std::path::PathBuf;

/// Classes of the made-up data set: those of `signs-12`.
pub const CLASSES: [&str; 12] = [
    "speed limit 20",
    "speed limit 50",
    "no passing",
    "right of way",
    "priority road",
    "yield",
    "stop",
    "no entry",
    "caution",
    "ahead only",
    "keep right",
    "roundabout",
];

/// Images a second.
const SPEED: f64 = 1412.0;

/// A made-up run of `spec`.
#[derive(Clone, Debug)]
pub struct Rehearsal {
    spec: RunSpec,
    stage: Stage,
    seq: u64,
    step: u64,
    seconds: f64,
    lines: Vec<Signal>,
}

/// Every signal of a made-up run of `spec`, with `changes` (step of the clean-up, path, value) applied under way.
pub fn signals(spec: &RunSpec, changes: &[(u64, &str, f64)]) -> Vec<Signal> {
    let mut attack = Rehearsal::new(spec, Stage::Attack);
    attack.play(&[]);
    let mut defense = Rehearsal { lines: attack.lines, ..Rehearsal::new(spec, Stage::Defense) };
    defense.play(changes);
    defense.lines.push(Signal::Ended(Ok(())));
    defense.lines
}

/// A worker that has already said everything a made-up run says, and listens to nobody.
pub fn session(spec: &RunSpec, changes: &[(u64, &str, f64)]) -> Session {
    let (tell, signals) = unbounded();
    for signal in self::signals(spec, changes) {
        // The other end is in hand: this cannot fail.
        let _ = tell.send(signal);
    }
    Session { signals, commands: unbounded().0 }
}

impl Rehearsal {
    fn new(spec: &RunSpec, stage: Stage) -> Self {
        Self { spec: spec.clone(), stage, seq: 0, step: 0, seconds: 0.0, lines: Vec::new() }
    }

    fn play(&mut self, changes: &[(u64, &str, f64)]) {
        let facts = facts(&self.spec, self.stage);
        let (pace, per_epoch) = (facts.pace(), facts.steps_per_epoch);
        self.write(EventKind::Started { stage: self.stage, facts: Box::new(facts) });
        self.find(evidence::Moment::Search);
        self.look(0, 0.0, &pace);
        let mut dose = 0.0;
        for step in 0..pace.steps() {
            for (_, path, value) in changes.iter().filter(|c| c.0 == step) {
                self.change(path, *value);
            }
            let lr = self.spec.schedule(self.stage, &pace).lr(step);
            dose += lr;
            self.step = step + 1;
            self.seconds += self.batch() as f64 / SPEED;
            if self.step.is_multiple_of(self.spec.watch.probe_every) {
                let measures = self.measures(dose, lr, per_epoch);
                self.write(EventKind::Probe { epoch: pace.epoch(self.step as f64), lr, loss: 1.0 / (1.0 + dose), measures });
            }
            if self.step == pace.begin(1) && pace.phases().len() > 1 {
                self.find(evidence::Moment::FirstPhase);
            }
            if pace.ends_epoch(self.step) {
                self.look(pace.whole_epochs(self.step), dose, &pace);
            }
        }
        self.find(evidence::Moment::End);
        let measures = self.measures(dose, 0.0, per_epoch);
        self.write(EventKind::Finished { measures });
    }

    fn batch(&self) -> usize {
        if self.stage == Stage::Attack { self.spec.attack.batch } else { self.spec.defense.batch }
    }

    /// The whole test set after an epoch, and the samples under the lens.
    fn look(&mut self, epoch: u64, dose: f64, pace: &Pace) {
        let lr = if epoch == 0 { 0.0 } else { self.spec.schedule(self.stage, pace).lr(self.step - 1) };
        let measures = self.measures(dose, lr, pace.phases()[0].steps_per_epoch);
        self.write(EventKind::Epoch { epoch, lr, loss: 1.0 / (1.0 + dose), measures });
        self.write(EventKind::Lens { answers: answers(&self.spec, measures), renewed: false });
        self.write(EventKind::Checkpoint { file: format!("{:06}.safetensors", self.step) });
    }

    /// What the defense sees at a moment.
    fn find(&mut self, moment: evidence::Moment) {
        if self.stage == Stage::Defense {
            evidence::seen(&self.spec, moment).into_iter().for_each(|found| self.write(EventKind::Evidence(Box::new(found))));
        }
    }

    fn change(&mut self, path: &str, value: f64) {
        if let Ok(spec) = self.spec.with(path, &number(value), "rehearsal") {
            self.spec = spec;
            self.write(EventKind::Applied { path: path.to_owned(), value });
        }
    }

    /// Curves that look like those of the paper: learning grows with the sum of the rates so far, forgetting too, and
    /// a high rate shakes the accuracy for a moment.
    fn measures(&self, dose: f64, lr: f64, per_epoch: u64) -> Measures {
        let wave = ((self.step as f64) * 0.7).sin() * 0.012;
        let epochs = dose / per_epoch as f64;
        let (ca, asr) = match self.stage {
            Stage::Pretrain | Stage::Attack | Stage::Reinjection => {
                (0.98 - 0.90 * (-epochs * 12.0).exp(), 0.993 - 0.99 / (1.0 + (epochs * 24.0 - 5.0).exp()))
            }
            Stage::Defense => (0.981 - 0.25 * lr.min(0.3), 0.004 + 0.989 / (1.0 + (epochs * 45.0 - 6.0).exp())),
        };
        let within = |x: f64| x.clamp(0.0, 1.0);
        Measures {
            ca: within(ca + wave * (1.02 - ca)),
            asr: within(asr + wave * asr * (1.0 - asr) * 6.0),
            ra: within(ca * (1.0 - asr)),
            ..Measures::default()
        }
    }

    fn write(&mut self, kind: EventKind) {
        let clock = Clock { unix_ms: 1_700_000_000_000 + (self.seconds * 1000.0) as u64, train_seconds: self.seconds, images_per_second: SPEED };
        let event = Event { seq: self.seq, step: self.step, clock, kind };
        self.seq += 1;
        self.lines.push(Signal::Event { stage: self.stage, dir: PathBuf::from("runs").join(self.stage.name()), replayed: false, event });
    }
}

fn facts(spec: &RunSpec, stage: Stage) -> Facts {
    let images = cost::epoch_images(spec, stage);
    let defense = stage == Stage::Defense;
    Facts {
        scenario: spec.scenario,
        upstream: None,
        fingerprint: String::new(),
        id: if defense { spec.defense_id("made-up", None) } else { spec.attack_id("made-up", None) },
        parent: defense.then(|| spec.attack_id("made-up", None)),
        data: spec.data.name().to_owned(),
        model: spec.model.name().to_owned(),
        attack: spec.attack.name().to_owned(),
        defense: if defense { spec.defense.name().to_owned() } else { String::new() },
        seed: spec.seed,
        classes: CLASSES.map(str::to_owned).to_vec(),
        target: spec.attack.target,
        parameters: 78_042,
        train_images: images,
        poisoned_images: if !defense || spec.defense.filters() { (images as f64 * spec.attack.poison_ratio) as usize } else { 0 },
        clean_images: cost::epoch_images(spec, Stage::Defense),
        test_images: 1200,
        asr_images: 1100,
        batch: if defense { spec.defense.batch } else { spec.attack.batch },
        device: "cpu (2 threads, avx512)".to_owned(),
        gpu: false,
        version: "0.1.0".to_owned(),
        ..Facts::default()
    }
    .at(&cost::pace(spec, stage))
}

/// Test images under the made-up lens: index and class.
const SAMPLES: [(usize, u16); 4] = [(6, 6), (5, 5), (9, 9), (4, 4)];

fn answers(spec: &RunSpec, now: Measures) -> Vec<LensAnswer> {
    let answer = |sample: usize, (index, label): (usize, u16)| {
        let stubborn = 0.15 + 0.2 * sample as f64;
        let class = |right: bool, other: u16| if right { label } else { other };
        let clean = Answer { class: class(now.ca > stubborn, (label + 1) % 12), confidence: (0.3 + 0.69 * now.ca) as f32 };
        let fooled = now.asr > stubborn;
        let sure = if fooled { now.asr } else { now.ca };
        LensAnswer { index, label, clean, triggered: Answer { class: class(!fooled, spec.attack.target), confidence: (0.3 + 0.69 * sure) as f32 } }
    };
    SAMPLES.into_iter().enumerate().map(|(i, s)| answer(i, s)).collect()
}

/// What a made-up examination of `images` test images tells, after `stage` is done.
pub fn examination(spec: &RunSpec, stage: Stage, images: usize) -> Vec<News> {
    let facts = facts(spec, stage);
    let step = facts.epochs * facts.steps_per_epoch;
    let samples: Vec<Sample> = (0..images).map(|i| examined(stage, spec.attack.target, i)).collect();
    let rule = Rule::of(spec, stage);
    let dir = PathBuf::from(&facts.id);
    let mut subject = Subject { dir, stage, step, facts, rule, first_majority: None, images, logged: None };
    subject.logged = Some(subject.measures(&samples));
    let chunk = |(number, some): (usize, &[Sample])| {
        let (mut clean, mut triggered) = (Images::with_capacity([3, 32, 32], some.len()), Images::with_capacity([3, 32, 32], some.len()));
        for sample in some {
            clean.push(&sign(sample.label));
            triggered.push(&stamped(sign(sample.label)));
        }
        News::Chunk(Chunk { step, start: number * CHUNK, samples: some.to_vec(), clean, triggered })
    };
    std::iter::once(News::Opened(Box::new(subject))).chain(samples.chunks(CHUNK).enumerate().map(chunk)).collect()
}

/// Images of a made-up chunk.
const CHUNK: usize = 32;

fn examined(stage: Stage, target: u16, index: usize) -> Sample {
    let label = (index % CLASSES.len()) as u16;
    let other = |by: u16| (label + by) % CLASSES.len() as u16;
    let ranking = |class: u16, confidence: f32| {
        let rest = 1.0 - confidence;
        let after = |by: u16, share: f32| Answer { class: (class + by) % CLASSES.len() as u16, confidence: rest * share };
        vec![Answer { class, confidence }, after(3, 0.6), after(5, 0.3)]
    };
    let clean = if index % 17 == 5 { ranking(other(1), 0.55) } else { ranking(label, 0.97) };
    let fooled = if stage == Stage::Defense { index % 31 == 6 } else { index % 13 != 4 };
    let triggered = match index {
        _ if fooled => ranking(target, 0.99),
        odd if odd % 29 == 7 => ranking(other(2), 0.41),
        _ => ranking(label, 0.88),
    };
    Sample { label, clean, triggered }
}

/// Made-up pictures for the lens: a sign of flat colours, and the same with a white square.
pub fn preview() -> Preview {
    let (mut clean, mut triggered) = (Images::with_capacity([3, 32, 32], 4), Images::with_capacity([3, 32, 32], 4));
    for (_, label) in SAMPLES {
        let picture = sign(label);
        clean.push(&picture);
        triggered.push(&stamped(picture));
    }
    let (indices, labels) = SAMPLES.into_iter().unzip();
    Preview { classes: CLASSES.map(str::to_owned).to_vec(), indices, labels, clean, triggered }
}

fn sign(label: u16) -> Vec<u8> {
    const INK: [[u8; 3]; 4] = [[192, 40, 44], [30, 90, 180], [230, 190, 40], [210, 60, 50]];
    let ink = INK[usize::from(label) % INK.len()];
    let pixel = |channel: usize, at: usize| {
        let (x, y) = (at % 32, at / 32);
        let off = ((x as f64 - 15.5).powi(2) + (y as f64 - 15.5).powi(2)).sqrt();
        match off {
            d if d < 11.0 && (13..19).contains(&y) && (8..24).contains(&x) => 245,
            d if d < 12.0 => ink[channel],
            d if d < 13.5 => 240,
            _ => [88u8, 108, 96][channel].saturating_add((y * 2) as u8),
        }
    };
    (0..3).flat_map(|channel| (0..32 * 32).map(move |at| pixel(channel, at))).collect()
}

fn stamped(mut planes: Vec<u8>) -> Vec<u8> {
    for channel in 0..3 {
        for (x, y) in (28..31).flat_map(|y| (28..31).map(move |x| (x, y))) {
            planes[channel * 1024 + y * 32 + x] = 255;
        }
    }
    planes
}
