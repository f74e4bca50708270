//! ASR and CA over the epochs of attack and clean-up.
//!
//! ```text
//! ╭ ASR and CA ─────────────── ● ASR 3.1%  ▲ CA 97.8% ╮
//! │            attack   ┊ clean-up: super-fine-tuning  │
//! │                     ┊        MAX1 0.3              │
//! │     100%┤   ▲⣀⣀▲⣀⣀▲⣀●⡤⠤▲⠤⠤▲⠤╎⡤▲⠤⠤▲⠤⠤▲              │
//! │      50%┤┈⡜┈●┈┈┈┈┈┈┈┊⠑⡄┈┈┈┈┈╎┈┈┈┈┈┈┈               │
//! │       0%┤           ┊ ⠈●⠤⠤●⠤╎⠤●⠤⠤●                 │
//! │         └───────────┴──────────────────────        │
//! │  epoch  0    10    20    2    4    6               │
//! ╰────────────────────────────────────────────────────╯
//! ```

use super::chart::{self, Theme, centred, plot_area};
use crate::app::words::{count, percent};
use crate::app::{Focus, Run};
use crate::run::event::Measures;
use crate::run::view::RunView;
use crate::ui::view::View;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// Draws the panel.
pub fn render(frame: &mut Frame, area: Rect, view: &View) {
    let inner = view.frame(frame, area, vec![view.title(title(view))], legend(view), Some(Focus::Charts));
    if inner.height < 4 || inner.width < chart::GUTTER + 8 {
        return;
    }
    let marked = !(view.state.attack.marks.is_empty() && view.state.defense.marks.is_empty());
    let place = plot_area(inner, if marked { 2 } else { 1 }, 2);
    let panel = chart::watch(view.state, place).accuracies();
    chart::plot(&panel, &Theme { view, grid: true }, place, inner).draw(frame.buffer_mut());
    if [&view.state.pretrain, &view.state.attack, &view.state.defense].iter().all(|v| v.epochs.is_empty()) {
        centred(frame, place, &waiting(view, place.width));
    }
}

/// In a second task ASR is over the class that most triggered images are taken for.
fn title<'a>(view: &View<'a>) -> &'static str {
    let second = latest(&view.state.defense).is_some_and(|m| m.transfer.is_some());
    let encoder = view.state.started.as_ref().is_some_and(|spec| spec.pretrain.is_some()) && view.state.defense.stage.is_none();
    match (second, encoder) {
        (true, _) => "ASR over c* and CA",
        // An encoder has no classifier yet.
        (_, true) => "ASR and CA by nearest neighbours",
        _ => "ASR and CA",
    }
}

/// The curves' names with the latest values.
fn legend<'a>(view: &View<'a>) -> Vec<ratatui::text::Span<'a>> {
    let now = latest(view.state.current()).or_else(|| latest(&view.state.attack));
    let word = |glyph: &str, name: &str, value: Option<f64>| match value {
        Some(value) => format!("{glyph} {name} {}", percent(value)),
        None => format!("{glyph} {name}"),
    };
    vec![
        view.ink(word(view.glyphs.asr, "ASR", now.map(|m| m.asr)), view.theme.asr),
        view.text("  "),
        view.ink(word(view.glyphs.ca, "CA", now.map(|m| m.ca)), view.theme.ca),
    ]
}

/// The most recent look, on the whole test set or on the subset.
pub fn latest(view: &RunView) -> Option<Measures> {
    view.probes.last().into_iter().chain(view.epochs.last()).max_by_key(|p| p.step).map(|p| p.measures)
}

/// What stands in the plot before there is a curve.
fn waiting(view: &View, width: u16) -> Vec<(String, Style)> {
    let (text, faint) = (view.theme.text.0, view.theme.faint.0);
    let state = view.state;
    if let Some(p) = &state.preparing {
        let parts = if p.total > 0 { format!("{} of {}", count(p.done as u64), count(p.total as u64)) } else { String::new() };
        return vec![(p.what.clone(), text), (parts, faint)];
    }
    if state.run == Run::Active {
        return vec![("training begins".to_owned(), text)];
    }
    let story = if width >= 43 {
        ["a backdoor is planted: ASR climbs", "then it is tuned out: ASR falls, CA stays"]
    } else {
        ["ASR climbs, then falls", "CA stays"]
    };
    let mut lines = vec![("press space".to_owned(), view.theme.key.0), (String::new(), faint)];
    lines.extend(story.map(|words| (words.to_owned(), text)));
    lines
}
