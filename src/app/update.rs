//! One action in, the next state and its effects out.

use super::action::Action;
use super::layer::{Choices, Confirm, Layer, Message, Purpose, Yes};
use super::setup::settings;
use super::state::{After, Asked, Effect, Focus, Run, Span, State, Tone};
use super::{browse, change, compare, edit, figures, sequela, sweep};
use crate::figure::evidence::Pictures;
use crate::run::command::Command;
use crate::run::view::RunView;
use crate::spec::{RunSpec, field};

const MAX1: &[&str] = &["defense.lr_max1", "defense.lr"];
const MAX2: &[&str] = &["defense.lr_max2"];
const BASE: &[&str] = &["defense.lr_base", "defense.lr"];
const CYCLE: &[&str] = &["defense.cycle"];
const PHASE1: &[&str] = &["defense.phase1_epochs"];

/// Carries out `action`.
pub fn update(state: &mut State, action: Action) -> Vec<Effect> {
    match action {
        Action::Resized(columns, rows) => return resized(state, columns, rows),
        Action::Interrupt => return interrupt(state),
        _ => state.interrupted = false,
    }
    if !matches!(action, Action::Redraw | Action::Help) {
        state.notice = None;
    }
    match state.layers.last().cloned() {
        Some(layer) => on_layer(state, layer, action),
        None => on_bench(state, action),
    }
}

/// The Bench itself has the keys. One line an action.
fn on_bench(state: &mut State, action: Action) -> Vec<Effect> {
    match action {
        Action::Toggle => toggle(state),
        Action::Stop => ask_stop(state),
        Action::Restart => restart(state),
        Action::Quit => quit(state),
        Action::Browse => browse::open(state),
        Action::Compare => compare::open(state),
        Action::Sequela => sequela::of_bench(state),
        Action::Figures => figures::open(state),
        Action::Export => vec![Effect::Export],
        Action::Suspend => vec![Effect::Suspend],
        Action::Redraw => vec![Effect::Redraw],
        Action::NextSeed => change::step(state, "seed", true),
        Action::PreviousSeed => change::step(state, "seed", false),
        Action::Left => sideways(state, false),
        Action::Right => sideways(state, true),
        Action::Enter | Action::Accept => enter(state),
        Action::LrMax1Down => change::turn(state, MAX1, false),
        Action::LrMax1Up => change::turn(state, MAX1, true),
        Action::LrMax2Down => change::turn(state, MAX2, false),
        Action::LrMax2Up => change::turn(state, MAX2, true),
        Action::LrBaseDown => change::turn(state, BASE, false),
        Action::LrBaseUp => change::turn(state, BASE, true),
        Action::CycleDown => change::turn(state, CYCLE, false),
        Action::CycleUp => change::turn(state, CYCLE, true),
        Action::Phase1Down => change::turn(state, PHASE1, false),
        Action::Phase1Up => change::turn(state, PHASE1, true),
        Action::SetValue(path, value) => change::drag(state, &path, value),
        other => {
            look(state, other);
            Vec::new()
        }
    }
}

/// Actions that change only what is looked at.
pub(super) fn look(state: &mut State, action: Action) {
    match action {
        Action::Presets => change::offer_presets(state),
        Action::NextTheme => next_theme(state),
        Action::NextView => next_view(state),
        Action::NextContrast => next_contrast(state),
        Action::LogScale => state.look.linear = !state.look.linear,
        Action::More => more(state),
        Action::Help => state.layers.push(Layer::Help(0)),
        Action::Evidence => evidence(state),
        Action::FocusNext => focus(state, 1),
        Action::FocusPrevious => focus(state, Focus::ALL.len() - 1),
        Action::Focus(focus) => state.focus = focus,
        Action::Back => state.setup.edit = None,
        Action::Up => go(state, -1),
        Action::Down => go(state, 1),
        Action::First => go(state, isize::MIN),
        Action::Last => go(state, isize::MAX),
        Action::Erase => edit::erase(state),
        Action::Type(character) => edit::insert(state, character.encode_utf8(&mut [0; 4])),
        Action::Paste(text) => edit::insert(state, &text),
        Action::SelectSetting(path) => select(state, &path),
        Action::SelectSample(index) => sample(state, index),
        _ => {}
    }
}

/// The top layer has the keys.
fn on_layer(state: &mut State, layer: Layer, action: Action) -> Vec<Effect> {
    match (layer, action) {
        (_, Action::Suspend) => return vec![Effect::Suspend],
        (_, Action::Redraw) => return vec![Effect::Redraw],
        (Layer::Browse, action) => return browse::act(state, action),
        (Layer::Compare, action) => return compare::act(state, action),
        (Layer::Runs, action) => return compare::choose(state, action),
        (Layer::Sweep, action) => return sweep::act(state, action),
        (Layer::Sequela, action) => return sequela::act(state, action),
        (Layer::Figures, action) => return figures::act(state, action),
        (Layer::Evidence, Action::Toggle) => return toggle(state),
        (Layer::Evidence, Action::Export) => return vec![Effect::Export],
        (Layer::Confirm(confirm), Action::Accept | Action::Enter) => return confirmed(state, confirm.yes),
        (Layer::Choices(choices), Action::Accept | Action::Enter | Action::Toggle) => return chosen(state, &choices, choices.selected),
        (Layer::Choices(choices), Action::Pick(index)) => return chosen(state, &choices, index),
        (Layer::Help(_) | Layer::Choices(_), Action::Up) => scroll(state, -1),
        (Layer::Help(_) | Layer::Choices(_), Action::Down) => scroll(state, 1),
        (Layer::Help(_) | Layer::Choices(_), Action::First) => scroll(state, isize::MIN),
        (Layer::Help(_) | Layer::Choices(_), Action::Last) => scroll(state, isize::MAX),
        (Layer::Choices(_), Action::Left) => leap(state, false),
        (Layer::Choices(_), Action::Right) => leap(state, true),
        (Layer::Message(_), Action::Accept | Action::Enter)
        | (Layer::Help(_), Action::Help | Action::Quit)
        | (Layer::Evidence, Action::Evidence)
        | (_, Action::Back | Action::Decline) => drop(state.layers.pop()),
        _ => {}
    }
    Vec::new()
}

/// In the place of the trigger lens where that is large enough, else over the charts.
fn evidence(state: &mut State) {
    if state.look.spacious() {
        state.look.evidence = !state.look.evidence;
    } else {
        state.layers.push(Layer::Evidence);
    }
}

fn toggle(state: &mut State) -> Vec<Effect> {
    if !state.active() {
        return start(state);
    }
    if state.asked == Some(Asked::Stop) {
        return Vec::new();
    }
    let (asked, command) = if state.paused() { (Asked::Resume, Command::Resume) } else { (Asked::Pause, Command::Pause) };
    state.asked = Some(asked);
    vec![Effect::Send(command)]
}

/// Starts the run as it is set up.
pub(super) fn start(state: &mut State) -> Vec<Effect> {
    if state.figures.making.is_some() {
        state.say(Tone::Warn, "a figure is being computed, which takes the device: f shows it, s ends it there");
        return Vec::new();
    }
    if state.sequela.again.is_some() {
        state.say(Tone::Warn, "after-effects are being computed, which takes the device: a shows them, s ends them there");
        return Vec::new();
    }
    state.setup.edit = None;
    keep_for_comparison(state);
    state.run = Run::Active;
    state.started = Some(state.spec.clone());
    state.preparing = Some(super::state::Preparing { what: "getting ready".to_owned(), done: 0, total: 0 });
    state.ran = None;
    state.pretrain = RunView::default();
    state.attack = RunView::default();
    state.defense = RunView::default();
    state.evidence = Pictures::default();
    state.histories = Default::default();
    state.browse = Default::default();
    state.layers.retain(|layer| *layer != Layer::Browse);
    state.reused = false;
    state.asked = None;
    state.after = None;
    state.pending.clear();
    state.notice = None;
    vec![Effect::Start(Box::new(state.spec.clone()))]
}

/// The clean-up on the screen stays to be compared with when the next one starts from the same backdoored model.
fn keep_for_comparison(state: &mut State) {
    let model = |spec: &RunSpec| (spec.seed, spec.data.clone(), spec.model.clone(), spec.augment.clone(), spec.attack.clone());
    let same = state.started.as_ref().is_some_and(|spec| model(spec) == model(&state.spec));
    if !same {
        state.before = None;
    } else if state.defense.epochs.len() > 1 {
        state.before = Some(std::mem::take(&mut state.defense));
    }
}

/// Tells the worker to end, once.
fn stop(state: &mut State) -> Vec<Effect> {
    if state.sequela.again.is_some() {
        return sequela::stop(state);
    }
    if !state.active() || state.asked == Some(Asked::Stop) {
        return Vec::new();
    }
    state.asked = Some(Asked::Stop);
    vec![Effect::Send(Command::Stop)]
}

fn ask(state: &mut State, question: &str, detail: &str, yes: Yes) -> Vec<Effect> {
    state.layers.push(Layer::Confirm(Confirm { question: question.to_owned(), detail: detail.to_owned(), yes }));
    Vec::new()
}

fn ask_stop(state: &mut State) -> Vec<Effect> {
    if state.active() {
        return ask(state, "Stop the run?", "It writes a checkpoint first; starting the same settings again goes on from there.", Yes::Stop);
    }
    state.say(Tone::Plain, "nothing runs: space starts");
    Vec::new()
}

fn restart(state: &mut State) -> Vec<Effect> {
    if state.active() {
        return ask(state, "Stop this run and start again?", "It starts with the settings as they are now.", Yes::Restart);
    }
    start(state)
}

fn quit(state: &mut State) -> Vec<Effect> {
    if state.computing() {
        return ask(
            state,
            "Quit while training?",
            "The run ends after a checkpoint; starting the same settings again goes on from there.",
            Yes::Quit,
        );
    }
    vec![Effect::Quit]
}

/// Ctrl-C: asks as `q` does; a second one in a row leaves at once.
fn interrupt(state: &mut State) -> Vec<Effect> {
    if state.interrupted || state.after == Some(After::Quit) {
        return vec![Effect::Quit];
    }
    state.interrupted = true;
    state.setup.edit = None;
    if matches!(state.layers.last(), Some(Layer::Confirm(c)) if matches!(c.yes, Yes::Quit | Yes::Leave)) {
        return vec![Effect::Quit];
    }
    if state.computing() {
        return quit(state);
    }
    ask(state, "Quit?", "Nothing is lost: every run stands in its directory. Ctrl-C again quits at once.", Yes::Leave)
}

fn confirmed(state: &mut State, yes: Yes) -> Vec<Effect> {
    state.layers.pop();
    state.after = match yes {
        Yes::Stop => None,
        Yes::Leave => return vec![Effect::Quit],
        Yes::Quit => Some(After::Quit),
        Yes::Restart => Some(After::Restart),
    };
    if !state.computing() {
        // It ended while the question was on the screen.
        return match state.after.take() {
            Some(After::Quit) => vec![Effect::Quit],
            Some(After::Restart) => start(state),
            None => Vec::new(),
        };
    }
    if yes == Yes::Quit {
        let text = "The run is being ended: it writes a checkpoint and then the program leaves. Ctrl-C leaves at once.".to_owned();
        state.layers.push(Layer::Message(Message { title: "leaving".to_owned(), text, bad: false }));
    }
    stop(state)
}

fn chosen(state: &mut State, choices: &Choices, index: usize) -> Vec<Effect> {
    state.layers.pop();
    let Some(item) = choices.items.get(index) else { return Vec::new() };
    match choices.purpose {
        Purpose::Class => {
            browse::class(state, index);
            Vec::new()
        }
        Purpose::Facet(facet) => {
            compare::chosen(state, facet, (index > 0).then_some(item.label.as_str()));
            Vec::new()
        }
        Purpose::Setting(path) => change::set_or_say(state, path, &item.label),
        Purpose::Preset => match state.presets.iter().find(|p| p.name == item.label).cloned() {
            Some(preset) => change::load(state, &preset),
            None => Vec::new(),
        },
    }
}

fn scroll(state: &mut State, by: isize) {
    match state.layers.last_mut() {
        Some(Layer::Help(line)) => *line = moved(usize::from(*line), by, usize::from(u16::MAX)) as u16,
        Some(Layer::Choices(choices)) => choices.selected = moved(choices.selected, by, choices.items.len()),
        _ => {}
    }
}

/// To the first line of the next or the previous group of a list.
fn leap(state: &mut State, forward: bool) {
    let Some(Layer::Choices(choices)) = state.layers.last_mut() else { return };
    let begins = |i: &usize| *i == 0 || choices.items[*i].group != choices.items[*i - 1].group;
    let (here, mut starts) = (choices.selected, (0..choices.items.len()).filter(begins));
    let next = if forward { starts.find(|i| *i > here) } else { starts.take_while(|i| *i < here).last() };
    choices.selected = next.unwrap_or(here);
}

/// `index` moved within `0..len`.
fn moved(index: usize, by: isize, len: usize) -> usize {
    index.saturating_add_signed(by).min(len.saturating_sub(1))
}

fn focus(state: &mut State, by: usize) {
    let here = Focus::ALL.iter().position(|f| *f == state.focus).unwrap_or(0);
    state.focus = Focus::ALL[(here + by) % Focus::ALL.len()];
}

/// Up and down: through the settings, the handles or the samples.
fn go(state: &mut State, by: isize) {
    if state.focus == Focus::Lens {
        let index = moved(state.lens.selected, by, state.lens.len());
        return sample(state, index);
    }
    let shown = settings(&state.spec, state.setup.more);
    let among: Vec<_> = shown.iter().filter(|f| state.focus == Focus::Setup || f.live).collect();
    let here = among.iter().position(|f| f.path == state.setup.selected);
    let next = here.map_or(0, |i| moved(i, by, among.len()));
    if let Some(field) = among.get(next) {
        state.setup.selected = field.path;
    }
}

fn sideways(state: &mut State, up: bool) -> Vec<Effect> {
    match state.focus {
        Focus::Lens => {
            let index = moved(state.lens.selected, if up { 1 } else { -1 }, state.lens.len());
            sample(state, index);
            Vec::new()
        }
        Focus::Charts if !field::find(state.setup.selected).is_some_and(|f| f.live) => {
            go(state, 0);
            Vec::new()
        }
        _ => change::step(state, state.setup.selected, up),
    }
}

fn enter(state: &mut State) -> Vec<Effect> {
    match (&state.setup.edit, state.focus) {
        (Some(_), _) => edit::commit(state),
        (None, Focus::Setup | Focus::Charts) => edit::open(state),
        (None, Focus::Lens) => sideways(state, true),
    }
}

fn select(state: &mut State, path: &str) {
    if let Some(field) = field::find(path) {
        state.focus = Focus::Setup;
        state.setup.selected = field.path;
        state.setup.edit = None;
    }
}

fn sample(state: &mut State, index: usize) {
    state.lens.selected = index.min(state.lens.len().saturating_sub(1));
}

fn more(state: &mut State) {
    state.setup.more = !state.setup.more;
    change::keep_selection(state);
}

fn next_theme(state: &mut State) {
    state.look.theme = (state.look.theme + 1) % state.look.themes.len().max(1);
    let name = state.theme().to_owned();
    state.say(Tone::Plain, format!("theme: {name}"));
}

fn next_contrast(state: &mut State) {
    state.lens.contrast = state.lens.contrast.next();
    state.say(Tone::Plain, state.lens.contrast.about());
}

fn next_view(state: &mut State) {
    let (span, words) = match state.look.span {
        Span::Both => (Span::Defense, "the charts show the clean-up"),
        Span::Defense => (Span::Attack, "the charts show the attack"),
        Span::Attack => (Span::Both, "the charts show attack and clean-up"),
    };
    state.look.span = span;
    state.say(Tone::Plain, words);
}

fn resized(state: &mut State, columns: u16, rows: u16) -> Vec<Effect> {
    let first = state.look.size == (0, 0);
    state.look.size = (columns, rows);
    // A terminal with room for one panel opens on the chart.
    if first && (columns < 76 || rows < 22) {
        state.focus = Focus::Charts;
    }
    Vec::new()
}
