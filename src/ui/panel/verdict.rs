//! What came out of it: a sentence, and before and after in a table.
//!
//! ```text
//! ╭ verdict ───────────────────────────────────────────────╮
//! │ backdoor gone: ASR 99% → 1%, CA 98% → 98%,             │
//! │ 14 epochs, 28 s                                         │
//! │          before    after                                │
//! │ ● ASR     99.3%     0.8%   fooled by the trigger       │
//! │ ▲ CA      97.9%    98.1%   clean images right          │
//! │   RA       0.7%    96.9%   triggered images right      │
//! ╰─────────────────────────────────────────────────────────╯
//! ```

use super::strip;
use crate::app::verdict::{Verdict, verdict};
use crate::app::words::percent;
use crate::ui::view::View;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;
use ratatui::widgets::{Paragraph, Wrap};

/// Rows that the panel wants in `width` columns.
pub fn rows(view: &View, width: u16) -> u16 {
    let inside = width.saturating_sub(4).max(1);
    verdict(view.state).map_or(0, |v| 6 + lines_of(&v.sentence, inside) + lines_of(&next(view, &v), inside))
}

fn lines_of(text: &str, width: u16) -> u16 {
    (text.chars().count() as u16).div_ceil(width)
}

fn next(view: &View, verdict: &Verdict) -> String {
    let more = if view.state.defense.evidence.is_empty() { "" } else { "; w shows what the defense saw" };
    format!("next: {}{more}", verdict.next)
}

/// Whether there is something to show.
pub fn due(view: &View) -> bool {
    !view.state.active() && verdict(view.state).is_some()
}

/// Draws the panel.
pub fn render(frame: &mut Frame, area: Rect, view: &View) {
    let Some(verdict) = verdict(view.state) else { return };
    let inner = view.frame(frame, area, vec![view.title("verdict")], Vec::new(), None);
    let style = strip::ink(view, verdict.tone);
    let inner = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    let mut lines = vec![Line::styled(view.glyphs.words(&verdict.sentence), style)];
    lines.extend(table(view, &verdict, inner.width.into()));
    lines.push(Line::styled(next(view, &verdict), view.theme.faint.0));
    frame.render_widget(Paragraph::new(lines).wrap(Wrap { trim: false }), inner);
}

fn table<'a>(view: &View<'a>, verdict: &Verdict, width: usize) -> Vec<Line<'a>> {
    let (before, after) = verdict.measures;
    let row = |sign: &str, name: &str, from: f64, to: f64, style: Style, meaning: &str| {
        Line::from(vec![
            view.ink(format!("{sign} {name:<4}"), style),
            view.text(format!("{:>9}{:>9}   ", percent(from), percent(to))),
            view.faint(view.cut(meaning, width.saturating_sub(27))),
        ])
    };
    if let (Some(first), Some(last)) = (before.transfer, after.transfer) {
        return vec![
            Line::from(view.faint(format!("{:<6}{:>9}{:>9}", "", "epoch 1", "after"))),
            row(view.glyphs.asr, "ASR", before.asr, after.asr, view.theme.asr.0, "triggered images of other classes taken for c*"),
            row(" ", "c*", first.baseline, last.baseline, view.theme.text.0, "taken for it without the trigger"),
            row(view.glyphs.ca, "CA", before.ca, after.ca, view.theme.ca.0, "clean images right"),
        ];
    }
    if let (Some(first), Some(last)) = (before.asr_excluding_target, after.asr_excluding_target) {
        return vec![
            Line::from(view.faint(format!("{:<6}{:>9}{:>9}", "", "encoder", "after"))),
            row(view.glyphs.asr, "ASR", before.asr, after.asr, view.theme.asr.0, "all triggered images taken for the target"),
            row(" ", "", first, last, view.theme.text.0, "those of other classes"),
            row(view.glyphs.ca, "CA", before.ca, after.ca, view.theme.ca.0, "clean images right"),
        ];
    }
    vec![
        Line::from(view.faint(format!("{:<6}{:>9}{:>9}", "", "before", "after"))),
        row(view.glyphs.asr, "ASR", before.asr, after.asr, view.theme.asr.0, "fooled by the trigger"),
        row(view.glyphs.ca, "CA", before.ca, after.ca, view.theme.ca.0, "clean images right"),
        row(" ", "RA", before.ra, after.ra, view.theme.text.0, "triggered images right"),
    ]
}
