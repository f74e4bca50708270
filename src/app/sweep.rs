//! The grid of a sweep: attacks by defenses, filled by whoever computes its cells.

use super::layer::Layer;
use super::state::{Effect, State, Tone};
use super::{Action, compare, update};
use crate::run::cell::{Outcome, State as Standing};
use crate::spec::sweep::Cell;
use std::path::PathBuf;
use std::sync::Arc;

/// A sweep that is watched.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sweep {
    /// The file of its cells.
    pub file: PathBuf,
    /// The cells.
    pub cells: Arc<Vec<Cell>>,
    /// Where each stands; empty until that was read.
    pub standing: Vec<Standing>,
    /// Labels of the attacks: the rows.
    pub attacks: Vec<String>,
    /// Labels of the defenses: the columns; none is the backdoored model.
    pub defenses: Vec<Option<String>>,
    /// Row and column under the cursor.
    pub cursor: (usize, usize),
    /// Multiply-adds of each cell.
    work: Vec<f64>,
    /// Why nothing more is known.
    pub trouble: Option<String>,
    reading: bool,
}

/// How many cells stand where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Computed.
    pub done: usize,
    /// Computed, and failed.
    pub failed: usize,
    /// Being computed.
    pub running: usize,
    /// To come.
    pub waiting: usize,
}

impl Tally {
    /// Counts cells by where they stand.
    pub fn of(standing: &[Standing]) -> Self {
        let mut tally = Self::default();
        for standing in standing {
            *match standing {
                Standing::Done(_) => &mut tally.done,
                Standing::Failed(_) => &mut tally.failed,
                Standing::Running => &mut tally.running,
                Standing::Waiting => &mut tally.waiting,
            } += 1;
        }
        tally
    }
}

impl Sweep {
    /// The grid of `cells`, of which nothing is known yet.
    pub fn new(file: PathBuf, cells: Vec<Cell>) -> Self {
        let (mut attacks, mut defenses) = (Vec::new(), Vec::new());
        for cell in &cells {
            if !attacks.contains(&cell.attack) {
                attacks.push(cell.attack.clone());
            }
            if !defenses.contains(&cell.defense) {
                defenses.push(cell.defense.clone());
            }
        }
        let work = cells.iter().map(Cell::work).collect();
        Self { file, cells: Arc::new(cells), attacks, defenses, work, ..Self::default() }
    }

    /// The cells of a row and a column, one for each seed, with where they stand.
    pub fn at(&self, row: usize, column: usize) -> Vec<(&Cell, Option<&Standing>)> {
        let here = |cell: &Cell| self.attacks.get(row) == Some(&cell.attack) && self.defenses.get(column) == Some(&cell.defense);
        let cells = self.cells.iter().enumerate().filter(|(_, cell)| here(cell));
        cells.map(|(place, cell)| (cell, self.standing.get(place))).collect()
    }

    /// How many cells stand where.
    pub fn tally(&self) -> Tally {
        let unread = self.cells.len().saturating_sub(self.standing.len());
        let tally = Tally::of(&self.standing);
        Tally { waiting: tally.waiting + unread, ..tally }
    }

    /// Seconds until everything that nobody is at yet is done too, as [`rest`] has them, by as many as are at it now.
    pub fn seconds_left(&self) -> Option<f64> {
        let running = self.tally().running;
        rest(&self.work, &self.standing).filter(|_| running > 0).map(|seconds| seconds / running as f64)
    }

    /// Whether the backdoored model that a cell needs has failed.
    pub fn barred(&self, cell: &Cell) -> bool {
        let needed = cell.needs.as_ref().and_then(|id| self.cells.iter().position(|other| other.id == *id));
        needed.is_some_and(|place| matches!(self.standing.get(place), Some(Standing::Failed(_))))
    }

    /// What came of the cells of a row.
    fn outcomes(&self, row: usize) -> impl Iterator<Item = &Outcome> {
        let attack = self.attacks.get(row);
        self.cells.iter().zip(&self.standing).filter(move |(cell, _)| Some(&cell.attack) == attack).filter_map(|(_, standing)| match standing {
            Standing::Done(outcome) => Some(&**outcome),
            _ => None,
        })
    }
}

/// Seconds of training that the waiting ones of some cells take one after the other, at the speed of those that are done;
/// `None` before one is, and when nothing waits.
pub fn rest(work: &[f64], standing: &[Standing]) -> Option<f64> {
    let (mut done, mut seconds, mut to_come) = (0.0, 0.0, 0.0);
    for (work, standing) in work.iter().zip(standing) {
        match standing {
            Standing::Done(outcome) if outcome.seconds > 0.0 => (done, seconds) = (done + work, seconds + outcome.seconds),
            Standing::Waiting => to_come += work,
            _ => {}
        }
    }
    (done > 0.0 && to_come > 0.0).then(|| to_come / done * seconds)
}

/// Shows the grid, or says how to have one.
pub(super) fn open(state: &mut State) {
    if state.sweep.cells.is_empty() {
        return state.say(Tone::Warn, "no sweep is watched: `tuneout sweep show CELLS` opens the screen with its grid");
    }
    state.layers.push(Layer::Sweep);
}

/// The screen begins with the grid of `sweep`.
pub fn begin(state: &mut State, sweep: Sweep) -> Vec<Effect> {
    state.sweep = sweep;
    let mut effects = compare::open(state);
    open(state);
    effects.extend(tick(state));
    effects
}

/// A moment has passed: cells may have come to an end.
pub fn tick(state: &mut State) -> Vec<Effect> {
    let wanted = state.layers.contains(&Layer::Sweep) && !state.sweep.reading;
    if !wanted {
        return Vec::new();
    }
    state.sweep.reading = true;
    vec![Effect::ReadCells(state.sweep.cells.clone(), state.machine.runs_dir.clone())]
}

/// Takes in where the cells stand.
pub(super) fn report(state: &mut State, outcome: Result<Vec<Standing>, String>) {
    state.sweep.reading = false;
    match outcome {
        Ok(standing) => (state.sweep.standing, state.sweep.trouble) = (standing, None),
        Err(why) => state.sweep.trouble = Some(why),
    }
}

/// The grid has the keys.
pub(super) fn act(state: &mut State, action: Action) -> Vec<Effect> {
    match action {
        Action::Up => go(state, -1, 0),
        Action::Down => go(state, 1, 0),
        Action::Left => go(state, 0, -1),
        Action::Right => go(state, 0, 1),
        Action::First => go(state, isize::MIN, isize::MIN),
        Action::Last => go(state, isize::MAX, isize::MAX),
        Action::PickCell(row, column) => state.sweep.cursor = (row, column),
        Action::CompareRow => return compare_row(state),
        Action::NextTheme | Action::Help => update::look(state, action),
        Action::Back | Action::Quit | Action::Sweep => drop(state.layers.pop()),
        _ => {}
    }
    Vec::new()
}

fn go(state: &mut State, rows: isize, columns: isize) {
    let sweep = &mut state.sweep;
    let moved = |at: usize, by: isize, count: usize| at.saturating_add_signed(by).min(count.saturating_sub(1));
    sweep.cursor = (moved(sweep.cursor.0, rows, sweep.attacks.len()), moved(sweep.cursor.1, columns, sweep.defenses.len()));
}

/// The runs of the row under the cursor, side by side.
fn compare_row(state: &mut State) -> Vec<Effect> {
    let row = state.sweep.cursor.0;
    let runs = state.sweep.outcomes(row).flat_map(|o| std::iter::once(o.attack_run.clone()).chain(o.defense_run.clone()));
    let runs: std::collections::BTreeSet<String> = runs.filter(|id| !id.is_empty()).collect();
    if runs.is_empty() {
        state.say(Tone::Warn, "nothing of this row is done yet");
        return Vec::new();
    }
    state.layers.pop();
    (state.compare.marked, state.compare.choice) = (runs, compare::Choice::Hand);
    compare::open(state)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_takes_as_long_as_its_like_took() {
        let done = |seconds| Standing::Done(Box::new(Outcome { seconds, ..Outcome::default() }));
        let standing = [done(30.0), done(50.0), Standing::Waiting, Standing::Running, Standing::Waiting];
        // 20 multiply-adds took 80 seconds, 10 are to come.
        assert_eq!(rest(&[5.0, 15.0, 8.0, 40.0, 2.0], &standing), Some(40.0));
        assert_eq!(rest(&[1.0, 1.0], &[Standing::Waiting, Standing::Running]), None);
        assert_eq!(rest(&[1.0, 1.0], &[done(30.0), Standing::Running]), None);
    }
}
