//! What the defense saw: the figure that an export has too, with words on it.
//!
//! ```text
//! ╭ what the defense saw ──────────── neural-cleanse ╮
//! │ The smallest patch that turns images into each   │
//! │ label. Flagged: 0 (speed limit 20) needs 8.6 ... │
//! │ Size of the reversed mask by label · L1 norm     │
//! │ 60┤ ⢕⢕ ⢕⢕ ⢕⢕ ⢕⢕                                  │
//! │   │ ⢕⢕ ⢕⢕ ⢕⢕ ⢕⢕                                  │
//! │  0┤⣿⢕⢕ ⢕⢕ ⢕⢕ ⢕⢕                                  │
//! │ A backdoor is a short cut: where there is one... │
//! ╰──────────────────────────────────────────────────╯
//! ```

use super::chart::{Theme, centred};
use super::help::folded;
use crate::app::words::count;
use crate::figure::evidence::{Subject, scene, silence};
use crate::figure::scene::Scene;
use crate::figure::terminal::SceneView;
use crate::ui::view::View;
use crate::ui::widget::bar;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;
use ratatui::widgets::{Clear, Paragraph, Widget};

/// Rows that a figure gets at least, and the share of them, before words have more than a few.
const FIGURE: (u16, f64) = (17, 0.62);

/// Draws the panel over whatever is there.
pub fn layer(frame: &mut Frame, area: Rect, view: &View) {
    frame.render_widget(Clear, area);
    frame.buffer_mut().set_style(area, view.theme.layer.0);
    render(frame, area, view);
}

/// Draws the panel.
pub fn render(frame: &mut Frame, area: Rect, view: &View) {
    let state = view.state;
    let spec = state.started.as_ref().unwrap_or(&state.spec);
    let inner = view.frame(frame, area, vec![view.title("what the defense saw")], vec![view.faint(spec.defense.name())], None);
    let inner = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    match scene(&Subject { view: &state.defense, spec, pictures: &state.evidence }) {
        Some(scene) => figure(frame, inner, view, &scene),
        None => nothing(frame, inner, view, silence(&state.defense, spec)),
    }
}

/// The caption above, the figure, and below why it is so, as far as there is room.
fn figure(frame: &mut Frame, area: Rect, view: &View, scene: &Scene) {
    let least = FIGURE.0.max((f64::from(area.height) * FIGURE.1) as u16);
    let spare = area.height.saturating_sub(least);
    let head = fitting(std::slice::from_ref(&scene.caption), area.width, spare.max(2));
    let above = head.len() as u16;
    let foot = fitting(&scene.footnotes, area.width, spare.saturating_sub(above));
    let below = foot.len() as u16;
    let part = |y: u16, height: u16| Rect { y: area.y + y, height, ..area }.intersection(area);
    words(frame, part(0, above), view, &head, view.theme.text.0);
    SceneView { scene, inks: &Theme { view, grid: false } }.render(part(above, area.height.saturating_sub(above + below)), frame.buffer_mut());
    words(frame, part(area.height.saturating_sub(below), below), view, &foot, view.theme.faint.0);
}

/// As many whole sentences of `texts` as `rows` lines hold, in lines; the first sentence in any case.
fn fitting(texts: &[String], width: u16, rows: u16) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for text in texts {
        let mut paragraph = String::new();
        for sentence in text.split_inclusive(". ") {
            let longer = format!("{paragraph}{sentence}");
            if kept.len() + folded(&longer, width.into()).len() > usize::from(rows) && !(kept.is_empty() && paragraph.is_empty()) {
                break;
            }
            paragraph = longer;
        }
        if kept.len() + folded(&paragraph, width.into()).len() > usize::from(rows) && !kept.is_empty() {
            break;
        }
        kept.extend(folded(&paragraph, width.into()).into_iter().filter(|line| !line.is_empty()));
    }
    kept
}

fn words(frame: &mut Frame, area: Rect, view: &View, texts: &[String], style: Style) {
    let lines = texts.iter().map(|line| Line::styled(line.replace('\u{d7}', view.glyphs.times), style));
    frame.render_widget(Paragraph::new(lines.collect::<Vec<_>>()), area);
}

/// What goes on, or why there is nothing to see.
fn nothing(frame: &mut Frame, area: Rect, view: &View, why: &str) {
    let state = view.state;
    let Some(at) = state.preparing.as_ref().filter(|_| state.active()) else {
        let lines = folded(why, area.width.into());
        let height = (lines.len() as u16).min(area.height);
        let place = Rect { y: area.y + (area.height - height) / 2, height, ..area };
        return words(frame, place, view, &lines, view.theme.text.0);
    };
    let middle = Rect { y: area.y + area.height.saturating_sub(5) / 2, height: 5.min(area.height), ..area };
    let parts = if at.total > 0 { format!("{} of {}", count(at.done as u64), count(at.total as u64)) } else { String::new() };
    centred(frame, Rect { height: middle.height.min(3), ..middle }, &[(at.what.clone(), view.theme.text.0), (parts, view.theme.faint.0)]);
    if at.total > 0 && middle.height == 5 {
        let width = usize::from(area.width.min(40));
        let place = Rect { x: area.x + (area.width - width as u16) / 2, y: middle.bottom() - 1, width: width as u16, height: 1 };
        frame.render_widget(Line::from(bar(view, at.done as f64 / at.total as f64, width).to_vec()), place);
    }
}
