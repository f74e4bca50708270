//! The learning rate: what was, where it is, what is to come, and the handles that bend it.
//!
//! ```text
//! ╭ learning rate ─────────────────────── now 0.039 · log ╮
//! │MAX1 0.1┤⠉⠢⡀   ┊╌⡜⡄╌⡜⡄╌◆╌⠌⠄╌⠌⠄╌╌╌╌╌╌╌╌╌╌╌╌             │
//! │        │   ⠑⡄ ┊⡸ ⢱⡸ ⢱⡸   ⠂⠐  ⠂┊                       │
//! │MAX2 1e-3     ⢣┊╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌┊⠌⠄⠌⠄⠌⠄                 │
//! │BASE 3e-4      ┊╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌┊⠂⠐⠂⠐⠂⠐                 │
//! │        └──────┴────────────────────────                │
//! ╰─────────────────────────────────────────────────────────╯
//! ```

use super::chart::{self, border, column, marks, plot_area};
use crate::app::rates::{Course, Handle, handles};
use crate::app::words::rate;
use crate::app::{Focus, State};
use crate::spec::{Method, Stage};
use crate::ui::hits::{Scale, Target};
use crate::ui::view::{View, put};
use crate::ui::widget::{Plot, Segment, Timeline};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Span;

/// Looks at the schedule within one column of dots, at most.
const LOOKS: u64 = 48;

/// Draws the panel.
pub fn render(frame: &mut Frame, area: Rect, view: &View) {
    let inner = view.frame(frame, area, vec![view.title("learning rate")], status(view), Some(Focus::Charts));
    if inner.height < 3 || inner.width < chart::GUTTER + 8 {
        return;
    }
    let numbers = inner.height >= 9;
    let timeline = Timeline::of(view.state);
    let plot = plot_area(inner, 0, if numbers { 2 } else { 1 });
    let scale = scale(view, plot);
    chart::upright(frame, Rect { x: plot.x - 1, width: 1, ..plot }, i32::from(plot.x) - 1, view.glyphs.upright.0, view.theme.grid.0);
    chart::axis(frame, inner, plot, view, &timeline, numbers);
    border(frame, plot, view, &timeline);
    marks(frame, plot, view, &timeline);
    phase(frame, plot, view, &timeline, false);
    lines(frame, inner, plot, view, &timeline, &scale);
    let mut dots = Plot::new(plot, view.glyphs.braille);
    for segment in timeline.segments() {
        course(&mut dots, view, *segment, &scale);
    }
    dots.draw(frame);
    phase(frame, plot, view, &timeline, true);
    position(frame, plot, view, &timeline, &scale, &dots);
    view.hit(Rect { x: inner.x, width: inner.width, ..plot }, Target::Rates(scale));
}

/// The rate of now, and how the axis is divided.
fn status<'a>(view: &View<'a>) -> Vec<Span<'a>> {
    let mut spans = Vec::new();
    if let Some((_, _, lr)) = now(view.state) {
        spans.push(view.ink(format!("{} now {}", view.glyphs.now, rate(lr)), view.theme.lr));
        spans.push(view.text("  "));
    }
    spans.push(view.faint(if view.state.look.linear { "linear" } else { "log" }));
    spans
}

/// Stage, epoch and rate of the step that was done last, while something runs.
fn now(state: &State) -> Option<(Stage, f64, f64)> {
    let stage = state.stage();
    let course = Course::of(state, stage);
    let last = state.view(stage).step.checked_sub(1)?;
    (state.active() && last < course.steps()).then(|| (stage, state.view(stage).epoch(), course.was(last)))
}

/// The axis: whole decades around everything drawn, or from 0 to a little over the highest rate.
fn scale(view: &View, area: Rect) -> Scale {
    let log = !view.state.look.linear;
    let handles = handles(&view.state.spec);
    let rates = handles.iter().map(|h| h.rate).chain([view.state.spec.attack.lr]).chain(view.state.defense.probes.iter().map(|p| p.lr));
    let (low, high) = rates.filter(|r| *r > 0.0).fold((f64::MAX, 0.0f64), |(low, high), r| (low.min(r), high.max(r)));
    let bounds = view.held.unwrap_or_else(|| if log { (decade(low / 1.5, false), decade(high * 1.5, true)) } else { (0.0, high * 1.15) });
    let mut scale = Scale { area, bounds, log, handles: Vec::new() };
    scale.handles = rows(&scale, &handles);
    scale
}

/// The power of ten below or above; half a decade counts.
fn decade(rate: f64, up: bool) -> f64 {
    let halves = rate.max(1e-9).log10() * 2.0;
    10f64.powf(if up { halves.ceil() } else { halves.floor() } / 2.0)
}

/// A row for each handle, its own where there is room, the higher rate above.
fn rows(scale: &Scale, handles: &[Handle]) -> Vec<(&'static str, u16)> {
    let mut order: Vec<&Handle> = handles.iter().collect();
    order.sort_by(|a, b| b.rate.total_cmp(&a.rate));
    let mut rows: Vec<(&'static str, u16)> = Vec::new();
    for handle in order {
        let above = rows.last().map_or(scale.area.y, |(_, row)| row + 1);
        rows.push((handle.path, scale.row(handle.rate).max(above)));
    }
    let mut lowest = scale.area.bottom().saturating_sub(1);
    for (_, row) in rows.iter_mut().rev() {
        *row = (*row).min(lowest).max(scale.area.y);
        lowest = row.saturating_sub(1);
    }
    rows
}

/// The handles: their names in the gutter and lines over the clean-up.
fn lines(frame: &mut Frame, panel: Rect, plot: Rect, view: &View, timeline: &Timeline, scale: &Scale) {
    let from = timeline.segment(Stage::Defense).map(|s| column(plot, s.from));
    let handles = handles(&view.state.spec);
    for (handle, row) in scale.handles.iter().filter_map(|(path, row)| Some((handles.iter().find(|h| h.path == *path)?, row))) {
        let selected = view.state.setup.selected == handle.path;
        let style = if selected { view.theme.selected } else { view.theme.handle };
        let text = view.cut(&beside(handle), usize::from(chart::GUTTER) - 1);
        put(frame, panel, i32::from(plot.x) - 1 - text.chars().count() as i32, (*row).into(), &text, style);
        put(frame, panel, i32::from(plot.x) - 1, (*row).into(), view.glyphs.upright.1, view.theme.handle);
        if let Some(from) = from {
            let width = (i32::from(plot.right()) - from - 1).max(0) as usize;
            let style = if selected { view.theme.lr } else { view.theme.grid };
            put(frame, plot, from + 1, scale.row(handle.rate).into(), &view.glyphs.handle.repeat(width), style);
        }
    }
}

/// What stands beside the axis: `MAX1 0.125`, or `M1 1.25e-3` where that would be too long.
fn beside(handle: &Handle) -> String {
    let (full, rate) = (format!("{} {}", handle.label, rate(handle.rate)), rate(handle.rate));
    if full.len() < usize::from(chart::GUTTER) {
        return full;
    }
    let (first, last) = (handle.label.chars().next(), handle.label.chars().last().filter(char::is_ascii_digit));
    format!("{} {rate}", first.into_iter().chain(last).collect::<String>())
}

/// Where the second phase begins: its line, drawn before the rates, or its label, drawn after them.
fn phase(frame: &mut Frame, plot: Rect, view: &View, timeline: &Timeline, label: bool) {
    let (Method::SuperFineTuning(s), Some(segment)) = (&view.state.spec.defense.method, timeline.segment(Stage::Defense)) else { return };
    let epoch = s.phase1_epochs as f64;
    if epoch > 0.0 && epoch < segment.epochs {
        let x = column(plot, segment.x(epoch));
        if label {
            put(frame, plot, (x + 1).min(i32::from(plot.right()) - 7), plot.y.into(), "phase 2", view.theme.handle);
        } else {
            chart::upright(frame, plot, x, view.glyphs.divider, view.theme.handle.0);
        }
    }
}

/// One stage's rates: for each column of dots the lowest and the highest of its steps, so that no peak is lost.
fn course(dots: &mut Plot, view: &View, segment: Segment, scale: &Scale) {
    let course = Course::of(view.state, segment.stage);
    let (first, last) = (segment.from * dots.columns() as f64, segment.to * dots.columns() as f64);
    let (steps, columns) = (course.steps(), (last - first).max(1.0));
    let mut before: [Option<f64>; 2] = [None, None];
    for k in first.round() as usize..last.round() as usize {
        let step = |column: f64| ((column - first).max(0.0) / columns * steps as f64) as u64;
        let (from, to) = (step(k as f64), step(k as f64 + 1.0).max(step(k as f64) + 1).min(steps));
        let will = range(from, to, |i| course.will_be(i));
        let was = range(from, to.min(course.done), |i| Some(course.was(i)));
        for (slot, (values, ink, faint)) in [(will, view.theme.ghost, true), (was, view.theme.lr, false)].into_iter().enumerate() {
            if let Some(range) = values {
                let joined = before[slot].unwrap_or(range.first);
                let (low, high) = (range.low.min(joined), range.high.max(joined));
                dots.upright(k, (scale.height(low), scale.height(high)), ink.0, faint);
            }
            before[slot] = values.map(|range| range.last);
        }
    }
}

/// Rates over a stretch of steps.
#[derive(Clone, Copy)]
struct Stretch {
    first: f64,
    low: f64,
    high: f64,
    last: f64,
}

/// The rates over the steps from `from` to before `to`.
fn range(from: u64, to: u64, rate: impl Fn(u64) -> Option<f64>) -> Option<Stretch> {
    let every = (to.saturating_sub(from) / LOOKS).max(1) as usize;
    let mut values = (from..to).step_by(every).filter_map(&rate);
    let first = values.next()?;
    let start = Stretch { first, low: first, high: first, last: first };
    Some(values.fold(start, |s, v| Stretch { low: s.low.min(v), high: s.high.max(v), last: v, ..s }))
}

/// Where the run is.
fn position(frame: &mut Frame, plot: Rect, view: &View, timeline: &Timeline, scale: &Scale, dots: &Plot) {
    let Some((stage, epoch, lr)) = now(view.state) else { return };
    if let Some(x) = timeline.x(stage, epoch) {
        let (x, y) = dots.cell(x, scale.height(lr));
        put(frame, plot, x, y, view.glyphs.now, view.theme.title);
    }
}
