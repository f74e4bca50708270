//! The grid of a sweep: attacks by defenses, a sign for each seed, and the means of what is done; below, the cell under
//! the cursor.
//!
//! ```text
//!  sweep demo.jsonl   ━━━━━━━━╌╌╌╌  12 of 18 done, 1 running, 1 failed, 4 waiting, about 3 min to go
//! ╭ attacks by defenses ───────────────────────────── ASR / CA in % ╮
//! │            no defense       super-fine-tuning   fine-tuning     │
//! │ badnets    ●●●              ●●◐                 ✗○○             │
//! │            99.1 / 98.0      0.4 / 97.8          -               │
//! ╰─────────────────────────────────────────────────────────────────╯
//! ╭ badnets x super-fine-tuning ────────────────────────────────────╮
//! │ seed 0  done     ASR 0.4%, CA 97.8%, RA 96.0%   0.0021 CPU h    │
//! │ seed 2  running                                                 │
//! ╰─────────────────────────────────────────────────────────────────╯
//! ```

use super::around;
use super::help::folded;
use crate::app::Action;
use crate::app::words::{about, percent};
use crate::figure::comparison::{Column, Trial, hours, summary};
use crate::run::cell::State as Standing;
use crate::spec::sweep::Cell;
use crate::ui::hits::Target;
use crate::ui::view::{View, put};
use crate::ui::widget::bar;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

/// Columns of a cell at least: `99.1 / 98.0` and a gap.
const CELL: u16 = 16;
/// Rows of a cell: signs, means, a gap.
const ROWS: u16 = 3;
/// Columns of an attack's name at most.
const NAME: usize = 18;
/// Rows that the cell under the cursor gets at least.
const DETAIL: u16 = 5;

/// Draws the screen.
pub fn render(frame: &mut Frame, area: Rect, view: &View) {
    let middle = around(frame, area, view, progress);
    let wanted = view.state.sweep.attacks.len() as u16 * ROWS + 3;
    let grid_rows = wanted.min(middle.height.saturating_sub(DETAIL));
    grid(frame, Rect { height: grid_rows, ..middle }, view);
    detail(frame, Rect { y: middle.y + grid_rows, height: middle.height - grid_rows, ..middle }, view);
}

/// The file, and how many cells stand where.
fn progress(frame: &mut Frame, area: Rect, view: &View) {
    let sweep = &view.state.sweep;
    let tally = sweep.tally();
    let file = sweep.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut spans = vec![Span::raw(" "), view.title("sweep"), view.faint(format!(" {file}   "))];
    if sweep.standing.is_empty() {
        let words = sweep.trouble.clone().unwrap_or_else(|| format!("{} cells are being read", sweep.cells.len()));
        spans.push(view.ink(words, view.theme.key));
    } else {
        spans.extend(bar(view, tally.done as f64 / sweep.cells.len().max(1) as f64, usize::from(area.width / 10)));
        let done = format!("of {} done", sweep.cells.len());
        let counts =
            [(tally.done, done.as_str(), view.theme.good), (tally.running, "running", view.theme.key), (tally.failed, "failed", view.theme.bad)];
        spans.push(view.text("  "));
        for (count, word, ink) in counts.into_iter().filter(|(count, word, _)| *count > 0 || word.starts_with("of")) {
            spans.extend([view.ink(format!("{count} {word}"), ink), view.text(", ")]);
        }
        spans.push(view.faint(format!("{} waiting", tally.waiting)));
        let left = sweep.seconds_left().map_or_else(String::new, |seconds| format!(", about {} to go", about(seconds)));
        let taken: usize = spans.iter().map(Span::width).sum();
        // A narrow terminal has no room for it.
        if taken + left.chars().count() <= area.width.into() {
            spans.push(view.faint(left));
        }
    }
    frame.render_widget(Paragraph::new(Line::from(spans)), area);
}

fn name(defense: Option<&String>) -> &str {
    defense.map_or("no defense", String::as_str)
}

fn grid(frame: &mut Frame, area: Rect, view: &View) {
    let sweep = &view.state.sweep;
    let inner = view.frame(frame, area, vec![view.title("attacks by defenses")], vec![view.faint("ASR / CA in %")], None);
    let inner = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    let names = (sweep.attacks.iter().map(|a| a.chars().count()).max().unwrap_or(0).min(NAME) + 2) as u16;
    let widest = sweep.defenses.iter().map(|d| name(d.as_ref()).chars().count()).max().unwrap_or(0) as u16 + 2;
    let wide = widest.clamp(CELL, 22);
    let across = usize::from(inner.width.saturating_sub(names) / wide).max(1);
    let down = usize::from(inner.height.saturating_sub(1) / ROWS).max(1);
    // The cursor stays in sight.
    let left = sweep.cursor.1.saturating_sub(across / 2).min(sweep.defenses.len().saturating_sub(across));
    let top = sweep.cursor.0.saturating_sub(down / 2).min(sweep.attacks.len().saturating_sub(down));
    for (at, column) in (left..sweep.defenses.len()).take(across).enumerate() {
        let x = inner.x + names + at as u16 * wide;
        let heading = view.cut(name(sweep.defenses[column].as_ref()), usize::from(wide) - 2);
        let ink = if column == sweep.cursor.1 { view.theme.key } else { view.theme.faint };
        put(frame, inner, x.into(), inner.y.into(), &heading, ink);
    }
    for (at, row) in (top..sweep.attacks.len()).take(down).enumerate() {
        let y = inner.y + 1 + at as u16 * ROWS;
        let ink = if row == sweep.cursor.0 { view.theme.title } else { view.theme.text };
        put(frame, inner, inner.x.into(), y.into(), &view.cut(&sweep.attacks[row], usize::from(names) - 2), ink);
        for (place, column) in (left..sweep.defenses.len()).take(across).enumerate() {
            let cell = Rect { x: inner.x + names + place as u16 * wide, y, width: wide - 2, height: 2 }.intersection(inner);
            seeds(frame, cell, view, (row, column));
            view.hit(cell, Target::Do(vec![Action::PickCell(row, column)]));
        }
    }
    let hidden = [sweep.defenses.len().saturating_sub(across), sweep.attacks.len().saturating_sub(down)];
    if hidden.iter().any(|count| *count > 0) {
        let text = format!(
            " {} of {} columns, {} of {} rows ",
            across.min(sweep.defenses.len()),
            sweep.defenses.len(),
            down.min(sweep.attacks.len()),
            sweep.attacks.len()
        );
        put(frame, area, i32::from(area.right()) - 2 - text.chars().count() as i32, i32::from(area.bottom()) - 1, &text, view.theme.key);
    }
}

/// A sign for each seed, and the means of what is done.
fn seeds(frame: &mut Frame, area: Rect, view: &View, place: (usize, usize)) {
    let sweep = &view.state.sweep;
    let cells = sweep.at(place.0, place.1);
    let ground = if sweep.cursor == place { view.theme.selected.0 } else { Style::new() };
    if sweep.cursor == place {
        frame.buffer_mut().set_style(area, ground);
    }
    let mut x = i32::from(area.x);
    for (cell, standing) in &cells {
        let (sign, ink, _) = sign(view, cell, *standing);
        put(frame, area, x, area.y.into(), sign, ground.patch(ink));
        x += sign.chars().count() as i32;
    }
    let trials = trials(&cells);
    let mean = |column| summary(&trials, column).map(|s| format!("{:.1}", s.mean * 100.0));
    let text = match (mean(Column::Asr), mean(Column::Ca)) {
        (Some(asr), Some(ca)) => format!("{asr} / {ca}"),
        _ if cells.is_empty() => String::new(),
        _ => "-".to_owned(),
    };
    put(frame, area, area.x.into(), i32::from(area.y) + 1, &text, ground.patch(view.theme.text.0));
}

/// What is done of some cells.
fn trials(cells: &[(&Cell, Option<&Standing>)]) -> Vec<Trial> {
    let done = |(cell, standing): &(&Cell, Option<&Standing>)| match standing {
        Some(Standing::Done(outcome)) => Some(Trial::of_cell(cell.seed, cell.stage, outcome)),
        _ => None,
    };
    cells.iter().filter_map(done).collect()
}

/// Sign, colour and word for where a cell stands.
fn sign<'v>(view: &'v View, cell: &Cell, standing: Option<&Standing>) -> (&'v str, Style, &'static str) {
    let ((done, now, to_come), theme) = (view.glyphs.steps, view.theme);
    match standing {
        Some(Standing::Done(_)) => (done, theme.good.0, "done"),
        Some(Standing::Failed(_)) => (view.glyphs.no, theme.bad.0, "failed"),
        Some(Standing::Running) => (now, theme.key.0, "running"),
        Some(Standing::Waiting) if view.state.sweep.barred(cell) => (view.glyphs.odd, theme.bad.0, "barred"),
        Some(Standing::Waiting) | None => (to_come, theme.faint.0, "waiting"),
    }
}

/// The numbers of the cell under the cursor, or why there are none.
fn detail(frame: &mut Frame, area: Rect, view: &View) {
    let sweep = &view.state.sweep;
    let (row, column) = sweep.cursor;
    let attack = sweep.attacks.get(row).map_or("", String::as_str);
    let title = format!("{attack} {} {}", view.glyphs.times, name(sweep.defenses.get(column).and_then(Option::as_ref)));
    let inner = view.frame(frame, area, vec![view.title(title)], Vec::new(), None);
    let inner = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    let width = usize::from(inner.width);
    let mut lines: Vec<Line> = Vec::new();
    for (cell, standing) in sweep.at(row, column) {
        let (sign, ink, word) = sign(view, cell, standing);
        let words = words(cell, standing, view);
        let head = format!("seed {:<4}", cell.seed);
        let mut folded = folded(&words, width.saturating_sub(22)).into_iter();
        let first = folded.next().unwrap_or_default();
        lines.push(Line::from(vec![view.text(head), view.ink(format!("{sign} {word:<8} "), ink), view.text(first)]));
        lines.extend(folded.take(2).map(|more| Line::from(view.text(format!("{:<20}{more}", "")))));
    }
    let hidden = lines.len().saturating_sub(inner.height.into());
    frame.render_widget(Paragraph::new(lines), inner);
    if hidden > 0 {
        let text = format!(" {} {hidden} more ", view.glyphs.scroll.1);
        put(frame, area, i32::from(area.right()) - 2 - text.chars().count() as i32, i32::from(area.bottom()) - 1, &text, view.theme.key);
    }
}

fn words(cell: &Cell, standing: Option<&Standing>, view: &View) -> String {
    match standing {
        Some(Standing::Done(outcome)) => {
            let trial = Trial::of_cell(cell.seed, cell.stage, outcome);
            let m = outcome.after;
            let rated = Column::Der.value(&trial).map_or_else(String::new, |der| format!(", DER {der:.3}"));
            let kind = if outcome.gpu { "GPU" } else { "CPU" };
            format!("ASR {}, CA {}, RA {}{rated}; {} {kind} h; {}", percent(m.asr), percent(m.ca), percent(m.ra), hours(trial.hours()), trial.run)
        }
        Some(Standing::Failed(outcome)) => outcome.error.clone().unwrap_or_default(),
        Some(Standing::Running) => "a process is computing it".to_owned(),
        Some(Standing::Waiting) if view.state.sweep.barred(cell) => "its backdoored model failed, so it cannot be computed".to_owned(),
        Some(Standing::Waiting) => "`tuneout sweep run` computes it".to_owned(),
        None => String::new(),
    }
}
