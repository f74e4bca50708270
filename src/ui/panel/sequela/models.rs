//! The models that the backdoor is put into, and after how many epochs it was back.
//!
//! ```text
//! ╭ put in again ─────────── epochs to ASR 80%  90% ╮
//! │ ● super-fine-tuning   0.4% → 98.9%      1    2  │
//! │ ◆ backdoored          99.2% → 99.4%     0    0  │
//! │ ○ clean model         3/10, 12.0%       -    -  │
//! ╰─────────────────────────────────────────────────╯
//! ```

use crate::app::words;
use crate::figure::runs::RunEntry;
use crate::run::view::Status;
use crate::sequela::reinjection::{LEVELS, epochs_to};
use crate::spec::Start;
use crate::ui::panel::compare::palette;
use crate::ui::view::{View, put};
use ratatui::Frame;
use ratatui::layout::Rect;

/// Rows that it needs: a frame, a heading and three models.
pub const ROWS: u16 = 6;
/// Columns of an epoch's number.
const NUMBER: i32 = 6;

/// Draws the panel.
pub fn render(frame: &mut Frame, area: Rect, view: &View) {
    let inner = view.frame(frame, area, vec![view.title("models")], Vec::new(), None);
    let Some(known) = &view.state.sequela.known else { return };
    let inner = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    let right = i32::from(inner.right());
    let wide = inner.width >= 40;
    let heading = |level: f64| words::whole_percent(level);
    let y = i32::from(inner.y);
    put(frame, inner, i32::from(inner.x) + 2, y, if wide { "put into" } else { "into" }, view.theme.faint);
    let lead = "epochs to ASR ";
    let first = right - 2 * NUMBER;
    if wide {
        put(frame, inner, first - lead.len() as i32 + 2, y, lead, view.theme.faint);
    }
    for (at, level) in LEVELS.into_iter().enumerate() {
        let text = heading(level);
        put(frame, inner, first + (at as i32 + 1) * NUMBER - text.len() as i32, y, &text, view.theme.faint);
    }
    for (line, start) in known.starts().into_iter().enumerate() {
        let row = Rect { y: inner.y + 1 + line as u16, height: 1, ..inner }.intersection(inner);
        model(frame, row, view, start, wide);
    }
}

fn model(frame: &mut Frame, area: Rect, view: &View, start: Start, wide: bool) {
    let Some(known) = &view.state.sequela.known else { return };
    let (label, look) = known.look(start);
    let run = view.state.sequela.of(start);
    let (x, y, right) = (i32::from(area.x), i32::from(area.y), i32::from(area.right()));
    put(frame, area, x, y, look.marker.map_or("", |m| m.glyph(!view.glyphs.braille)), palette::ink(view, look));
    let text = run.filter(|_| wide).map(|run| standing(view, run)).unwrap_or_default();
    let long = text.chars().count();
    let name = usize::from(area.width).saturating_sub(2 * NUMBER as usize + 4 + long);
    put(frame, area, x + 2, y, &view.cut(&label, name), view.theme.text);
    put(frame, area, right - 2 * NUMBER - 1 - long as i32, y, &text, view.theme.faint);
    let Some(run) = run else {
        put(frame, area, right - 7, y, "not yet", view.theme.faint);
        return;
    };
    for (at, level) in LEVELS.into_iter().enumerate() {
        let (text, ink) = match epochs_to(&run.view, level) {
            Some(epochs) => (epochs.to_string(), view.theme.asr.0),
            None => ("-".to_owned(), view.theme.faint.0),
        };
        put(frame, area, right - 2 * NUMBER + (at as i32 + 1) * NUMBER - text.len() as i32, y, &text, ink);
    }
}

/// ASR before and now, and how far it is.
fn standing(view: &View, run: &RunEntry) -> String {
    let asr = |measures: Option<crate::run::event::Measures>| measures.map_or_else(|| "-".to_owned(), |m| words::percent(m.asr));
    let (before, now) = (asr(run.view.before()), asr(run.view.latest()));
    match run.view.status {
        Status::Finished => format!("{before} {} {now}", view.glyphs.arrow),
        _ => format!("{now} at {}/{}", run.view.epoch().floor(), run.view.facts.epochs),
    }
}
