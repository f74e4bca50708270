//! Names of stretches and of lines across.

use super::dots::Dots;
use super::plot::{Plot, length};
use super::put;
use crate::figure::scene::{Along, Kind, Reference};
use ratatui::buffer::Buffer;

impl Plot<'_> {
    /// Names of stretches, in the first row; what stands before the colon where there is no room for all.
    pub(super) fn spans(&self, buf: &mut Buffer) {
        if self.room.y >= self.frame.y {
            return;
        }
        for span in &self.panel.spans {
            let (Some(from), Some(to)) = (self.column(span.from), self.column(span.to)) else { continue };
            let from = from + u16::from(from > self.frame.x);
            let room = usize::from((to + u16::from(to + 1 == self.frame.right())).saturating_sub(from));
            let short = span.label.split(':').next().unwrap_or_default();
            let text = [&span.label, short].into_iter().find(|text| text.chars().count() <= room);
            let text = text.map_or_else(|| self.cut(short, room), str::to_owned);
            put(buf, self.room, from.into(), self.room.y.into(), &text, self.inks.spans());
        }
    }

    fn cut(&self, text: &str, room: usize) -> String {
        let more = if room > 0 { self.inks.signs().more } else { "" };
        text.chars().take(room.saturating_sub(1)).chain(more.chars()).collect()
    }

    /// What was changed under way, in the row over the frame where it is free; the latest first where there is no room
    /// for all.
    pub(super) fn changes(&self, buf: &mut Buffer) {
        let row = i32::from(self.frame.y) - 1;
        if row < i32::from(self.room.y) + i32::from(!self.panel.spans.is_empty()) {
            return;
        }
        let (left, right) = (i32::from(self.frame.x), i32::from(self.frame.right()));
        let mut taken: Vec<(i32, i32)> = Vec::new();
        for line in self.panel.references.iter().rev().filter(|line| line.kind == Kind::Change && !line.name().is_empty()) {
            let Some(x) = self.column(line.value).map(i32::from) else { continue };
            let width = length(line.name());
            // Right of the line, else left of it.
            let places = [x.min(right - width), x - width + 1];
            let free = |at: &i32| *at >= left && taken.iter().all(|(from, to)| at + width < *from || at > to);
            if let Some(at) = places.into_iter().find(free) {
                put(buf, self.room, at, row, line.name(), self.inks.reference(line).1);
                taken.push((at, at + width));
            }
        }
    }

    /// Handles, left of the frame, each with a tick.
    pub(super) fn handles(&self, buf: &mut Buffer) {
        let left = i32::from(self.frame.x) - 1;
        let room = (left - i32::from(self.room.x)).max(0) as usize;
        for (line, y) in self.handle_rows() {
            let style = self.inks.reference(line).1;
            let text = if line.name().chars().count() <= room { line.name().to_owned() } else { self.cut(&line.label, room) };
            put(buf, self.room, left - length(&text), y.into(), &text, style);
            put(buf, self.room, left, y.into(), self.inks.signs().side.1, style);
        }
    }

    /// A row for each handle, in the panel's order: its own where there is room, the higher value above.
    pub fn handle_rows(&self) -> Vec<(&Reference, u16)> {
        let handles: Vec<&Reference> = self.panel.references.iter().filter(|line| line.kind == Kind::Handle).collect();
        let mut order: Vec<usize> = (0..handles.len()).collect();
        order.sort_by(|a, b| handles[*b].value.total_cmp(&handles[*a].value));
        let wished = |line: &Reference| {
            let row = self.row(line.value);
            row.unwrap_or(if self.panel.y.position(line.value) > 0.5 { self.frame.y } else { self.frame.bottom().saturating_sub(1) })
        };
        let mut rows = vec![0; handles.len()];
        let mut free = self.frame.y;
        for i in &order {
            rows[*i] = wished(handles[*i]).max(free);
            free = rows[*i] + 1;
        }
        let mut lowest = self.frame.bottom().saturating_sub(1);
        for i in order.iter().rev() {
            rows[*i] = rows[*i].min(lowest).max(self.frame.y);
            lowest = rows[*i].saturating_sub(1);
        }
        handles.into_iter().zip(rows).collect()
    }

    /// Names within the frame: of a value where it hides no data, as far right as there is room; of a phase at the
    /// top.
    pub(super) fn names_inside(&self, dots: &Dots, buf: &mut Buffer) {
        for line in &self.panel.references {
            let long = length(line.name()) as u16;
            let place = match (line.kind, line.along) {
                (Kind::Value | Kind::Threshold, Along::Y) => {
                    let over = (line.kind == Kind::Threshold).then(|| self.frame.right().saturating_sub(long).max(self.frame.x));
                    self.row(line.value).and_then(|y| self.free(dots, y, long).or(over).map(|x| (x, y)))
                }
                (Kind::Value | Kind::Phase | Kind::Threshold, Along::X) => {
                    self.column(line.value).map(|x| ((x + 1).min(self.frame.right().saturating_sub(long)), self.frame.y))
                }
                _ => None,
            };
            if let Some((x, y)) = place {
                put(buf, self.frame, x.into(), y.into(), line.name(), self.inks.reference(line).1);
            }
        }
    }

    /// The last place in a row with room for a name beside the curves.
    fn free(&self, dots: &Dots, y: u16, long: u16) -> Option<u16> {
        let empty = |x: u16| dots.cell(x - self.frame.x, y - self.frame.y, true).is_none();
        (self.frame.x..=self.frame.right().saturating_sub(long)).rev().find(|x| (*x..*x + long).all(empty))
    }
}
