//! The figure under the cursor, as the terminal can draw it, with its caption.

use crate::figure::terminal::SceneView;
use crate::ui::panel::chart::centred;
use crate::ui::panel::compare::palette::Palette;
use crate::ui::panel::help::folded;
use crate::ui::view::View;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Paragraph, Widget};

/// Rows from which the caption stands under the panels, and how many it gets.
const WITH_CAPTION: (u16, usize) = (24, 3);

/// Draws the panel.
pub fn render(frame: &mut Frame, area: Rect, view: &View) {
    let figures = &view.state.figures;
    let Some(here) = figures.here() else {
        view.frame(frame, area, Vec::new(), Vec::new(), None);
        return;
    };
    let room = usize::from(area.width).saturating_sub(here.id.to_string().len() + 8);
    let title = vec![view.title(here.id.to_string()), view.faint(format!("  {}", view.cut(&here.title, room)))];
    let inner = view.frame(frame, area, title, Vec::new(), None);
    let inner = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    match figures.shown() {
        None => centred(frame, inner, &[("being drawn".to_owned(), view.theme.faint.0)]),
        Some(Ok(scene)) => {
            let caption = if inner.height >= WITH_CAPTION.0 { folded(&scene.caption, inner.width.into()) } else { Vec::new() };
            let caption: Vec<_> = caption.into_iter().take(WITH_CAPTION.1).map(|line| Line::from(view.faint(line))).collect();
            let rows = caption.len() as u16;
            let upper = Rect { height: inner.height - rows, ..inner };
            SceneView { scene, inks: &Palette::of(view) }.render(upper, frame.buffer_mut());
            frame.render_widget(Paragraph::new(caption), Rect { y: upper.bottom(), height: rows, ..inner });
        }
        Some(Err(why)) => {
            let mut lines: Vec<_> = folded(why, usize::from(inner.width).min(72)).into_iter().map(|line| (line, view.theme.text.0)).collect();
            lines.extend([(String::new(), view.theme.faint.0), ("space computes what is missing".to_owned(), view.theme.faint.0)]);
            centred(frame, inner, &lines);
        }
    }
}
