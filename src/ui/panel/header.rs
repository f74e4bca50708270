//! The top line: the story in three steps, and where it stands.
//!
//! ```text
//! tuneout   ● plant the backdoor 20/20  ◐ tune it out 7/14  ○ verdict          training
//! ```

use super::cost::{search, share};
use crate::app::state::Asked;
use crate::app::words::whole_percent;
use crate::app::{Run, State, verdict};
use crate::run::view::{RunView, Status};
use crate::spec::Stage;
use crate::ui::view::View;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

/// Draws the line.
pub fn render(frame: &mut Frame, area: Rect, view: &View) {
    let mut spans = vec![Span::raw(" "), view.title("tuneout"), Span::raw("   ")];
    let narrow = area.width < 100;
    let verdict = verdict::verdict(view.state);
    for (stage, words) in
        [(Stage::Attack, if narrow { "plant" } else { "plant the backdoor" }), (Stage::Defense, if narrow { "tune out" } else { "tune it out" })]
    {
        spans.extend(step(view, view.state.view(stage), words));
        spans.push(Span::raw("   "));
    }
    let (sign, style) = match &verdict {
        Some(v) => (view.glyphs.steps.0, super::strip::ink(view, v.tone)),
        None => (view.glyphs.steps.2, view.theme.faint.0),
    };
    let words = verdict.filter(|_| !narrow).map_or("verdict", |v| v.word);
    spans.push(view.ink(format!("{sign} {words}"), style));
    let (words, style) = now(view);
    // Where both do not fit, the last step gives way to what goes on.
    let columns: usize = spans.iter().map(Span::width).sum();
    if columns + words.len() + 2 > area.width.into() {
        spans.pop();
    }
    frame.render_widget(Paragraph::new(Line::from(spans)), area);
    frame.render_widget(Paragraph::new(Line::styled(format!("{words} "), style).right_aligned()), area);
}

fn step<'a>(view: &View<'a>, run: &RunView, words: &str) -> Vec<Span<'a>> {
    let (done, now, to_come) = view.glyphs.steps;
    let (sign, style) = match run.status {
        Status::Empty => (to_come, view.theme.faint.0),
        Status::Running | Status::Paused => (now, view.theme.key.0),
        Status::Finished => (done, view.theme.good.0),
        Status::Stopped | Status::Failed(_) => (now, view.theme.warn.0),
    };
    let mut spans =
        vec![view.ink(format!("{sign} "), style), view.ink(words.to_owned(), if run.stage.is_some() { view.theme.text } else { view.theme.faint })];
    if run.stage.is_some() {
        let epochs = run.facts.epochs;
        spans.push(view.faint(format!(" {}/{epochs}", (run.epoch().floor() as u64).min(epochs))));
    }
    spans
}

/// What goes on, in a word or two.
fn now(view: &View) -> (String, Style) {
    let (state, theme) = (view.state, view.theme);
    let (words, style) = match (&state.run, state.asked) {
        (Run::Idle, _) => ("ready", theme.good),
        (Run::Active, Some(Asked::Stop)) => ("stopping after a checkpoint", theme.warn),
        (Run::Active, Some(Asked::Pause)) => ("pausing", theme.warn),
        (Run::Active, Some(Asked::Resume)) => ("going on", theme.key),
        (Run::Active, None) if state.paused() => ("paused", theme.warn),
        (Run::Active, None) if training(state) => ("training", theme.key),
        (Run::Active, None) if search(state).is_some() => return (format!("searching {}", whole_percent(share(state))), theme.key.0),
        (Run::Active, None) => ("getting ready", theme.key),
        (Run::Over(Err(_)), _) => ("failed", theme.bad),
        (Run::Over(Ok(())), _) if state.current().status == Status::Stopped => ("stopped", theme.warn),
        (Run::Over(Ok(())), _) => ("done", theme.good),
    };
    (words.to_owned(), style.0)
}

fn training(state: &State) -> bool {
    state.preparing.is_none() && state.current().status == Status::Running
}
