//! The numbers alone, for terminals with room for one chart: three lines.
//!
//! ```text
//! clean-up, epoch 7/14  ━━━━━━━━╌╌╌╌  ETA 0:41  1,412 images/s
//! ● ASR 3.1%  ▲ CA 97.8%  RA 95.0%    LR 0.039
//! MAX1 0.1   MAX2 1e-3   BASE 3e-4
//! ```

use super::curves::latest;
use crate::app::rates::handles;
use crate::app::words::{clock, count, percent, rate};
use crate::app::{cost, verdict};
use crate::ui::view::View;
use crate::ui::widget::bar;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

/// Rows that it wants.
pub const ROWS: u16 = 3;

/// Draws the lines.
pub fn render(frame: &mut Frame, area: Rect, view: &View) {
    frame.render_widget(Paragraph::new(vec![progress(view, area.width), measures(view), rates(view)]), area);
}

fn progress<'a>(view: &View<'a>, width: u16) -> Line<'a> {
    let state = view.state;
    let [full, rest] = bar(view, super::cost::share(state), 12);
    let mut spans = vec![view.text(format!(" {}  ", super::cost::stage(state))), full, rest];
    if let Some(left) = cost::seconds_left(state).filter(|_| state.active()) {
        spans.push(view.text(format!("  ETA {}", clock(left))));
    }
    if state.current().images_per_second > 0.0 && width >= 70 {
        spans.push(view.faint(format!("  {} images/s", count(state.current().images_per_second.round() as u64))));
    }
    Line::from(spans)
}

fn measures<'a>(view: &View<'a>) -> Line<'a> {
    if let Some(verdict) = verdict::verdict(view.state).filter(|_| !view.state.active()) {
        let words = view.glyphs.words(&verdict.sentence);
        return Line::from(vec![Span::raw(" "), view.ink(words, super::strip::ink(view, verdict.tone))]);
    }
    match latest(view.state.current()) {
        Some(now) => Line::from(vec![
            view.ink(format!(" {} ASR {}  ", view.glyphs.asr, percent(now.asr)), view.theme.asr),
            view.ink(format!("{} CA {}  ", view.glyphs.ca, percent(now.ca)), view.theme.ca),
            view.text(format!("RA {}", percent(now.ra))),
        ]),
        None => Line::from(view.faint(" Tab: settings, chart, trigger lens")),
    }
}

fn rates<'a>(view: &View<'a>) -> Line<'a> {
    let mut spans = vec![Span::raw(" ")];
    for handle in handles(&view.state.spec) {
        let style = if view.state.setup.selected == handle.path { view.theme.selected } else { view.theme.handle };
        spans.extend([view.ink(format!("{} {}", handle.label, rate(handle.rate)), style), Span::raw("   ")]);
    }
    Line::from(spans)
}
