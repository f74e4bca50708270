//! Which runs are compared.

use super::{Choice, renew};
use crate::app::state::{State, Tone};
use crate::figure::comparison::{Candidate, model};
use std::collections::BTreeSet;

/// Every defense of the attack on the Bench, from the same kind of backdoored model, with the models themselves. Where
/// nothing of that was run: what was run last.
pub(super) fn suggested(state: &State, all: &[Candidate]) -> (BTreeSet<String>, Choice) {
    let of = |wanted: &str| all.iter().filter(|c| c.usable() && c.model == wanted).collect::<Vec<_>>();
    let mut choice = Choice::Bench;
    let mut chosen = of(&model(state.started.as_ref().unwrap_or(&state.spec)));
    if chosen.is_empty() {
        let newest = all.iter().filter(|c| c.usable()).max_by_key(|c| (!c.planted(), c.run.view.clock_ms.1));
        (chosen, choice) = (newest.map_or_else(Vec::new, |c| of(&c.model)), Choice::Newest);
    }
    let ids = chosen.iter().map(|c| c.run.id.clone());
    let parents = chosen.iter().filter_map(|c| c.run.parent.clone());
    (ids.chain(parents).collect(), choice)
}

/// What the Bench suggests again.
pub(super) fn suggest(state: &mut State) {
    state.compare.choice = Choice::Bench;
    renew(state);
    state.say(Tone::Plain, format!("every defense of {}", state.compare.choice.words()));
}

/// Takes the selected row out.
pub(super) fn take_out(state: &mut State) {
    let Some(row) = state.compare.row() else { return };
    let (label, runs): (String, Vec<String>) = (row.label.clone(), row.trials.iter().map(|t| t.run.clone()).collect());
    let cursor = state.compare.cursor();
    state.compare.choice = Choice::Hand;
    state.compare.marked.retain(|id| !runs.contains(id));
    renew(state);
    super::hold(state, cursor);
    state.say(Tone::Plain, format!("{label} was taken out; p chooses runs, u takes the usual ones again"));
}

/// Takes runs in, or out.
pub(super) fn mark(state: &mut State, ids: &[String], inside: bool) {
    state.compare.choice = Choice::Hand;
    for id in ids {
        if inside {
            state.compare.marked.insert(id.clone());
        } else {
            state.compare.marked.remove(id);
        }
    }
    renew(state);
}
