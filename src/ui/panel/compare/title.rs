//! What is compared, in a line.

use crate::ui::view::View;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

/// Draws the line.
pub fn render(frame: &mut Frame, area: Rect, view: &View) {
    let compare = &view.state.compare;
    let comparison = &compare.comparison;
    let runs: usize = comparison.rows.iter().map(|row| row.trials.len()).sum();
    let mut spans = vec![Span::raw(" "), view.title("compare"), Span::raw("   ")];
    if !comparison.is_empty() {
        spans.push(view.text(comparison.subject()));
        let (dot, rows) = (view.glyphs.dot, comparison.rows.len());
        let plural = |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
        let all = compare.library.len().max(runs);
        let aside = if comparison.aside.is_empty() { String::new() } else { format!(", {} not counted", comparison.aside.len()) };
        let words = format!(" {dot} {}, {} of {all}{aside} {dot} {}", plural(rows, "row"), plural(runs, "run"), compare.choice.words());
        spans.push(view.faint(words));
    }
    let trouble = match (&compare.trouble, compare.damaged.len()) {
        (Some(why), _) => why.clone(),
        (None, 0) => String::new(),
        (None, count) => format!("{count} not readable (p)"),
    };
    let width = usize::from(area.width);
    let trouble = view.cut(&trouble, width * 2 / 3);
    let room = width.saturating_sub(trouble.chars().count() + 2);
    frame.render_widget(Paragraph::new(Line::from(fitted(view, spans, room))), Rect { width: room as u16, ..area });
    frame.render_widget(Paragraph::new(Line::styled(format!("{trouble} "), view.theme.warn.0).right_aligned()), area_right(area, room));
}

fn area_right(area: Rect, taken: usize) -> Rect {
    let taken = (taken as u16).min(area.width);
    Rect { x: area.x + taken, width: area.width - taken, ..area }
}

/// `spans` with the last one that does not fit cut short.
fn fitted<'a>(view: &View<'a>, spans: Vec<Span<'a>>, room: usize) -> Vec<Span<'a>> {
    let mut left = room;
    let mut kept = Vec::new();
    for span in spans {
        let width = span.width();
        if width > left {
            kept.push(Span::styled(view.cut(&span.content, left), span.style));
            break;
        }
        left -= width;
        kept.push(span);
    }
    kept
}
