//! Curves over epochs, the plane of CA and ASR, and bars of cost, as panels.

use super::{Column, Comparison, Row, Trial};
use crate::figure::names::shown;
use crate::figure::plane::{self, Entry, Outcome, Plane};
use crate::figure::preset::Measure;
use crate::figure::scene::{Axis, Dash, Look, Panel, Point, Scene, Series, Source};
use crate::figure::ticks::{Tick, trimmed};
use crate::run::view::Status;
use std::collections::{BTreeMap, BTreeSet};

/// What hours of a kind are called, a CPU's and a GPU's.
pub const HOURS: [&str; 2] = ["CPU hours", "GPU hours"];
/// Width and height of a panel's frame on paper, in points of 1/72 inch.
const FRAME: (f64, f64) = (225.0, 150.0);
/// Width of a letter under a bar, in points.
const LETTER: f64 = 4.6;
/// Width of a bar, as a share of its place.
const BAR: f64 = 0.7;
/// Line of a row that stands out.
const STRONG: f64 = 2.2;

/// The row that stands out, on a screen; none on paper.
pub type Highlight = Option<usize>;

impl Comparison {
    /// One measure by epoch, a series for each row: the mean over its seeds, with a band from the smallest to the largest.
    /// Backdoored models have curves where there is nothing else to see.
    pub fn curves(&self, measure: Measure, name: &str, highlight: Highlight) -> Panel {
        let shown: Vec<usize> = self.drawn();
        let last = shown.iter().flat_map(|place| &self.rows[*place].trials).map(last_epoch).max().unwrap_or(1);
        let mut series: Vec<Series> = shown.iter().map(|place| self.curve(*place, measure, highlight)).collect();
        series.retain(|s| !s.points.is_empty());
        // The last is drawn on top.
        series.sort_by(|a, b| a.look.width.total_cmp(&b.look.width));
        // Clean accuracies lie close together near the top: the quarters below them are left out.
        let lowest = series.iter().flat_map(|s| &s.points).map(|p| p.band.map_or(p.y, |band| band.0)).fold(1.0, f64::min);
        let from = if measure == Measure::Ca { ((lowest * 4.0).floor() / 4.0).clamp(0.0, 0.75) } else { 0.0 };
        let y = percent(Axis::linear("share of test images", from, 1.0, 5, 0.04));
        if let Some(edges) = highlight.and_then(|place| self.rows.get(place)).map(|row| edges(&series, &row.label)) {
            series.splice(0..0, edges);
        }
        let absent = series.is_empty().then(|| "no epochs yet".to_owned());
        let x = Axis::counted("epoch", 0.0, last as f64, 7, 0.015);
        Panel { title: format!("{name} by epoch"), x, y, series, absent, stretch: 1.0, ..Panel::default() }
    }

    /// Places of the rows that have curves.
    fn drawn(&self) -> Vec<usize> {
        let places: Vec<usize> = (0..self.rows.len()).collect();
        let defended: Vec<usize> = places.iter().copied().filter(|place| self.rows[*place].defense().is_some()).collect();
        if defended.is_empty() { places } else { defended }
    }

    fn curve(&self, place: usize, measure: Measure, highlight: Highlight) -> Series {
        let row = &self.rows[place];
        let courses: Vec<Course> = row.trials.iter().map(|trial| course(trial, measure)).collect();
        let epochs: BTreeSet<u64> = courses.iter().flat_map(|course| course.keys().copied()).collect();
        let points = epochs.into_iter().map(|epoch| mean(row, &courses, epoch)).collect();
        Series { label: row.label.clone(), look: self.look(place, highlight), points }
    }

    /// CA against ASR, a point for each row with its deviations, and the front of what nothing surpasses. On paper every
    /// row has its trail, the mean by epoch; on a screen the selected one and those that go on.
    pub fn plane(&self, highlight: Highlight) -> Panel {
        // What one attack leaves is no rival of what another leaves.
        let front = self.rows.windows(2).all(|pair| pair[0].model == pair[1].model);
        let plane = Plane { title: "CA and ASR".to_owned(), entries: self.rows.iter().map(entry).collect(), front, ..Plane::default() };
        let Some(mut panel) = plane::scene(&[plane]).panels.pop() else { return Panel::default() };
        let best = self.ahead();
        for series in &mut panel.series {
            let Some(place) = self.rows.iter().position(|row| row.label == series.label) else { continue };
            let label = if best.contains(&place) { "best" } else { "" };
            series.points.last_mut().into_iter().for_each(|point| point.label = label.to_owned());
            if highlight.is_some() && highlight != Some(place) && !self.rows[place].live() {
                series.points.retain(|point| !point.bare);
            }
            if highlight == Some(place) {
                series.look.width = STRONG;
            }
        }
        (panel.x, panel.y) = (percent(panel.x), percent(panel.y));
        // The last is drawn on top.
        panel.series.sort_by_key(|series| series.look.width >= STRONG);
        panel
    }

    /// Places of the rows that are the best in CA and in ASR.
    fn ahead(&self) -> Vec<usize> {
        let winners = |column| self.contests(column).iter().filter_map(|contest| contest.winner()).collect::<Vec<_>>();
        let asr = winners(Column::Asr);
        winners(Column::Ca).into_iter().filter(|place| asr.contains(place)).collect()
    }

    /// How a row is drawn.
    pub fn look(&self, place: usize, highlight: Highlight) -> Look {
        let look = self.rows[place].look;
        if highlight == Some(place) { Look { width: STRONG, ..look } } else { look }
    }

    /// Bars of the defenses' hours, a panel for each kind of hours.
    pub fn cost(&self) -> Vec<Panel> {
        [false, true].into_iter().filter_map(|gpu| self.bars(gpu)).collect()
    }

    fn bars(&self, gpu: bool) -> Option<Panel> {
        let hours = |trial: &Trial| (trial.gpu == gpu).then(|| trial.hours());
        let rows: Vec<&Row> = self.rows.iter().filter(|row| row.defense().is_some() && row.summary_of(hours).is_some_and(|s| s.mean > 0.0)).collect();
        let top = rows.iter().filter_map(|row| row.summary_of(hours)).map(|summary| summary.mean).fold(0.0, f64::max);
        let series = rows.iter().zip(1..).filter_map(|(row, number)| {
            let mean = row.summary_of(hours)?.mean;
            let sources = row.trials.iter().filter(|t| t.gpu == gpu).map(|t| source(t, t.planned as f64, t.hours())).collect();
            let look = Look { bar: Some(BAR), dash: Some(Dash::Solid), ..row.look };
            Some(Series { label: row.label.clone(), look, points: vec![Point { x: f64::from(number), y: mean, sources, ..Point::default() }] })
        });
        let series: Vec<Series> = series.collect();
        let room = (FRAME.0 / LETTER / series.len().max(1) as f64) as usize;
        let names: Vec<String> = rows.iter().map(|row| shown("defense.name", &row.label)).collect();
        let fit = names.iter().all(|name| name.chars().count() < room);
        let (title, names) = match fit {
            true => ("defense", names),
            false => ("defense, by its mark in the legend", rows.iter().filter_map(|row| Some(row.look.marker?.glyph(false).to_owned())).collect()),
        };
        let ticks = names.into_iter().zip(1..).map(|(label, number)| Tick { value: f64::from(number), label }).collect();
        let x = Axis { title: title.to_owned(), min: 0.4, max: series.len() as f64 + 0.6, ticks, ..Axis::default() };
        let y = Axis::linear(HOURS[usize::from(gpu)], 0.0, top * 1.08, 4, 0.0);
        let title = format!("Cost in {}", HOURS[usize::from(gpu)]);
        (!series.is_empty()).then(|| Panel { title, x, y, series, stretch: 1.0, ..Panel::default() })
    }

    /// The comparison as a figure.
    pub fn scene(&self) -> Scene {
        let mut panels = vec![self.curves(Measure::Asr, "ASR", None), self.curves(Measure::Ca, "CA", None)];
        panels.push(self.plane(None));
        panels.extend(self.cost());
        let caption =
            format!("{}. Curves are means over seeds, with a band from the smallest to the largest; n stands in the notes.", self.subject());
        Scene { name: "Comparison".to_owned(), caption, footnotes: self.footnotes(), columns: 2, panels, frame: FRAME }
    }

    /// Seeds and devices of each row, which best is marked and why, and what could not be read.
    fn footnotes(&self) -> Vec<String> {
        let mut notes: Vec<String> = self.rows.iter().map(note).collect();
        notes.extend([Column::Ca, Column::Asr].into_iter().flat_map(|column| self.reasons(column)).map(|reason| reason + "."));
        if !self.aside.is_empty() {
            notes.push(format!("Not counted: {}.", few(&self.aside)));
        }
        if !self.damaged.is_empty() {
            notes.push(format!("Not readable, and left out: {}.", few(&self.damaged)));
        }
        notes
    }
}

/// An axis of shares, written in percent.
fn percent(axis: Axis) -> Axis {
    let ticks = axis.ticks.into_iter().map(|t| Tick { label: format!("{}%", trimmed(format!("{:.1}", t.value * 100.0))), ..t });
    Axis { ticks: ticks.collect(), ..axis }
}

/// A row's point in the plane, and the way there. A filter trains a fresh network, whose way says nothing.
fn entry(row: &Row) -> Entry {
    let last = |t: &Trial| Outcome::of(&t.run, t.seed, t.epochs.last().map_or(0.0, |p| p.epoch), &t.after);
    let ways: Vec<Vec<Outcome>> = row.trials.iter().map(way).collect();
    let shared = if row.defense().is_none() || row.spec.defense.filters() { 0 } else { ways.iter().map(Vec::len).min().unwrap_or(0) };
    Entry {
        label: row.label.clone(),
        look: row.look,
        outcomes: row.trials.iter().map(last).collect(),
        trail: (0..shared).map(|at| ways.iter().map(|way| way[at].clone()).collect()).collect(),
    }
}

/// A run's way, an outcome an epoch. Of an epoch that a crash made the run repeat, the last one counts.
fn way(trial: &Trial) -> Vec<Outcome> {
    let mut way: Vec<Outcome> = Vec::new();
    for point in &trial.epochs {
        while way.last().is_some_and(|outcome| outcome.epoch >= point.epoch) {
            way.pop();
        }
        way.push(Outcome::of(&trial.run, trial.seed, point.epoch, &point.measures));
    }
    way
}

/// The first three, and how many more there are.
fn few(all: &[String]) -> String {
    let more = all.len().saturating_sub(3);
    let some = all.iter().take(3).cloned().collect::<Vec<_>>().join("; ");
    if more > 0 { format!("{some}; and {more} more") } else { some }
}

fn note(row: &Row) -> String {
    let mut devices: Vec<&str> = row.trials.iter().map(|t| t.device.as_str()).filter(|d| !d.is_empty()).collect();
    devices.sort_unstable();
    devices.dedup();
    let standing = row.standing().map_or_else(String::new, |words| format!(", {words} epochs"));
    format!("{}: n = {} (seed {}){standing}; {}.", row.label, row.trials.len(), row.seeds(), devices.join(", "))
}

/// Epochs planned, or done where the run is at its end.
fn last_epoch(trial: &Trial) -> u64 {
    trial.planned.max(trial.epochs.last().map_or(0, |p| p.epoch as u64))
}

fn source(trial: &Trial, epoch: f64, value: f64) -> Source {
    Source { run: trial.run.clone(), seed: trial.seed, epoch, value, across: None }
}

/// The ends of a series' band, as lines: a terminal has no shades.
fn edges(series: &[Series], label: &str) -> Vec<Series> {
    let Some(one) = series.iter().find(|s| s.label == label && s.points.iter().any(|p| p.band.is_some())) else { return Vec::new() };
    let edge = |end: fn((f64, f64)) -> f64| {
        let points = one.points.iter().map(|p| Point::computed(p.x, p.band.map_or(f64::NAN, end))).collect();
        Series { label: String::new(), look: Look { marker: None, dash: Some(Dash::Dots), width: 0.5, ..one.look }, points }
    };
    vec![edge(|band| band.0), edge(|band| band.1)]
}

/// A measure after each epoch.
type Course = BTreeMap<u64, f64>;

/// That of a run. Of an epoch that a crash made the run repeat, the last one counts.
fn course(trial: &Trial, measure: Measure) -> Course {
    trial.epochs.iter().map(|point| (point.epoch as u64, measure.of(&point.measures))).collect()
}

/// The mean over the seeds that have come to `epoch`.
fn mean(row: &Row, courses: &[Course], epoch: u64) -> Point {
    let x = epoch as f64;
    let seen = |(trial, course): (&Trial, &Course)| course.get(&epoch).map(|value| source(trial, x, *value));
    let sources: Vec<Source> = row.trials.iter().zip(courses).filter_map(seen).collect();
    let values = || sources.iter().map(|s| s.value);
    let y = values().sum::<f64>() / sources.len() as f64;
    let band = (sources.len() > 1).then(|| (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max)));
    Point { x, y, band, sources, ..Point::default() }
}

impl Row {
    /// Whether it is going on.
    pub fn live(&self) -> bool {
        matches!(self.status, Status::Running | Status::Paused)
    }
}
