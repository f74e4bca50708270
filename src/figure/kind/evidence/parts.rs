//! What several of these figures are made of.

use crate::figure::scene::{Along, Axis, Colour, Dash, Kind, Look, Marker, Panel, Point, Reference, Role, Series};
use crate::figure::ticks::Tick;
use crate::run::evidence::{Detection, Histogram};

/// A share as people say it.
pub(super) fn percent(share: f64) -> String {
    if share.is_finite() { format!("{:.1}%", share * 100.0) } else { "-".to_owned() }
}

/// `12 images`.
pub(super) fn images(count: usize) -> String {
    format!("{count} {}", if count == 1 { "image" } else { "images" })
}

/// What was removed, and how well that was aimed.
pub(super) fn aimed(detection: &Detection, done: &str) -> String {
    let share = |share: Option<f64>| share.map_or_else(|| "-".to_owned(), percent);
    format!(
        "{} {done}, {} of them truly poisoned: precision {}, recall {}",
        images(detection.removed),
        detection.hits,
        share(detection.precision()),
        share(detection.recall())
    )
}

/// An axis with a place for each of `count` classes, numbered as far as there is room.
pub(super) fn classes(title: &str, count: usize) -> Axis {
    let every = [1, 2, 5, 10, 20, 50].into_iter().find(|every| count <= 15 * every).unwrap_or(100);
    let ticks = (0..count).step_by(every).map(|label| Tick { value: label as f64, label: label.to_string() });
    Axis { title: title.to_owned(), min: -0.6, max: count as f64 - 0.4, ticks: ticks.collect(), ..Axis::default() }
}

/// An axis of counts or sizes from nothing to a little over `top`.
pub(super) fn upward(title: &str, top: f64) -> Axis {
    let top = if top.is_finite() && top > 0.0 { top * 1.12 } else { 1.0 };
    Axis::linear(title, 0.0, top, 4, 0.0)
}

/// Bars of one kind: full ones for what is poisoned or suspected, hatched ones for the rest.
pub(super) fn bars(label: &str, role: Role, width: f64, points: Vec<Point>) -> Series {
    let (colour, dash) = match role {
        Role::Poisoned | Role::Flagged => (Colour::Vermillion, Dash::Solid),
        Role::Clean => (Colour::Blue, Dash::Dots),
        _ => (Colour::Grey, Dash::Dots),
    };
    let look = Look { role, colour, dash: Some(dash), width: 0.6, bar: Some(width), ..Look::default() };
    Series { label: label.to_owned(), look, points }
}

/// A cloud of points.
pub(super) fn cloud(label: &str, role: Role, marker: Marker, points: Vec<Point>) -> Series {
    let colour = if role == Role::Poisoned { Colour::Vermillion } else { Colour::Blue };
    Series { label: label.to_owned(), look: Look { role, colour, marker: Some(marker), ..Look::default() }, points }
}

/// Where the defense draws the line.
pub(super) fn threshold(along: Along, value: f64, label: impl Into<String>) -> Reference {
    Reference::new(Kind::Threshold, along, value, label)
}

/// Poisoned images below, clean ones on top of them; what is not there is left out.
pub(super) fn stacked(width: f64, parts: impl Iterator<Item = (f64, f64, f64)> + Clone) -> Vec<Series> {
    let point = |x: f64, foot: f64, top: f64| Point { x, y: top, band: Some((foot, top)), ..Point::default() };
    let of = |height: fn(&(f64, f64, f64)) -> f64, foot: fn(&(f64, f64, f64)) -> f64| {
        parts.clone().filter(|part| height(part) > 0.0).map(|part| point(part.0, foot(&part), foot(&part) + height(&part))).collect::<Vec<_>>()
    };
    let series = [bars("truly poisoned", Role::Poisoned, width, of(|p| p.1, |_| 0.0)), bars("truly clean", Role::Clean, width, of(|p| p.2, |p| p.1))];
    series.into_iter().filter(|s| !s.points.is_empty()).collect()
}

/// A histogram with the line that the defense draws; `quantity` is what stands along it.
pub(super) fn histogram(title: String, quantity: &str, histogram: &Histogram, line: Reference) -> Panel {
    let bins = histogram.clean.len().max(histogram.poisoned.len()).max(1);
    let (from, to) = if histogram.to > histogram.from { (histogram.from, histogram.to) } else { (histogram.from - 0.5, histogram.from + 0.5) };
    let width = (to - from) / bins as f64;
    let count = |counts: &[u32], bin: usize| f64::from(counts.get(bin).copied().unwrap_or(0));
    let parts = (0..bins).map(|bin| (from + (bin as f64 + 0.5) * width, count(&histogram.poisoned, bin), count(&histogram.clean, bin)));
    let top = parts.clone().map(|(_, poisoned, clean)| poisoned + clean).fold(0.0, f64::max);
    // A line beyond every image is to be seen too.
    let reach = if line.value.is_finite() { (from.min(line.value), to.max(line.value)) } else { (from, to) };
    // Losses and scores begin at nothing, where that is near.
    let low = if reach.0 > 0.0 && reach.0 < 0.2 * reach.1 { 0.0 } else { reach.0 };
    let x = Axis::linear(quantity, low, reach.1, 5, 0.02);
    Panel { title, x, y: upward("images", top), series: stacked(width, parts), references: vec![line], stretch: 1.0, ..Panel::default() }
}
