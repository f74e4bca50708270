//! What both charts share: the gutter, the epoch axis, the border between attack and clean-up, the marks.

use crate::app::words;
use crate::run::view::Mark;
use crate::spec::Stage;
use crate::ui::view::{View, put};
use crate::ui::widget::{Plot, Segment, Timeline};
use ratatui::Frame;
use ratatui::layout::Rect;

/// Columns left of a plot: `MAX1 0.125` fits.
pub const GUTTER: u16 = 11;

/// The plot's place within a panel: right of the gutter, over the axis and its numbers.
pub fn plot_area(inner: Rect, above: u16, below: u16) -> Rect {
    let gutter = GUTTER.min(inner.width);
    let height = inner.height.saturating_sub(above + below);
    // The last column stays free, so that the last epoch's number is not cut.
    Rect { x: inner.x + gutter, y: inner.y + above.min(inner.height), width: inner.width.saturating_sub(gutter + 1), height }
}

/// Draws the axis under `plot`, with numbers where `numbers` says so.
pub fn axis(frame: &mut Frame, panel: Rect, plot: Rect, view: &View, timeline: &Timeline, numbers: bool) {
    let (line, corner, tick) = view.glyphs.axis;
    let y = i32::from(plot.bottom());
    let start = i32::from(plot.x) - 1;
    put(frame, panel, start, y, &format!("{corner}{}", line.repeat(plot.width.into())), view.theme.grid);
    let mut free = i32::MIN;
    for segment in timeline.segments() {
        for epoch in ticks(segment, plot.width) {
            let x = column(plot, segment.x(epoch));
            put(frame, panel, x, y, tick, view.theme.grid);
            let text = format!("{epoch}");
            let at = x - text.len() as i32 / 2;
            if numbers && at > free {
                put(frame, panel, at, y + 1, &text, view.theme.faint);
                free = at + text.len() as i32;
            }
        }
    }
    if numbers {
        put(frame, panel, i32::from(panel.x) + 2, y + 1, "epoch", view.theme.faint);
    }
}

/// Epochs with a number: round ones, at least six columns apart.
fn ticks(segment: &Segment, width: u16) -> Vec<f64> {
    let columns = (segment.to - segment.from) * f64::from(width);
    let step = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0].into_iter().find(|s| s / segment.epochs * columns >= 5.0);
    let step = step.unwrap_or(segment.epochs).min(segment.epochs).max(1.0);
    let first = if segment.from > 0.0 { 1 } else { 0 };
    (first..).map(|k| f64::from(k) * step).take_while(|e| *e <= segment.epochs).collect()
}

/// The column of a share of the axis.
pub fn column(plot: Rect, x: f64) -> i32 {
    Plot::new(Rect { height: 1, ..plot }, true).cell(x, 0.0).0
}

/// Draws the line where the clean-up begins.
pub fn border(frame: &mut Frame, plot: Rect, view: &View, timeline: &Timeline) {
    if let Some(segment) = timeline.segment(Stage::Defense).filter(|s| s.from > 0.0) {
        upright(frame, plot, column(plot, segment.from), view.glyphs.divider, view.theme.stage.0);
    }
}

/// Draws a line at every change under way.
pub fn marks(frame: &mut Frame, plot: Rect, view: &View, timeline: &Timeline) {
    for stage in [Stage::Attack, Stage::Defense] {
        for mark in &view.state.view(stage).marks {
            if let Some(x) = timeline.x(stage, mark.epoch) {
                upright(frame, plot, column(plot, x), view.glyphs.mark, view.theme.mark.0);
            }
        }
    }
}

/// Writes what was changed over the marks, the latest first where there is no room for all.
pub fn mark_labels(frame: &mut Frame, panel: Rect, plot: Rect, row: i32, view: &View, timeline: &Timeline) {
    let mut taken: Vec<(i32, i32)> = Vec::new();
    let all = [Stage::Attack, Stage::Defense].into_iter().flat_map(|stage| view.state.view(stage).marks.iter().map(move |m| (stage, m)));
    let all: Vec<(Stage, &Mark)> = all.collect();
    for (stage, mark) in all.into_iter().rev() {
        let Some(x) = timeline.x(stage, mark.epoch) else { continue };
        let text = format!("{} {}", short(&mark.path), value(&mark.path, mark.value));
        let (x, width) = (column(plot, x), text.len() as i32);
        // Right of the mark, else left of it.
        let places = [x.min(i32::from(plot.right()) - width), x - width + 1];
        let free = |at: &i32| *at >= i32::from(plot.x) && taken.iter().all(|(from, to)| at + width < *from || at > to);
        if let Some(at) = places.into_iter().find(free) {
            put(frame, panel, at, row, &text, view.theme.mark);
            taken.push((at, at + width));
        }
    }
}

/// The short name of a live setting.
pub fn short(path: &str) -> &str {
    match path {
        "defense.lr_max1" => "MAX1",
        "defense.lr_max2" => "MAX2",
        "defense.lr_base" => "BASE",
        "defense.lr" => "LR",
        "defense.phase1_epochs" => "phase 1",
        other => other.rsplit('.').next().unwrap_or(other),
    }
}

fn value(path: &str, value: f64) -> String {
    if path.starts_with("defense.lr") { words::rate(value) } else { format!("{value}") }
}

/// A line from the top of the plot to its bottom.
pub fn upright(frame: &mut Frame, plot: Rect, x: i32, symbol: &str, style: ratatui::style::Style) {
    for y in plot.y..plot.bottom() {
        put(frame, plot, x, y.into(), symbol, style);
    }
}

/// Writes lines into the middle of an area.
pub fn centred(frame: &mut Frame, area: Rect, lines: &[(String, ratatui::style::Style)]) {
    let top = i32::from(area.y) + (i32::from(area.height) - lines.len() as i32) / 2;
    for (i, (text, style)) in lines.iter().enumerate() {
        let x = i32::from(area.x) + (i32::from(area.width) - text.chars().count() as i32) / 2;
        let text = if text.is_empty() { String::new() } else { format!(" {text} ") };
        put(frame, area, (x - 1).max(area.x.into()), top + i as i32, &text, *style);
    }
}
