//! What came out of it: a sentence, and before and after in a table.
//!
//! ```text
//! ╭ verdict ───────────────────────────────────────────────╮
//! │ backdoor gone: ASR 99% → 1%, CA 98% → 98%, 14 epochs…  │
//! │            before    after                              │
//! │ ● ASR       99.3%     0.8%   triggered images that fool │
//! │ ▲ CA        97.9%    98.1%   clean images that are right│
//! │   RA         0.7%    96.9%   triggered images, right    │
//! ╰─────────────────────────────────────────────────────────╯
//! ```

use super::strip;
use crate::app::verdict::{Verdict, verdict};
use crate::app::words::percent;
use crate::ui::view::View;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

/// Rows that the panel wants.
pub const ROWS: u16 = 8;

/// Whether there is something to show.
pub fn due(view: &View) -> bool {
    !view.state.active() && verdict(view.state).is_some()
}

/// Draws the panel.
pub fn render(frame: &mut Frame, area: Rect, view: &View) {
    let Some(verdict) = verdict(view.state) else { return };
    let inner = view.frame(frame, area, vec![view.title("verdict")], Vec::new(), None);
    let style = strip::ink(view, verdict.tone);
    let width = usize::from(inner.width).saturating_sub(2);
    let line = |text: &str, style: Style| Line::from(vec![Span::raw(" "), view.ink(view.cut(text, width), style)]);
    let mut lines = vec![line(&view.glyphs.words(&verdict.sentence), style)];
    lines.extend(table(view, &verdict));
    lines.push(line(&format!("next: {}", verdict.next), view.theme.faint.0));
    frame.render_widget(Paragraph::new(lines), inner);
}

fn table<'a>(view: &View<'a>, verdict: &Verdict) -> Vec<Line<'a>> {
    let (before, after) = verdict.measures;
    let row = |sign: &str, name: &str, from: f64, to: f64, style: Style, meaning: &str| {
        Line::from(vec![
            view.ink(format!(" {sign} {name:<4}"), style),
            view.text(format!("{:>9}{:>9}   ", percent(from), percent(to))),
            view.faint(meaning.to_owned()),
        ])
    };
    vec![
        Line::from(view.faint(format!(" {:<6}{:>9}{:>9}", "", "before", "after"))),
        row(view.glyphs.asr, "ASR", before.asr, after.asr, view.theme.asr.0, "triggered images taken for the target"),
        row(view.glyphs.ca, "CA", before.ca, after.ca, view.theme.ca.0, "clean images classified right"),
        row(" ", "RA", before.ra, after.ra, view.theme.text.0, "triggered images classified right"),
    ]
}
