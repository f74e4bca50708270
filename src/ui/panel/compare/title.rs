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
        let whose = if compare.by_hand { "chosen by hand" } else { "every defense of the attack on the Bench" };
        let dot = view.glyphs.dot;
        spans.push(view.faint(format!(" {dot} {} rows of {runs} runs, of {} in all {dot} {whose}", comparison.rows.len(), compare.library.len())));
    }
    let trouble = match (&compare.trouble, compare.damaged.len()) {
        (Some(why), _) => why.clone(),
        (None, 0) => String::new(),
        (None, 1) => "1 directory is not readable (p)".to_owned(),
        (None, count) => format!("{count} directories are not readable (p)"),
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
