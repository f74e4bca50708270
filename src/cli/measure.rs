//! What figures show of runs beyond their logs (spec.md section 5), measured where it is missing.

use super::{CliError, Exit, Place, sequela};
use crate::figure::cells::{self, Scale};
use crate::figure::preset::{self, Draw, Reinjection};
use crate::figure::runs::{self, RunEntry};
use crate::figure::{FigureError, FigureId};
use crate::run::reinject::Reinject;
use crate::run::trained::Trained;
use crate::sequela::membership::{Settings, Variant};
use crate::spec::{Stage, Start};
use std::path::Path;

/// Measures the runs of `ids`; what fails is named and left out.
pub fn measure(ids: &[FigureId], scale: Scale, place: &Place) -> Result<Exit, CliError> {
    let scan = runs::scan(&place.runs())?;
    let mut exit = Exit::Ok;
    for &id in ids {
        let draw = preset::load(id)?.draw;
        let cells = match cells::cells(id, scale) {
            Ok(cells) => cells,
            Err(FigureError::Settings { .. }) => continue,
            Err(other) => return Err(other.into()),
        };
        for run in cells.iter().filter_map(|cell| cells::run(&scan, cell)) {
            match one(&draw, scale, run, place) {
                Ok(Exit::Ok) => {}
                Ok(stopped) => return Ok(stopped),
                Err(error) => {
                    eprintln!("tuneout: {}: {error}; left out", run.id);
                    exit = Exit::Failed;
                }
            }
        }
    }
    Ok(exit)
}

fn one(draw: &Draw, scale: Scale, run: &RunEntry, place: &Place) -> Result<Exit, CliError> {
    match draw {
        Draw::Membership(_) => sequela::infer(&run.dir, &Settings::of(Variant::Paper), place).map(|_| Exit::Ok),
        Draw::Reinjection(again) => inject(&run.dir, &again.at(scale), place),
        _ => Ok(Exit::Ok),
    }
}

/// As in the paper: the model of a defense, and for the attack a clean model.
fn inject(dir: &Path, again: &Reinjection, place: &Place) -> Result<Exit, CliError> {
    let run = Trained::open(dir)?;
    let start = if run.stage == Stage::Defense { Start::Defended } else { Start::Clean };
    let job = Reinject { attack: run.attack()?, run, starts: vec![start], ratios: again.ratios.clone(), epochs: again.epochs };
    sequela::inject(job, place).map(|(_, exit)| exit)
}
