//! The list of runs to choose from; directories that cannot be read stand at its end, with the reason.
//!
//! ```text
//!  choose runs   d every data set   a badnets   f every defense             5 of 34 are in
//! ╭ runs ─────────────────────────────────────────────────────────────────────────────────╮
//! │   run                                     data      attack   defense   seed  ASR   CA │
//! │ ■ signs-12-badnets-nad-f0121a7948         signs-12  badnets  nad          0  2.1  97.0│
//! ╰───────────────────────────────────────────────────────────────────────────────────────╯
//! ```

use super::nothing;
use crate::app::Action;
use crate::app::compare::Facet;
use crate::figure::comparison::Candidate;
use crate::run::view::Status;
use crate::ui::hits::Target;
use crate::ui::panel::around;
use crate::ui::view::{View, put};
use ratatui::Frame;
use ratatui::layout::Rect;

/// Heading and width of each column after the name, in the order in which they are given room.
const COLUMNS: [(&str, usize); 7] = [("defense", 18), ("seed", 4), ("ASR", 6), ("CA", 6), ("state", 10), ("attack", 11), ("data", 10)];
/// Columns that a run's name takes at least.
const NAME: usize = 20;

/// Draws the screen.
pub fn render(frame: &mut Frame, area: Rect, view: &View) {
    let middle = around(frame, area, view, filters);
    list(frame, middle, view);
}

/// The filters with their keys, and how many runs are in.
fn filters(frame: &mut Frame, area: Rect, view: &View) {
    let compare = &view.state.compare;
    let mut x = i32::from(area.x) + 1;
    for (facet, key) in Facet::ALL.into_iter().zip(["d", "a", "f"]) {
        let chosen = compare.pick.only.get(&facet);
        let words = chosen.cloned().unwrap_or_else(|| format!("every {}", facet.name()));
        put(frame, area, x, area.y.into(), key, view.theme.key);
        put(frame, area, x + 2, area.y.into(), &words, if chosen.is_some() { view.theme.selected } else { view.theme.text });
        let width = words.chars().count() as u16 + 2;
        view.hit(Rect { x: x as u16, width, ..area }.intersection(area), Target::Do(vec![Action::FilterBy(facet)]));
        x += i32::from(width) + 3;
    }
    let inside = compare.library.iter().filter(|c| compare.marked.contains(&c.run.id)).count();
    let words = format!("{inside} of {} are in ", compare.library.len());
    let at = i32::from(area.right()) - words.chars().count() as i32;
    if at > x {
        put(frame, area, at, area.y.into(), &words, view.theme.faint);
    }
}

fn list(frame: &mut Frame, area: Rect, view: &View) {
    let compare = &view.state.compare;
    let listed = compare.listed();
    let inner = view.frame(frame, area, vec![view.title("runs")], vec![view.faint(listed.len().to_string())], None);
    let inner = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    if listed.is_empty() && compare.damaged.is_empty() {
        return nothing(frame, inner, view);
    }
    let columns = columns(usize::from(inner.width));
    let damaged = if compare.damaged.is_empty() { 0 } else { (compare.damaged.len() as u16 + 1).min(inner.height / 3) };
    let rows = usize::from(inner.height.saturating_sub(damaged + 1));
    heading(frame, Rect { height: 1, ..inner }, view, &columns);
    let top = compare.pick.cursor.saturating_sub(rows / 2).min(listed.len().saturating_sub(rows));
    for (at, candidate) in listed.iter().enumerate().skip(top).take(rows) {
        let line = Rect { y: inner.y + 1 + (at - top) as u16, height: 1, ..inner };
        entry(frame, line, view, &columns, candidate, at == compare.pick.cursor);
        view.hit(line, Target::Do(vec![Action::Pick(at)]));
    }
    unreadable(frame, Rect { y: inner.bottom() - damaged, height: damaged, ..inner }, view);
}

/// As many columns as have room beside the name, with the name's width.
fn columns(width: usize) -> (usize, Vec<(&'static str, usize)>) {
    let (mut left, mut kept) = (width.saturating_sub(2 + NAME), Vec::new());
    for column in COLUMNS {
        if column.1 + 2 <= left {
            left -= column.1 + 2;
            kept.push(column);
        }
    }
    kept.sort_by_key(|column| ["data", "attack", "defense", "seed", "state", "ASR", "CA"].iter().position(|name| *name == column.0));
    (NAME + left, kept)
}

fn heading(frame: &mut Frame, area: Rect, view: &View, (name, columns): &(usize, Vec<(&'static str, usize)>)) {
    let texts = columns.iter().map(|(heading, width)| cell(heading, heading, *width));
    let text = format!("  {:<name$}{}", "run", texts.collect::<String>());
    put(frame, area, area.x.into(), area.y.into(), &text, view.theme.faint);
}

/// Numbers at the right of their column, words at the left.
fn cell(heading: &str, text: &str, width: usize) -> String {
    if ["seed", "ASR", "CA"].contains(&heading) { format!("  {text:>width$}") } else { format!("  {text:<width$}") }
}

fn entry(frame: &mut Frame, area: Rect, view: &View, (name, columns): &(usize, Vec<(&'static str, usize)>), run: &Candidate, chosen: bool) {
    let inside = view.state.compare.marked.contains(&run.run.id);
    let sign = if inside { view.glyphs.boxes.0 } else { view.glyphs.boxes.1 };
    let texts = columns.iter().map(|(heading, width)| cell(heading, &view.cut(&value(run, heading), *width), *width));
    let id = short(view, &run.run.id, *name);
    let text = format!("{sign} {id:<name$}{}", texts.collect::<String>());
    let style = match (chosen, inside) {
        (true, _) => view.theme.selected,
        (false, true) => view.theme.text,
        (false, false) => view.theme.faint,
    };
    put(frame, area, area.x.into(), area.y.into(), &text, style);
}

/// A run's name keeps its end, which tells it from its neighbours.
fn short(view: &View, id: &str, room: usize) -> String {
    let all = id.chars().count();
    if all <= room {
        return id.to_owned();
    }
    let end: String = id.chars().skip(all - 10).collect();
    format!("{}{end}", view.cut(id, room.saturating_sub(10)))
}

fn value(candidate: &Candidate, heading: &str) -> String {
    let view = &candidate.run.view;
    let share = |of: fn(&crate::run::event::Measures) -> f64| view.latest().map_or_else(|| "-".to_owned(), |m| format!("{:.1}", of(&m) * 100.0));
    match heading {
        "data" => Facet::Data.of(candidate),
        "attack" => Facet::Attack.of(candidate),
        "defense" => Facet::Defense.of(candidate),
        "seed" => view.facts.seed.to_string(),
        "ASR" => share(|m| m.asr),
        "CA" => share(|m| m.ca),
        _ => state(candidate),
    }
}

fn state(candidate: &Candidate) -> String {
    let view = &candidate.run.view;
    let epochs = format!("{}/{}", view.epochs.last().map_or(0, |p| p.epoch as u64), view.facts.epochs);
    match view.status {
        Status::Finished if candidate.run.steered() => "by hand".to_owned(),
        Status::Finished => "done".to_owned(),
        Status::Failed(_) => "failed".to_owned(),
        Status::Stopped => format!("ended {epochs}"),
        Status::Empty | Status::Running | Status::Paused => format!("at {epochs}"),
    }
}

/// Directories that cannot be read, with the reason, as many as have room.
fn unreadable(frame: &mut Frame, area: Rect, view: &View) {
    if area.height == 0 {
        return;
    }
    let damaged = &view.state.compare.damaged;
    put(frame, area, area.x.into(), area.y.into(), &format!("not readable, and left out: {}", damaged.len()), view.theme.warn);
    let width = usize::from(area.width);
    for (y, damage) in (area.y + 1..area.bottom()).zip(damaged) {
        let name = damage.path.parent().and_then(|dir| dir.file_name()).unwrap_or(damage.path.as_os_str()).to_string_lossy().into_owned();
        let file = damage.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let line = damage.line.map_or_else(String::new, |line| format!(":{line}"));
        put(frame, area, area.x.into(), y.into(), &view.cut(&format!("{name}/{file}{line}: {}", damage.message), width), view.theme.faint);
    }
}
