//! Anti-backdoor learning: what is learned fastest (spec.md 3.3).

use super::parts::{histogram, images, percent, threshold};
use super::{Subject, TRUTH};
use crate::figure::scene::{Along, Scene};
use crate::figure::ticks::number;
use crate::run::evidence::Isolation;

pub(super) fn scene(subject: &Subject, found: &Isolation) -> Scene {
    let line = threshold(Along::X, found.threshold, format!("isolated up to {}", number((found.threshold * 1e4).round() / 1e4)));
    let truly = found.detection.precision();
    let share = truly.map_or_else(|| "-".to_owned(), percent);
    let title = format!("{} isolated, {share} of them truly poisoned", images(found.detection.removed));
    let panel = histogram(title, "loss after the first phase", &found.losses, line);
    let caption = format!(
        "ABL against {}: the {} that were learned fastest are isolated; {} of them truly are poisoned, of {} in the training set.",
        subject.attack(),
        images(found.detection.removed),
        found.detection.hits,
        found.detection.poisoned
    );
    let footnotes = vec![why(truly, found.detection.poisoned).to_owned(), TRUTH.to_owned()];
    Scene { caption, footnotes, columns: 1, panels: vec![panel], frame: (360.0, 170.0), ..Scene::default() }
}

fn why(truly: Option<f64>, poisoned: usize) -> &'static str {
    match truly {
        _ if poisoned == 0 => "Nothing in this training set is poisoned: what is isolated and unlearned is clean.",
        Some(share) if share > 0.9 => {
            "A trigger is easier to learn than a class, so poisoned images are learned first and have the lowest loss. A few of them are enough to unlearn the link from trigger to target."
        }
        Some(share) if share > 0.5 => {
            "A trigger is easier to learn than a class, so many poisoned images have the lowest loss. Clean ones among them are unlearned too, which costs accuracy."
        }
        _ => {
            "Here the clean images are learned as fast as the poisoned ones: what is isolated is mostly clean, and unlearning it costs accuracy, not the backdoor."
        }
    }
}
