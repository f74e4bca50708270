//! What a defense found, in one sentence.

use crate::run::evidence::{Detection, Evidence};

/// What `evidence` says; none where only pictures tell it.
pub fn sentence(evidence: &Evidence) -> Option<String> {
    Some(match evidence {
        Evidence::Reversals(found) => {
            let flagged: Vec<String> =
                found.labels.iter().filter(|l| l.flagged).map(|l| format!("{} (index {:.1}, {:.1} pixels)", l.label, l.anomaly, l.norm)).collect();
            match flagged.len() {
                0 => format!("no label looks backdoored among {}: the model was left as it is", found.labels.len()),
                _ => format!("labels that look backdoored: {}; the median of all is {:.1} pixels", flagged.join(", "), found.median),
            }
        }
        Evidence::Clusters(found) => with(&found.detection, "removed", &found.warnings),
        Evidence::Scores(found) => with(&found.detection, "removed", &found.warnings),
        Evidence::Isolation(found) => with(&found.detection, "isolated", &[]),
        Evidence::Pruning(found) => format!("{} of {} channels pruned", found.pruned, found.order.len()),
        Evidence::Guard(found) => {
            format!("unlearning ended after epoch {}: accuracy fell from {:.1}% to {:.1}%", found.epoch, found.before * 100.0, found.after * 100.0)
        }
        Evidence::Attention(_) => return None,
    })
}

fn with(detection: &Detection, done: &str, warnings: &[String]) -> String {
    let percent = |share: Option<f64>| share.map_or("-".to_owned(), |s| format!("{:.1}%", s * 100.0));
    let mut text = format!(
        "{} images {done}, {} of them poisoned (precision {}, recall {})",
        detection.removed,
        detection.hits,
        percent(detection.precision()),
        percent(detection.recall())
    );
    for warning in warnings {
        text += &format!("; {warning}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::evidence::{Reversals, Scores};

    #[test]
    fn what_was_found_is_said_with_its_numbers() {
        let detection = Detection { removed: 8, hits: 6, poisoned: 12 };
        let scores = Scores { detection, warnings: vec!["too few".to_owned()], ..Scores::default() };
        assert_eq!(sentence(&Evidence::Scores(scores)).unwrap(), "8 images removed, 6 of them poisoned (precision 75.0%, recall 50.0%); too few");
        assert!(sentence(&Evidence::Reversals(Reversals::default())).unwrap().contains("left as it is"));
    }
}
