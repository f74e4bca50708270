//! How long defenses take: a box for each, over data sets, attacks and seeds (paper Figure 6; spec.md section 9). Hours
//! of a GPU and of a CPU have a panel each.

use super::plane::spread;
use crate::figure::names::shown;
use crate::figure::notes;
use crate::figure::palette;
use crate::figure::preset::Hours;
use crate::figure::reported::{self, About, Collection};
use crate::figure::runs::{RunEntry, Scan};
use crate::figure::scene::{Axis, Dash, Look, Panel, Point, Scene, Series, Source};
use crate::figure::select::{self, Cell, Wanted};
use crate::figure::ticks::{Tick, number, with_deviation};
use std::collections::BTreeSet;

/// Title of the axis of hours on a GPU.
const GPU: &str = "GPU hours";
const UNMIXED: &str = "Reported hours are those of GPUs, and are not drawn beside hours of a CPU.";
/// Runs from which quartiles mean something.
const BOX: usize = 4;
/// Width of a box, in places.
const WIDTH: f64 = 0.5;
/// How many times longer the longest run may take than the shortest, before both need a logarithmic axis.
const FLAT: f64 = 30.0;

/// The panels and notes, made of runs with the settings `own` where there are such; `None` when no run belongs to the figure.
pub fn scene(hours: &Hours, own: BTreeSet<String>, scan: &Scan, collections: &[Collection]) -> Option<Scene> {
    let defenses: Vec<&str> = hours.defenses.iter().map(String::as_str).collect();
    let wanted = Wanted { scenario: hours.scenario, rows: "data.name", columns: "attack.name", defenses, own, ..Wanted::default() };
    let cells = select::cells(scan, &wanted);
    let (mut panels, mut footnotes) = (Vec::new(), Vec::new());
    for (gpu, title) in [(true, GPU), (false, "CPU hours")] {
        let of = |defense: &str| pooled(&cells, defense, gpu);
        if hours.defenses.iter().all(|defense| of(defense).is_empty()) {
            continue;
        }
        let mut all = if gpu { reported::hours(collections, hours.scenario, &hours.defenses) } else { Vec::new() };
        all.extend(hours.defenses.iter().enumerate().filter_map(|(place, defense)| series(place, defense, &of(defense))));
        footnotes.push(counts(hours, &cells, gpu, title));
        panels.push(panel(hours, title, all));
    }
    if panels.is_empty() {
        return None;
    }
    footnotes.insert(0, MEANING.to_owned());
    footnotes.extend(devices(&cells));
    footnotes.extend(notes::omissions(&cells, scan, &wanted));
    match panels.iter().any(|panel| panel.y.title == GPU) {
        true => footnotes.extend(reported::notes(collections, &[], &panels, About::Defenses)),
        false => footnotes.extend(collections.first().map(|_| UNMIXED.to_owned())),
    }
    Some(Scene { columns: 1, panels, footnotes, ..Scene::default() })
}

const MEANING: &str = "Hours of the defense alone: what it looks for and what it trains, evaluation excluded. Each mark is one run. From four runs on a box reaches from the lower to the upper quartile, with the median across it and bars to the smallest and the largest.";

/// Finished runs of a defense over all cells; what was changed by hand or broken off took a time of its own.
fn pooled<'a>(cells: &[Cell<'a>], defense: &str, gpu: bool) -> Vec<&'a RunEntry> {
    let runs = cells.iter().flat_map(|cell| &cell.halves).filter(|half| half.defense == defense).flat_map(|half| &half.runs);
    runs.copied().filter(|run| run.finished() && !run.steered() && run.view.facts.gpu == gpu && run.view.hours() > 0.0).collect()
}

fn series(place: usize, defense: &str, runs: &[&RunEntry]) -> Option<Series> {
    let look = Look { bar: Some(WIDTH), dash: Some(Dash::Solid), width: 0.6, ..palette::defense(defense) };
    (!runs.is_empty()).then(|| Series { label: shown("defense.name", defense), look, points: vec![point(place as f64, runs)] })
}

fn point(x: f64, runs: &[&RunEntry]) -> Point {
    let epoch = |run: &RunEntry| run.view.epochs.last().map_or(0.0, |last| last.epoch);
    let source = |run: &&RunEntry| Source { run: run.id.clone(), seed: run.spec.seed, epoch: epoch(run), value: run.view.hours(), across: None };
    let sources: Vec<Source> = runs.iter().map(source).collect();
    let mut values: Vec<f64> = sources.iter().map(|s| s.value).collect();
    values.sort_by(f64::total_cmp);
    let whole = values.len() >= BOX;
    Point {
        x,
        y: quantile(&values, 0.5),
        band: whole.then(|| (quantile(&values, 0.25), quantile(&values, 0.75))),
        upright: whole.then(|| (values[0], values[values.len() - 1])),
        sources,
        median: true,
        ..Point::default()
    }
}

/// The value below which a share of the sorted `values` lies, straight between two of them (the usual definition, R's
/// seventh); NaN of none.
pub fn quantile(values: &[f64], share: f64) -> f64 {
    let Some(last) = values.len().checked_sub(1) else { return f64::NAN };
    let at = share.clamp(0.0, 1.0) * last as f64;
    let (low, high) = (at.floor() as usize, at.ceil() as usize);
    values[low] + (at - low as f64) * (values[high] - values[low])
}

fn panel(hours: &Hours, title: &str, series: Vec<Series>) -> Panel {
    let points = || series.iter().flat_map(|s| &s.points);
    let values: Vec<f64> = points().flat_map(|p| p.sources.iter().map(|s| s.value).chain(p.sources.is_empty().then_some(p.y))).collect();
    let (low, high) = values.iter().fold((f64::INFINITY, 0.0f64), |(low, high), v| (low.min(*v), high.max(*v)));
    let ticks = hours.defenses.iter().enumerate().map(|(place, name)| Tick { value: place as f64, label: shown("defense.name", name) });
    Panel {
        title: format!("Hours on a {}", &title[..3]),
        x: Axis { max: hours.defenses.len() as f64 - 0.4, min: -0.6, ticks: ticks.collect(), ..Axis::default() },
        y: if high > FLAT * low { decades(title, low, high) } else { Axis::linear(title, 0.0, high * 1.08, 5, 0.0) },
        series,
        all_marks: true,
        stretch: 1.0,
        ..Panel::default()
    }
}

/// A logarithmic axis around `low` and `high` with a tick at each power of ten.
fn decades(title: &str, low: f64, high: f64) -> Axis {
    let (from, to) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    let tick = |power: i32| Tick { value: 10f64.powi(power), label: number(10f64.powi(power)) };
    Axis { ticks: (from..=to).map(tick).collect(), ..Axis::log(title, 10f64.powi(from), 10f64.powi(to)) }
}

/// How many runs stand behind each box, and their mean.
fn counts(hours: &Hours, cells: &[Cell], gpu: bool, title: &str) -> String {
    let of = |defense: &String| {
        let runs = pooled(cells, defense, gpu);
        let values: Vec<f64> = runs.iter().map(|run| run.view.hours()).collect();
        let name = shown("defense.name", defense);
        let (mean, deviation) = spread(&values);
        match runs.len() {
            1 => format!("{name} {} (n = 1)", number(mean)),
            // What rounding leaves of equal hours is no deviation.
            n if deviation < 1e-9 * mean => format!("{name} {} \u{b1} 0 (n = {n})", number(mean)),
            n => format!("{name} {} (n = {n})", with_deviation(mean, deviation)),
        }
    };
    let (run, missing): (Vec<&String>, Vec<&String>) = hours.defenses.iter().partition(|defense| !pooled(cells, defense, gpu).is_empty());
    let all: Vec<String> = run.into_iter().map(of).collect();
    let missing: Vec<String> = missing.into_iter().map(|defense| shown("defense.name", defense)).collect();
    let missing = if missing.is_empty() { String::new() } else { format!(" Not run: {}.", missing.join(", ")) };
    format!("{title}, mean \u{b1} standard deviation: {}.{missing}", all.join(", "))
}

fn devices(cells: &[Cell]) -> Option<String> {
    let runs = cells.iter().flat_map(|cell| &cell.halves).flat_map(|half| &half.runs);
    let mut names: Vec<&str> = runs.map(|run| run.view.facts.device.as_str()).filter(|name| !name.is_empty()).collect();
    names.sort_unstable();
    names.dedup();
    match names.as_slice() {
        [] => None,
        [one] => Some(format!("Device: {one}.")),
        several => Some(format!("Devices: {}. Hours of different devices are pooled here and compare poorly.", several.join("; "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_numpy() {
        // numpy.percentile([1, 2, 4, 8], [0, 25, 50, 75, 100])
        let values = [1.0, 2.0, 4.0, 8.0];
        for (share, expected) in [(0.0, 1.0), (0.25, 1.75), (0.5, 3.0), (0.75, 5.0), (1.0, 8.0)] {
            assert!((quantile(&values, share) - expected).abs() < 1e-12);
        }
        assert!(quantile(&[], 0.5).is_nan() && quantile(&[3.0], 0.25) == 3.0);
    }
}
