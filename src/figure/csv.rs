//! A figure as a table: one row for each value, with the run, seed and epoch that it comes from.

use super::scene::{Along, Kind, Point, Scene};
use crate::export::csv::line;

/// Names of the columns. `statistic` is `value` (of one run), `mean` (over `n` runs, whose values follow, `low` and
/// `high` the ends of the band) or `computed` (from settings or what a defense saw),
/// or `picture`, whose `series` is its file in the run directory. Of a bar that stands on another, `low` and `high` are its
/// foot and its top. `x_low` and `x_high` are the ends of a bar across, where `x` is a mean as well.
pub const COLUMNS: [&str; 14] = ["figure", "panel", "series", "statistic", "x", "y", "low", "high", "n", "run", "seed", "epoch", "x_low", "x_high"];

/// Names of the columns of a figure of pictures. `gain`: by how much it is amplified; `note`: why there is none.
pub const PICTURE_COLUMNS: [&str; 11] = ["figure", "panel", "picture", "run", "seed", "sample", "index", "label", "gain", "file", "note"];

/// The whole figure as CSV (RFC 4180, `\n` at line ends). A gap is an empty `y`. A figure of pictures has columns of its
/// own.
pub fn csv(scene: &Scene) -> String {
    if scene.panels.iter().any(|p| p.picture.is_some()) && scene.panels.iter().all(|p| p.series.is_empty()) {
        return pictures(scene);
    }
    let mut out = line(COLUMNS);
    for (number, panel) in scene.panels.iter().enumerate() {
        let title = if panel.title.is_empty() { format!("{}", number + 1) } else { panel.title.clone() };
        for series in &panel.series {
            let label = if series.label.is_empty() { &panel.y.title } else { &series.label };
            let head = [scene.name.clone(), title.clone(), label.clone()];
            series.points.iter().for_each(|point| out.push_str(&rows(&head, point)));
        }
        for line in panel.references.iter().filter(|line| line.kind == Kind::Threshold) {
            let (x, y) = if line.along == Along::X { (line.value, f64::NAN) } else { (f64::NAN, line.value) };
            out.push_str(&rows(&[scene.name.clone(), title.clone(), line.name().to_owned()], &Point::computed(x, y)));
        }
        if let Some(picture) = &panel.picture {
            let origin = &picture.origin;
            let own = ["picture", "", "", "", "", ""].map(str::to_owned);
            let from = [origin.run.clone(), origin.seed.to_string(), String::new(), String::new(), String::new()];
            out.push_str(&line([scene.name.clone(), title, origin.file.clone()].iter().chain(&own).chain(&from)));
        }
    }
    out
}

/// A line for each picture. The first row of panels names columns, the first column names rows.
fn pictures(scene: &Scene) -> String {
    let mut out = line(PICTURE_COLUMNS);
    let top: Vec<&str> = scene.panels.iter().take(scene.columns.max(1)).map(|panel| panel.title.as_str()).collect();
    for row in scene.rows() {
        for (panel, title) in row.iter().zip(&top) {
            let head = [&scene.name, *title, &row[0].y.title];
            let note = panel.absent.as_deref().unwrap_or_default().replace('\n', ": ");
            let own = panel.picture.as_ref().map_or_else(Default::default, |p| {
                let o = &p.origin;
                let index = o.index.map_or_else(String::new, |i| i.to_string());
                [o.run.clone(), o.seed.to_string(), o.sample.to_string(), index, panel.x.title.clone(), p.gain.to_string(), o.file.clone()]
            });
            out.push_str(&line(head.map(str::to_owned).into_iter().chain(own).chain([note])));
        }
    }
    out
}

fn text(value: f64) -> String {
    if value.is_finite() { value.to_string() } else { String::new() }
}

fn ends(ends: Option<(f64, f64)>) -> [String; 2] {
    ends.map_or_else(Default::default, |(low, high)| [text(low), text(high)])
}

fn rows(head: &[String; 3], point: &Point) -> String {
    let n = point.sources.len();
    let statistic = if n > 1 { "mean" } else { "computed" };
    let mut out = String::new();
    if n != 1 {
        let n = if n > 0 { n.to_string() } else { String::new() };
        let own = [statistic.to_owned(), text(point.x), text(point.y)];
        let rest = [n, String::new(), String::new(), String::new()];
        let fields = own.into_iter().chain(ends(point.band.or(point.upright))).chain(rest).chain(ends(point.across));
        out.push_str(&line(head.iter().cloned().chain(fields)));
    }
    for s in &point.sources {
        let own = ["value".to_owned(), text(s.across.unwrap_or(point.x)), text(s.value), String::new(), String::new(), "1".to_owned()];
        let from = [s.run.clone(), s.seed.to_string(), text(s.epoch), String::new(), String::new()];
        out.push_str(&line(head.iter().chain(&own).chain(&from)));
    }
    out
}
