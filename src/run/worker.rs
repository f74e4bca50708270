//! The worker: one thread that owns the device and carries a run from its settings to its result.

use super::command::Command;
use super::device::Device;
use super::reinject::Reinject;
use super::session::{Failure, FailureKind, Session, Signal};
use super::store;
use super::threads;
use super::trained::TrainedError;
use super::work::Work;
use crate::attack::AttackError;
use crate::data::{DataDirs, DataError};
use crate::defense::DefenseError;
use crate::model::store as weights;
use crate::spec::{RunSpec, Stage};
use crate::train::TrainError;
use burn::backend::{Autodiff, Flex};
use crossbeam_channel::{Receiver, Sender, unbounded};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

/// What a worker is asked to do.
#[derive(Clone, Debug)]
pub struct Request {
    /// The run.
    pub spec: RunSpec,
    /// The last stage that is computed.
    pub until: Stage,
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
    /// The defense.
    #[error(transparent)]
    Defense(#[from] DefenseError),
    /// The two tasks' images do not fit each other.
    #[error("downstream: images of {} x {} pixels, and those of the first task have {} x {}; give both the same side (data.size, downstream.size)", second[0], second[1], first[0], first[1])]
    Sizes {
        /// Width and height of the first task's images.
        first: [usize; 2],
        /// Of the second's.
        second: [usize; 2],
    },
    /// The training.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The run directory.
    #[error(transparent)]
    Store(#[from] store::StoreError),
    /// The weights.
    #[error(transparent)]
    Weights(#[from] weights::StoreError),
    /// The run that a backdoor is put into again.
    #[error(transparent)]
    Trained(#[from] TrainedError),
    /// The device gave up.
    #[error("the device failed: {0}; try --device cpu")]
    Device(String),
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        let kind = match error {
            RunError::Data(_) | RunError::Attack(_) | RunError::Sizes { .. } => FailureKind::Data,
            RunError::Trained(ref error) if error.is_data() => FailureKind::Data,
            RunError::Device(_) => FailureKind::Device,
            RunError::Trained(_) | RunError::Defense(_) | RunError::Train(_) | RunError::Store(_) | RunError::Weights(_) => FailureKind::Other,
        };
        Self { message: error.to_string(), kind }
    }
}

/// Starts a worker on a thread of its own.
pub fn start(request: Request) -> Session {
    spawn(request, None)
}

/// Starts a worker that puts a backdoor into models again; the request's settings are those of `job`'s run.
pub fn reinject(request: Request, job: Reinject) -> Session {
    spawn(request, Some(job))
}

fn spawn(request: Request, job: Option<Reinject>) -> Session {
    let (signal_sender, signals) = unbounded();
    let (commands, command_receiver) = unbounded();
    let body = move || {
        threads::step_back();
        let result = catch_unwind(AssertUnwindSafe(|| dispatch(request, job.as_ref(), &signal_sender, &command_receiver)));
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
fn dispatch(request: Request, job: Option<&Reinject>, signals: &Sender<Signal>, commands: &Receiver<Command>) -> Result<(), RunError> {
    match request.device.clone() {
        Device::Cpu => Work::<Autodiff<Flex>>::run(request, job, Default::default(), signals, commands),
        #[cfg(feature = "wgpu")]
        Device::Wgpu(adapter) => Work::<Autodiff<burn::backend::Wgpu>>::run(request, job, adapter.device(), signals, commands),
        #[cfg(feature = "cuda")]
        Device::Cuda(number) => {
            Work::<Autodiff<burn::backend::Cuda>>::run(request, job, burn::backend::cuda::CudaDevice::new(number), signals, commands)
        }
    }
}
