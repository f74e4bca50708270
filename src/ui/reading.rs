//! Reading many run directories, or the cells of a sweep, beside the screen: what was read is kept, so that looking again
//! costs next to nothing where nothing has changed.

use super::jobs::guarded;
use crate::app::Report;
use crate::figure::comparison::Shelf;
use crate::run::cell::{self, State};
use crate::spec::sweep::Cell;
use crossbeam_channel::{Receiver, Sender};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is to be read.
pub enum Wish {
    /// A directory of runs.
    Runs(PathBuf),
    /// Where cells stand in a directory of runs.
    Cells(Arc<Vec<Cell>>, PathBuf),
}

/// Reads until nobody wishes any more.
pub fn work(wished: &Receiver<Wish>, tell: &Sender<Report>) {
    let (mut shelf, mut done) = (Shelf::default(), BTreeMap::new());
    while let Ok(wish) = wished.recv() {
        let report = match wish {
            Wish::Runs(dir) => Report::Runs(guarded(|| shelf.read(&dir).map_err(|e| e.to_string()))),
            Wish::Cells(cells, runs) => Report::Cells(guarded(|| Ok(standing(&cells, &runs, &mut done)))),
        };
        if tell.send(report).is_err() {
            return;
        }
    }
}

/// Where `cells` stand; one that is done stays so, and is not looked at again.
fn standing(cells: &[Cell], runs: &Path, done: &mut BTreeMap<String, State>) -> Vec<State> {
    let look = |cell: &Cell| match done.get(&cell.id) {
        Some(known) => known.clone(),
        None => {
            let state = cell::state(runs, cell);
            if matches!(state, State::Done(_)) {
                done.insert(cell.id.clone(), state.clone());
            }
            state
        }
    };
    cells.iter().map(look).collect()
}
