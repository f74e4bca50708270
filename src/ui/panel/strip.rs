//! The line over the keys: news, what is wrong with what is typed, or what the selected setting means.

use crate::app::state::Tone;
use crate::app::{Focus, Layer, words};
use crate::figure::comparison::Column;
use crate::run::view::RunView;
use crate::spec::field::{self, Kind};
use crate::ui::view::View;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

/// Draws the line.
pub fn render(frame: &mut Frame, area: Rect, view: &View) {
    let width = usize::from(area.width).saturating_sub(2);
    let (text, style) = said(view);
    let line = Line::from(vec![Span::raw(" "), view.ink(view.cut(&view.glyphs.words(&text), width), style)]);
    frame.render_widget(Paragraph::new(line), area);
}

fn said(view: &View) -> (String, Style) {
    let state = view.state;
    if let Some(edit) = &state.setup.edit {
        return match &edit.error {
            Some(why) => (why.clone(), view.theme.bad.0),
            None => (format!("type a value, then Enter: {}", about(state.setup.selected)), view.theme.text.0),
        };
    }
    if let Some(notice) = &state.notice {
        return (notice.text.clone(), ink(view, notice.tone));
    }
    let whole = state.layers.iter().rev().find(|layer| layer.whole());
    let words = match whole {
        Some(Layer::Browse) => Some(signs(view)),
        Some(Layer::Compare) => Some(best(view)),
        Some(Layer::Runs) => Some("space takes a run in or out; seeds of the same settings become one row".to_owned()),
        Some(Layer::Sweep) => Some(standings(view)),
        Some(Layer::Sequela) => Some(aftermath(view)),
        Some(Layer::Figures) => Some(figure(view)),
        _ => None,
    };
    if let Some(words) = words {
        return (words, view.theme.faint.0);
    }
    match state.focus {
        Focus::Lens => (format!("up and down look at another sample; d: {}", state.lens.contrast.about()), view.theme.faint.0),
        Focus::Setup | Focus::Charts => (about(state.setup.selected), view.theme.faint.0),
    }
}

/// Whether a best is marked in the sorted column, and why not; of names, in that of ASR.
fn best(view: &View) -> String {
    let compare = &view.state.compare;
    let column = if compare.sort.better().is_some() { compare.sort } else { Column::Asr };
    compare.selected().map(|place| compare.comparison.reason(column, place)).unwrap_or_default()
}

/// What goes on among the after-effects, or what can be done.
fn aftermath(view: &View) -> String {
    let sequela = &view.state.sequela;
    let preparing = sequela.again.as_ref().and_then(|again| again.preparing.as_ref());
    let inferring = sequela.inferring.as_ref().map(|inferring| &inferring.doing);
    match preparing.or(inferring) {
        Some(doing) if doing.total > 0 => format!("{}: {} of {}", doing.what, doing.done, doing.total),
        Some(doing) => doing.what.clone(),
        None if sequela.again.is_some() => match sequela.going() {
            Some(run) => format!("training at {:.0} images/s{}", run.images_per_second, eta(run)),
            None => "training".to_owned(),
        },
        None => "left and right choose the poison ratio, up and down the epochs; what is there is shown, what is not is computed".to_owned(),
    }
}

/// What the figure under the cursor shows, and what is missing of it.
fn figure(view: &View) -> String {
    let figures = &view.state.figures;
    let Some(here) = figures.here() else { return String::new() };
    let missing = match words::standing(here, figures.scale) {
        [_, missing] if missing == "none" => String::new(),
        [there, missing] if there.is_empty() => format!("; {missing}"),
        [there, _] if here.again.0 > 0 => format!("; {there} runs and re-injections are there"),
        [there, _] => format!("; {there} runs are there"),
    };
    format!("{}{missing}", here.title)
}

fn eta(run: &RunView) -> String {
    run.eta_seconds().map_or_else(String::new, |seconds| format!(", {} to go for this model", words::clock(seconds)))
}

/// What the signs in a sweep's grid mean.
fn standings(view: &View) -> String {
    let (done, now, to_come) = view.glyphs.steps;
    format!(
        "one sign a seed: {done} done, {now} running, {} failed, {to_come} waiting, {} without its backdoored model",
        view.glyphs.no, view.glyphs.odd
    )
}

/// What the signs under images mean.
fn signs(view: &View) -> String {
    let target = view.state.browse.shown();
    let named = if target.samples.is_empty() { String::new() } else { format!(" ({})", target.class(target.target)) };
    let glyphs = view.glyphs;
    format!("{} right, {} fooled{named}, {} wrong, {} of the target class", glyphs.yes, glyphs.no, glyphs.odd, glyphs.dot)
}

/// How news look.
pub fn ink(view: &View, tone: Tone) -> Style {
    match tone {
        Tone::Plain => view.theme.text.0,
        Tone::Good => view.theme.good.0,
        Tone::Warn => view.theme.warn.0,
        Tone::Bad => view.theme.bad.0,
    }
}

/// What a setting means and what it may be.
fn about(path: &str) -> String {
    let Some(field) = field::find(path) else { return String::new() };
    let range = match field.kind {
        Kind::Choice(words) => format!(" ({})", words.join(", ")),
        Kind::Integer { min, max: i64::MAX, .. } => format!(" (from {min})"),
        Kind::Integer { min, max, .. } => format!(" ({min} to {max})"),
        Kind::Number { min, max, log: true, .. } => format!(" ({} to {})", words::rate(min), words::rate(max)),
        Kind::Number { min, max, .. } => format!(" ({min} to {max})"),
        Kind::Switch | Kind::Text | Kind::Integers => String::new(),
    };
    let live = if field.live { "; can be turned while it runs" } else { "" };
    format!("{}: {}{range}{live}", field.label, field.help)
}
