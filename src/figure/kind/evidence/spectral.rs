//! Spectral signatures: how far each image of a class stands along its main direction (spec.md 3.8).

use super::parts::{aimed, classes, histogram, percent, stacked, threshold, upward};
use super::{Subject, TRUTH};
use crate::figure::scene::{Along, Panel, Scene};
use crate::figure::ticks::number;
use crate::run::evidence::{ClassScores, Scores};

pub(super) fn scene(subject: &Subject, found: &Scores) -> Scene {
    let class = telling(subject, found);
    let (size, poisoned) = class.map_or((0, 0), |c| (images(c), c.detection.poisoned));
    let mut panels = Vec::new();
    if let Some(class) = class {
        let line = threshold(Along::X, class.threshold, format!("removed above {}", number(round(class.threshold))));
        panels.push(histogram(format!("Label {}", subject.class(class.class)), "spectral score", &class.histogram, line));
    }
    panels.push(removed(found));
    let mut footnotes = vec![why(subject, class, size)];
    footnotes.extend(found.warnings.iter().cloned());
    footnotes.push(TRUTH.to_owned());
    let of = class.map_or_else(String::new, |c| {
        format!(" Of the {size} images labelled {}, {poisoned} carry the trigger ({}).", subject.class(c.class), aimed(&c.detection, "removed"))
    });
    let caption = format!("Spectral signatures against {}: {}.{of}", subject.attack(), aimed(&found.detection, "removed in all"));
    Scene { caption, footnotes, columns: 1, panels, frame: (360.0, 130.0), ..Scene::default() }
}

/// The target class, where it has poisoned images, else the class with most of them.
fn telling<'a>(subject: &Subject, found: &'a Scores) -> Option<&'a ClassScores> {
    let target = found.classes.iter().find(|c| c.class == subject.target() && c.detection.poisoned > 0);
    target.or_else(|| found.classes.iter().max_by_key(|c| (c.detection.poisoned, std::cmp::Reverse(c.class))))
}

fn images(class: &ClassScores) -> usize {
    class.histogram.clean.iter().chain(&class.histogram.poisoned).map(|n| *n as usize).sum()
}

fn round(value: f64) -> f64 {
    if value.abs() >= 1.0 { (value * 10.0).round() / 10.0 } else { (value * 1000.0).round() / 1000.0 }
}

/// What was removed of each class.
fn removed(found: &Scores) -> Panel {
    let count = found.classes.iter().map(|c| usize::from(c.class) + 1).max().unwrap_or(1);
    let part = |c: &ClassScores| (f64::from(c.class), c.detection.hits as f64, c.detection.removed.saturating_sub(c.detection.hits) as f64);
    let parts = found.classes.iter().map(part);
    let top = parts.clone().map(|(_, poisoned, clean)| poisoned + clean).fold(0.0, f64::max);
    let (x, y) = (classes("label", count), upward("images removed", top));
    Panel { title: "Removed of each label".to_owned(), x, y, series: stacked(0.8, parts), stretch: 0.6, ..Panel::default() }
}

fn why(subject: &Subject, class: Option<&ClassScores>, size: usize) -> String {
    const IDEA: &str = "Images of one label that differ from the rest in a common way, as triggered ones do, stand far out along the main direction of their activations.";
    let Some(class) = class.filter(|c| c.detection.poisoned > 0 && size > 0) else {
        return format!("{IDEA} No image of any label is poisoned here: what is removed is lost for nothing.");
    };
    let (share, gone) = (class.detection.poisoned as f64 / size as f64, class.detection.removed as f64 / size as f64);
    let label = subject.class(class.class);
    if share > gone + 0.005 {
        return format!(
            "{IDEA} But of label {label} {} is poisoned and only {} is removed: this cannot suffice, whatever the scores say.",
            percent(share),
            percent(gone)
        );
    }
    match class.detection.recall() {
        Some(recall) if recall > 0.9 => format!("{IDEA} Here they do: the line leaves hardly a poisoned image behind."),
        _ => format!("{IDEA} Here poisoned and clean images overlap: a line between them does not exist."),
    }
}
