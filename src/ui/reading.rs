//! Reading many run directories, or the cells of a sweep, beside the screen: what was read is kept, so that looking again
//! costs next to nothing where nothing has changed.

use super::jobs::guarded;
use crate::app::Report;
use crate::figure::aftermath::Aftermath;
use crate::figure::cells::{self, Scale, Standing};
use crate::figure::comparison::Shelf;
use crate::figure::{FigureError, FigureId, Source};
use crate::run::cell::{self, State};
use crate::spec::sweep::Cell;
use crate::spec::work::Speeds;
use crossbeam_channel::{Receiver, Sender};
use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is to be read.
pub enum Wish {
    /// A directory of runs.
    Runs(PathBuf),
    /// Where cells stand in a directory of runs.
    Cells(Arc<Vec<Cell>>, PathBuf),
    /// What is known of a run's after-effects.
    Aftermath(PathBuf),
    /// Where the figures of a scale stand in a directory of runs.
    Figures(Scale, PathBuf, Speeds),
    /// How a figure looks.
    Figure(FigureId, Scale, PathBuf),
}

/// Reads until nobody wishes any more.
pub fn work(wished: &Receiver<Wish>, tell: &Sender<Report>) {
    let (mut shelf, mut done, mut waiting) = (Shelf::default(), BTreeMap::new(), VecDeque::new());
    while let Some(wish) = next(&mut waiting, wished) {
        let report = match wish {
            Wish::Runs(dir) => Report::Runs(guarded(|| shelf.read(&dir).map_err(|e| e.to_string()))),
            Wish::Aftermath(dir) => {
                let known = guarded(|| Aftermath::read(&dir).map(Box::new).map_err(|e| e.to_string()));
                Report::Aftermath(dir, known)
            }
            Wish::Figures(scale, dir, speeds) => {
                Report::Figures(scale, guarded(|| figures(&mut shelf, scale, &dir, &speeds).map_err(|e| e.to_string())))
            }
            Wish::Figure(id, scale, dir) => {
                let drawn = guarded(|| {
                    let source = Source::of(shelf.scan(&dir).map_err(|e| e.to_string())?);
                    cells::scene(id, scale, source).map(Box::new).map_err(|e| e.to_string())
                });
                Report::Figure((id, scale, drawn))
            }
            Wish::Cells(cells, runs) => Report::Cells(guarded(|| Ok(standing(&cells, &runs, &mut done)))),
        };
        if tell.send(report).is_err() {
            return;
        }
    }
}

/// The next wish; of figures to look at, and of lists of them, only the last: who leafs through them
/// waits for none but that, and what says much while it computes is not read after each word.
fn next(waiting: &mut VecDeque<Wish>, wished: &Receiver<Wish>) -> Option<Wish> {
    if waiting.is_empty() {
        waiting.push_back(wished.recv().ok()?);
    }
    waiting.extend(wished.try_iter());
    for outdated in [|wish: &Wish| matches!(wish, Wish::Figure(..)), |wish: &Wish| matches!(wish, Wish::Figures(..))] {
        let last = waiting.iter().rposition(outdated);
        let mut at = 0..;
        waiting.retain(|wish| {
            let here = at.next();
            !outdated(wish) || here == last
        });
    }
    waiting.pop_front()
}

/// Where every figure stands.
fn figures(shelf: &mut Shelf, scale: Scale, dir: &Path, speeds: &Speeds) -> Result<Vec<Standing>, FigureError> {
    let scan = shelf.scan(dir)?;
    FigureId::all().into_iter().map(|id| Standing::of(id, scale, &scan, speeds)).collect()
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
