//! What the run costs: where it is, how fast, how long still, and on what.
//!
//! ```text
//! ╭ cost ──────────────────────────╮
//! │ stage     clean-up, epoch 7/14 │
//! │ ━━━━━━━━━━━━━━╌╌╌╌╌╌╌╌╌╌  52%  │
//! │ ETA       0:41                 │
//! │ speed     1,412 images/s       │
//! │ training  0:18   CPU h 0.0052  │
//! │ memory    312 MiB              │
//! │ device    cpu (2 threads)      │
//! │ backdoor  reused               │
//! ╰────────────────────────────────╯
//! ```

use crate::app::state::Preparing;
use crate::app::{State, cost, words};
use crate::run::view::Status;
use crate::spec::Stage;
use crate::ui::view::View;
use crate::ui::widget::bar;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

/// Columns of the names.
const NAMES: usize = 10;

/// Draws the panel.
pub fn render(frame: &mut Frame, area: Rect, view: &View) {
    let inner = view.frame(frame, area, vec![view.title("cost")], Vec::new(), None);
    let width = usize::from(inner.width).saturating_sub(2);
    let mut lines = vec![progress(view, width)];
    lines.splice(0..0, [fact(view, "stage", stage(view.state), width)]);
    lines.extend(facts(view.state).into_iter().map(|(name, value)| fact(view, name, value, width)));
    frame.render_widget(Paragraph::new(lines), inner);
}

fn fact<'a>(view: &View<'a>, name: &'static str, value: String, width: usize) -> Line<'a> {
    let room = width.saturating_sub(NAMES);
    let value = if name == "run" { both_ends(view, &value, room) } else { view.cut(&value, room) };
    Line::from(vec![Span::raw(" "), view.faint(format!("{name:<NAMES$}")), view.text(value)])
}

/// A run's name keeps its end, which tells it from its neighbours.
fn both_ends(view: &View, name: &str, room: usize) -> String {
    let all = name.chars().count();
    if all <= room || room < 14 {
        return view.cut(name, room);
    }
    let end: String = name.chars().skip(all - 10).collect();
    format!("{}{end}", view.cut(name, room - 10))
}

/// What is prepared, where it is known how much there is to do.
fn preparing(state: &State) -> Option<&Preparing> {
    state.preparing.as_ref().filter(|at| at.total > 0 && state.active())
}

/// What is looked for between two stages, for instance by a defense before its first step.
pub fn search(state: &State) -> Option<&Preparing> {
    preparing(state).filter(|_| state.current().stage.is_some())
}

/// Where the run is, in words.
pub fn stage(state: &State) -> String {
    if let Some(at) = search(state) {
        return at.what.clone();
    }
    let view = state.current();
    let name = match (view.stage, &state.preparing) {
        (None, Some(_)) => return "getting ready".to_owned(),
        (None, None) => return "not started".to_owned(),
        (Some(Stage::Pretrain), _) if state.spec.pretrain.is_some() => "clean encoder",
        (Some(Stage::Pretrain), _) => "clean model",
        (Some(Stage::Attack | Stage::Reinjection), _) => "attack",
        (Some(Stage::Defense), _) => "clean-up",
    };
    let epochs = view.facts.epochs;
    format!("{name}, epoch {}/{epochs}", (view.epoch().floor() as u64).min(epochs))
}

/// The share of the current stage, or of what is prepared, that is done.
pub fn share(state: &State) -> f64 {
    if let Some(at) = preparing(state) {
        return at.done as f64 / at.total as f64;
    }
    let view = state.current();
    if view.total_steps() == 0 { 0.0 } else { view.step as f64 / view.total_steps() as f64 }
}

fn progress<'a>(view: &View<'a>, width: usize) -> Line<'a> {
    let done = share(view.state);
    let [full, rest] = bar(view, done, width.saturating_sub(6));
    Line::from(vec![Span::raw(" "), full, rest, view.text(format!(" {:>4}", words::whole_percent(done)))])
}

/// Names and values, the most asked for first.
fn facts(state: &State) -> Vec<(&'static str, String)> {
    let view = state.current();
    let known = view.stage.is_some();
    let dash = || "-".to_owned();
    let left = if view.ended() && state.stage() == Stage::Defense || !state.active() { None } else { cost::seconds_left(state) };
    let kind = if view.facts.gpu { "GPU h" } else { "CPU h" };
    let seconds = state.pretrain.train_seconds + state.attack.train_seconds * f64::from(u8::from(!state.reused)) + state.defense.train_seconds;
    let device = if known { view.facts.device.clone() } else { state.machine.device.clone() };
    let mut facts = vec![
        ("ETA", left.map_or_else(dash, |s| words::clock(s) + if state.paused() { " (paused)" } else { "" })),
        ("speed", if view.images_per_second > 0.0 { format!("{} images/s", words::count(view.images_per_second.round() as u64)) } else { dash() }),
        ("training", if known { words::clock(seconds) } else { dash() }),
        (kind, if known { format!("{:.4}", seconds / 3600.0) } else { dash() }),
        ("memory", state.machine.memory.map_or_else(dash, words::bytes)),
        ("device", device),
        ("backdoor", backdoor(state)),
    ];
    if known {
        facts.push(("run", view.facts.id.clone()));
        facts.push(("network", format!("{}, {} weights", view.facts.model, words::count(view.facts.parameters as u64))));
        facts.push(("images", images(state)));
    }
    facts
}

fn backdoor(state: &State) -> String {
    match (state.attack.stage, state.reused, &state.attack.status) {
        (None, ..) => "-".to_owned(),
        (_, true, _) => "reused: planted earlier".to_owned(),
        (_, _, Status::Finished) => "planted now".to_owned(),
        _ => "being planted".to_owned(),
    }
}

fn images(state: &State) -> String {
    let facts = &state.current().facts;
    match state.stage() {
        Stage::Pretrain => words::count(facts.train_images as u64),
        Stage::Attack | Stage::Reinjection => {
            format!("{}, {} poisoned", words::count(facts.train_images as u64), words::count(facts.poisoned_images as u64))
        }
        Stage::Defense if facts.poisoned_images > 0 => {
            format!("{} kept, {} poisoned given", words::count(facts.train_images as u64), words::count(facts.poisoned_images as u64))
        }
        Stage::Defense => format!("{} clean", words::count(facts.clean_images as u64)),
    }
}
