//! Fine-pruning: accuracy against what was pruned, and how active the channels are (spec.md 3.5).

use super::Subject;
use super::parts::{bars, percent, threshold, upward};
use crate::figure::scene::{Along, Axis, Colour, Dash, Kind, Look, Marker, Panel, Point, Reference, Role, Scene, Series};
use crate::run::evidence::Pruning;

pub(super) fn scene(subject: &Subject, found: &Pruning) -> Scene {
    let channels = found.order.len().max(1);
    let share = 100.0 * found.pruned as f64 / channels as f64;
    let stop = |label: &str| Reference::new(Kind::Value, Along::X, share, label);
    let x = |title: &str| Axis::linear(title, 0.0, 100.0, 5, 0.015);
    let points: Vec<Point> =
        found.steps.iter().map(|(pruned, accuracy)| Point::computed(100.0 * f64::from(*pruned) / channels as f64, *accuracy)).collect();
    let look = Look { role: Role::Ca, colour: Colour::Blue, marker: Some(Marker::Triangle), dash: Some(Dash::Solid), width: 1.3, ..Look::default() };
    let accuracy = Panel {
        title: "Accuracy on held-out clean images".to_owned(),
        x: x("channels pruned, %"),
        y: Axis::linear("accuracy", 0.0, 1.0, 5, 0.035),
        series: vec![Series { label: "accuracy".to_owned(), look, points }],
        references: vec![threshold(Along::Y, found.limit, "limit"), stop(&format!("stays pruned: {share:.0}%"))],
        stretch: 1.0,
        ..Panel::default()
    };
    let width = 100.0 / channels as f64;
    let place = |(at, value): (usize, &f32)| Point::computed((at as f64 + 0.5) * width, f64::from(*value));
    let active: Vec<Point> = found.activations.iter().enumerate().map(place).collect();
    let top = active.iter().map(|p| p.y).filter(|y| y.is_finite()).fold(0.0, f64::max);
    let (gone, kept) = active.split_at(found.pruned.min(active.len()));
    let activity = Panel {
        title: "Mean activation of each channel, the least active first".to_owned(),
        x: x("channels pruned, %"),
        y: upward("activation", top),
        series: [bars("pruned", Role::Flagged, width, gone.to_vec()), bars("kept", Role::Other, width, kept.to_vec())]
            .into_iter()
            .filter(|s| !s.points.is_empty())
            .collect(),
        references: vec![stop("")],
        stretch: 0.6,
        ..Panel::default()
    };
    let (first, last) = (found.steps.first().map(|s| s.1), found.steps.iter().rev().find(|s| s.0 as usize <= found.pruned).map(|s| s.1));
    let from_to =
        first.zip(last).map_or_else(String::new, |(a, b)| format!(" Accuracy on held-out images went from {} to {}.", percent(a), percent(b)));
    let caption = format!(
        "Fine-pruning against {}: {} of {channels} channels ({share:.0}%) stay pruned, then the rest is fine-tuned.{from_to}",
        subject.attack(),
        found.pruned
    );
    let why = "Channels that clean images hardly use go first, in the hope that the backdoor sits there; pruning ends before accuracy falls below the limit. Where trigger and classes share channels, what is pruned is not the backdoor, and fine-tuning decides.";
    Scene { caption, footnotes: vec![why.to_owned()], columns: 1, panels: vec![accuracy, activity], frame: (360.0, 130.0), ..Scene::default() }
}
