//! Every figure, with how much of it is there and how long the rest takes.
//!
//! ```text
//! ╭ figures ──────────────────── there   time here ╮
//! │ ● Figure 1   The learning-rate s…  needs none  │
//! │ ◐ Figure 4   Fine-tuning and su…   3/15  9 min │
//! │ ○ Figure 5   Defenses compared …   0/45 38 min │
//! ╰────────────────────────────────────────────────╯
//! ```

use crate::app::{Action, words};
use crate::figure::cells::Standing;
use crate::ui::hits::Target;
use crate::ui::panel::chart::centred;
use crate::ui::view::{View, put};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// Columns of `Figure 17`, of `44/45 + 18/18`, and of a time.
const NAME: i32 = 11;
const THERE: i32 = 14;
const TIME: i32 = 9;
/// Columns under which a title says nothing; it stands over the preview too.
const TITLE: usize = 14;

/// Draws the panel.
pub fn render(frame: &mut Frame, area: Rect, view: &View) {
    let figures = &view.state.figures;
    let inner = view.frame(frame, area, vec![view.title("figures")], vec![view.faint("there   time here")], None);
    if figures.list.is_empty() {
        let text = figures.trouble.clone().unwrap_or_else(|| "the runs are being read".to_owned());
        return centred(frame, inner, &[(text, view.theme.faint.0)]);
    }
    let lines = usize::from(inner.height);
    let top = figures.cursor.saturating_sub(lines / 2).min(figures.list.len().saturating_sub(lines));
    for (at, standing) in figures.list.iter().enumerate().skip(top).take(lines) {
        let line = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), y: inner.y + (at - top) as u16, height: 1 };
        row(frame, line, view, standing, at == figures.cursor);
        view.hit(line, Target::Do(vec![Action::Pick(at)]));
    }
    let below = figures.list.len().saturating_sub(top + lines);
    if below > 0 {
        let text = format!(" {} {below} more ", view.glyphs.scroll.1);
        put(frame, area, i32::from(area.right()) - 2 - text.chars().count() as i32, i32::from(area.bottom()) - 1, &text, view.theme.key);
    }
}

fn row(frame: &mut Frame, area: Rect, view: &View, standing: &Standing, selected: bool) {
    let ground = if selected { view.theme.selected.0 } else { Style::new() };
    if selected {
        frame.buffer_mut().set_style(area, ground);
    }
    let (x, y, right) = (i32::from(area.x), i32::from(area.y), i32::from(area.right()));
    let ((done, some, none), theme) = (view.glyphs.steps, view.theme);
    let (all, missing) = standing.runs.map_or((0, 0), |(all, missing)| (all + standing.again.0, missing + standing.again.1));
    let (sign, ink) = match (missing, standing.runs) {
        (_, None) => (none, theme.faint.0),
        (0, _) => (done, theme.good.0),
        (missing, _) if missing < all => (some, theme.key.0),
        _ => (none, theme.faint.0),
    };
    put(frame, area, x, y, sign, ground.patch(ink));
    put(frame, area, x + 2, y, &standing.id.to_string(), ground.patch(theme.text.0));
    let room = (right - x - 2 - NAME - THERE - TIME).max(0) as usize;
    if room >= TITLE {
        put(frame, area, x + 2 + NAME, y, &view.cut(&standing.title, room), ground.patch(theme.faint.0));
    }
    let there = match standing.runs {
        None => "no runs".to_owned(),
        Some((0, _)) => "needs none".to_owned(),
        Some(_) => format!("{}/{all}", all - missing),
    };
    put(frame, area, right - TIME - there.chars().count() as i32, y, &there, ground.patch(theme.text.0));
    let time = if missing == 0 { String::new() } else { standing.seconds.map_or_else(|| "?".to_owned(), words::about) };
    put(frame, area, right - time.chars().count() as i32, y, &time, ground.patch(theme.faint.0));
}
