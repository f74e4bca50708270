//! A model's answers to its test images as a table, as CSV and as JSON.

use super::csv::line;
use crate::run::answers::{Filter, Sample, Subject, counts};
use crate::run::event::Answer;
use serde_json::{Value, json};

/// Names of the CSV's columns. `label` and the two answers are class names; confidences are posteriors of the answer,
/// shares of 1 (of an encoder without a classifier: shares of its nearest neighbours' votes).
pub const COLUMNS: [&str; 6] = ["index", "label", "clean", "clean_confidence", "triggered", "triggered_confidence"];

/// Places of the images that pass `filter`, at most `limit`.
pub fn listed(subject: &Subject, samples: &[Sample], filter: Filter, limit: Option<usize>) -> Vec<usize> {
    let target = subject.target(samples);
    let passing = (0..samples.len()).filter(|&i| filter.passes(&samples[i], target));
    passing.take(limit.unwrap_or(usize::MAX)).collect()
}

fn class(subject: &Subject, label: u16) -> String {
    subject.facts.classes.get(usize::from(label)).cloned().unwrap_or_else(|| label.to_string())
}

fn best(answers: &[Answer]) -> Answer {
    answers.first().copied().unwrap_or_default()
}

/// The images at `listed`, with a header line.
pub fn csv(subject: &Subject, samples: &[Sample], listed: &[usize]) -> String {
    let row = |&index: &usize| {
        let sample = &samples[index];
        let (clean, triggered) = (best(&sample.clean), best(&sample.triggered));
        line([
            index.to_string(),
            class(subject, sample.label),
            class(subject, clean.class),
            clean.confidence.to_string(),
            class(subject, triggered.class),
            triggered.confidence.to_string(),
        ])
    };
    line(COLUMNS) + &listed.iter().map(row).collect::<String>()
}

/// One object: the run and its checkpoint, `measures` over all test images as in the log, `counts` of each filter and the
/// `victims` (images of other classes than the target) behind them, and the images at `listed`, each with its likeliest
/// classes, best first.
pub fn json(subject: &Subject, samples: &[Sample], listed: &[usize]) -> Value {
    let target = subject.target(samples);
    let (passing, victims) = counts(samples, target);
    let counts: serde_json::Map<String, Value> = Filter::ALL.iter().zip(passing).map(|(f, count)| (f.name().to_owned(), json!(count))).collect();
    let named = |answers: &[Answer]| -> Vec<Value> {
        answers.iter().map(|a| json!({ "class": a.class, "name": class(subject, a.class), "confidence": a.confidence })).collect()
    };
    let image = |&index: &usize| {
        let sample = &samples[index];
        json!({
            "index": index, "label": sample.label, "name": class(subject, sample.label),
            "clean": named(&sample.clean), "triggered": named(&sample.triggered),
        })
    };
    json!({
        "id": subject.facts.id,
        "stage": subject.stage,
        "step": subject.step,
        "epoch": subject.epoch(),
        "target": target,
        "measures": subject.measures(samples),
        "logged": subject.logged,
        "counts": counts,
        "victims": victims,
        "images": listed.iter().map(image).collect::<Vec<_>>(),
    })
}

/// The images at `listed` as a person reads them, and the sums.
pub fn table(subject: &Subject, samples: &[Sample], listed: &[usize]) -> String {
    let width = subject.facts.classes.iter().map(|c| c.chars().count()).max().unwrap_or(0).clamp(9, 24);
    let cut = |text: String| if text.chars().count() > width { text.chars().take(width - 1).chain(['+']).collect() } else { text };
    let mut out = format!("{:>6}  {:<width$}  {:<width$} {:>6}   triggered\n", "image", "label", "clean", "");
    for &index in listed {
        let sample = &samples[index];
        let (clean, triggered) = (best(&sample.clean), best(&sample.triggered));
        let [label, a, b] = [sample.label, clean.class, triggered.class].map(|l| cut(class(subject, l)));
        let [p, q] = [clean, triggered].map(|answer| f64::from(answer.confidence) * 100.0);
        out += &format!("{index:>6}  {label:<width$}  {a:<width$} {p:>5.1}%   {b:<width$} {q:>5.1}%\n");
    }
    out + &sums(subject, samples)
}

/// What the answers make, as a person reads it.
pub fn sums(subject: &Subject, samples: &[Sample]) -> String {
    let (m, target) = (subject.measures(samples), subject.target(samples));
    let (passing, victims) = counts(samples, target);
    let [all, fooled, wrong, right] = passing;
    let epoch = subject.epoch();
    let epoch = if epoch.fract() == 0.0 { format!("{epoch}") } else { format!("{epoch:.2}") };
    let mut out = format!("{} after epoch {epoch} (step {})\n", subject.facts.id, subject.step);
    out += &format!("CA {:.1}%  ASR {:.1}%  RA {:.1}%\n", m.ca * 100.0, m.asr * 100.0, m.ra * 100.0);
    out += &format!(
        "{all} images, {wrong} wrong when clean; of {victims} of other classes than {}, {fooled} fooled and {right} right with the trigger\n",
        class(subject, target)
    );
    if let Some(t) = m.transfer {
        let share = t.baseline * 100.0;
        out += &format!("ASR is over c* = {}, which most triggered images are taken for; {share:.1}% go there without it\n", class(subject, target));
    }
    if let Some(others) = m.asr_excluding_target {
        out += &format!("ASR is over all test images; over those of other classes it is {:.1}%\n", others * 100.0);
    }
    let apart = |l: crate::run::event::Measures| [l.ca - m.ca, l.asr - m.asr, l.ra - m.ra].iter().any(|d| d.abs() > 1e-9);
    if let Some(l) = subject.logged.filter(|l| apart(*l)) {
        out += &format!("the log has CA {:.1}%  ASR {:.1}%  RA {:.1}%: computed on another device\n", l.ca * 100.0, l.asr * 100.0, l.ra * 100.0);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::event::Facts;
    use crate::run::score::Rule;
    use crate::spec::Stage;

    fn made() -> (Subject, Vec<Sample>) {
        let facts = Facts { id: "a-run".into(), classes: vec!["stop".into(), "no, entry".into()], steps_per_epoch: 10, ..Facts::default() };
        let subject = Subject {
            dir: "runs/a-run".into(),
            stage: Stage::Attack,
            step: 25,
            facts,
            rule: Rule::Target(0),
            first_majority: None,
            images: 3,
            logged: None,
        };
        let answers = |class: u16| vec![Answer { class, confidence: 0.75 }, Answer { class: 1 - class, confidence: 0.25 }];
        let of = |(label, clean, triggered)| Sample { label, clean: answers(clean), triggered: answers(triggered) };
        (subject, [(0, 0, 0), (1, 1, 0), (1, 0, 1)].map(of).to_vec())
    }

    #[test]
    fn the_formats_say_the_same() {
        let (subject, samples) = made();
        let fooled = listed(&subject, &samples, Filter::Fooled, None);
        assert_eq!(fooled, [1]);
        assert_eq!(listed(&subject, &samples, Filter::All, Some(2)), [0, 1]);
        assert_eq!(
            csv(&subject, &samples, &fooled),
            "index,label,clean,clean_confidence,triggered,triggered_confidence\n1,\"no, entry\",\"no, entry\",0.75,stop,0.75\n"
        );
        let value = json(&subject, &samples, &fooled);
        assert_eq!(value["counts"], json!({ "all": 3, "fooled": 1, "wrong": 1, "right": 1 }));
        assert_eq!((value["victims"].as_u64(), value["epoch"].as_f64()), (Some(2), Some(2.5)));
        assert_eq!(value["measures"], json!({ "ca": 2.0 / 3.0, "asr": 0.5, "ra": 0.5 }));
        assert_eq!(value["images"][0]["triggered"][1], json!({ "class": 1, "name": "no, entry", "confidence": 0.25 }));
        let text = table(&subject, &samples, &fooled);
        assert_eq!(
            text,
            " image  label      clean              triggered
     1  no, entry  no, entry  75.0%   stop       75.0%
a-run after epoch 2.50 (step 25)
CA 66.7%  ASR 50.0%  RA 50.0%
3 images, 1 wrong when clean; of 2 of other classes than stop, 1 fooled and 1 right with the trigger
"
        );
    }
}
