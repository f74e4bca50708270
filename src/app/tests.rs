//! Flows of the screen as lists of keys and signals.

mod browsing;
mod comparing;
mod figures;
mod sequela;

use super::keys::{self, Chord};
use super::layer::Layer;
use super::rehearsal;
use super::*;
use crate::run::command::Command;
use crate::run::event::EventKind;
use crate::run::session::{Failure, FailureKind, Signal};
use crate::spec::{Stage, preset};

fn bench() -> State {
    let presets = preset::all().unwrap();
    let demo = presets.iter().find(|p| p.name == "demo").unwrap().clone();
    let mut state = State::new(demo.spec, Some(demo.name), presets);
    update(&mut state, Action::Resized(120, 36));
    state
}

/// Presses each key of `script`: characters stand for themselves, words in `<>` for named keys.
fn press(state: &mut State, script: &str) -> Vec<Effect> {
    let mut effects = Vec::new();
    for word in script.split_whitespace() {
        let named = match word {
            "<space>" => Some(Chord::Char(' ')),
            "<enter>" => Some(Chord::Enter),
            "<esc>" => Some(Chord::Esc),
            "<tab>" => Some(Chord::Tab),
            "<back>" => Some(Chord::Backspace),
            "<up>" => Some(Chord::Up),
            "<down>" => Some(Chord::Down),
            "<left>" => Some(Chord::Left),
            "<right>" => Some(Chord::Right),
            "<home>" => Some(Chord::Home),
            "<end>" => Some(Chord::End),
            "<pgup>" => Some(Chord::PageUp),
            "<pgdn>" => Some(Chord::PageDown),
            "<c-c>" => Some(Chord::Ctrl('c')),
            "<c-z>" => Some(Chord::Ctrl('z')),
            _ => None,
        };
        let chords: Vec<Chord> = named.map_or_else(|| word.chars().map(Chord::Char).collect(), |c| vec![c]);
        for chord in chords {
            if let Some(action) = keys::action(state, chord) {
                effects.extend(update(state, action));
            }
        }
    }
    effects
}

/// Plays the made-up run up to where `stop` says so.
fn play(state: &mut State, changes: &[(u64, &str, f64)], stop: impl Fn(&State) -> bool) -> Vec<Effect> {
    let mut effects = Vec::new();
    let session = rehearsal::session(state.started.as_ref().unwrap_or(&state.spec), changes);
    for signal in session.signals.try_iter() {
        effects.extend(reduce(state, signal));
        if stop(state) {
            break;
        }
    }
    effects
}

fn cleaning(state: &State) -> bool {
    state.defense.step >= 300
}

/// Fine-pruning's first look is at a pruned network, in which the trigger may hardly work any more.
#[test]
fn the_verdict_compares_with_the_backdoored_model() {
    let mut state = bench();
    press(&mut state, "<space>");
    play(&mut state, &[], |_| false);
    state.defense.epochs[0].measures.asr = 0.31;
    let verdict = verdict::verdict(&state).unwrap();
    assert_eq!((verdict.word, Some(verdict.measures.0)), ("backdoor gone", state.attack.latest()));
}

#[test]
fn one_key_starts_and_the_end_has_a_verdict() {
    let mut state = bench();
    let effects = press(&mut state, "<space>");
    assert!(matches!(&effects[..], [Effect::Start(spec)] if **spec == state.spec));
    assert!(state.active() && state.preparing.is_some());
    let effects = play(&mut state, &[], |_| false);
    assert!(effects.iter().any(|e| matches!(e, Effect::LoadSamples { count: 4, .. })));
    assert_eq!(state.run, Run::Over(Ok(())));
    let notice = state.notice.clone().unwrap();
    assert_eq!(notice.tone, Tone::Good);
    assert!(notice.text.starts_with("backdoor gone: ASR 99% -> 0%, CA 98% -> 98%, 14 epochs"), "{}", notice.text);
}

#[test]
fn bending_a_handle_under_way_tells_the_worker_and_waits_for_the_mark() {
    let mut state = bench();
    press(&mut state, "<space>");
    play(&mut state, &[], cleaning);
    let effects = press(&mut state, "] ]");
    let set = |value| Effect::Send(Command::Set { path: "defense.lr_max1".to_owned(), value });
    assert_eq!(effects, [set(0.125), set(0.16)]);
    let ahead = rates::course(&state, Stage::Defense);
    assert!(ahead.will_be(320).unwrap() > ahead.was(320));
    assert!(state.defense.marks.is_empty());
    let step = state.defense.step;
    // The first of the two is confirmed last-but-one: it must not turn the handle back.
    for value in [0.125, 0.16] {
        let kind = EventKind::Applied { path: "defense.lr_max1".to_owned(), value };
        let event = crate::run::event::Event { seq: 0, step, clock: Default::default(), kind };
        reduce(&mut state, Signal::Event { stage: Stage::Defense, dir: Default::default(), replayed: false, event });
    }
    assert_eq!(state.spec.get("defense.lr_max1").unwrap().as_float(), Some(0.16));
    assert!(state.pending.is_empty());
    assert_eq!(state.defense.marks.len(), 2);
    let course = rates::course(&state, Stage::Defense);
    assert!(course.was(step - 5) <= 0.1 && (course.was(step + 5) - course.will_be(step + 5).unwrap()).abs() < 1e-12);
}

#[test]
fn a_log_with_changes_takes_the_settings_along() {
    let mut state = bench();
    press(&mut state, "<space>");
    play(&mut state, &[(100, "defense.lr_max1", 0.3), (400, "defense.phase1_epochs", 8.0)], |_| false);
    assert_eq!(state.spec.get("defense.lr_max1").unwrap().as_float(), Some(0.3));
    assert_eq!(state.spec.get("defense.phase1_epochs").unwrap().as_integer(), Some(8));
    let course = rates::course(&state, Stage::Defense);
    for point in state.defense.probes.iter() {
        assert!((course.was(point.step - 1) - point.lr).abs() < 1e-9, "step {}", point.step);
    }
}

#[test]
fn rates_that_no_schedule_explains_are_shown_as_logged() {
    let mut state = bench();
    press(&mut state, "<space>");
    for mut signal in rehearsal::signals(&state.spec, &[]) {
        if let Signal::Event { event: crate::run::event::Event { kind: EventKind::Probe { lr, .. }, .. }, .. } = &mut signal {
            *lr = 0.5;
        }
        reduce(&mut state, signal);
    }
    assert!((rates::course(&state, Stage::Defense).was(100) - 0.5).abs() < 1e-9);
}

#[test]
fn settings_that_decide_the_run_are_locked_while_it_goes_on() {
    let mut state = bench();
    press(&mut state, "<space>");
    play(&mut state, &[], cleaning);
    let before = state.spec.clone();
    press(&mut state, "n");
    assert_eq!(state.spec, before);
    let text = state.notice.clone().unwrap().text;
    assert!(text.contains("seed") && text.contains("s stops"), "{text}");
    press(&mut state, "p <down> <enter>");
    assert_eq!(state.spec, before);
}

#[test]
fn pause_goes_on_and_stop_ask_the_worker() {
    let mut state = bench();
    press(&mut state, "<space>");
    play(&mut state, &[], cleaning);
    assert_eq!(press(&mut state, "<space>"), [Effect::Send(Command::Pause)]);
    assert!(state.paused());
    assert_eq!(press(&mut state, "<space>"), [Effect::Send(Command::Resume)]);
    assert!(!state.paused());
    assert_eq!(press(&mut state, "s n"), []);
    assert_eq!(press(&mut state, "s y"), [Effect::Send(Command::Stop)]);
    assert_eq!(press(&mut state, "s y"), [], "asked once is enough");
}

#[test]
fn quitting_while_training_ends_the_run_first() {
    let mut state = bench();
    press(&mut state, "<space>");
    play(&mut state, &[], cleaning);
    assert_eq!(press(&mut state, "q y"), [Effect::Send(Command::Stop)]);
    assert_eq!(reduce(&mut state, Signal::Ended(Ok(()))), [Effect::Quit]);
    assert_eq!(press(&mut bench(), "q"), [Effect::Quit]);
    let mut state = bench();
    press(&mut state, "<space> q y");
    assert_eq!(press(&mut state, "<c-c>"), [Effect::Quit], "a worker that does not answer holds nobody");
}

#[test]
fn ctrl_c_asks_and_a_second_one_leaves() {
    let mut state = bench();
    press(&mut state, "<space>");
    play(&mut state, &[], cleaning);
    assert_eq!(press(&mut state, "<c-c>"), []);
    assert!(matches!(state.layers.last(), Some(Layer::Confirm(_))));
    assert_eq!(press(&mut state, "<c-c>"), [Effect::Quit]);
    let mut state = bench();
    assert_eq!(press(&mut state, "<c-c> <esc> <c-c>"), [], "not in a row");
}

#[test]
fn restarting_stops_first_and_starts_with_the_settings_of_now() {
    let mut state = bench();
    press(&mut state, "<space>");
    play(&mut state, &[], cleaning);
    press(&mut state, "]");
    assert_eq!(press(&mut state, "r y"), [Effect::Send(Command::Stop)]);
    let effects = reduce(&mut state, Signal::Ended(Ok(())));
    assert!(matches!(&effects[..], [Effect::Start(spec)] if spec.get("defense.lr_max1").unwrap().as_float() == Some(0.125)));
    assert!(state.active() && state.defense.stage.is_none());
}

#[test]
fn the_clean_up_before_stays_to_compare_with_on_the_same_backdoor() {
    let mut state = bench();
    press(&mut state, "<space>");
    play(&mut state, &[], |_| false);
    update(&mut state, Action::SelectSetting("defense.name".to_owned()));
    press(&mut state, "l <space>");
    assert_eq!(state.before.as_ref().map(|v| v.facts.defense.as_str()), Some("super-fine-tuning"));
    play(&mut state, &[], |_| false);
    press(&mut state, "n <space>");
    assert_eq!(state.before, None, "another seed is another backdoored model");
}

#[test]
fn a_failure_is_said_and_the_curves_stay() {
    let mut state = bench();
    press(&mut state, "<space>");
    play(&mut state, &[], cleaning);
    let epochs = state.defense.epochs.len();
    reduce(&mut state, Signal::Ended(Err(Failure { message: "the device is out of memory".to_owned(), kind: FailureKind::Device })));
    assert!(matches!(state.layers.last(), Some(Layer::Message(m)) if m.bad && m.text.contains("out of memory") && m.text.contains("space")));
    press(&mut state, "<esc>");
    assert!(state.layers.is_empty() && state.defense.epochs.len() == epochs);
    assert!(matches!(press(&mut state, "<space>")[..], [Effect::Start(_)]));
}

#[test]
fn typing_takes_a_value_or_says_why_not() {
    let mut state = bench();
    update(&mut state, Action::SelectSetting("defense.lr_max1".to_owned()));
    press(&mut state, "<enter> <back> <back> <back> 99 <enter>");
    let error = state.setup.edit.clone().unwrap().error.unwrap();
    assert!(error.contains("defense.lr_max1 = 99") && error.contains("allowed"), "{error}");
    press(&mut state, "<back> <back> 0.3 <enter>");
    assert!(state.setup.edit.is_none());
    assert_eq!(state.spec.get("defense.lr_max1").unwrap().as_float(), Some(0.3));
}

#[test]
fn choosing_a_defense_changes_what_there_is_to_set() {
    let mut state = bench();
    update(&mut state, Action::SelectSetting("defense.name".to_owned()));
    press(&mut state, "l");
    assert_eq!(state.spec.defense.name(), "fine-tuning");
    assert!(state.spec.get("defense.lr_max1").is_none());
    press(&mut state, "]");
    assert_eq!(state.spec.get("defense.lr").unwrap().as_float(), Some(1.25e-3));
    press(&mut state, "}");
    assert!(state.notice.clone().unwrap().text.contains("no LR MAX2"));
}

#[test]
fn a_choice_that_shows_other_pictures_asks_for_them() {
    let mut state = bench();
    update(&mut state, Action::SelectSetting("attack.name".to_owned()));
    assert!(matches!(&press(&mut state, "l")[..], [Effect::Preview(spec)] if spec.attack.name() == "blended"));
    update(&mut state, Action::SelectSetting("defense.epochs".to_owned()));
    assert_eq!(press(&mut state, "l"), []);
}

#[test]
fn presets_are_offered_and_loaded() {
    let mut state = bench();
    press(&mut state, "p");
    assert!(matches!(state.layers.last(), Some(Layer::Choices(c)) if c.items.len() == state.presets.len() && c.items[c.selected].label == "demo"));
    let effects = press(&mut state, "<down> <enter>");
    assert!(matches!(effects[..], [Effect::Preview(_)]));
    assert_eq!(state.preset.as_deref(), Some("demo-abl"));
    // From scenario to scenario: standalone, transfer, encoder, and no further.
    let scenarios = ["transfer", "encoder", "encoder"].map(|expected| {
        press(&mut state, "p <right> <enter>");
        (state.spec.scenario.name(), expected)
    });
    assert!(scenarios.iter().all(|(found, expected)| found == expected), "{scenarios:?}");
    press(&mut state, "p <left> <left> <left> <enter>");
    assert_eq!(state.preset.as_deref(), Some("demo"));
}

#[test]
fn the_target_of_a_transfer_is_a_class_of_the_first_task() {
    let mut state = bench();
    state.lens.classes = vec!["20 km/h".to_owned()];
    state.defense.facts.classes = vec!["zero".to_owned()];
    assert_eq!(state.target_class(0), "zero");
    state.spec.scenario = crate::spec::Scenario::Transfer;
    assert_eq!(state.target_class(0), "20 km/h");
    state.attack.facts.classes = vec!["stop".to_owned()];
    assert_eq!([state.target_class(0), state.target_class(7)], ["stop", "class 7"]);
}

#[test]
fn dragging_a_handle_gives_it_a_tidy_rate() {
    let mut state = bench();
    update(&mut state, Action::SetValue("defense.lr_max1".to_owned(), 0.123_456));
    assert_eq!(state.spec.get("defense.lr_max1").unwrap().as_float(), Some(0.12));
}

#[test]
fn an_old_preview_does_not_replace_a_newer_choice() {
    let mut state = bench();
    let old = state.spec.clone();
    press(&mut state, "n");
    report(&mut state, Report::Preview(Box::new(old), Ok(rehearsal::preview())));
    assert!(state.lens.is_empty());
    let now = Box::new(state.spec.clone());
    report(&mut state, Report::Preview(now, Ok(rehearsal::preview())));
    assert_eq!(state.lens.len(), 4);
    press(&mut state, "<tab> <tab> <down>");
    assert_eq!(state.lens.selected, 1);
}

#[test]
fn actions_are_written_in_snake_case() {
    assert_eq!(serde_json::to_string(&Action::LrMax1Up).unwrap(), "\"lr_max1_up\"");
    assert_eq!(Action::Toggle.help(), "Start the run, pause it, or let it go on.");
}
