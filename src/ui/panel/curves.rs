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

use super::chart::{self, border, centred, column, mark_labels, marks, plot_area};
use crate::app::words::{count, percent};
use crate::app::{Focus, Run};
use crate::run::event::Measures;
use crate::run::view::{Point, RunView};
use crate::spec::Stage;
use crate::ui::view::{View, put};
use crate::ui::widget::{Plot, Timeline};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// Air over 100% and under 0%, so that a curve along either end is seen whole.
const AIR: f64 = 0.04;

/// Draws the panel.
pub fn render(frame: &mut Frame, area: Rect, view: &View) {
    let inner = view.frame(frame, area, vec![view.title("ASR and CA")], legend(view), Some(Focus::Charts));
    if inner.height < 4 || inner.width < chart::GUTTER + 8 {
        return;
    }
    let timeline = Timeline::of(view.state);
    let marked = !(view.state.attack.marks.is_empty() && view.state.defense.marks.is_empty());
    let plot = plot_area(inner, if marked { 2 } else { 1 }, 2);
    stages(frame, inner, plot, view, &timeline);
    grid(frame, inner, plot, view);
    chart::axis(frame, inner, plot, view, &timeline, true);
    border(frame, plot, view, &timeline);
    marks(frame, plot, view, &timeline);
    mark_labels(frame, inner, plot, i32::from(inner.y) + 1, view, &timeline);
    before(frame, plot, view, &timeline);
    if view.state.attack.epochs.is_empty() && view.state.defense.epochs.is_empty() {
        centred(frame, plot, &waiting(view, plot.width));
        return;
    }
    curves(frame, plot, view, &timeline);
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

fn stages(frame: &mut Frame, panel: Rect, plot: Rect, view: &View, timeline: &Timeline) {
    for segment in timeline.segments() {
        let (from, to) = (column(plot, segment.from), column(plot, segment.to));
        let (facts, spec) = (&view.state.view(segment.stage).facts, &view.state.spec);
        let known = |told: &str, set: &str| if told.is_empty() { set } else { told }.to_owned();
        let (stage, name) = match segment.stage {
            Stage::Attack => ("attack", known(&facts.attack, spec.attack.name())),
            Stage::Defense => ("clean-up", known(&facts.defense, spec.defense.name())),
        };
        let indent = i32::from(segment.from > 0.0);
        let room = (to - from - 1).max(0) as usize;
        let full = format!("{stage}: {name}");
        let text = if full.len() <= room { full } else { view.cut(stage, room) };
        put(frame, panel, from + indent, panel.y.into(), &text, view.theme.stage);
    }
}

/// Heights of the percentages.
fn height(share: f64) -> f64 {
    (share + AIR) / (1.0 + 2.0 * AIR)
}

fn grid(frame: &mut Frame, panel: Rect, plot: Rect, view: &View) {
    let (line, tick) = view.glyphs.upright;
    let scale = Plot::new(plot, view.glyphs.braille);
    let left = i32::from(plot.x) - 1;
    chart::upright(frame, Rect { x: plot.x - 1, width: 1, ..plot }, left, line, view.theme.grid.0);
    let shares: &[f64] = if plot.height >= 10 { &[0.0, 0.25, 0.5, 0.75, 1.0] } else { &[0.0, 0.5, 1.0] };
    for share in shares {
        let y = scale.cell(0.0, height(*share)).1;
        put(frame, plot, plot.x.into(), y, &view.glyphs.grid.repeat(plot.width.into()), view.theme.grid);
        put(frame, panel, left, y, tick, view.theme.grid);
        let text = format!("{:>3.0}%", share * 100.0);
        put(frame, panel, left - 4, y, &text, view.theme.faint);
    }
}

/// The ASR of the clean-up before this one, thin, with its name at the end.
fn before(frame: &mut Frame, plot: Rect, view: &View, timeline: &Timeline) {
    let (Some(run), Some(segment)) = (&view.state.before, timeline.segment(Stage::Defense)) else { return };
    let mut dots = Plot::new(plot, view.glyphs.braille);
    let place = |p: &Point| (p.epoch <= segment.epochs).then(|| (segment.x(p.epoch), height(p.measures.asr)));
    path(&mut dots, run, place, view.theme.before.0);
    dots.draw(frame);
    let Some((x, y)) = run.epochs.iter().rev().find_map(place) else { return };
    let (x, y) = dots.cell(x, y);
    let text = format!("ASR before: {}", run.facts.defense);
    // Over the line, or under it where it runs along the top.
    let y = if y > i32::from(plot.y) + 1 { y - 1 } else { y + 1 };
    put(frame, plot, (x + 1 - text.len() as i32).max(column(plot, segment.from) + 1), y, &text, view.theme.before);
}

/// One of the two curves.
struct Curve {
    of: fn(&Measures) -> f64,
    line: Style,
    point: Style,
    glyph: &'static str,
}

fn curves(frame: &mut Frame, plot: Rect, view: &View, timeline: &Timeline) {
    let mut dots = Plot::new(plot, view.glyphs.braille);
    let theme = view.theme;
    let both = [
        Curve { of: |m| m.ca, line: theme.ca_line.0, point: theme.ca.0, glyph: view.glyphs.ca },
        Curve { of: |m| m.asr, line: theme.asr_line.0, point: theme.asr.0, glyph: view.glyphs.asr },
    ];
    for stage in [Stage::Attack, Stage::Defense] {
        for curve in &both {
            let place = |p: &Point| Some((timeline.x(stage, p.epoch)?, height((curve.of)(&p.measures))));
            path(&mut dots, view.state.view(stage), place, curve.line);
        }
    }
    dots.draw(frame);
    for stage in [Stage::Attack, Stage::Defense] {
        for (i, point) in view.state.view(stage).epochs.iter().enumerate() {
            let Some(x) = timeline.x(stage, point.epoch) else { continue };
            let places = both.each_ref().map(|c| dots.cell(x, height((c.of)(&point.measures))));
            // Where the two coincide they take turns, so that neither hides the other.
            let hidden = (places[0] == places[1]).then_some(i % 2);
            for (k, curve) in both.iter().enumerate().filter(|(k, c)| Some(*k) != hidden && (c.of)(&point.measures).is_finite()) {
                put(frame, plot, places[k].0, places[k].1, curve.glyph, curve.point);
            }
        }
    }
}

/// A line through the looks within epochs, from the state before the first step on; through the epochs where there
/// are none.
fn path(dots: &mut Plot, run: &RunView, place: impl Fn(&Point) -> Option<(f64, f64)>, style: Style) {
    let start = run.epochs.first();
    let points: Vec<&Point> = if run.probes.is_empty() { run.epochs.iter().collect() } else { start.into_iter().chain(&run.probes).collect() };
    for pair in points.windows(2) {
        if let (Some(from), Some(to)) = (place(pair[0]), place(pair[1])) {
            dots.line(from, to, style);
        }
    }
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
