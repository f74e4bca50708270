//! Between the training loop and the world: lines go to the log and to whoever watches, orders come from there.

use super::command::Command;
use super::event::{Clock, Event, EventKind};
use super::session::Signal;
use super::store::RunDir;
use super::worker::RunError;
use crate::data::Images;
use crate::spec::{RunSpec, Stage};
use crate::train::{self, TrainError};
use crossbeam_channel::{Receiver, Sender};
use std::path::PathBuf;

/// The training loop's desk.
pub(super) struct Desk<'a> {
    pub(super) stage: Stage,
    pub(super) dir: &'a mut RunDir,
    pub(super) spec: &'a mut RunSpec,
    pub(super) signals: &'a Sender<Signal>,
    pub(super) commands: &'a Receiver<Command>,
}

impl Desk<'_> {
    pub(super) fn say(&mut self, kind: EventKind) -> Result<(), RunError> {
        let clock = Clock { unix_ms: train::now_ms(), ..Clock::default() };
        train::Host::emit(self, 0, clock, kind).map_err(|e| TrainError::Log(e).into())
    }

    /// While the backdoor is being planted, a change of a defense's setting belongs to the defense to come.
    fn keep(&mut self, command: Command) -> Option<Command> {
        match (self.stage, command) {
            (Stage::Pretrain | Stage::Attack | Stage::Reinjection, Command::Set { path, value }) => {
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
    fn samples(&mut self, clean: &Images, triggered: &Images) -> std::io::Result<()> {
        self.dir.write_samples(clean, triggered).map_err(std::io::Error::other)
    }
}
