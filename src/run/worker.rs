//! The worker: one thread that owns the device and carries a run from its settings to its result.

use super::command::Command;
use super::device::Device;
use super::event::{Clock, Event, EventKind, Facts};
use super::session::{Failure, FailureKind, Session, Signal};
use super::store::{self, Done, Found, Lineage, RunDir};
use super::threads;
use crate::attack::{self, AttackError};
use crate::data::{self, DataDirs, DataError, Dataset, Split};
use crate::defense;
use crate::kernel::Train;
use crate::model::{PreActResNet, store as weights};
use crate::rng;
use crate::spec::{RunSpec, Stage};
use crate::train::{self, Ending, Exam, Lens, Lookup, Sgd, Task, TrainError, Trainer, checkpoint};
use burn::backend::{Autodiff, Flex};
use crossbeam_channel::{Receiver, Sender, unbounded};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// Samples under the trigger lens.
const LENS: usize = 4;

/// What a worker is asked to do.
#[derive(Clone, Debug)]
pub struct Request {
    /// The run.
    pub spec: RunSpec,
    /// Where it computes.
    pub device: Device,
    /// Where data sets are looked for.
    pub data: DataDirs,
    /// Where run directories are.
    pub runs: PathBuf,
}

/// Why a run ended early.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The images.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The attack.
    #[error(transparent)]
    Attack(#[from] AttackError),
    /// The training.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The run directory.
    #[error(transparent)]
    Store(#[from] store::StoreError),
    /// The weights.
    #[error(transparent)]
    Weights(#[from] weights::StoreError),
    /// The device gave up.
    #[error("the device failed: {0}; try --device cpu")]
    Device(String),
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        let kind = match error {
            RunError::Data(_) | RunError::Attack(_) => FailureKind::Data,
            RunError::Device(_) => FailureKind::Device,
            RunError::Train(_) | RunError::Store(_) | RunError::Weights(_) => FailureKind::Other,
        };
        Self { message: error.to_string(), kind }
    }
}

/// Starts a worker on a thread of its own.
pub fn start(request: Request) -> Session {
    let (signal_sender, signals) = unbounded();
    let (commands, command_receiver) = unbounded();
    let body = move || {
        threads::step_back();
        let result = catch_unwind(AssertUnwindSafe(|| dispatch(request, &signal_sender, &command_receiver)));
        let result = result.unwrap_or_else(|panic| Err(RunError::Device(panic_text(panic.as_ref()))));
        // Nobody may be listening any more; the log has it all.
        drop(signal_sender.send(Signal::Ended(result.map_err(Failure::from))));
    };
    drop(std::thread::Builder::new().name("worker".to_owned()).spawn(body));
    Session { signals, commands }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("no reason given").lines().next().unwrap_or_default().to_owned()
}

/// The one place where a device becomes a backend: what follows is compiled once for each that is built in.
fn dispatch(request: Request, signals: &Sender<Signal>, commands: &Receiver<Command>) -> Result<(), RunError> {
    match request.device.clone() {
        Device::Cpu => Work::<Autodiff<Flex>>::run(request, Default::default(), signals, commands),
        #[cfg(feature = "wgpu")]
        Device::Wgpu(adapter) => Work::<Autodiff<burn::backend::Wgpu>>::run(request, adapter.device(), signals, commands),
        #[cfg(feature = "cuda")]
        Device::Cuda(number) => Work::<Autodiff<burn::backend::Cuda>>::run(request, burn::backend::cuda::CudaDevice::new(number), signals, commands),
    }
}

/// A run under way.
struct Work<'a, B: Train> {
    request: Request,
    /// The run's settings; those of the defense may still change while the backdoor is being planted.
    spec: RunSpec,
    device: B::Device,
    data: Dataset,
    fingerprint: String,
    lookup: Lookup,
    exam: Exam,
    probe: Exam,
    lens: Lens,
    signals: &'a Sender<Signal>,
    commands: &'a Receiver<Command>,
}

impl<'a, B: Train> Work<'a, B> {
    fn run(request: Request, device: B::Device, signals: &'a Sender<Signal>, commands: &'a Receiver<Command>) -> Result<(), RunError> {
        let mut work = Self::prepare(request, device, signals, commands)?;
        let Some((parent, backdoored)) = work.attack()? else { return Ok(()) };
        work.defense(&parent, backdoored)
    }

    fn prepare(request: Request, device: B::Device, signals: &'a Sender<Signal>, commands: &'a Receiver<Command>) -> Result<Self, RunError> {
        let spec = request.spec.clone();
        let what = format!("images of {}", spec.data.name());
        let mut progress = |done, total| drop(signals.send(Signal::Preparing { what: what.clone(), done, total }));
        let data = data::load(&spec.data, &request.data, &mut progress)?;
        data.has_class(spec.attack.target)?;
        let attack = attack::build(&spec.attack, data.test.images.shape, spec.seed)?;
        let exam = Exam {
            clean: data.test.clone(),
            attacked: attack::attack_test(attack.as_ref(), spec.attack.target, &data.test),
            target: spec.attack.target,
        };
        let indices = train::lens_indices(&data.test.labels, &data.classes, spec.attack.target, LENS);
        let clean = data.test.select(&indices);
        let lens = Lens { indices, triggered: attack::triggered(attack.as_ref(), &clean.images), clean };
        let (fingerprint, lookup, probe) = (data.fingerprint(), Lookup::new(&data.normalise), exam.probe(spec.watch.probe_images));
        Ok(Self { request, spec, device, data, fingerprint, lookup, exam, probe, lens, signals, commands })
    }

    /// Plants the backdoor, or takes the one that was planted before; `None` when the user ended it.
    fn attack(&mut self) -> Result<Option<(String, PreActResNet<B>)>, RunError> {
        let id = store::id(&self.spec, Stage::Attack, &self.fingerprint);
        let fresh = self.network();
        let (mut dir, step, events) = match store::open(&self.request.runs, &id, &self.spec, &Lineage::default())? {
            Found::Done(events, done) => {
                self.replay(Stage::Attack, &self.request.runs.join(&id), &events);
                let model = weights::load(fresh, &store::weights(&self.request.runs, &id, &done))?;
                return Ok(Some((id, model)));
            }
            Found::Open(dir, step, events) => (dir, step, events),
        };
        let attack = attack::build(&self.spec.attack, self.data.train.images.shape, self.spec.seed)?;
        let poisoned = attack::poison(attack.as_ref(), &self.spec.attack, &self.data.train, self.spec.seed);
        let facts = Facts { poisoned_images: poisoned.indices.len(), ..self.facts(Stage::Attack, &id, None, poisoned.split.len(), &fresh) };
        let sgd = Sgd::new(self.spec.attack.momentum, self.spec.attack.weight_decay);
        let trainer = Trainer { model: fresh, sgd, device: self.device.clone() };
        let ended = self.stage(Stage::Attack, &mut dir, (step, events), facts, &poisoned.split, trainer)?;
        Ok(ended.map(|model| (id, model)))
    }

    /// Cleans the backdoored model.
    fn defense(&mut self, parent: &str, backdoored: PreActResNet<B>) -> Result<(), RunError> {
        let id = store::id(&self.spec, Stage::Defense, &self.fingerprint);
        let lineage = Lineage { parent: Some(parent.to_owned()) };
        let (mut dir, step, events) = match store::open(&self.request.runs, &id, &self.spec, &lineage)? {
            Found::Done(events, _) => {
                self.replay(Stage::Defense, &self.request.runs.join(&id), &events);
                return Ok(());
            }
            Found::Open(dir, step, events) => (dir, step, events),
        };
        let clean = defense::clean_set(&self.spec, &self.data.train);
        let facts = Facts { clean_images: clean.len(), ..self.facts(Stage::Defense, &id, Some(parent.to_owned()), clean.len(), &backdoored) };
        let sgd = Sgd::new(self.spec.defense.momentum, self.spec.defense.weight_decay);
        let trainer = Trainer { model: backdoored, sgd, device: self.device.clone() };
        self.stage(Stage::Defense, &mut dir, (step, events), facts, &clean, trainer)?;
        Ok(())
    }

    /// A network with the run's initial weights.
    fn network(&self) -> PreActResNet<B> {
        let mut rng = rng::stream(self.spec.seed, "initial weights", 0);
        PreActResNet::new(&self.spec.model.stages(), self.data.classes.len(), &mut rng, &self.device)
    }

    /// Runs a stage, from its last checkpoint where there is one; `None` when the user ended it.
    fn stage(
        &mut self,
        stage: Stage,
        dir: &mut RunDir,
        (step, events): (u64, Vec<Event>),
        facts: Facts,
        images: &Split,
        mut trainer: Trainer<B>,
    ) -> Result<Option<PreActResNet<B>>, RunError> {
        let mut progress = None;
        self.replay(stage, &dir.path, &events);
        let mut spec = self.spec.clone();
        let mut host = Desk { stage, dir, spec: &mut self.spec, signals: self.signals, commands: self.commands };
        if events.is_empty() {
            host.dir.write_samples(&self.lens.clean.images, &self.lens.triggered)?;
            host.say(EventKind::Started { stage, facts: Box::new(facts) })?;
        } else {
            let (model, found) = checkpoint::load(&host.dir.checkpoints(), step, trainer.model, &mut trainer.sgd)?;
            (trainer.model, progress) = (model, Some(found));
        }
        spec.watch = host.spec.watch.clone();
        let task = Task { stage, train: images, exam: &self.exam, probe: &self.probe, lens: &self.lens, lookup: &self.lookup };
        match train::run(&task, &spec, trainer, progress, &mut host) {
            Ok(Ending::Finished(model, finished)) => {
                let file = checkpoint::Files::of(Path::new("checkpoints"), finished.step).weights;
                let done = Done {
                    weights: file.display().to_string(),
                    measures: finished.measures,
                    train_seconds: finished.train_seconds,
                    steps: finished.step,
                };
                host.dir.finish(&done)?;
                Ok(Some(*model))
            }
            Ok(Ending::Stopped) => Ok(None),
            Err(error) => {
                // The log may be what failed; the error itself is reported either way.
                drop(host.say(EventKind::Failed { message: error.to_string() }));
                Err(error.into())
            }
        }
    }

    fn replay(&self, stage: Stage, dir: &Path, events: &[Event]) {
        for event in events {
            drop(self.signals.send(Signal::Event { stage, dir: dir.to_owned(), replayed: true, event: event.clone() }));
        }
    }

    fn facts(&self, stage: Stage, id: &str, parent: Option<String>, images: usize, model: &PreActResNet<B>) -> Facts {
        let spec = &self.spec;
        Facts {
            id: id.to_owned(),
            parent,
            data: spec.data.name().to_owned(),
            fingerprint: self.fingerprint.clone(),
            model: spec.model.name().to_owned(),
            attack: spec.attack.name().to_owned(),
            defense: if stage == Stage::Defense { spec.defense.name().to_owned() } else { String::new() },
            seed: spec.seed,
            classes: self.data.classes.clone(),
            target: spec.attack.target,
            parameters: model.parameters(),
            train_images: images,
            test_images: self.exam.clean.len(),
            asr_images: self.exam.attacked.len(),
            epochs: spec.epochs(stage),
            steps_per_epoch: spec.steps_per_epoch(stage, images),
            batch: if stage == Stage::Attack { spec.attack.batch } else { spec.defense.batch },
            device: self.request.device.describe(),
            gpu: self.request.device.is_gpu(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            ..Facts::default()
        }
    }
}

/// The training loop's desk: lines go to the log and the watcher, orders come from the watcher.
struct Desk<'a> {
    stage: Stage,
    dir: &'a mut RunDir,
    spec: &'a mut RunSpec,
    signals: &'a Sender<Signal>,
    commands: &'a Receiver<Command>,
}

impl Desk<'_> {
    fn say(&mut self, kind: EventKind) -> Result<(), RunError> {
        let clock = Clock { unix_ms: train::now_ms(), ..Clock::default() };
        train::Host::emit(self, 0, clock, kind).map_err(|e| TrainError::Log(e).into())
    }

    /// While the backdoor is being planted, a change of a defense's setting belongs to the defense to come.
    fn keep(&mut self, command: Command) -> Option<Command> {
        match (self.stage, command) {
            (Stage::Attack, Command::Set { path, value }) => {
                if let Ok(spec) = self.spec.with(&path, &value.to_string(), "order")
                    && path.starts_with("defense.")
                {
                    *self.spec = spec;
                }
                None
            }
            (_, command) => Some(command),
        }
    }
}

impl train::Host for Desk<'_> {
    fn emit(&mut self, step: u64, clock: Clock, kind: EventKind) -> std::io::Result<()> {
        let event = self.dir.append(Event { seq: 0, step, clock, kind })?;
        drop(self.signals.send(Signal::Event { stage: self.stage, dir: self.dir.path.clone(), replayed: false, event }));
        Ok(())
    }

    fn orders(&mut self) -> Vec<Command> {
        let orders: Vec<Command> = self.commands.try_iter().collect();
        orders.into_iter().filter_map(|c| self.keep(c)).collect()
    }

    fn wait(&mut self) -> Command {
        // A watcher that is gone cannot resume what it paused: the run stops at a checkpoint.
        loop {
            let command = self.commands.recv().unwrap_or(Command::Stop);
            if let Some(command) = self.keep(command) {
                return command;
            }
        }
    }

    fn checkpoints(&self) -> PathBuf {
        self.dir.checkpoints()
    }
}
