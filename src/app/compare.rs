//! The Compare screen: runs side by side, as curves, a trade-off plane, bars of cost and a table.

mod marks;
mod pick;

pub use pick::{Facet, Pick};

use super::layer::{Layer, Message};
use super::state::{Effect, State, Tone};
use super::{Action, update, words};
use crate::figure::comparison::{Candidate, Column, Comparison, HOURS, Library, Row, Trial, hours};
use crate::figure::runs::{Damage, RunEntry};
use crate::run::event::EventKind;
use crate::run::view::Status;
use crate::spec::Stage;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What is shown large.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pane {
    /// As much as there is room for.
    #[default]
    Overview,
    /// ASR by epoch.
    Asr,
    /// CA by epoch.
    Ca,
    /// CA against ASR.
    Plane,
    /// Hours.
    Cost,
    /// The table alone.
    Table,
}

impl Pane {
    /// In the order of Tab.
    pub const ALL: [Self; 6] = [Self::Overview, Self::Asr, Self::Ca, Self::Plane, Self::Cost, Self::Table];
}

/// Who chose what is compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// Every defense of the attack on the Bench.
    #[default]
    Bench,
    /// The same of what was run last: nothing of what is on the Bench was run.
    Newest,
    /// The user.
    Hand,
}

impl Choice {
    /// In words.
    pub fn words(self) -> &'static str {
        ["the attack on the Bench", "the newest attack", "chosen by hand"][self as usize]
    }
}

/// What is compared, and how it is looked at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Compare {
    /// Every run that can be compared.
    pub library: Vec<Candidate>,
    /// Run directories that cannot be read.
    pub damaged: Vec<Damage>,
    /// Whether the directory of runs was read.
    pub known: bool,
    /// Why it could not be.
    pub trouble: Option<String>,
    /// Names of the runs that are compared.
    pub marked: BTreeSet<String>,
    /// Who chose them.
    pub choice: Choice,
    /// They, side by side.
    pub comparison: Comparison,
    /// Places of its rows, as sorted.
    pub order: Vec<usize>,
    /// The column they are sorted by.
    pub sort: Column,
    /// Whether the largest comes first.
    pub descending: bool,
    /// The group of the selected row.
    selected: String,
    /// Whether somebody selected it.
    held: bool,
    /// What is shown large.
    pub pane: Pane,
    /// The list of runs.
    pub pick: Pick,
    /// Whether the directory is being read.
    reading: bool,
}

impl Compare {
    /// The place of the selected row among the sorted ones.
    pub fn cursor(&self) -> usize {
        self.order.iter().position(|place| self.comparison.rows[*place].group == self.selected).unwrap_or(0)
    }

    /// The place of the selected row among the rows.
    pub fn selected(&self) -> Option<usize> {
        self.order.get(self.cursor()).copied()
    }

    /// The selected row.
    pub fn row(&self) -> Option<&Row> {
        self.selected().and_then(|place| self.comparison.rows.get(place))
    }

    fn select(&mut self, at: usize) {
        let at = at.min(self.order.len().saturating_sub(1));
        if let Some(row) = self.order.get(at).and_then(|place| self.comparison.rows.get(*place)) {
            self.selected = row.group.clone();
        }
    }

    fn sort_by(&mut self, column: Column) {
        self.descending = if self.sort == column { !self.descending } else { column.better() == Some(crate::statistics::Better::Higher) };
        self.sort = column;
        self.order = self.comparison.sorted(self.sort, self.descending);
    }
}

/// Opens the screen.
pub(super) fn open(state: &mut State) -> Vec<Effect> {
    if !state.layers.contains(&Layer::Compare) {
        state.layers.push(Layer::Compare);
    }
    renew(state);
    read(state)
}

/// Asks for the directory of runs, unless it is being read.
fn read(state: &mut State) -> Vec<Effect> {
    if std::mem::replace(&mut state.compare.reading, true) {
        return Vec::new();
    }
    vec![Effect::ReadRuns(state.machine.runs_dir.clone())]
}

/// A moment has passed: runs that go on elsewhere may have more to tell.
pub fn tick(state: &mut State) -> Vec<Effect> {
    if state.layers.contains(&Layer::Compare) { read(state) } else { Vec::new() }
}

/// Takes in what stands in the directory of runs.
pub(super) fn report(state: &mut State, outcome: Result<Library, String>) {
    let compare = &mut state.compare;
    compare.reading = false;
    match outcome {
        Ok(library) => {
            // What has not changed is not read anew.
            let same = |(a, b): (&Candidate, &Candidate)| Arc::ptr_eq(&a.run, &b.run);
            let as_before = compare.library.len() == library.candidates.len() && compare.library.iter().zip(&library.candidates).all(same);
            compare.trouble = None;
            if compare.known && as_before && compare.damaged == library.damaged {
                return;
            }
            (compare.known, compare.library, compare.damaged) = (true, library.candidates, library.damaged);
        }
        Err(why) => compare.trouble = Some(why),
    }
    renew(state);
}

/// The run on the Bench has more to tell.
pub(super) fn follow(state: &mut State, kind: &EventKind) {
    let tells = matches!(kind, EventKind::Started { .. } | EventKind::Epoch { .. } | EventKind::Finished { .. } | EventKind::Stopped);
    if tells && state.layers.contains(&Layer::Compare) {
        renew(state);
    }
}

/// What is compared, made anew from what is known by now.
pub(super) fn renew(state: &mut State) {
    let all = with_live(state);
    if state.compare.choice != Choice::Hand {
        (state.compare.marked, state.compare.choice) = marks::suggested(state, &all);
    }
    let compare = &mut state.compare;
    let runs: Vec<String> = compare.row().map(|row| row.trials.iter().map(|t| t.run.clone()).collect()).unwrap_or_default();
    let comparison = Comparison::of(&all, |id| compare.marked.contains(id));
    compare.comparison = Comparison { damaged: compare.damaged.iter().map(ToString::to_string).collect(), ..comparison };
    compare.order = compare.comparison.sorted(compare.sort, compare.descending);
    let rows = &compare.comparison.rows;
    if !compare.held || !rows.iter().any(|row| row.group == compare.selected) {
        // A run that came to its end stands among its other seeds now; and a defense says more than what it started from.
        let same = |place: &usize| rows[*place].trials.iter().any(|t| runs.contains(&t.run));
        let moved = compare.order.iter().position(same).filter(|_| compare.held);
        let first = compare.order.iter().position(|place| rows[*place].defense().is_some());
        compare.select(moved.or(first).unwrap_or(0));
    }
    pick::settle(compare);
}

/// The library, with the run on the Bench as it stands now.
fn with_live(state: &State) -> Vec<Candidate> {
    let mut all = state.compare.library.clone();
    for stage in [Stage::Attack, Stage::Defense] {
        let view = state.view(stage);
        let known = all.iter().position(|candidate| candidate.run.id == view.facts.id);
        let final_one = known.is_some_and(|place| all[place].run.view.status == Status::Finished);
        if view.stage != Some(stage) || final_one {
            continue;
        }
        let (id, parent) = (view.facts.id.clone(), view.facts.parent.clone());
        let spec = state.started.as_ref().unwrap_or(&state.spec).clone();
        let dir = state.machine.runs_dir.join(&id);
        let live = Candidate::of(Arc::new(RunEntry { id, dir, spec, parent, view: view.clone(), done: view.status == Status::Finished }));
        match (known, live) {
            (Some(place), Some(live)) => all[place] = live,
            (None, Some(live)) => all.push(live),
            (_, None) => {}
        }
    }
    all
}

/// The screen has the keys.
pub(super) fn act(state: &mut State, action: Action) -> Vec<Effect> {
    if let Some(rows) = action.rows() {
        step(state, rows);
        return Vec::new();
    }
    match action {
        Action::Pick(at) => hold(state, at),
        Action::SortNext => turn_sort(state, 1),
        Action::SortPrevious => turn_sort(state, Column::ALL.len() - 1),
        Action::Reverse => sort(state, state.compare.sort),
        Action::Sort(column) => sort(state, column),
        Action::FocusNext => turn_pane(state, 1),
        Action::FocusPrevious => turn_pane(state, Pane::ALL.len() - 1),
        Action::ShowPane(pane) => state.compare.pane = pane,
        Action::Details => details(state),
        Action::Unmark => marks::take_out(state),
        Action::Suggested => marks::suggest(state),
        Action::Runs => state.layers.push(Layer::Runs),
        Action::Sweep => super::sweep::open(state),
        Action::Sequela => return aftermath(state),
        Action::Export => return export(state),
        Action::NextTheme | Action::Help => update::look(state, action),
        Action::Back | Action::Quit | Action::Compare => drop(state.layers.pop()),
        _ => {}
    }
    Vec::new()
}

/// The list of runs has the keys.
pub(super) use pick::act as choose;
/// A value to filter by was chosen.
pub(super) use pick::chosen;

fn step(state: &mut State, by: isize) {
    hold(state, state.compare.cursor().saturating_add_signed(by));
}

/// Selects a row, which then stays selected.
fn hold(state: &mut State, at: usize) {
    state.compare.held = true;
    state.compare.select(at);
}

fn turn_sort(state: &mut State, by: usize) {
    let here = Column::ALL.iter().position(|column| *column == state.compare.sort).unwrap_or(0);
    sort(state, Column::ALL[(here + by) % Column::ALL.len()]);
}

fn sort(state: &mut State, column: Column) {
    state.compare.sort_by(column);
    let order = if state.compare.descending { "largest first" } else { "smallest first" };
    let order = if column == Column::Name { "the usual order" } else { order };
    state.say(Tone::Plain, format!("{}; {order}", column.about()));
}

fn turn_pane(state: &mut State, by: usize) {
    let here = Pane::ALL.iter().position(|pane| *pane == state.compare.pane).unwrap_or(0);
    state.compare.pane = Pane::ALL[(here + by) % Pane::ALL.len()];
}

fn export(state: &mut State) -> Vec<Effect> {
    if state.compare.comparison.is_empty() {
        state.say(Tone::Warn, "nothing to export: p chooses runs");
        return Vec::new();
    }
    vec![Effect::ExportComparison(Box::new(state.compare.comparison.clone()))]
}

/// The after-effects of the selected row's first seed.
fn aftermath(state: &mut State) -> Vec<Effect> {
    let Some(run) = state.compare.row().and_then(|row| row.trials.first()).map(|trial| trial.run.clone()) else { return Vec::new() };
    super::sequela::open(state, state.machine.runs_dir.join(run))
}

/// The numbers of each seed of the selected row.
fn details(state: &mut State) {
    let Some(row) = state.compare.row() else { return };
    let text = row.trials.iter().map(trial).collect::<Vec<_>>().join("\n");
    let title = row.label.clone();
    let reason = state.compare.selected().map(|place| state.compare.comparison.reason(state.compare.sort, place)).unwrap_or_default();
    state.layers.push(Layer::Message(Message { title, text: format!("{text}\n\n{reason}"), bad: false }));
}

fn trial(trial: &Trial) -> String {
    let m = &trial.after;
    let hours = format!("{} {}", hours(trial.hours()), HOURS[usize::from(trial.gpu)]);
    let measures = [("CA", m.ca), ("ASR", m.asr), ("RA", m.ra)].map(|(name, value)| format!("{name} {}", words::percent(value))).join(", ");
    format!("seed {}: {measures}; {hours}\n  {}", trial.seed, trial.run)
}
