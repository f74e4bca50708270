//! Made-up sights of a defense, as spec.md section 3 says that they typically are. Nothing here was measured.

use crate::run::evidence::{
    Attention, AttentionGroup, ClassClusters, ClassScores, ClusterPoint, Clusters, Detection, Evidence, Guard, Histogram, Isolation, Pruning,
    Reversal, Reversals, Scores,
};
use crate::spec::{Method, RunSpec};

/// When a defense sees something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    /// Before its first step.
    Search,
    /// After the first of its phases.
    FirstPhase,
    /// After the last step.
    End,
}

/// Classes of the made-up data set, and images of each.
const CLASSES: u16 = 12;
const EACH: usize = 333;
/// Poisoned images, all labelled as the target.
const POISONED: usize = 400;

/// What the defense of `spec` sees at a moment.
pub(super) fn seen(spec: &RunSpec, moment: Moment) -> Vec<Evidence> {
    let target = spec.attack.target;
    match (&spec.defense.method, moment) {
        (Method::NeuralCleanse(_), Moment::Search) => vec![Evidence::Reversals(reversals(target))],
        (Method::Ac(_), Moment::Search) => vec![Evidence::Clusters(clusters(target))],
        (Method::Spectral(_), Moment::Search) => vec![Evidence::Scores(scores(target))],
        (Method::FinePruning(_), Moment::Search) => vec![Evidence::Pruning(pruning())],
        (Method::Abl(_), Moment::FirstPhase) => vec![Evidence::Isolation(isolation())],
        (Method::Abl(_), Moment::End) => vec![Evidence::Guard(Guard { epoch: 3, before: 0.968, after: 0.742 })],
        (Method::Nad(_), Moment::FirstPhase | Moment::End) => vec![Evidence::Attention(attention(moment == Moment::End))],
        _ => Vec::new(),
    }
}

/// A number between 0 and 1 that looks drawn by lot.
fn lot(seed: usize) -> f64 {
    (seed as f64 * 12.9898).sin().mul_add(43_758.545_3, 0.0).rem_euclid(1.0)
}

/// About a normal distribution, between -3 and 3.
fn bell(seed: usize) -> f64 {
    (0..6).map(|k| lot(seed * 7 + k)).sum::<f64>() - 3.0
}

fn reversals(target: u16) -> Reversals {
    let norm = |label: u16| if label == target { 8.6 } else { 46.0 + 26.0 * lot(usize::from(label) + 3) };
    let mut sorted: Vec<f64> = (0..CLASSES).map(norm).collect();
    let median = middle(&mut sorted);
    let mad = 1.4826 * middle(&mut sorted.iter().map(|n| (n - median).abs()).collect::<Vec<_>>());
    let reversal = |label: u16| {
        let (norm, anomaly) = (norm(label), (norm(label) - median).abs() / mad);
        Reversal { label, norm, success: 0.98 + 0.02 * lot(usize::from(label)), anomaly, flagged: norm <= median && anomaly > 2.0 }
    };
    Reversals { labels: (0..CLASSES).map(reversal).collect(), median, mad }
}

fn middle(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    (values[(values.len() - 1) / 2] + values[values.len() / 2]) / 2.0
}

fn clusters(target: u16) -> Clusters {
    let class = |class: u16| {
        if class != target {
            let small = 120 + (60.0 * lot(usize::from(class))) as usize;
            let silhouette = 0.06 + 0.03 * lot(usize::from(class) + 50);
            return ClassClusters { class, sizes: [EACH - small, small], silhouette, ..ClassClusters::default() };
        }
        let point = |at: usize| {
            let poisoned = at % 11 >= 5;
            let (x, y) = if poisoned { (2.1, 0.1) } else { (-2.0, -0.2) };
            let strays = at % 37 == 5;
            let cluster = u8::from(poisoned != strays);
            ClusterPoint { x: (x + 0.6 * bell(at)) as f32, y: (y + 0.9 * bell(at + 900)) as f32, cluster, poisoned }
        };
        let points = (0..220).map(point).collect();
        ClassClusters { class, sizes: [EACH + 6, POISONED - 6], poisoned: [8, POISONED - 8], silhouette: 0.58, removed: Some(1), points }
    };
    let detection = Detection { removed: POISONED - 6, hits: POISONED - 8, poisoned: POISONED };
    Clusters { classes: (0..CLASSES).map(class).collect(), detection, warnings: Vec::new() }
}

fn scores(target: u16) -> Scores {
    let class = |class: u16| {
        let poison = if class == target { POISONED } else { 0 };
        let size = EACH + poison;
        let value = |at: usize| ((bell(at + usize::from(class) * 500) + if at < poison { 2.2 } else { -1.4 }).powi(2), at < poison);
        let values: Vec<(f64, bool)> = (0..size).map(value).collect();
        let mut sorted: Vec<f64> = values.iter().map(|v| v.0).collect();
        sorted.sort_by(f64::total_cmp);
        let threshold = sorted[size * 85 / 100];
        let removed = values.iter().filter(|v| v.0 > threshold);
        let detection = Detection { removed: removed.clone().count(), hits: removed.filter(|v| v.1).count(), poisoned: poison };
        ClassScores { class, threshold, detection, histogram: Histogram::of(values.into_iter(), 30) }
    };
    let classes: Vec<ClassScores> = (0..CLASSES).map(class).collect();
    let sum = |of: fn(&Detection) -> usize| classes.iter().map(|c| of(&c.detection)).sum();
    let detection = Detection { removed: sum(|d| d.removed), hits: sum(|d| d.hits), poisoned: POISONED };
    Scores { classes, detection, warnings: Vec::new() }
}

fn pruning() -> Pruning {
    let channels = 128u32;
    let accuracy = |pruned: u32| 0.972 - 0.9 * (f64::from(pruned) / f64::from(channels)).powi(8);
    let steps: Vec<(u32, f64)> = (0..=channels / 2).map(|k| (2 * k, accuracy(2 * k))).take_while(|(_, a)| *a > 0.80).collect();
    let limit = 0.972 * 0.9;
    let pruned = steps.iter().filter(|(_, a)| *a >= limit).map(|(n, _)| *n as usize).max().unwrap_or(0);
    let active = |at: u32| (0.9 * (f64::from(at) / f64::from(channels)).powf(2.5)) as f32;
    Pruning { order: (0..channels).rev().collect(), activations: (0..channels).map(active).collect(), steps, pruned, limit }
}

fn isolation() -> Isolation {
    let value = |at: usize| {
        let poisoned = at < POISONED;
        let loss = if poisoned { 0.004 + 0.25 * lot(at).powi(3) } else { 0.06 + 1.9 * lot(at).powi(2) };
        (loss, poisoned)
    };
    let values: Vec<(f64, bool)> = (0..4000).map(value).collect();
    Isolation { detection: Detection { removed: 40, hits: 37, poisoned: POISONED }, threshold: 0.0043, losses: Histogram::of(values.into_iter(), 40) }
}

/// The teacher looks at the sign, the student at first at the corner with the trigger.
fn attention(learned: bool) -> Attention {
    let map = |side: usize, corner: f64| {
        let spot = |at: usize, x: f64, y: f64| {
            let (dx, dy) = ((at % side) as f64 / side as f64 - x, (at / side) as f64 / side as f64 - y);
            (-(dx * dx + dy * dy) * 14.0).exp()
        };
        (0..side * side).map(|at| (255.0 * (0.9 * spot(at, 0.45, 0.45) + corner * spot(at, 0.9, 0.9)).min(1.0)) as u8).collect::<Vec<u8>>()
    };
    let corner = if learned { 0.12 } else { 0.95 };
    let group = |(k, side): (usize, usize)| AttentionGroup {
        name: format!("layer{}", k + 2),
        side,
        teacher: map(side, 0.05),
        student: map(side, corner),
        distance: if learned { 0.000_41 } else { 0.0062 } / (k + 1) as f64,
    };
    Attention { groups: [16, 8, 4].into_iter().enumerate().map(group).collect() }
}
