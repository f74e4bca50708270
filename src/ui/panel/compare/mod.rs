//! Panels of the Compare screen.

pub mod cost;
pub mod curves;
pub mod pick;
pub mod plane;
pub mod table;
pub mod title;

pub mod palette;

use super::chart::centred;
use crate::ui::view::View;
use palette::Palette;
use ratatui::Frame;
use ratatui::layout::Rect;

/// What stands in the place of rows that are not there.
fn nothing(frame: &mut Frame, area: Rect, view: &View) {
    let compare = &view.state.compare;
    let words = match (&compare.trouble, compare.known) {
        (Some(_), _) => ["the runs cannot be read", ""],
        (None, false) => ["the runs are being read", ""],
        (None, true) if compare.library.is_empty() => ["no runs yet", "Esc, then space, starts one"],
        (None, true) => ["no runs are chosen", "p chooses, u takes the usual ones"],
    };
    let inks = [view.theme.text.0, view.theme.faint.0];
    let lines: Vec<_> = words.into_iter().zip(inks).filter(|(words, _)| !words.is_empty()).map(|(words, ink)| (words.to_owned(), ink)).collect();
    centred(frame, area, &lines);
}
