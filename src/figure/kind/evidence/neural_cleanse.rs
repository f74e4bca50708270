//! Neural Cleanse: the smallest patch that turns images into each class (spec.md 3.7).

use super::Subject;
use super::parts::{bars, classes, threshold, upward};
use crate::figure::scene::{Along, Axis, Kind, Panel, Picture, Point, Reference, Role, Scene};
use crate::run::evidence::{Reversal, Reversals};
use crate::spec::{Method, NormScale, Trigger};

/// Number of labels up to which each bar has its index over it.
const INDEXED: usize = 15;

pub(super) fn scene(subject: &Subject, found: &Reversals) -> Scene {
    let mut pictures = pictures(subject);
    let mut panels = vec![norms(subject, found)];
    let columns = pictures.len().max(1);
    panels.append(&mut pictures);
    Scene {
        caption: caption(subject, found),
        footnotes: vec![IDEA.to_owned(), truth(subject, found)],
        columns,
        panels,
        frame: (88.0, 88.0),
        ..Scene::default()
    }
}

const IDEA: &str = "A backdoor is a short cut: where there is one, a few pixels turn every image into the target; for every other label many are needed. The anomaly index counts how many deviations a norm lies from the median.";

/// The reversal whose pictures are shown: the smallest flagged one, else the smallest of all.
pub(super) fn shown(found: &Reversals) -> Option<&Reversal> {
    let smallest = |flagged: bool| found.labels.iter().filter(move |l| l.flagged || !flagged).min_by(|a, b| a.norm.total_cmp(&b.norm));
    smallest(true).or_else(|| smallest(false))
}

/// The norms by label, with median and threshold.
fn norms(subject: &Subject, found: &Reversals) -> Panel {
    let count = found.labels.iter().map(|l| usize::from(l.label) + 1).max().unwrap_or(1);
    let small = shown(found).map(|l| l.label);
    let indexed = |l: &&Reversal| l.flagged || Some(l.label) == small || count <= INDEXED;
    let point = |l: &Reversal| {
        let label = Some(l).filter(indexed).map_or_else(String::new, |l| format!("{:.1}", l.anomaly));
        Point { x: f64::from(l.label), y: l.norm, label, ..Point::default() }
    };
    let of = |flagged: bool| found.labels.iter().filter(|l| l.flagged == flagged).map(point).collect::<Vec<_>>();
    let series = [bars("not flagged", Role::Other, 0.8, of(false)), bars("flagged", Role::Flagged, 0.8, of(true))];
    let top = found.labels.iter().map(|l| l.norm).filter(|n| n.is_finite()).fold(0.0, f64::max);
    let limit = bound(found, subject);
    let mut references =
        vec![Reference { words: format!("median {:.1}", found.median), ..Reference::new(Kind::Value, Along::Y, found.median, "median") }];
    references.extend((limit > 0.0).then(|| threshold(Along::Y, limit, "flagged below")));
    Panel {
        title: "Reversed masks by label, with anomaly index".to_owned(),
        x: classes("label", count),
        y: upward("L1 norm in pixels", top),
        series: series.into_iter().filter(|s| !s.points.is_empty()).collect(),
        references,
        stretch: 1.35,
        whole_row: true,
        ..Panel::default()
    }
}

/// The norm below which a mask is flagged.
fn bound(found: &Reversals, subject: &Subject) -> f64 {
    let Method::NeuralCleanse(settings) = &subject.spec.defense.method else { return found.median - 2.0 * found.mad };
    let line = settings.line(found.labels.len());
    match settings.norm_scale {
        NormScale::Linear => found.median - line * found.mad,
        // The deviation is that of the logarithms: so many times smaller.
        NormScale::Log => found.median * (-line * found.mad).exp(),
    }
}

/// The mask beside the true trigger, where a sample tells it; the pattern, and what both make of an image.
fn pictures(subject: &Subject) -> Vec<Panel> {
    let p = subject.pictures;
    let label = p.label.map_or_else(String::new, |label| format!("label {label}"));
    let of = |title: &str, picture: &Option<Picture>, under: String| {
        let axis = |title: String| Axis { title, max: 1.0, ..Axis::default() };
        Panel { title: title.to_owned(), x: axis(under), y: axis(String::new()), picture: picture.clone(), stretch: 1.0, ..Panel::default() }
    };
    let gain = p.truth.as_ref().map_or_else(String::new, |t| format!("viewer alone \u{d7}{}", t.gain));
    let all = [
        of("mask", &p.mask, label.clone()),
        of("true trigger", &p.truth, gain),
        of("pattern", &p.pattern, label.clone()),
        of("applied", &p.applied, label),
    ];
    all.into_iter().filter(|panel| panel.picture.is_some()).collect()
}

fn caption(subject: &Subject, found: &Reversals) -> String {
    let head = format!("Neural Cleanse against {}: the smallest patch that turns images into each label.", subject.attack());
    let words = |l: &Reversal| format!("{} needs {:.1} pixels (index {:.1})", subject.class(l.label), l.norm, l.anomaly);
    let flagged: Vec<String> = found.labels.iter().filter(|l| l.flagged).map(words).collect();
    match (flagged.is_empty(), shown(found)) {
        (false, _) => format!("{head} Flagged: {}; the median of all labels is {:.1}. The patch is unlearned.", flagged.join(", "), found.median),
        (true, Some(l)) => format!(
            "{head} None is flagged: the smallest, {}, is no outlier from the median of {:.1}. The model is left as it is.",
            words(l),
            found.median
        ),
        (true, None) => head,
    }
}

/// How the verdict compares with what is true, and why.
fn truth(subject: &Subject, found: &Reversals) -> String {
    let target = subject.target();
    let hit = found.labels.iter().any(|l| l.flagged && l.label == target);
    let others = found.labels.iter().filter(|l| l.flagged && l.label != target).count();
    let known = format!("Known to the viewer, not to the defense: the target is label {}.", subject.class(target));
    let weak = subject.view.before().is_some_and(|before| before.asr < 0.5);
    let why = match (hit, others, &subject.spec.attack.trigger) {
        (false, ..) if weak => "It was missed: the backdoor itself had hardly taken hold, so there is no short cut to find.",
        (true, 0, _) => "It was found.",
        (true, ..) => "It was found, and others were flagged beside it; unlearning their patches costs little.",
        (false, _, Trigger::Badnets(_)) => "It was missed, although its trigger is a small patch: its mask is not small enough beside the others'.",
        (false, _, Trigger::InputAware(_)) => "It was missed: every image has a trigger of its own, which no single patch stands for.",
        (false, ..) => "It was missed: its trigger covers the whole image, and no small patch stands for it.",
    };
    let wrong = if !hit && others > 0 { " What was flagged is no target: unlearning it does not touch the backdoor." } else { "" };
    format!("{known} {why}{wrong}")
}
