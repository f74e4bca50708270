//! What came out of it, in words.

use super::state::{State, Tone};
use super::words::{count, duration, whole_percent};
use crate::run::event::Measures;
use crate::run::view::{RunView, Status};

/// The outcome of a clean-up.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// How it is meant.
    pub tone: Tone,
    /// The short form, for instance `backdoor gone`.
    pub word: &'static str,
    /// One sentence with the numbers.
    pub sentence: String,
    /// What to try next.
    pub next: &'static str,
    /// Measures before and after.
    pub measures: (Measures, Measures),
}

/// An ASR of at most this counts as gone: the paper's tables call less than a tenth mitigated.
const GONE: f64 = 0.1;
/// A loss of CA of more than this is said.
const LOSS: f64 = 0.05;

/// The verdict on the clean-up, once it has ended with something to judge.
pub fn verdict(state: &State) -> Option<Verdict> {
    let view = &state.defense;
    if !matches!(view.status, Status::Finished | Status::Stopped) {
        return None;
    }
    let after = view.latest()?;
    // A second task begins with a fresh head: what it takes triggered images for means something after an epoch, and of an
    // encoder before that what its nearest neighbours said.
    let before = match (after.transfer, after.asr_excluding_target) {
        (Some(_), _) => view.epochs.get(1)?.measures,
        (None, Some(_)) => state.attack.latest()?,
        // Not what the defense's training begins with: that is a fresh network where the poisoned set is filtered, and a
        // pruned one after fine-pruning.
        (None, None) => state.attack.latest().or_else(|| view.before())?,
    };
    let swings = view.facts.defense == "super-fine-tuning";
    let (tone, word, next) = match (after.transfer, after.asr_excluding_target) {
        (Some(transfer), _) => judge_transfer(before, transfer.lift),
        (None, Some(others)) => judge_encoder(before, others),
        (None, None) => judge(before, after, swings),
    };
    let sentence = format!("{word}: {}, {}", change(before, after), effort(view));
    Some(Verdict { tone, word, sentence, next, measures: (before, after) })
}

fn judge(before: Measures, after: Measures, swings: bool) -> (Tone, &'static str, &'static str) {
    let lost = before.ca - after.ca > LOSS;
    if before.asr < 0.5 {
        (Tone::Warn, "the backdoor had not taken hold", "more attack epochs or a larger poison ratio plant it deeper")
    } else if after.asr <= GONE && !lost {
        (Tone::Good, "backdoor gone", "e exports the curves; p has the same attack with other clean-ups")
    } else if after.asr <= GONE {
        let next = if swings { "a lower LR MAX1 or a longer second phase keeps more accuracy" } else { "super-fine-tuning costs less accuracy" };
        (Tone::Warn, "backdoor gone, but the model suffered", next)
    } else if after.asr <= before.asr / 2.0 {
        let next = if swings { "a higher LR MAX1 or more epochs take the rest" } else { "super-fine-tuning, or more epochs, take the rest" };
        (Tone::Warn, "backdoor weakened", next)
    } else {
        (Tone::Bad, "backdoor still there", "super-fine-tuning, a higher rate or more epochs remove it")
    }
}

/// In a second task the trigger is alive where it sends more images to one class than go there anyway.
fn judge_transfer(first: Measures, lift: f64) -> (Tone, &'static str, &'static str) {
    let first = first.transfer.map_or(0.0, |t| t.lift);
    if lift > GONE {
        (Tone::Bad, "the trigger still works in the second task", "super-fine-tuning or a higher rate takes it out")
    } else if first > GONE {
        (Tone::Good, "the trigger is forgotten", "e exports the curves; p has the same model with the other clean-up")
    } else {
        (Tone::Good, "the trigger did not outlive the first epoch", "e exports the curves; p has the same model with the other clean-up")
    }
}

/// A class has its share of all images without any trigger: only those of other classes count.
fn judge_encoder(before: Measures, others: f64) -> (Tone, &'static str, &'static str) {
    let first = before.asr_excluding_target.unwrap_or(before.asr);
    if first < 0.5 {
        (Tone::Warn, "the backdoor had not taken hold", "more epochs of pre-training and attack plant it deeper")
    } else if others <= GONE {
        (Tone::Good, "the second task has lost the backdoor", "e exports the curves; p has the same encoder with the other training")
    } else if others <= first / 2.0 {
        (Tone::Warn, "backdoor weakened", "more epochs of the whole model take the rest")
    } else {
        (Tone::Bad, "the second task inherits the backdoor", "training the whole model (defense: whole) takes it out")
    }
}

fn change(before: Measures, after: Measures) -> String {
    let pair = |a: f64, b: f64| format!("{} -> {}", whole_percent(a), whole_percent(b));
    format!("ASR {}, CA {}", pair(before.asr, after.asr), pair(before.ca, after.ca))
}

fn effort(view: &RunView) -> String {
    let epochs = view.epochs.last().map_or(0, |p| p.epoch as u64);
    let unit = if epochs == 1 { "epoch" } else { "epochs" };
    format!("{} {unit}, {}", count(epochs), duration(view.train_seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(before: (f64, f64), after: (f64, f64)) -> &'static str {
        let of = |(ca, asr)| Measures { ca, asr, ..Measures::default() };
        judge(of(before), of(after), true).1
    }

    #[test]
    fn every_outcome_has_its_word() {
        assert_eq!(word((0.98, 0.99), (0.98, 0.01)), "backdoor gone");
        assert_eq!(word((0.98, 0.99), (0.90, 0.01)), "backdoor gone, but the model suffered");
        assert_eq!(word((0.98, 0.99), (0.98, 0.40)), "backdoor weakened");
        assert_eq!(word((0.98, 0.99), (0.98, 0.97)), "backdoor still there");
        assert_eq!(word((0.98, 0.20), (0.98, 0.01)), "the backdoor had not taken hold");
        let encoder = |asr, others| judge_encoder(Measures { asr, asr_excluding_target: Some(asr), ..Measures::default() }, others).1;
        assert_eq!(encoder(0.99, 0.98), "the second task inherits the backdoor");
        assert_eq!(encoder(0.99, 0.3), "backdoor weakened");
        assert_eq!(encoder(0.99, 0.05), "the second task has lost the backdoor");
        assert_eq!(encoder(0.2, 0.05), "the backdoor had not taken hold");
        let first = |lift| Measures { transfer: Some(crate::run::event::Transfer { lift, ..Default::default() }), ..Measures::default() };
        assert_eq!(judge_transfer(first(0.6), 0.4).1, "the trigger still works in the second task");
        assert_eq!(judge_transfer(first(0.6), 0.02).1, "the trigger is forgotten");
        assert_eq!(judge_transfer(first(0.03), 0.02).1, "the trigger did not outlive the first epoch");
    }
}
