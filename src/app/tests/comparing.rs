//! Comparing runs: keys, what is read meanwhile, the run on the Bench as it goes on; and the grid of a sweep.

use super::*;
use crate::app::compare::{Choice, Pane};
use crate::figure::comparison::{Candidate, Column, Library};
use crate::figure::runs::Damage;
use crate::run::cell::{self, Outcome};
use crate::run::event::Measures;
use crate::run::view::Status;
use crate::spec::RunSpec;
use crate::spec::sweep::Cell;
use std::sync::Arc;

fn spec(preset: &str, seed: u64) -> RunSpec {
    RunSpec { seed, ..preset::load(preset).unwrap().spec }
}

/// The runs of some presets and seeds, as they are read from a directory.
fn library(runs: &[(&str, u64)]) -> Library {
    let mut entries: Vec<_> = runs.iter().flat_map(|(name, seed)| rehearsal::runs(&spec(name, *seed))).collect();
    entries.sort_by(|a, b| a.id.cmp(&b.id));
    entries.dedup_by(|a, b| a.id == b.id);
    Library { candidates: entries.into_iter().filter_map(|e| Candidate::of(Arc::new(e))).collect(), damaged: Vec::new() }
}

const SEEDS: [(&str, u64); 6] = [("demo", 0), ("demo", 1), ("demo-ft", 0), ("demo-ft", 1), ("demo-nad", 0), ("demo-blended", 0)];

/// The screen, with `library` read.
fn comparing(library: Library) -> State {
    let mut state = bench();
    let effects = press(&mut state, "c");
    assert!(matches!(&effects[..], [Effect::ReadRuns(_)]), "{effects:?}");
    report(&mut state, Report::Runs(Ok(library)));
    state
}

fn labels(state: &State) -> Vec<&str> {
    let compare = &state.compare;
    compare.order.iter().map(|place| compare.comparison.rows[*place].label.as_str()).collect()
}

#[test]
fn the_defenses_of_the_attack_on_the_bench_come_first() {
    let state = comparing(library(&SEEDS));
    assert_eq!(labels(&state), ["no defense", "super-fine-tuning", "fine-tuning", "nad"]);
    assert_eq!(state.compare.choice, Choice::Bench);
    assert_eq!(state.compare.row().unwrap().label, "super-fine-tuning");
    assert_eq!(state.compare.row().unwrap().trials.len(), 2, "seeds of the same settings are one row");
    // Of an attack that was never run: what was run last.
    let state = comparing(library(&[("demo-wanet", 0)]));
    assert_eq!((labels(&state), state.compare.choice), (vec!["no defense", "super-fine-tuning"], Choice::Newest));
}

#[test]
fn keys_sort_select_and_leave() {
    let mut state = comparing(library(&SEEDS));
    press(&mut state, "l l");
    assert_eq!(state.compare.sort, Column::Ca);
    assert!(state.compare.descending && state.notice.as_ref().unwrap().text.contains("largest first"));
    let down = labels(&state).len();
    press(&mut state, "r");
    assert!(!state.compare.descending);
    press(&mut state, "<home> j j");
    assert_eq!(state.compare.cursor(), 2);
    let chosen = state.compare.row().unwrap().label.clone();
    press(&mut state, "r");
    assert_eq!(state.compare.row().unwrap().label, chosen, "the selection stays with its row");
    press(&mut state, "G");
    assert_eq!(state.compare.cursor(), down - 1);
    press(&mut state, "<tab> <tab>");
    assert_eq!(state.compare.pane, Pane::Ca);
    press(&mut state, "<enter>");
    assert!(matches!(state.layers.last(), Some(Layer::Message(m)) if m.text.contains("seed 0") && m.text.contains("CPU hours")));
    press(&mut state, "<esc> <esc>");
    assert!(state.layers.is_empty());
}

#[test]
fn rows_are_taken_out_and_the_usual_ones_come_back() {
    let mut state = comparing(library(&SEEDS));
    press(&mut state, "x");
    assert_eq!(labels(&state), ["no defense", "fine-tuning", "nad"]);
    assert_eq!(state.compare.row().unwrap().label, "fine-tuning", "the next one is selected");
    assert_eq!(state.compare.choice, Choice::Hand);
    // What is read again changes no choice by hand.
    report(&mut state, Report::Runs(Ok(library(&SEEDS))));
    assert_eq!(labels(&state).len(), 3);
    press(&mut state, "u");
    assert_eq!(labels(&state).len(), 4);
}

#[test]
fn runs_are_picked_from_a_list_with_filters() {
    let mut state = comparing(library(&SEEDS));
    press(&mut state, "p");
    assert_eq!(keys::context(&state), keys::Context::Runs);
    // Three backdoored models and six cleaned ones.
    assert_eq!(state.compare.listed().len(), 9);
    press(&mut state, "a");
    let Some(Layer::Choices(list)) = state.layers.last() else { panic!() };
    let items: Vec<&str> = list.items.iter().map(|i| i.label.as_str()).collect();
    assert_eq!(items, ["every attack", "badnets", "blended"]);
    press(&mut state, "<end> <enter>");
    assert_eq!(state.compare.listed().len(), 2);
    press(&mut state, "m <esc>");
    assert_eq!(labels(&state).len(), 6, "the rows of both attacks");
    assert!(labels(&state).contains(&"blended / super-fine-tuning"), "{:?}", labels(&state));
    // All that are listed are in: the same key takes them out again.
    press(&mut state, "p m");
    assert!(!labels(&state).iter().any(|label| label.contains("blended")));
    press(&mut state, "<space>");
    let inside = state.compare.marked.len();
    press(&mut state, "<space>");
    assert_eq!(state.compare.marked.len() + 1, inside);
    press(&mut state, "a <home> <enter> f");
    assert!(matches!(state.layers.last(), Some(Layer::Choices(list)) if list.items.iter().any(|i| i.label == "no defense")));
    press(&mut state, "<esc> q q");
    assert!(state.layers.is_empty());
}

#[test]
fn the_run_on_the_bench_is_followed_while_it_goes_on() {
    let mut state = comparing(library(&[("demo-ft", 0)]));
    press(&mut state, "<esc> <space>");
    play(&mut state, &[], |s| s.defense.epochs.len() == 4);
    press(&mut state, "c");
    let live = state.compare.comparison.rows.iter().find(|row| row.label == "super-fine-tuning").unwrap();
    assert_eq!((live.progress(), &live.status), ((3, 14), &Status::Running));
    assert!(!live.counts() && live.live());
    let mut more = rehearsal::session(&state.spec, &[]).signals.try_iter().collect::<Vec<_>>();
    more.drain(
        ..more
            .iter()
            .position(|s| matches!(s, Signal::Event { stage: Stage::Defense, event, .. } if matches!(event.kind, EventKind::Epoch { epoch: 4, .. })))
            .unwrap(),
    );
    reduce(&mut state, more.remove(0));
    let live = state.compare.comparison.rows.iter().find(|row| row.label == "super-fine-tuning").unwrap();
    assert_eq!(live.progress(), (4, 14));
    assert_eq!(state.compare.row().unwrap().label, "super-fine-tuning", "a selection that nobody made is the first defense");
    press(&mut state, "G");
    let held = state.compare.row().unwrap().label.clone();
    more.into_iter().for_each(|signal| drop(reduce(&mut state, signal)));
    assert!(state.compare.comparison.rows.iter().all(|row| row.status == Status::Finished));
    assert_eq!(state.compare.row().unwrap().label, held);
}

#[test]
fn directories_are_looked_at_again_but_not_twice_at_once() {
    let mut state = comparing(library(&SEEDS));
    assert_eq!(compare::tick(&mut state).len(), 1);
    assert!(compare::tick(&mut state).is_empty(), "the answer is not there yet");
    let damaged = vec![Damage { path: "runs/a/events.jsonl".into(), line: Some(3), message: "no event".into() }];
    report(&mut state, Report::Runs(Ok(Library { damaged, ..library(&SEEDS) })));
    assert_eq!(state.compare.comparison.damaged, ["runs/a/events.jsonl:3: no event"]);
    assert_eq!(labels(&state).len(), 4, "the others are not lost");
    report(&mut state, Report::Runs(Err("permission denied".into())));
    assert_eq!((state.compare.trouble.as_deref(), labels(&state).len()), (Some("permission denied"), 4));
    press(&mut state, "<esc>");
    assert!(compare::tick(&mut state).is_empty(), "nobody looks");
}

#[test]
fn an_export_has_what_is_compared() {
    let mut state = comparing(library(&SEEDS));
    assert!(matches!(&press(&mut state, "e")[..], [Effect::ExportComparison(c)] if c.rows.len() == 4));
    let mut state = comparing(Library::default());
    assert!(press(&mut state, "e").is_empty());
    assert!(state.notice.unwrap().text.contains("p chooses"));
}

/// A sweep of two attacks with and without a defense, two seeds each; an attack of the second row failed.
fn sweep() -> (sweep::Sweep, Vec<cell::State>) {
    let cell = |attack: &str, defense: Option<&str>, seed: u64| Cell {
        id: format!("{attack}-{}-{seed}", defense.unwrap_or("a")),
        stage: if defense.is_some() { Stage::Defense } else { Stage::Attack },
        attack: attack.into(),
        defense: defense.map(str::to_owned),
        seed,
        needs: defense.map(|_| format!("{attack}-a-{seed}")),
        spec: RunSpec::default().to_table(),
    };
    let (mut cells, mut states) = (Vec::new(), Vec::new());
    for defense in [None, Some("nad")] {
        for (attack, seed) in [("badnets", 0), ("badnets", 1), ("blended", 0), ("blended", 1)] {
            cells.push(cell(attack, defense, seed));
            let after = Measures { ca: 0.9, asr: if defense.is_some() { 0.1 } else { 0.99 }, ..Measures::default() };
            let outcome =
                Outcome { after, attack_run: format!("run-{attack}-{seed}"), defense_run: defense.map(|d| format!("run-{d}")), ..Outcome::default() };
            states.push(match (attack, defense, seed) {
                ("blended", None, 1) => cell::State::Failed(Box::new(Outcome { error: Some("the loss diverged".into()), ..Outcome::default() })),
                ("blended", Some(_), _) => cell::State::Waiting,
                (_, Some(_), 1) => cell::State::Running,
                _ => cell::State::Done(Box::new(outcome)),
            });
        }
    }
    (sweep::Sweep::new("cells.jsonl".into(), cells), states)
}

#[test]
fn a_sweep_fills_and_its_rows_can_be_compared() {
    let mut state = bench();
    let (grid, states) = sweep();
    let effects = sweep::begin(&mut state, grid);
    assert!(matches!(&effects[..], [Effect::ReadRuns(_), Effect::ReadCells(cells, _)] if cells.len() == 8));
    assert!(sweep::tick(&mut state).is_empty(), "the answer is not there yet");
    assert_eq!(state.sweep.tally().waiting, 8);
    report(&mut state, Report::Cells(Ok(states)));
    let tally = state.sweep.tally();
    assert_eq!((tally.done, tally.failed, tally.running, tally.waiting), (4, 1, 1, 2));
    assert_eq!((state.sweep.attacks.len(), &state.sweep.defenses[1]), (2, &Some("nad".to_owned())));
    let barred: Vec<bool> = state.sweep.at(1, 1).iter().map(|(cell, _)| state.sweep.barred(cell)).collect();
    assert_eq!(barred, [false, true], "of the second seed the backdoored model failed");
    press(&mut state, "<down> <right> <right>");
    assert_eq!(state.sweep.cursor, (1, 1));
    press(&mut state, "g <enter>");
    assert_eq!(keys::context(&state), keys::Context::Compare);
    assert_eq!(state.compare.marked.iter().collect::<Vec<_>>(), ["run-badnets-0", "run-badnets-1", "run-nad"]);
    press(&mut state, "s");
    assert_eq!(keys::context(&state), keys::Context::Sweep);
    press(&mut state, "<esc> <esc>");
    assert!(state.layers.is_empty());
}

#[test]
fn without_a_sweep_there_is_a_hint() {
    let mut state = comparing(library(&SEEDS));
    press(&mut state, "s");
    assert!(state.notice.clone().unwrap().text.contains("tuneout sweep show"));
    assert!(!keys::hints(&state).iter().any(|hint| hint.words == "sweep"));
}
