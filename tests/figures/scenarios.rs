//! Figures 2 and 3: what becomes of a backdoor in a second task.

use super::synthetic::{Run, write};
use super::{fields, has_a_margin_and_vector_text, looks_as_kept, runs_dir, says, svg, words};
use tempfile::TempDir;
use tuneout::figure::scene::Scene;
use tuneout::figure::{self, FigureId, Source, runs};

fn build(number: u8, dir: &TempDir) -> Scene {
    figure::build(FigureId::Figure(number), &Source::of(runs::scan(dir.path()).unwrap())).unwrap()
}

/// Two seeds of each of `presets`, and a run of another scenario that does not belong here.
fn seeds(presets: [&'static str; 2]) -> TempDir {
    runs_dir(|dir| {
        for seed in ["0", "1"] {
            presets.iter().for_each(|name| drop(write(dir, &Run::of(name, &[("seed", seed)]))));
        }
        write(dir, &Run::of("demo", &[]));
    })
}

#[test]
fn figure_2_sets_the_classifier_alone_against_the_whole_model() {
    let scene = build(2, &seeds(["demo-encoder", "demo-encoder-whole"]));
    let labels: Vec<&str> = scene.panels[0].series.iter().map(|s| s.label.as_str()).collect();
    assert_eq!((scene.panels.len(), labels), (1, vec!["classifier CA", "classifier ASR", "whole CA", "whole ASR"]));
    assert!(scene.panels[0].series.iter().all(|s| s.points[0].x == 1.0 && s.points[0].sources.len() == 2), "from the first epoch, of both seeds");
    says(&words(&svg(&scene)), &["classifier CA", "whole ASR", "epoch", "accuracy", "Figure 2:"]);
    has_a_margin_and_vector_text(&scene);
    looks_as_kept(&scene, "figure-02");
}

#[test]
fn figure_3_sets_both_ways_of_fine_tuning_against_each_other() {
    let scene = build(3, &seeds(["demo-transfer", "demo-transfer-ft"]));
    let labels: Vec<&str> = scene.panels[0].series.iter().map(|s| s.label.as_str()).collect();
    assert_eq!((scene.panels.len(), labels), (1, vec!["FT CA", "FT ASR", "SFT CA", "SFT ASR"]));
    let csv = figure::csv(&scene);
    let values = csv.lines().map(fields).filter(|row| row[3] == "value");
    assert!(values.clone().count() > 8 && values.into_iter().all(|row| !row[9].is_empty() && !row[10].is_empty() && !row[11].is_empty()));
    says(&words(&svg(&scene)), &["FT CA", "SFT ASR", "epoch", "accuracy", "Figure 3:"]);
    has_a_margin_and_vector_text(&scene);
    looks_as_kept(&scene, "figure-03");
}
