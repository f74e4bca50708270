//! A backdoor as its run directory tells of it.

use super::ExportError;
use crate::attack::{Attack, AttackError};
use crate::data;
use crate::figure::runs::{self, RunEntry};
use crate::run::{find, trigger};
use crate::spec::Stage;
use std::path::Path;

/// The run of an attack, whose trigger can be put into images again.
#[derive(Clone, Debug, PartialEq)]
pub struct Planted {
    /// The attack's run.
    pub run: RunEntry,
}

impl Planted {
    /// The attack that `name` stands for: an attack's run, or a defense's, which leads to the attack that it started
    /// from. `name` is a path, the name of a run in `runs`, or a beginning that only one has.
    ///
    /// # Errors
    /// When there is no such run, it cannot be read, or no attack belongs to it.
    pub fn find(runs: &Path, name: &str) -> Result<Self, ExportError> {
        let run = read(&find::find(runs, name)?)?;
        match run.view.stage {
            Some(Stage::Attack) => Ok(Self { run }),
            Some(Stage::Defense) => Ok(Self { run: parent(&run)? }),
            Some(Stage::Pretrain) => Err(ExportError::Clean { id: run.id }),
            Some(Stage::Reinjection) => Err(ExportError::Reinjection { id: run.id }),
            None => Err(ExportError::NotBegun { id: run.id }),
        }
    }

    /// The trigger for images of `shape` = (channels, height, width).
    ///
    /// # Errors
    /// When it is not learned yet, damaged, or for images of another size.
    pub fn trigger(&self, shape: [usize; 3]) -> Result<Box<dyn Attack>, ExportError> {
        trigger::load(&self.run.dir, &self.run.spec, shape).map_err(|error| match error {
            AttackError::Trigger { ref file, .. } if !self.run.done && !Path::new(file).exists() => {
                ExportError::Unfinished { id: self.run.id.clone() }
            }
            other => other.into(),
        })
    }

    /// Shape of the images that the model takes: channels, height, width. A run's samples tell.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn shape(&self) -> Result<[usize; 3], ExportError> {
        let sample = data::picture::read(&self.run.dir.join("samples").join("0-clean.png"))?;
        Ok([3, sample.height() as usize, sample.width() as usize])
    }
}

fn read(dir: &Path) -> Result<RunEntry, ExportError> {
    runs::read(dir).map_err(ExportError::Damaged)
}

/// The run that a defense started from.
fn parent(run: &RunEntry) -> Result<RunEntry, ExportError> {
    let (name, beside) = (run.parent.clone().unwrap_or_default(), run.dir.parent().unwrap_or(Path::new("")));
    let dir = beside.join(&name);
    if name.is_empty() || !dir.join("spec.toml").is_file() {
        return Err(ExportError::NoParent { id: run.id.clone(), parent: name, runs: beside.to_owned() });
    }
    read(&dir)
}
