//! Measures over epochs, a panel for each value of two settings (paper Figure 4; spec.md section 9).

use crate::figure::names::order;
use crate::figure::notes;
use crate::figure::preset::{Curves, Measure, SeriesPreset};
use crate::figure::reported::{self, About, Collection};
use crate::figure::runs::{RunEntry, Scan};
use crate::figure::scene::{Along, Axis, Kind, Look, Panel, Point, Reference, Scene, Series, Source};
use crate::figure::select::{self, Cell};

/// The panels and notes of a figure of curves; `None` when no run belongs to it.
pub fn scene(curves: &Curves, scan: &Scan, reported: &[Collection]) -> Option<Scene> {
    let wanted = curves.wanted();
    let mut cells = select::cells(scan, &wanted);
    let values = |path: &str, pick: fn(&Cell) -> String| {
        let mut values: Vec<String> = cells.iter().map(pick).collect();
        values.sort_by_key(|v| (order(path, v), v.clone()));
        values.dedup();
        values
    };
    let (rows, columns) = (values(&curves.rows, |c| c.row.clone()), values(&curves.columns, |c| c.column.clone()));
    if cells.is_empty() {
        return None;
    }
    let place = |list: &[String], v: &String| list.iter().position(|x| x == v);
    cells.sort_by_key(|c| (place(&rows, &c.row), place(&columns, &c.column)));
    let mut panels = Vec::new();
    for row in &rows {
        for column in &columns {
            let cell = cells.iter().find(|c| c.row == *row && c.column == *column);
            panels.push(cell.map_or_else(|| absent(row, column, curves), |cell| panel(cell, curves, reported)));
        }
    }
    // One attack on several data sets reads better side by side than as a column.
    let columns = if columns.len() == 1 { rows.len().min(3) } else { columns.len() };
    let mut footnotes = notes::footnotes(&cells, scan, &wanted, notes::RANGE);
    footnotes.extend(reported::notes(reported, &select::subjects(&cells), &panels, About::Defenses));
    Some(Scene { columns, panels, footnotes, ..Scene::default() })
}

fn absent(row: &str, column: &str, curves: &Curves) -> Panel {
    let axis = |title: &str| Axis { title: title.to_owned(), max: 1.0, ..Axis::default() };
    let absent = Some("not run".to_owned());
    Panel { title: notes::title(row, column, &curves.wanted()), x: axis(&curves.x), y: axis(&curves.y), absent, stretch: 1.0, ..Panel::default() }
}

fn panel(cell: &Cell, curves: &Curves, collections: &[Collection]) -> Panel {
    let runs = |defense: &str| cell.halves.iter().find(|h| h.defense == defense).map_or(&[][..], |h| &h.runs);
    let last = cell.halves.iter().flat_map(|h| &h.runs).map(|r| last_epoch(r)).max().unwrap_or(1);
    let marks = cell.halves.iter().flat_map(|h| &h.runs).flat_map(|run| run.view.marks.iter().enumerate());
    let references = marks.map(|(i, m)| Reference::new(Kind::Change, Along::X, m.epoch, notes::letter(i))).collect();
    let subject = select::subjects(std::slice::from_ref(cell)).pop().unwrap_or_default();
    let mut all: Vec<Series> = curves.series.iter().flat_map(|s| reported::over_epochs(collections, &subject, s, look(s))).collect();
    all.extend(curves.series.iter().map(|s| series(s, runs(&s.defense), curves.first_epoch)).filter(|s| !s.points.is_empty()));
    let air = if last - curves.first_epoch.min(last) > 0 { 0.02 } else { 0.0 };
    Panel {
        title: notes::title(&cell.row, &cell.column, &curves.wanted()),
        x: Axis::counted(&curves.x, curves.first_epoch as f64, last as f64, 7, air),
        y: Axis::linear(&curves.y, 0.0, 1.0, 5, 0.035),
        series: all,
        references,
        stretch: 1.0,
        ..Panel::default()
    }
}

/// Epochs planned, or done where more were done.
pub(super) fn last_epoch(run: &RunEntry) -> u64 {
    let done = run.view.epochs.last().map_or(0, |p| p.epoch as u64);
    run.view.facts.epochs.max(done)
}

/// The mean over runs at each epoch that one of them looked at the test set after, with the range as a band.
fn series(preset: &SeriesPreset, runs: &[&RunEntry], first: u64) -> Series {
    let of = |epoch| mean(epoch, runs.iter().filter_map(|run| measured(run, epoch, preset)).collect());
    let points = looked(runs).filter(|epoch| *epoch >= first as f64).map(of);
    Series { label: preset.label.clone(), look: look(preset), points: points.collect() }
}

/// The epochs after which one of `runs` looked at the whole test set.
pub(super) fn looked(runs: &[&RunEntry]) -> impl Iterator<Item = f64> {
    let mut epochs: Vec<f64> = runs.iter().flat_map(|run| &run.view.epochs).map(|p| p.epoch).collect();
    epochs.sort_by(f64::total_cmp);
    epochs.dedup();
    epochs.into_iter()
}

fn look(preset: &SeriesPreset) -> Look {
    Look { colour: preset.colour, marker: Some(preset.marker), dash: Some(preset.dash), width: 1.3, ..Look::default() }
}

fn measured(run: &RunEntry, epoch: f64, preset: &SeriesPreset) -> Option<Source> {
    at_epoch(run, epoch, preset.measure)
}

/// What a run measured after `epoch`.
pub(super) fn at_epoch(run: &RunEntry, epoch: f64, measure: Measure) -> Option<Source> {
    // After a crash an epoch may have been done twice: the last one counts.
    let point = run.view.epochs.iter().rev().find(|p| p.epoch == epoch)?;
    Some(Source { run: run.id.clone(), seed: run.spec.seed, epoch, value: measure.of(&point.measures), across: None })
}

/// The mean of what was measured at `x`, with the range as a band; a gap where nothing was.
pub(super) fn mean(x: f64, sources: Vec<Source>) -> Point {
    if sources.is_empty() {
        return Point::computed(x, f64::NAN);
    }
    let values = || sources.iter().map(|s| s.value);
    let y = values().sum::<f64>() / sources.len() as f64;
    let band = (sources.len() > 1).then(|| (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max)));
    Point { x, y, band, sources, ..Point::default() }
}
