//! After-effects as lists of keys and signals.

use super::*;
use crate::app::sequela::{Wanted, verdict};
use crate::sequela::membership::News;
use std::path::Path;

/// A Bench whose run is done, with the screen opened and its run read.
fn opened() -> State {
    let mut state = bench();
    press(&mut state, "<space>");
    play(&mut state, &[], |_| false);
    let effects = press(&mut state, "a");
    let dir = state.machine.runs_dir.join(&state.defense.facts.id);
    assert_eq!(effects, [Effect::ReadAftermath(dir.clone())]);
    let mut known = rehearsal::aftermath(&state.spec);
    known.run.dir = dir.clone();
    report(&mut state, Report::Aftermath(dir, Ok(Box::new(known))));
    state
}

fn tell(state: &mut State, count: usize) -> Vec<Effect> {
    let again = state.sequela.again.clone().unwrap();
    let signals = rehearsal::injections(state.sequela.known.as_ref().unwrap(), again.ratio, again.epochs);
    signals.into_iter().take(count).flat_map(|signal| reduce(state, signal)).collect()
}

#[test]
fn before_a_run_is_done_there_is_a_hint() {
    let mut state = bench();
    assert!(press(&mut state, "a").is_empty());
    assert!(state.layers.is_empty() && state.notice.clone().unwrap().text.contains("finished run"));
    assert!(!keys::hints(&state).iter().any(|hint| hint.words == "after-effects"));
}

#[test]
fn one_key_puts_the_backdoor_in_again_and_curves_come() {
    let mut state = opened();
    let dir = state.sequela.dir.clone();
    assert_eq!((state.sequela.ratio(), state.sequela.epochs()), (0.1, 10));
    press(&mut state, "<right> <down>");
    let effects = press(&mut state, "<space>");
    assert_eq!(effects, [Effect::Reinject(Wanted { dir, ratio: 0.01, epochs: 5 })]);
    assert!(state.computing() && !state.active());
    tell(&mut state, 6);
    let known = state.sequela.known.clone().unwrap();
    let panel = known.curves(&state.sequela.live, 0.01, 5).unwrap();
    assert_eq!(panel.series.iter().map(|s| (s.label.as_str(), s.points.len())).collect::<Vec<_>>(), [("SFT", 5)]);
    assert!((panel.x.max - 5.1).abs() < 1e-9, "the axis holds what is to come");
    // What comes is the attack's own: the Bench keeps its curves.
    assert_eq!(state.attack.stage, Some(Stage::Attack));
    tell(&mut state, usize::MAX);
    assert!(!state.computing() && state.sequela.live.iter().all(|run| run.done));
    assert_eq!(state.notice.clone().unwrap().text, verdict(&state.sequela));
    assert_eq!(verdict(&state.sequela), "ASR at 80%: SFT after 3 epochs; backdoored from the start; clean model not within 5");
    // Another ratio was not tried.
    press(&mut state, "<left>");
    assert!(known.curves(&state.sequela.live, 0.1, 5).is_none());
    let effects = press(&mut state, "e");
    assert!(matches!(&effects[..], [Effect::ExportScene(scene, _)] if scene.panels.len() == 1));
}

#[test]
fn it_pauses_goes_on_and_stops() {
    let mut state = opened();
    press(&mut state, "<space>");
    tell(&mut state, 4);
    assert_eq!(press(&mut state, "<space>"), [Effect::Send(Command::Pause)]);
    assert!(state.sequela.paused());
    assert_eq!(keys::hints(&state)[0].words, "go on");
    assert_eq!(press(&mut state, "<space>"), [Effect::Send(Command::Resume)]);
    assert_eq!(press(&mut state, "s s"), [Effect::Send(Command::Stop)]);
    assert!(reduce(&mut state, Signal::Ended(Ok(()))).is_empty());
    assert!(state.notice.clone().unwrap().text.starts_with("stopped"));
    // The Bench is free again.
    assert!(matches!(&press(&mut state, "<esc> <space>")[..], [Effect::Start(_)]));
}

#[test]
fn the_device_is_for_one_at_a_time() {
    let mut state = opened();
    press(&mut state, "<space> <esc>");
    assert!(press(&mut state, "<space>").is_empty());
    assert!(state.notice.clone().unwrap().text.contains("after-effects"));
    // Leaving asks first, and waits for the checkpoint.
    press(&mut state, "q");
    assert!(matches!(state.layers.last(), Some(Layer::Confirm(_))));
    assert_eq!(press(&mut state, "y"), [Effect::Send(Command::Stop)]);
    assert_eq!(reduce(&mut state, Signal::Ended(Ok(()))), [Effect::Quit]);

    let mut state = opened();
    press(&mut state, "<esc> r");
    press(&mut state, "a");
    assert!(state.layers.is_empty(), "the run that goes on is not finished");
}

#[test]
fn a_failure_is_said_and_leaves_the_bench_as_it_is() {
    let mut state = opened();
    press(&mut state, "<space>");
    let failure = Failure { message: "the images are others".to_owned(), kind: FailureKind::Data };
    reduce(&mut state, Signal::Ended(Err(failure)));
    assert!(matches!(state.layers.last(), Some(Layer::Message(m)) if m.bad && m.text.contains("are others")));
    assert_eq!(state.run, Run::Over(Ok(())));
}

#[test]
fn members_are_told_by_asking_both_models() {
    let mut state = opened();
    let known = state.sequela.known.clone().unwrap();
    assert_eq!(press(&mut state, "m"), [Effect::Infer(vec![known.run.dir.clone(), known.attack.dir.clone()])]);
    assert!(press(&mut state, "m").is_empty(), "once is enough");
    let seed = rehearsal::inference(&known.run, &[0.54]).outcomes[0];
    report(&mut state, Report::Inferring(known.run.dir.clone(), News::Seed(seed)));
    assert_eq!(state.sequela.inferring.as_ref().unwrap().outcomes.len(), 1);
    let own = rehearsal::inference(&known.run, &[0.54, 0.56, 0.55]);
    report(&mut state, Report::Inferred(known.run.dir.clone(), Ok(Box::new(own.clone()))));
    assert!(state.sequela.inferring.is_some());
    report(&mut state, Report::Inferred(known.attack.dir.clone(), Err("it cannot be read\nfor a reason".to_owned())));
    assert_eq!((state.sequela.inferring.clone(), state.sequela.known.clone().unwrap().inferred), (None, Some(own)));
    assert_eq!(state.notice.clone().unwrap().text, "it cannot be read");
}

#[test]
fn the_row_under_the_cursor_of_a_comparison_has_after_effects_too() {
    let mut state = opened();
    press(&mut state, "<esc> c");
    let runs = rehearsal::runs(&state.spec).map(std::sync::Arc::new);
    let candidates = runs.into_iter().filter_map(crate::figure::comparison::Candidate::of).collect();
    report(&mut state, Report::Runs(Ok(crate::figure::comparison::Library { candidates, damaged: Vec::new() })));
    let effects = press(&mut state, "a");
    let [Effect::ReadAftermath(dir)] = &effects[..] else { panic!("{effects:?}") };
    assert!(dir.ends_with(&state.compare.row().unwrap().trials[0].run));
    assert_eq!(keys::context(&state), keys::Context::Sequela);
    report(&mut state, Report::Aftermath(dir.clone(), Err("it is damaged".to_owned())));
    assert_eq!(state.sequela.trouble.as_deref(), if state.sequela.dir == *dir { Some("it is damaged") } else { None });
    // What comes late, of a run that is no longer asked about, is nobody's.
    report(&mut state, Report::Aftermath(Path::new("elsewhere").to_owned(), Err("late".to_owned())));
    assert_ne!(state.sequela.trouble.as_deref(), Some("late"));
}
