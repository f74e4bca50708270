//! From the terminal's events to actions.

use super::hits::{Hits, Scale, Target};
use crate::app::keys::{self, Chord};
use crate::app::setup::next_rate;
use crate::app::{Action, Focus, Layer, State, rates};
use crossbeam_channel::{Receiver, Sender, unbounded};
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

/// Reads the terminal on a thread of its own, so that a key is there the moment it is pressed.
///
/// # Errors
/// When no thread can be started.
pub fn listen() -> std::io::Result<Receiver<Event>> {
    let (tell, heard): (Sender<Event>, _) = unbounded();
    std::thread::Builder::new().name("input".to_owned()).spawn(move || {
        while let Ok(event) = event::read() {
            if tell.send(event).is_err() {
                return;
            }
        }
    })?;
    Ok(heard)
}

/// A handle that is being dragged, and the axis as it was when that began.
#[derive(Clone, Debug, PartialEq)]
pub struct Drag {
    path: &'static str,
    scale: Scale,
}

impl Drag {
    /// Bounds of the axis, held until the handle is let go.
    pub fn bounds(&self) -> (f64, f64) {
        (self.scale.axis.min, self.scale.axis.max)
    }
}

/// What `event` asks for.
pub fn actions(state: &State, hits: &Hits, drag: &mut Option<Drag>, event: Event) -> Vec<Action> {
    match event {
        Event::Key(key) if key.kind == KeyEventKind::Press => chord(key).and_then(|c| keys::action(state, c)).into_iter().collect(),
        Event::Mouse(mouse) => pointer(state, hits, drag, mouse),
        Event::Resize(columns, rows) => vec![Action::Resized(columns, rows)],
        Event::Paste(text) if state.setup.edit.is_some() => vec![Action::Paste(text)],
        _ => Vec::new(),
    }
}

fn chord(key: KeyEvent) -> Option<Chord> {
    let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
    if key.modifiers.contains(KeyModifiers::ALT) && !ctrl {
        return None;
    }
    Some(match key.code {
        KeyCode::Char(c) if ctrl => Chord::Ctrl(c.to_ascii_lowercase()),
        KeyCode::Char(c) => Chord::Char(c),
        KeyCode::Enter => Chord::Enter,
        KeyCode::Esc => Chord::Esc,
        KeyCode::Tab => Chord::Tab,
        KeyCode::BackTab => Chord::BackTab,
        KeyCode::Backspace => Chord::Backspace,
        KeyCode::Up => Chord::Up,
        KeyCode::Down => Chord::Down,
        KeyCode::Left => Chord::Left,
        KeyCode::Right => Chord::Right,
        KeyCode::Home => Chord::Home,
        KeyCode::End => Chord::End,
        KeyCode::PageUp => Chord::PageUp,
        KeyCode::PageDown => Chord::PageDown,
        _ => return None,
    })
}

fn pointer(state: &State, hits: &Hits, drag: &mut Option<Drag>, mouse: MouseEvent) -> Vec<Action> {
    let target = hits.at(mouse.column, mouse.row);
    match mouse.kind {
        MouseEventKind::Down(MouseButton::Left) => pressed(target, drag, mouse.row),
        MouseEventKind::Drag(MouseButton::Left) => {
            drag.as_ref().map(|d| Action::SetValue(d.path.to_owned(), d.scale.rate(mouse.row))).into_iter().collect()
        }
        MouseEventKind::Up(_) => {
            *drag = None;
            Vec::new()
        }
        MouseEventKind::ScrollUp => wheel(state, target, mouse.row, true),
        MouseEventKind::ScrollDown => wheel(state, target, mouse.row, false),
        _ => Vec::new(),
    }
}

fn pressed(target: Option<&Target>, drag: &mut Option<Drag>, row: u16) -> Vec<Action> {
    match target {
        Some(Target::Do(actions)) => actions.clone(),
        Some(Target::Rates(scale)) => {
            let Some(path) = scale.nearest(row) else { return Vec::new() };
            *drag = Some(Drag { path, scale: scale.clone() });
            vec![Action::SelectSetting(path.to_owned()), Action::Focus(Focus::Charts)]
        }
        None => Vec::new(),
    }
}

/// The wheel turns the handle under it, and moves through whatever else is there.
fn wheel(state: &State, target: Option<&Target>, row: u16, up: bool) -> Vec<Action> {
    if let (Some(Target::Rates(scale)), None) = (target, state.layers.last()) {
        let handle = scale.nearest(row).and_then(|path| rates::handles(&state.spec).into_iter().find(|h| h.path == path));
        return handle.map(|h| Action::SetValue(h.path.to_owned(), next_rate(h.rate, up))).into_iter().collect();
    }
    let step = if up { Action::Up } else { Action::Down };
    match (target, state.layers.last()) {
        (_, Some(Layer::Help(_) | Layer::Choices(_) | Layer::Browse | Layer::Compare | Layer::Runs | Layer::Sweep)) => vec![step],
        (Some(Target::Do(actions)), None) => match &actions[..] {
            [Action::SelectSetting(_)] => vec![Action::Focus(Focus::Setup), step],
            [Action::Focus(Focus::Charts)] => Vec::new(),
            [Action::Focus(focus), ..] => vec![Action::Focus(*focus), step],
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::scene::Axis;
    use crate::figure::terminal;
    use crate::spec::RunSpec;
    use ratatui::layout::Rect;

    /// The row in which the chart draws `rate`.
    fn row(scale: &Scale, rate: f64) -> u16 {
        scale.area.y + terminal::row(scale.axis.position(rate), scale.area.height).unwrap()
    }

    fn mouse(kind: MouseEventKind, row: u16) -> Event {
        Event::Mouse(MouseEvent { kind, column: 12, row, modifiers: KeyModifiers::NONE })
    }

    #[test]
    fn a_handle_follows_the_mouse_on_the_axis_it_had() {
        let state = State::new(RunSpec::default(), None, Vec::new());
        let mut hits = Hits::default();
        let area = Rect { x: 10, y: 10, width: 20, height: 8 };
        let mut scale = Scale { area, axis: Axis::log("", 1e-4, 1.0), handles: Vec::new() };
        scale.handles = vec![("defense.lr_max1", row(&scale, 0.1)), ("defense.lr_base", row(&scale, 3e-4))];
        hits.push(area, Target::Rates(scale.clone()));
        let mut drag = None;
        let row = row(&scale, 0.1);
        let down = actions(&state, &hits, &mut drag, mouse(MouseEventKind::Down(MouseButton::Left), row));
        assert_eq!(down, [Action::SelectSetting("defense.lr_max1".to_owned()), Action::Focus(Focus::Charts)]);
        let moved = actions(&state, &hits, &mut drag, mouse(MouseEventKind::Drag(MouseButton::Left), row - 1));
        assert!(matches!(&moved[..], [Action::SetValue(path, value)] if path == "defense.lr_max1" && *value > 0.1 && *value < 1.0));
        actions(&state, &hits, &mut drag, mouse(MouseEventKind::Up(MouseButton::Left), row));
        assert_eq!(drag, None);
        let turned = actions(&state, &hits, &mut drag, mouse(MouseEventKind::ScrollUp, row));
        assert_eq!(turned, [Action::SetValue("defense.lr_max1".to_owned(), 0.125)]);
    }

    #[test]
    fn only_presses_count() {
        let state = State::default();
        let key = |kind| Event::Key(KeyEvent::new_with_kind(KeyCode::Char('?'), KeyModifiers::NONE, kind));
        let mut drag = None;
        assert_eq!(actions(&state, &Hits::default(), &mut drag, key(KeyEventKind::Press)), [Action::Help]);
        assert_eq!(actions(&state, &Hits::default(), &mut drag, key(KeyEventKind::Release)), []);
    }

    #[test]
    fn an_axis_maps_rows_and_rates_both_ways() {
        for axis in [Axis::log("", 1e-4, 1.0), Axis::linear("", 0.0, 1.0, 4, 0.0)] {
            let scale = Scale { area: Rect { x: 0, y: 3, width: 10, height: 12 }, axis, handles: Vec::new() };
            for at in 3..15 {
                assert_eq!(row(&scale, scale.rate(at)), at, "{:?}", scale.axis.scale);
            }
        }
    }
}
