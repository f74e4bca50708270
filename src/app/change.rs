//! Changing settings: by the set-up, by the handles, by a preset; before a run and under way.

use super::layer::{Choices, Item, Layer, Purpose};
use super::rates::number;
use super::setup::{by_hand, settings, stepped};
use super::state::{Effect, State, Tone};
use super::{cost, words};
use crate::run::command::Command;
use crate::spec::field::{self, Field, Kind};
use crate::spec::{Preset, RunSpec, SpecError};

/// Gives the setting at `path` the value `text`. While a run goes on only live settings take it, and the worker is told.
pub(super) fn set(state: &mut State, path: &'static str, text: &str) -> Result<Vec<Effect>, String> {
    let Some(field) = field::find(path) else { return Ok(Vec::new()) };
    if state.active() && !field.live {
        return Err(format!("{} stays as it is while the run goes on: s stops it, then it can be changed", spoken(field)));
    }
    let changed = state.spec.with(path, text, "here").map_err(|e| reason(&e))?;
    if changed == state.spec {
        return Ok(Vec::new());
    }
    let seen = |spec: &RunSpec| (spec.scenario, spec.data.clone(), spec.downstream.clone(), spec.attack.clone(), spec.seed);
    let pictures_change = seen(&changed) != seen(&state.spec);
    state.spec = changed;
    if state.active() {
        return Ok(tell(state, field));
    }
    keep_selection(state);
    Ok(if pictures_change { vec![Effect::Preview(Box::new(state.spec.clone()))] } else { Vec::new() })
}

/// Sends a live setting's new value to the worker.
fn tell(state: &mut State, field: &Field) -> Vec<Effect> {
    let value = state.spec.get(field.path).and_then(|v| v.as_float().or_else(|| v.as_integer().map(|i| i as f64)));
    let Some(value) = value else { return Vec::new() };
    state.pending.insert(field.path.to_owned(), value);
    vec![Effect::Send(Command::Set { path: field.path.to_owned(), value })]
}

/// As [`set`], with a refusal shown above the keys.
pub(super) fn set_or_say(state: &mut State, path: &'static str, text: &str) -> Vec<Effect> {
    set(state, path, text).unwrap_or_else(|why| {
        state.say(Tone::Warn, why);
        Vec::new()
    })
}

/// What the parser says, without the place: the place is where the cursor stands.
pub(super) fn reason(error: &SpecError) -> String {
    let text = error.to_string();
    text.strip_prefix("here: ").map(str::to_owned).unwrap_or(text)
}

/// A setting as a sentence names it: `epochs (attack)` where the label alone would not tell.
pub(super) fn spoken(field: &Field) -> String {
    match field.path.split_once('.') {
        Some((section, _)) if section != field.label => format!("{} ({section})", field.label),
        _ => field.label.to_owned(),
    }
}

/// One press up or down on the setting at `path`.
pub(super) fn step(state: &mut State, path: &'static str, up: bool) -> Vec<Effect> {
    let (Some(field), Some(value)) = (field::find(path), state.spec.get(path)) else { return Vec::new() };
    match stepped(field, state.spec.choices(field), &value, up) {
        Some(text) => set_or_say(state, path, &text),
        None => {
            state.say(Tone::Plain, format!("Enter types a value for {}", spoken(field)));
            Vec::new()
        }
    }
}

/// One press on a handle: the first of `paths` that this defense has.
pub(super) fn turn(state: &mut State, paths: &[&'static str], up: bool) -> Vec<Effect> {
    let Some(&path) = paths.iter().find(|p| state.spec.get(p).is_some()) else {
        let label = paths.first().and_then(|p| field::find(p)).map_or("it", |f| f.label);
        state.say(Tone::Warn, format!("{} has no {label}", state.spec.defense.name()));
        return Vec::new();
    };
    state.setup.selected = path;
    step(state, path, up)
}

/// A handle was dragged to `value`.
pub(super) fn drag(state: &mut State, path: &str, value: f64) -> Vec<Effect> {
    let Some(field) = field::find(path) else { return Vec::new() };
    let value = match field.kind {
        Kind::Number { min, max, log: true, .. } => by_hand(value).clamp(min, max),
        Kind::Integer { min, max, .. } => value.round().clamp(min as f64, max as f64),
        _ => value,
    };
    state.setup.selected = field.path;
    set_or_say(state, field.path, &number(value))
}

/// Loads a prepared run.
pub(super) fn load(state: &mut State, preset: &Preset) -> Vec<Effect> {
    if state.active() {
        state.say(Tone::Warn, "a run goes on: s stops it, then another can be loaded");
        return Vec::new();
    }
    state.spec = preset.spec.clone();
    state.preset = Some(preset.name.clone());
    keep_selection(state);
    state.say(Tone::Plain, format!("{}: {}", preset.name, preset.title));
    vec![Effect::Preview(Box::new(state.spec.clone()))]
}

/// After names changed, the selected setting may be gone: the section's name takes its place.
pub(super) fn keep_selection(state: &mut State) {
    let shown = settings(&state.spec, state.setup.more);
    if shown.iter().any(|f| f.path == state.setup.selected) {
        return;
    }
    let section = super::setup::section(state.setup.selected);
    let home = shown.iter().find(|f| super::setup::section(f.path) == section).or(shown.first());
    state.setup.selected = home.map_or("scenario", |f| f.path);
}

/// Opens the list of prepared runs.
pub(super) fn offer_presets(state: &mut State) {
    let selected = state.presets.iter().position(|p| Some(&p.name) == state.preset.as_ref()).unwrap_or(0);
    state.layers.push(Layer::Choices(Choices { title: "prepared runs".to_owned(), items: presets(state), selected, purpose: Purpose::Preset }));
}

/// The list of prepared runs says what is known by now.
pub(super) fn renew_presets(state: &mut State) {
    let renewed = presets(state);
    let index = state.layers.iter().position(|layer| matches!(layer, Layer::Choices(c) if c.purpose == Purpose::Preset));
    if let Some(Layer::Choices(choices)) = index.and_then(|i| state.layers.get_mut(i)) {
        choices.items = renewed;
    }
}

fn presets(state: &State) -> Vec<Item> {
    let item = |p: &Preset| {
        let estimate = state.machine.speeds.estimate(&p.spec);
        Item {
            label: p.name.clone(),
            detail: p.title.clone(),
            note: estimate.as_ref().map(cost::time).unwrap_or_default(),
            group: p.spec.scenario.about(),
            about: p.about.clone(),
        }
    };
    state.presets.iter().map(item).collect()
}

/// Opens the list of a setting's choices.
pub(super) fn offer_words(state: &mut State, field: &'static Field, words: &[&'static str]) {
    let current = state.spec.get(field.path).map(|v| words::setting(&v, false));
    let items = words.iter().map(|w| Item { label: (*w).to_owned(), about: field.help.to_owned(), ..Item::default() }).collect();
    let selected = words.iter().position(|w| Some(*w) == current.as_deref()).unwrap_or(0);
    state.layers.push(Layer::Choices(Choices { title: spoken(field), items, selected, purpose: Purpose::Setting(field.path) }));
}
