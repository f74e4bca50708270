//! The learning rate of super-fine-tuning over iterations (paper Figure 1; spec.md 3.2).

use crate::figure::FigureError;
use crate::figure::notes;
use crate::figure::rates::curve;
use crate::figure::scene::{Along, Axis, Colour, Dash, Kind, Look, Panel, Reference, Scene, Series, Span};
use crate::figure::ticks::{grouped, number};
use crate::schedule::Schedule;
use crate::spec::{Method, RunSpec, Stage, SuperFineTuning};

/// How many times higher than LR MAX2 the first phase must reach for the second to need a panel of its own.
const FLAT: f64 = 6.0;

/// The schedule of `spec`'s super-fine-tuning: the first phase and as much of the second, and below it the second
/// phase on a scale of its own, where the first is too high for it to be seen. `train_images` is the size of the data
/// set in use, which decides how many iterations an epoch has.
///
/// # Errors
/// When `spec` fine-tunes conventionally.
pub fn scene(figure: &str, spec: &RunSpec, name: &str, train_images: usize) -> Result<Scene, FigureError> {
    let Method::SuperFineTuning(s) = &spec.defense.method else {
        let message = format!("shows super-fine-tuning, but {name} uses {}; add --set defense.name=super-fine-tuning", spec.defense.name());
        return Err(FigureError::Settings { figure: figure.to_owned(), message });
    };
    let images = spec.clean_images(train_images);
    let steps = spec.steps_per_epoch(Stage::Defense, images).max(1);
    let all = spec.defense.epochs * steps;
    let switch = (s.phase1_epochs * steps).min(all);
    let shown = all.min((2 * switch).max(4 * s.cycle));
    let rate = spec.schedule(Stage::Defense, steps);
    let mut panels = vec![whole(&rate, s, switch, shown)];
    if s.lr_max1 > FLAT * s.lr_max2 && switch < shown {
        panels.push(second_phase(&rate, s, switch, shown));
    }
    let note = format!(
        "{name}: LR BASE {}, LR MAX1 {} for {} epochs, then LR MAX2 {}; {}; {} iterations an epoch ({} images in batches of {}). Shown: iterations 0 to {} of {}.",
        number(s.lr_base),
        number(s.lr_max1),
        s.phase1_epochs,
        number(s.lr_max2),
        notes::cycle(s),
        grouped(steps),
        grouped(images as u64),
        spec.defense.batch,
        grouped(shown),
        grouped(all)
    );
    Ok(Scene { columns: 1, panels, footnotes: vec![note], ..Scene::default() })
}

fn panel(rate: &Schedule, (from, to): (u64, u64), top: f64, references: Vec<Reference>, stretch: f64) -> Panel {
    let look = Look { colour: Colour::Blue, dash: Some(Dash::Solid), width: 1.3, ..Look::default() };
    Panel {
        x: Axis::linear("iteration", from as f64, to as f64, 6, 0.0),
        y: Axis::linear("learning rate", 0.0, top, 4, 0.0),
        series: vec![Series { label: String::new(), look, points: curve(|i| rate.lr(i), from, to) }],
        references,
        stretch,
        ..Panel::default()
    }
}

fn line(along: Along, value: f64, label: String) -> Reference {
    Reference::new(Kind::Value, along, value, label)
}

fn whole(rate: &Schedule, s: &SuperFineTuning, switch: u64, shown: u64) -> Panel {
    let mut references = vec![line(Along::Y, s.lr_max1, format!("LR MAX1 = {}", number(s.lr_max1)))];
    if s.lr_max1 <= FLAT * s.lr_max2 {
        references.push(line(Along::Y, s.lr_max2, format!("LR MAX2 = {}", number(s.lr_max2))));
    }
    references.push(line(Along::Y, s.lr_base, format!("LR BASE = {}", number(s.lr_base))));
    let mut panel = panel(rate, (0, shown), s.lr_max1.max(s.lr_max2).max(s.lr_base) * 1.12, references, 1.0);
    let (first, second) = (switch as f64, shown as f64);
    if switch > 0 {
        let label = if 3 * switch > shown { format!("phase 1: {} epochs, up to LR MAX1", s.phase1_epochs) } else { "phase 1".to_owned() };
        panel.spans.push(Span { from: 0.0, to: first, label });
    }
    if switch > 0 && switch < shown {
        panel.references.push(Reference::new(Kind::Phase, Along::X, first, ""));
    }
    if switch < shown {
        panel.spans.push(Span { from: first, to: second, label: "phase 2: up to LR MAX2".to_owned() });
    }
    panel
}

fn second_phase(rate: &Schedule, s: &SuperFineTuning, switch: u64, shown: u64) -> Panel {
    let references = vec![
        line(Along::Y, s.lr_max2, format!("LR MAX2 = {}", number(s.lr_max2))),
        line(Along::Y, s.lr_base, format!("LR BASE = {}", number(s.lr_base))),
    ];
    let top = s.lr_max2.max(s.lr_base) * 1.25;
    let mut panel = panel(rate, (switch, shown), top, references, 0.6);
    panel.title = "Phase 2, enlarged".to_owned();
    panel
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_paper_has_196_iterations_an_epoch() {
        let spec = crate::spec::preset::load("paper-cifar10").unwrap().spec;
        let scene = scene("Figure 1", &spec, "paper-cifar10", 50_000).unwrap();
        assert!(scene.footnotes[0].contains("196 iterations an epoch"));
        let points = &scene.panels[0].series[0].points;
        for (x, y) in [(0.0, 3e-4), (500.0, 0.1), (1000.0, 3e-4), (1960.0, 0.000_356)] {
            assert!(points.iter().any(|p| p.x == x && (p.y - y).abs() < 1e-6), "{x}");
        }
        assert_eq!(scene.panels[0].x.max, 3920.0);
    }

    #[test]
    fn conventional_fine_tuning_has_no_such_figure() {
        let spec = RunSpec::default().with("defense.name", "fine-tuning", "--set").unwrap();
        let message = scene("Figure 1", &spec, "demo-ft", 4000).unwrap_err().to_string();
        assert!(message.contains("demo-ft") && message.contains("defense.name=super-fine-tuning"), "{message}");
    }
}
