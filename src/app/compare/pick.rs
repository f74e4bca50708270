//! The list from which runs are chosen.

use super::{Compare, marks};
use crate::app::layer::{Choices, Item, Layer, Purpose};
use crate::app::state::{Effect, State};
use crate::app::{Action, update, words};
use crate::figure::comparison::Candidate;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the list can be filtered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Facet {
    /// The data set.
    Data,
    /// The attack.
    Attack,
    /// The defense.
    Defense,
}

impl Facet {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Data, Self::Attack, Self::Defense];

    /// Its name.
    pub fn name(self) -> &'static str {
        ["data set", "attack", "defense"][self as usize]
    }

    /// Its value for a run.
    pub fn of(self, candidate: &Candidate) -> String {
        let facts = &candidate.run.view.facts;
        match self {
            Self::Data => facts.data.clone(),
            Self::Attack => facts.attack.clone(),
            Self::Defense if candidate.planted() => "no defense".to_owned(),
            Self::Defense => facts.defense.clone(),
        }
    }
}

/// The list: which runs it has, and the one under the cursor.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pick {
    /// The line under the cursor.
    pub cursor: usize,
    /// Only runs with these values.
    pub only: BTreeMap<Facet, String>,
}

impl Pick {
    fn passes(&self, candidate: &Candidate) -> bool {
        self.only.iter().all(|(facet, value)| facet.of(candidate) == *value)
    }
}

impl Compare {
    /// The runs that pass the filters.
    pub fn listed(&self) -> Vec<&Candidate> {
        self.library.iter().filter(|candidate| self.pick.passes(candidate)).collect()
    }
}

/// Keeps the cursor within the list.
pub(super) fn settle(compare: &mut Compare) {
    compare.pick.cursor = compare.pick.cursor.min(compare.listed().len().saturating_sub(1));
}

/// The list has the keys.
pub(in crate::app) fn act(state: &mut State, action: Action) -> Vec<Effect> {
    if let Some(rows) = action.rows() {
        step(state, rows);
        return Vec::new();
    }
    match action {
        Action::Pick(at) => {
            state.compare.pick.cursor = at;
            toggle(state);
        }
        Action::Mark => toggle(state),
        Action::MarkAll => toggle_all(state),
        Action::Suggested => marks::suggest(state),
        Action::FilterBy(facet) => offer(state, facet),
        Action::NextTheme | Action::Help => update::look(state, action),
        Action::Back | Action::Quit | Action::Runs => drop(state.layers.pop()),
        _ => {}
    }
    Vec::new()
}

fn step(state: &mut State, by: isize) {
    state.compare.pick.cursor = state.compare.pick.cursor.saturating_add_signed(by);
    settle(&mut state.compare);
}

fn toggle(state: &mut State) {
    let Some(id) = state.compare.listed().get(state.compare.pick.cursor).map(|c| c.run.id.clone()) else { return };
    let inside = !state.compare.marked.contains(&id);
    marks::mark(state, &[id], inside);
}

/// All that are listed, or none of them where all are in already.
fn toggle_all(state: &mut State) {
    let ids: Vec<String> = state.compare.listed().iter().map(|c| c.run.id.clone()).collect();
    let inside = !ids.iter().all(|id| state.compare.marked.contains(id));
    marks::mark(state, &ids, inside);
}

/// Offers the values of a facet that some run has.
fn offer(state: &mut State, facet: Facet) {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    state.compare.library.iter().for_each(|candidate| *counts.entry(facet.of(candidate)).or_default() += 1);
    let item = |label: String, count: u64| Item { label, detail: format!("{} runs", words::count(count)), ..Item::default() };
    let chosen = state.compare.pick.only.get(&facet);
    let selected = chosen.and_then(|value| counts.keys().position(|other| other == value)).map_or(0, |place| place + 1);
    let mut items = vec![item(format!("every {}", facet.name()), state.compare.library.len() as u64)];
    items.extend(counts.into_iter().map(|(value, count)| item(value, count)));
    state.layers.push(Layer::Choices(Choices { title: facet.name().to_owned(), items, selected, purpose: Purpose::Facet(facet) }));
}

/// A line of that list was chosen; the first stands for all.
pub(in crate::app) fn chosen(state: &mut State, facet: Facet, value: Option<&str>) {
    match value {
        Some(value) => drop(state.compare.pick.only.insert(facet, value.to_owned())),
        None => drop(state.compare.pick.only.remove(&facet)),
    }
    settle(&mut state.compare);
}
