//! Browsing the test images.

use super::super::browse::{Layout, name};
use super::*;
use crate::run::answers::{Ask, Filter, News};
use crate::run::score::Reading;

/// A Bench after a run, its models not asked yet.
fn done() -> State {
    let mut state = bench();
    press(&mut state, "<space>");
    play(&mut state, &[], |_| false);
    state
}

fn dir(state: &State, stage: Stage) -> std::path::PathBuf {
    state.view(stage).facts.id.clone().into()
}

/// Tells the first `chunks` chunks of what a made-up model says of 120 images.
fn tell(state: &mut State, stage: Stage, chunks: usize) {
    let spec = state.started.clone().unwrap();
    for news in rehearsal::examination(&spec, stage, 120).into_iter().take(1 + chunks) {
        report(state, Report::Examined(dir(state, stage), Ok(news)));
    }
}

/// Both models asked, the backdoored one shown.
fn browsing() -> State {
    let mut state = done();
    press(&mut state, "b");
    tell(&mut state, Stage::Defense, 9);
    press(&mut state, "<tab>");
    tell(&mut state, Stage::Attack, 9);
    state
}

#[test]
fn before_a_run_there_is_nothing_to_browse() {
    let mut state = bench();
    assert_eq!(press(&mut state, "b"), []);
    assert!(state.layers.is_empty());
    assert!(state.notice.unwrap().text.contains("space starts a run"));
}

#[test]
fn the_newest_model_is_asked_and_escape_gives_up() {
    let mut state = done();
    let effects = press(&mut state, "b");
    assert_eq!(effects, [Effect::Examine(Ask { dir: dir(&state, Stage::Defense), known: None })]);
    assert_eq!(state.layers, [Layer::Browse]);
    tell(&mut state, Stage::Defense, 1);
    assert_eq!((state.browse.list.len(), state.browse.shown().complete()), (32, false));
    assert_eq!(press(&mut state, "<esc>"), [Effect::StopExamining]);
    assert!(state.layers.is_empty());
    // Opened again it goes on where it was.
    let step = state.browse.shown().subject.as_ref().unwrap().step;
    assert_eq!(press(&mut state, "b"), [Effect::Examine(Ask { dir: dir(&state, Stage::Defense), known: Some((step, 32)) })]);
    let spec = state.started.clone().unwrap();
    for news in rehearsal::examination(&spec, Stage::Defense, 120) {
        let at = dir(&state, Stage::Defense);
        report(&mut state, Report::Examined(at, Ok(news)));
    }
    assert_eq!(state.browse.shown().samples.len(), 120, "what came twice counts once");
    assert!(state.browse.shown().complete());
}

#[test]
fn before_the_first_checkpoint_one_waits() {
    let mut state = bench();
    press(&mut state, "<space>");
    play(&mut state, &[], |s| s.attack.stage.is_some());
    assert_eq!(press(&mut state, "b"), []);
    assert_eq!(state.layers, [Layer::Browse]);
    let effects = play(&mut state, &[], |s| s.attack.step >= 300);
    let asked: Vec<_> = effects.into_iter().filter(|e| matches!(e, Effect::Examine(_))).collect();
    assert_eq!(asked, [Effect::Examine(Ask { dir: dir(&state, Stage::Attack), known: None })], "once, at the first checkpoint");
}

#[test]
fn a_run_under_way_can_be_browsed() {
    let mut state = bench();
    press(&mut state, "<space>");
    play(&mut state, &[], |s| s.attack.step >= 300);
    assert_eq!(press(&mut state, "b"), [Effect::Examine(Ask { dir: dir(&state, Stage::Attack), known: None })]);
    assert_eq!(press(&mut state, "<tab>"), []);
    assert_eq!(state.browse.stage, Stage::Attack);
    assert!(state.notice.clone().unwrap().text.contains("no cleaned model yet"));
    // The run goes on meanwhile.
    play(&mut state, &[], cleaning);
    assert!(matches!(press(&mut state, "<tab>")[..], [Effect::Examine(_)]));
    assert!(state.active() && state.browse.stage == Stage::Defense);
}

#[test]
fn filters_list_what_they_say_and_their_counts_are_the_measures() {
    let mut state = browsing();
    let book = state.browse.shown().clone();
    for (key, filter, count) in [("f", Filter::Fooled, book.counts[1]), ("w", Filter::Wrong, book.counts[2]), ("r", Filter::Right, book.counts[3])] {
        press(&mut state, key);
        assert_eq!((state.browse.filter, state.browse.list.len()), (filter, count));
        assert!(state.browse.list.iter().all(|&i| filter.passes(&book.samples[i], book.target)), "{filter:?}");
    }
    press(&mut state, "a");
    assert_eq!(state.browse.list.len(), 120);
    let m = book.measures;
    assert_eq!(m, book.subject.as_ref().unwrap().logged.unwrap());
    assert_eq!((m.asr, m.ra), (book.counts[1] as f64 / book.victims as f64, book.counts[3] as f64 / book.victims as f64));
    assert_eq!(m.ca, 1.0 - book.counts[2] as f64 / 120.0);
}

/// The point of it: an image that was fooled before and is right after.
#[test]
fn the_fooled_stay_listed_while_one_looks_at_the_cleaned_model() {
    let mut state = browsing();
    press(&mut state, "f <down> <right>");
    let (list, image) = (state.browse.list.clone(), state.browse.image().unwrap());
    let reading = |state: &State| state.browse.shown().samples[image].reading(state.browse.shown().target);
    assert_eq!((name(state.browse.stage), reading(&state)), ("backdoored", Some(Reading::Fooled)));
    assert_eq!(press(&mut state, "<tab>"), [], "every answer is there");
    assert_eq!((name(state.browse.stage), reading(&state)), ("cleaned", Some(Reading::Right)));
    assert_eq!((&state.browse.list, state.browse.image()), (&list, Some(image)));
    press(&mut state, "f");
    assert!(state.browse.list.len() < list.len(), "now by the cleaned model");
}

#[test]
fn one_class_can_be_chosen() {
    let mut state = browsing();
    press(&mut state, "c <down> <down> <down> <down> <down> <down> <down> <enter>");
    assert_eq!((state.browse.class, state.layers.len()), (Some(6), 1));
    assert!(state.browse.list.iter().all(|i| i % 12 == 6) && state.browse.list.len() == 10);
    press(&mut state, "f");
    assert_eq!(state.browse.list.len(), 9);
    press(&mut state, "c <home> <enter>");
    assert_eq!(state.browse.class, None);
}

#[test]
fn keys_move_through_the_grid_and_its_pages() {
    let mut state = browsing();
    let layout = Layout::of((120, 36));
    let (columns, page) = (layout.grid.0, layout.page());
    assert!(columns > 2 && page > 10 && page < 120);
    press(&mut state, "<down> <right>");
    assert_eq!(state.browse.selected, columns + 1);
    press(&mut state, "<pgdn>");
    assert_eq!(state.browse.selected, columns + 1 + page);
    press(&mut state, "<pgup> <up> <left>");
    assert_eq!(state.browse.selected, 0);
    press(&mut state, "<end>");
    assert_eq!(state.browse.selected, 119);
    press(&mut state, "<right> <home>");
    assert_eq!(state.browse.selected, 0);
    update(&mut state, Action::Pick(7));
    assert_eq!(state.browse.image(), Some(7));
    assert_eq!(Layout::of((80, 24)).grid, (1, 16));
}

#[test]
fn a_model_that_cannot_be_asked_is_said_and_harms_nothing_else() {
    let mut state = done();
    press(&mut state, "b");
    tell(&mut state, Stage::Defense, 2);
    let before = (state.defense.clone(), state.run.clone());
    let at = dir(&state, Stage::Defense);
    report(&mut state, Report::Examined(at, Err("0000840.safetensors: the file is damaged".to_owned())));
    assert!(matches!(state.layers.last(), Some(Layer::Message(m)) if m.bad && m.text.contains("damaged") && m.text.contains("u asks again")));
    press(&mut state, "<enter>");
    assert_eq!((state.layers.len(), state.browse.list.len()), (1, 64), "what was answered stays");
    assert_eq!((state.defense.clone(), state.run.clone()), before);
    assert!(matches!(press(&mut state, "u")[..], [Effect::Examine(Ask { known: Some((_, 64)), .. })]));
    // After leaving nobody is bothered.
    press(&mut state, "<esc>");
    let at = dir(&state, Stage::Defense);
    report(&mut state, Report::Examined(at, Err("gone".to_owned())));
    assert!(state.layers.is_empty());
}

#[test]
fn a_newer_checkpoint_takes_the_place_of_the_older_one() {
    let mut state = browsing();
    press(&mut state, "<end>");
    let spec = state.started.clone().unwrap();
    let mut news = rehearsal::examination(&spec, Stage::Attack, 120).into_iter();
    let Some(News::Opened(mut subject)) = news.next() else { panic!("first it is opened") };
    subject.step += 40;
    let at = dir(&state, Stage::Attack);
    report(&mut state, Report::Examined(at.clone(), Ok(News::Opened(subject.clone()))));
    assert!(state.browse.list.is_empty());
    for mut chunk in news {
        // The examination that was given up still has a word under way.
        report(&mut state, Report::Examined(at.clone(), Ok(chunk.clone())));
        if let News::Chunk(chunk) = &mut chunk {
            chunk.step = subject.step;
        }
        report(&mut state, Report::Examined(at.clone(), Ok(chunk)));
    }
    assert_eq!((state.browse.shown().samples.len(), state.browse.image()), (120, Some(119)), "the image shown large stays");
}

#[test]
fn another_run_forgets_the_answers() {
    let mut state = browsing();
    let old = dir(&state, Stage::Attack);
    press(&mut state, "<esc> n <space>");
    assert_eq!(state.browse, Default::default());
    report(&mut state, Report::Examined(old, Err("gone".to_owned())));
    assert!(state.layers.is_empty());
}

#[test]
fn the_third_picture_is_the_difference_or_a_spectrum() {
    use super::lens::Contrast;
    let mut state = bench();
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(state.lens.contrast);
        press(&mut state, "d");
        assert!(state.notice.is_some());
    }
    assert_eq!(seen, [Contrast::Difference, Contrast::Spectrum, Contrast::CleanSpectrum]);
    assert_eq!(state.lens.contrast, Contrast::Difference);
}
