//! A run as the one object that `tuneout run --json` prints.

use crate::run::event::Measures;
use crate::run::evidence::{Detection, Evidence, Reversal};
use crate::run::view::{Point, RunView};
use serde_json::{Value, json};

/// The result of an attack and the defense that followed it.
///
/// - `id` is the defense's run directory, `attack.id` the backdoored model's.
/// - `attack` and `defense` hold CA, ASR and RA on the whole test set, shares of 1: of the backdoored model, and of the
///   defended one (after its last epoch, where the run ended early). What was never measured is null.
/// - `epochs` are the defense's, epoch 0 being the state before its first step.
/// - `train_seconds` and the hours are what attack **and** defense cost to compute, evaluation excluded (spec.md
///   section 4), also where the backdoored model was computed by an earlier call and only reused now: the numbers of a
///   spec are then the same whoever computed its attack first. `train_seconds` in `attack` and in `defense` tell the
///   two apart.
/// - `gpu_hours` is null on a CPU and `cpu_hours` null on a GPU; a run counts by the device that it says it used, and
///   where the attack ran on one kind and the defense on the other, each stands where it belongs.
/// - `transfer` is there in the transfer scenario alone: the class c* that most triggered images are taken for, the share
///   of other classes' images that are taken for it without the trigger, and what the trigger adds (`asr` is over c*).
/// - `asr_excluding_target` is there in the encoder scenario alone, where `asr` is over all test images: it is over those
///   of other classes. `attack` is then what nearest neighbours make of the backdoored encoder, which has no classifier.
/// - `defense` also has `clean_images` and `poisoned_images`, what the defense was given; `der` and `rir` (spec.md section
///   4; null in a second task); and `detection` where it looked for the poison: Neural Cleanse's `flagged` labels,
///   `anomaly_index`, `norm` and `success` by label; what AC, Spectral and ABL `removed`, with `precision` and `recall` on
///   the truly poisoned images; the channels that fine-pruning took.
/// - `images_per_second` is the mean training speed over both.
pub fn result(preset: Option<&str>, attack: &RunView, defense: &RunView) -> Value {
    let mut of_attack = measures(attack.latest().or_else(|| defense.before()));
    of_attack["id"] = id(attack).map_or_else(|| json!(defense.facts.parent), Value::from);
    of_attack["train_seconds"] = json!(attack.train_seconds);
    let mut of_defense = measures(defense.latest());
    of_defense["name"] = json!(defense.facts.defense);
    of_defense["train_seconds"] = json!(defense.train_seconds);
    of_defense["clean_images"] = json!(defense.facts.clean_images);
    of_defense["poisoned_images"] = json!(defense.facts.poisoned_images);
    // A second task is another task: its CA and ASR are no improvement on the first one's.
    let standalone = defense.latest().filter(|m| m.transfer.is_none() && m.asr_excluding_target.is_none());
    let rated = standalone.zip(attack.latest().or_else(|| defense.before()));
    of_defense["der"] = json!(rated.map(|(after, before)| after.der(&before)));
    of_defense["rir"] = json!(rated.map(|(after, before)| after.rir(&before)));
    let detections: serde_json::Map<String, Value> = defense.evidence.iter().filter_map(detection).flatten().collect();
    if !detections.is_empty() {
        of_defense["detection"] = Value::Object(detections);
    }
    let seconds = attack.train_seconds + defense.train_seconds;
    let images = images(attack) + images(defense);
    let mut result = json!({
        "id": id(defense),
        "preset": preset,
        "scenario": defense.facts.scenario,
        "device": defense.facts.device,
        "attack": of_attack,
        "defense": of_defense,
        "epochs": defense.epochs.iter().map(epoch).collect::<Vec<_>>(),
        "train_seconds": seconds,
        "images_per_second": if seconds > 0.0 { json!(images / seconds) } else { Value::Null },
        "gpu_hours": hours(attack, defense, true),
        "cpu_hours": hours(attack, defense, false),
    });
    if let Some(transfer) = defense.latest().and_then(|m| m.transfer) {
        result["transfer"] = json!(transfer);
    }
    result
}

/// What a detection found, as the entries of one object.
fn detection(evidence: &Evidence) -> Option<Vec<(String, Value)>> {
    let entry = |key: &str, value: Value| (key.to_owned(), value);
    let removed = |d: &Detection| {
        vec![
            entry("removed", json!(d.removed)),
            entry("truly_poisoned", json!(d.hits)),
            entry("precision", json!(d.precision())),
            entry("recall", json!(d.recall())),
        ]
    };
    match evidence {
        Evidence::Reversals(found) => {
            let flagged: Vec<u16> = found.labels.iter().filter(|l| l.flagged).map(|l| l.label).collect();
            let of = |value: fn(&Reversal) -> f64| found.labels.iter().map(value).collect::<Vec<_>>();
            let numbers = [("anomaly_index", of(|l| l.anomaly)), ("norm", of(|l| l.norm)), ("success", of(|l| l.success))];
            let mut entries = vec![entry("flagged", json!(flagged))];
            entries.extend(numbers.into_iter().map(|(key, values)| entry(key, json!(values))));
            Some(entries)
        }
        Evidence::Clusters(found) => {
            let mut entries = removed(&found.detection);
            let classes = found.classes.iter().filter(|c| c.removed.is_some()).map(|c| c.class);
            entries.push(entry("classes", json!(classes.collect::<Vec<_>>())));
            entries.push(entry("warnings", json!(found.warnings)));
            Some(entries)
        }
        Evidence::Scores(found) => {
            let mut entries = removed(&found.detection);
            entries.push(entry("warnings", json!(found.warnings)));
            Some(entries)
        }
        Evidence::Isolation(found) => Some(removed(&found.detection)),
        Evidence::Pruning(found) => Some(vec![entry("pruned_channels", json!(found.pruned)), entry("channels", json!(found.order.len()))]),
        Evidence::Guard(found) => Some(vec![entry("ended_after_epoch", json!(found.epoch))]),
        Evidence::Attention(_) => None,
    }
}

fn id(view: &RunView) -> Option<&str> {
    view.stage.map(|_| view.facts.id.as_str())
}

fn measures(measures: Option<Measures>) -> Value {
    let Some(m) = measures else { return json!({"ca": null, "asr": null, "ra": null}) };
    let mut value = json!({"ca": m.ca, "asr": m.asr, "ra": m.ra});
    if let Some(others) = m.asr_excluding_target {
        value["asr_excluding_target"] = json!(others);
    }
    value
}

fn epoch(point: &Point) -> Value {
    let m = point.measures;
    let mut value = measures(Some(m));
    value["epoch"] = json!(point.epoch as u64);
    value["lr"] = json!(point.lr);
    if let Some(transfer) = m.transfer {
        value["transfer"] = json!(transfer);
    }
    value
}

/// Images that went through training: a last batch may be smaller, or left out.
fn images(view: &RunView) -> f64 {
    let f = &view.facts;
    let an_epoch = f.train_images.min(f.steps_per_epoch as usize * f.batch);
    view.step as f64 * an_epoch as f64 / f.steps_per_epoch.max(1) as f64
}

/// Hours on GPUs, or on CPUs; null where there were none.
fn hours(attack: &RunView, defense: &RunView, gpu: bool) -> Value {
    let of_kind: Vec<f64> = [attack, defense].into_iter().filter(|v| v.stage.is_some() && v.facts.gpu == gpu).map(RunView::hours).collect();
    if of_kind.is_empty() { Value::Null } else { json!(of_kind.iter().sum::<f64>()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Stage;

    fn view(stage: Stage, id: &str, gpu: bool, seconds: f64) -> RunView {
        let mut view = RunView { stage: Some(stage), train_seconds: seconds, step: 20, ..RunView::default() };
        view.facts.id = id.into();
        view.facts.gpu = gpu;
        view.facts.device = if gpu { "cuda 0".into() } else { "cpu (2 threads)".into() };
        view.facts.train_images = if stage == Stage::Defense { 95 } else { 105 };
        (view.facts.steps_per_epoch, view.facts.batch) = (10, 10);
        view.facts.defense = if stage == Stage::Defense { "super-fine-tuning".into() } else { String::new() };
        let m = |ca, asr| Measures { ca, asr, ra: 1.0 - asr, ..Measures::default() };
        view.epochs = vec![
            Point { epoch: 0.0, step: 0, lr: 0.0, loss: f64::NAN, measures: m(0.9, 1.0) },
            Point { epoch: 1.0, step: 10, lr: 0.1, loss: 0.5, measures: m(0.95, 0.25) },
        ];
        view
    }

    #[test]
    fn the_object_is_the_documented_one() {
        let (attack, defense) = (view(Stage::Attack, "a", false, 36.0), view(Stage::Defense, "d", false, 36.0));
        let value = result(Some("demo"), &attack, &defense);
        assert_eq!((value["id"].as_str(), value["preset"].as_str()), (Some("d"), Some("demo")));
        assert_eq!(value["defense"]["name"], "super-fine-tuning");
        assert_eq!(value["attack"]["id"], "a");
        assert_eq!(value["defense"]["asr"], 0.25);
        assert_eq!(
            value["epochs"],
            json!([{"epoch": 0, "ca": 0.9, "asr": 1.0, "ra": 0.0, "lr": 0.0}, {"epoch": 1, "ca": 0.95, "asr": 0.25, "ra": 0.75, "lr": 0.1}])
        );
        assert_eq!((value["train_seconds"].as_f64(), value["cpu_hours"].as_f64()), (Some(72.0), Some(0.02)));
        assert!(value["gpu_hours"].is_null());
        // 100 of 105 images an epoch in the attack, 95 in the defense, two epochs each.
        assert!((value["images_per_second"].as_f64().unwrap() - 390.0 / 72.0).abs() < 1e-9);
    }

    #[test]
    fn a_defense_says_what_it_was_given_and_what_it_found() {
        let (attack, mut defense) = (view(Stage::Attack, "a", false, 36.0), view(Stage::Defense, "d", false, 36.0));
        defense.facts.poisoned_images = 40;
        let detection = Detection { removed: 50, hits: 30, poisoned: 40 };
        defense.evidence.push(Evidence::Scores(crate::run::evidence::Scores { detection, ..Default::default() }));
        let value = result(None, &attack, &defense);
        assert_eq!((value["defense"]["detection"]["precision"].as_f64(), value["defense"]["detection"]["recall"].as_f64()), (Some(0.6), Some(0.75)));
        assert_eq!(value["defense"]["poisoned_images"], 40);
        // ASR .25 -> .25, CA .95 -> .95.
        assert_eq!((value["defense"]["der"].as_f64(), value["defense"]["rir"].as_f64()), (Some(0.5), Some(0.5)));
        let labels = vec![Reversal { label: 0, norm: 9.0, anomaly: 3.5, flagged: true, success: 1.0 }, Reversal { label: 1, ..Reversal::default() }];
        defense.evidence = vec![Evidence::Reversals(crate::run::evidence::Reversals { labels, median: 9.0, mad: 1.0 })];
        assert_eq!(result(None, &attack, &defense)["defense"]["detection"]["flagged"], json!([0]));
    }

    #[test]
    fn hours_stand_with_their_device_and_what_is_missing_is_null() {
        let (attack, defense) = (view(Stage::Attack, "a", false, 36.0), view(Stage::Defense, "d", true, 72.0));
        let value = result(None, &attack, &defense);
        assert_eq!((value["cpu_hours"].as_f64(), value["gpu_hours"].as_f64()), (Some(0.01), Some(0.02)));
        let value = result(None, &RunView::default(), &RunView::default());
        for key in ["id", "preset", "gpu_hours", "cpu_hours", "images_per_second"] {
            assert!(value[key].is_null(), "{key}");
        }
        assert!(value["attack"]["ca"].is_null() && value["defense"]["asr"].is_null());
    }
}
