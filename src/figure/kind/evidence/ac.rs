//! Activation clustering: the two clusters of a class (spec.md 3.4).

use super::parts::{aimed, bars, classes, cloud, images, threshold, upward};
use super::{Subject, TRUTH};
use crate::figure::scene::{Along, Axis, Marker, Panel, Point, Role, Scene};
use crate::figure::ticks::number;
use crate::run::evidence::{ClassClusters, Clusters};
use crate::spec::{Ac, Decision, Method};

pub(super) fn scene(subject: &Subject, found: &Clusters) -> Scene {
    let class = telling(subject, found);
    let settings = if let Method::Ac(settings) = &subject.spec.defense.method { settings.clone() } else { Ac::default() };
    let mut panels: Vec<Panel> = class.map(|class| plane(subject, class)).into_iter().collect();
    panels.push(silhouettes(found, &settings));
    let mut footnotes = vec![why(subject, class, &settings)];
    footnotes.extend(found.warnings.iter().cloned());
    footnotes.push(TRUTH.to_owned());
    let of = class.map_or_else(String::new, |class| format!(" Label {}: {}.", subject.class(class.class), clusters(class)));
    let caption = format!("Activation clustering against {}: {}.{of}", subject.attack(), aimed(&found.detection, "removed in all"));
    Scene { caption, footnotes, columns: 1, panels, frame: (360.0, 190.0), ..Scene::default() }
}

/// Of the classes with points the target, else the one with most poisoned images.
fn telling<'a>(subject: &Subject, found: &'a Clusters) -> Option<&'a ClassClusters> {
    let mut drawn = found.classes.iter().filter(|c| !c.points.is_empty());
    let most = drawn.clone().max_by_key(|c| (c.poisoned.iter().sum::<usize>(), std::cmp::Reverse(c.class)));
    drawn.find(|c| c.class == subject.target()).or(most)
}

fn clusters(class: &ClassClusters) -> String {
    let of = |k: usize| format!("{} in cluster {} ({} poisoned)", class.sizes[k], k + 1, class.poisoned[k]);
    let removed = match class.removed {
        Some(k) => format!("cluster {} was removed", k + 1),
        None => "neither was removed".to_owned(),
    };
    format!("{}, {}, silhouette {}; {removed}", of(0), of(1), number((class.silhouette * 100.0).round() / 100.0))
}

/// The class in the plane of the first two components: shapes for clusters, colours for the truth.
fn plane(subject: &Subject, class: &ClassClusters) -> Panel {
    let kinds = [
        (0, false, Marker::CircleHollow, "1, truly clean"),
        (0, true, Marker::Circle, "1, truly poisoned"),
        (1, false, Marker::TriangleHollow, "2, truly clean"),
        (1, true, Marker::Triangle, "2, truly poisoned"),
    ];
    let points = |cluster: u8, poisoned: bool| {
        let own = class.points.iter().filter(|p| p.cluster == cluster && p.poisoned == poisoned);
        own.map(|p| Point::computed(f64::from(p.x), f64::from(p.y))).collect::<Vec<_>>()
    };
    let series = kinds.map(|(cluster, poisoned, marker, label)| {
        cloud(label, if poisoned { Role::Poisoned } else { Role::Clean }, marker, points(cluster, poisoned))
    });
    let ends = |of: fn(&crate::run::evidence::ClusterPoint) -> f32| {
        let values = class.points.iter().map(of).map(f64::from).filter(|v| v.is_finite());
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)))
    };
    let axis = |title: &str, (low, high): (f64, f64)| Axis::linear(title, low, high, 5, 0.05);
    Panel {
        title: format!("Label {}: clusters 1 and 2, {} and {}", subject.class(class.class), class.sizes[0], images(class.sizes[1])),
        x: axis("first component", ends(|p| p.x)),
        y: axis("second component", ends(|p| p.y)),
        series: series.into_iter().filter(|s| !s.points.is_empty()).collect(),
        all_marks: true,
        stretch: 1.0,
        ..Panel::default()
    }
}

/// How clearly each class falls in two.
fn silhouettes(found: &Clusters, settings: &Ac) -> Panel {
    let count = found.classes.iter().map(|c| usize::from(c.class) + 1).max().unwrap_or(1);
    let of = |removed: bool| {
        let own = found.classes.iter().filter(|c| c.removed.is_some() == removed);
        own.map(|c| Point::computed(f64::from(c.class), c.silhouette.max(0.0))).collect::<Vec<_>>()
    };
    let series = [bars("", Role::Flagged, 0.8, of(true)), bars("", Role::Other, 0.8, of(false))];
    let judged = !settings.bb_compat && matches!(settings.decision, Decision::Reclassification | Decision::Silhouette);
    let line = judged.then(|| threshold(Along::Y, settings.silhouette_threshold, number(settings.silhouette_threshold)));
    let top = found.classes.iter().map(|c| c.silhouette).fold(settings.silhouette_threshold, f64::max);
    Panel {
        title: "How clearly each label falls in two; full: a part was removed".to_owned(),
        x: classes("label", count),
        y: upward("silhouette", top),
        series: series.into_iter().filter(|s| !s.points.is_empty()).collect(),
        references: line.into_iter().collect(),
        stretch: 0.5,
        ..Panel::default()
    }
}

fn why(subject: &Subject, class: Option<&ClassClusters>, settings: &Ac) -> String {
    const IDEA: &str =
        "Triggered images have a label but not its content, so what the model makes of them lies apart from the clean images of that label.";
    let how = match (settings.bb_compat, settings.decision) {
        (true, _) => "In BackdoorBench's way a random half of every label is removed, whatever the clusters are.",
        (_, Decision::Smaller) => "The smaller cluster of every label is removed, so every label loses images.",
        (_, Decision::RelativeSize) => "A cluster is removed where it is a small part of its label.",
        (_, Decision::Silhouette) => "The smaller cluster is removed where the silhouette is above the line.",
        (_, Decision::Reclassification) => {
            "The silhouette tells which label falls in two; a model trained without a cluster then says what that cluster shows: what it takes for another class is poisoned."
        }
    };
    let Some(class) = class else { return format!("{IDEA} {how}") };
    let (poisoned, size) = (class.poisoned.iter().sum::<usize>(), class.sizes.iter().sum::<usize>());
    let mut text = format!("{IDEA} {how}");
    if 2 * poisoned > size && size > 0 {
        text += &format!(" Of label {} more than half is poisoned: there the smaller cluster is the clean one.", subject.class(class.class));
    }
    match class.removed {
        Some(k) if 2 * class.poisoned[usize::from(k.min(1))] < class.sizes[usize::from(k.min(1))] && poisoned > 0 => {
            text += " What was removed here is the clean cluster: the backdoor stays.";
        }
        None if poisoned > 0 => text += " Nothing of it was removed: the backdoor stays.",
        _ => {}
    }
    text
}
