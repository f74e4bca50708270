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

use super::chart::{self, Theme, plot_area};
use crate::app::Focus;
use crate::app::rates::handles;
use crate::app::words::rate;
use crate::figure::scene::{Kind, Panel};
use crate::ui::hits::{Scale, Target};
use crate::ui::view::View;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Span;

/// Draws the panel.
pub fn render(frame: &mut Frame, area: Rect, view: &View) {
    let inner = view.frame(frame, area, vec![view.title("learning rate")], status(view), Some(Focus::Charts));
    if inner.height < 3 || inner.width < chart::GUTTER + 8 {
        return;
    }
    let place = plot_area(inner, 0, if inner.height >= 9 { 2 } else { 1 });
    let mut panel = chart::watch(view.state, place).rates();
    let handles: Vec<&'static str> = handles(&view.state.spec).iter().map(|handle| handle.path).collect();
    decorate(&mut panel, &handles, view);
    let inks = Theme { view, grid: false };
    let plot = chart::plot(&panel, &inks, place, inner);
    plot.draw(frame.buffer_mut());
    let rows = handles.into_iter().zip(plot.handle_rows()).map(|(path, (_, row))| (path, row)).collect();
    let scale = Scale { area: place, axis: panel.y.clone(), handles: rows };
    view.hit(Rect { x: inner.x, width: inner.width, ..place }, Target::Rates(scale));
}

/// What a hand on the chart changes: the selected handle stands out, and while one is dragged the axis stands still.
fn decorate(panel: &mut Panel, handles: &[&'static str], view: &View) {
    let lines = panel.references.iter_mut().filter(|line| line.kind == Kind::Handle);
    lines.zip(handles).for_each(|(line, path)| line.strong = view.state.setup.selected == *path);
    if let Some((low, high)) = view.held {
        (panel.y.min, panel.y.max) = (low, high);
    }
}

/// The rate of now, and how the axis is divided.
fn status<'a>(view: &View<'a>) -> Vec<Span<'a>> {
    let mut spans = Vec::new();
    if let Some((_, _, lr)) = chart::now(view.state) {
        spans.push(view.ink(format!("{} now {}", view.glyphs.now, rate(lr)), view.theme.lr));
        spans.push(view.text("  "));
    }
    spans.push(view.faint(if view.state.look.linear { "linear" } else { "log" }));
    spans
}
