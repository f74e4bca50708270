//! The keys that matter now, from the key table; they can be clicked.

use crate::app::keys::{Chord, Hint, hints};
use crate::ui::hits::Target;
use crate::ui::view::{View, put};
use ratatui::Frame;
use ratatui::layout::Rect;

/// Draws the line.
pub fn render(frame: &mut Frame, area: Rect, view: &View) {
    let mut x = area.x + 1;
    for hint in hints(view.state) {
        let width = columns(&hint);
        if x + width > area.right() {
            continue;
        }
        draw(frame, area, x, view, &hint);
        x += width + 2;
    }
}

fn columns(hint: &Hint) -> u16 {
    let keys: usize = hint.keys.iter().map(|(chord, _)| chord.to_string().len() + 1).sum();
    (keys + hint.words.len()) as u16
}

fn draw(frame: &mut Frame, area: Rect, start: u16, view: &View, hint: &Hint) {
    let mut x = start;
    for (chord, action) in &hint.keys {
        let text = name(*chord);
        let width = text.len() as u16;
        put(frame, area, x.into(), area.y.into(), &text, view.theme.key);
        view.hit(Rect { x, width: width + 1, ..area }, Target::Do(vec![action.clone()]));
        x += width + 1;
    }
    put(frame, area, x.into(), area.y.into(), hint.words, view.theme.text);
    if let [(_, action)] = &hint.keys[..] {
        view.hit(Rect { x, width: hint.words.len() as u16, ..area }, Target::Do(vec![action.clone()]));
    }
}

fn name(chord: Chord) -> String {
    chord.to_string()
}
