//! Typing a value.

use super::change;
use super::setup::Edit;
use super::state::{Effect, State, Tone};
use super::words;
use crate::spec::field::{self, Kind};

/// Enter on a setting: a list for words, a switch for yes and no, typing for everything else.
pub(super) fn open(state: &mut State) -> Vec<Effect> {
    let path = state.setup.selected;
    let Some(field) = field::find(path) else { return Vec::new() };
    if state.active() && !field.live {
        state.say(Tone::Warn, format!("{} stays as it is while the run goes on: s stops it", change::spoken(field)));
        return Vec::new();
    }
    match field.kind {
        Kind::Choice(words) => change::offer_words(state, field, state.spec.choices(field).unwrap_or(words)),
        Kind::Switch => return change::step(state, path, true),
        Kind::Number { log, .. } => begin(state, log),
        _ => begin(state, false),
    }
    Vec::new()
}

fn begin(state: &mut State, log: bool) {
    let value = state.spec.get(state.setup.selected);
    let text = value.filter(|v| v.as_str() != Some("")).map(|v| words::setting(&v, log)).unwrap_or_default();
    state.setup.edit = Some(Edit { text, error: None });
}

/// Enter while typing: takes the value, or says why not and lets one go on typing.
pub(super) fn commit(state: &mut State) -> Vec<Effect> {
    let Some(edit) = state.setup.edit.take() else { return Vec::new() };
    match change::set(state, state.setup.selected, &edit.text) {
        Ok(effects) => effects,
        Err(why) => {
            state.setup.edit = Some(Edit { error: Some(why), ..edit });
            Vec::new()
        }
    }
}

/// Characters typed or pasted.
pub(super) fn insert(state: &mut State, text: &str) {
    if let Some(edit) = &mut state.setup.edit {
        edit.text.extend(text.chars().filter(|c| !c.is_control()));
        edit.error = None;
    }
}

/// Backspace.
pub(super) fn erase(state: &mut State) {
    if let Some(edit) = &mut state.setup.edit {
        edit.text.pop();
        edit.error = None;
    }
}
