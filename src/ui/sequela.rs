//! The After-effects screen: which panels a terminal has room for, and where they go.
//!
//! ```text
//! 110x30 and up                    76x20 and up          60x18 and up
//! header                           header                header
//! which run                        which run             which run
//! put in again     | membership    put in again          put in again
//!                  |
//! models           |               models | membership   models
//! news                             news                  membership
//! keys                             keys                  news, keys
//! ```

use super::panel::around;
use super::panel::sequela::{curves, membership, models, title};
use super::view::View;
use ratatui::Frame;
use ratatui::layout::Rect;

/// Columns and rows from which membership stands at the side.
const ALL: (u16, u16) = (110, 30);
/// Columns and rows from which it stands beside the table.
const TWO: (u16, u16) = (76, 20);
/// Columns of the table that say everything.
const TABLE: u16 = 48;

/// Draws the screen.
pub fn render(frame: &mut Frame, area: Rect, view: &View) {
    let middle = around(frame, area, view, title::render);
    let fits = |least: (u16, u16)| area.width >= least.0 && area.height >= least.1;
    let below = models::ROWS;
    match () {
        () if fits(ALL) => {
            let side = (area.width * 36 / 100).clamp(40, 64);
            let left = Rect { width: middle.width - side, ..middle };
            let [upper, lower] = stacked(left, below);
            curves::render(frame, upper, view);
            models::render(frame, lower, view);
            membership::render(frame, Rect { x: left.right(), width: side, ..middle }, view);
        }
        () if fits(TWO) => {
            let [upper, lower] = stacked(middle, below);
            curves::render(frame, upper, view);
            models::render(frame, Rect { width: TABLE, ..lower }, view);
            membership::render(frame, Rect { x: lower.x + TABLE, width: lower.width - TABLE, ..lower }, view);
        }
        () => {
            let [upper, lower] = stacked(middle, below);
            curves::render(frame, upper, view);
            let half = lower.width / 2;
            models::render(frame, Rect { width: half, ..lower }, view);
            membership::render(frame, Rect { x: lower.x + half, width: lower.width - half, ..lower }, view);
        }
    }
}

/// `below` rows at the foot of `area`, and what is over them.
fn stacked(area: Rect, below: u16) -> [Rect; 2] {
    let below = below.min(area.height);
    [Rect { height: area.height - below, ..area }, Rect { y: area.bottom() - below, height: below, ..area }]
}
