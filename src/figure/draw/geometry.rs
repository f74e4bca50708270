//! Lines, cut at a frame's edge and broken into dashes.

/// A place on the page, in points of 1/72 inch, from the top left.
pub type Place = (f64, f64);

/// A rectangle on the page.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rect {
    /// Left edge.
    pub x: f64,
    /// Top edge.
    pub y: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

impl Rect {
    /// Right edge.
    pub fn right(&self) -> f64 {
        self.x + self.width
    }

    /// Bottom edge.
    pub fn bottom(&self) -> f64 {
        self.y + self.height
    }
}

/// The parts of a line that lie inside `frame`. A place that is not finite is a gap.
pub fn clip(line: &[Place], frame: Rect) -> Vec<Vec<Place>> {
    let mut parts: Vec<Vec<Place>> = Vec::new();
    for pair in line.windows(2) {
        let Some((from, to)) = clip_segment(pair[0], pair[1], frame) else { continue };
        match parts.last_mut() {
            Some(part) if part.last() == Some(&from) => part.push(to),
            _ => parts.push(vec![from, to]),
        }
    }
    parts
}

/// Liang and Barsky's way: the part of a segment between the four edges, as shares of its length.
fn clip_segment(a: Place, b: Place, frame: Rect) -> Option<(Place, Place)> {
    if ![a.0, a.1, b.0, b.1].iter().all(|v| v.is_finite()) {
        return None;
    }
    let (dx, dy) = (b.0 - a.0, b.1 - a.1);
    let edges = [(-dx, a.0 - frame.x), (dx, frame.right() - a.0), (-dy, a.1 - frame.y), (dy, frame.bottom() - a.1)];
    let (mut enter, mut leave) = (0.0f64, 1.0f64);
    for (towards, room) in edges {
        match towards.partial_cmp(&0.0)? {
            std::cmp::Ordering::Equal if room < 0.0 => return None,
            std::cmp::Ordering::Equal => {}
            std::cmp::Ordering::Less => enter = enter.max(room / towards),
            std::cmp::Ordering::Greater => leave = leave.min(room / towards),
        }
    }
    // Ends that lie inside stay exactly where they are, so that parts join.
    let at = |share: f64| (a.0 + share * dx, a.1 + share * dy);
    (enter <= leave).then(|| (if enter == 0.0 { a } else { at(enter) }, if leave == 1.0 { b } else { at(leave) }))
}

/// A line broken into dashes of `pattern`'s drawn and empty lengths in turn; whole where there is no pattern.
pub fn dashes(line: &[Place], pattern: &[f64]) -> Vec<Vec<Place>> {
    if pattern.is_empty() || pattern.iter().any(|length| *length <= 0.0) {
        return vec![line.to_vec()];
    }
    let (mut parts, mut index, mut left) = (Vec::new(), 0, pattern[0]);
    let mut part: Vec<Place> = line.first().copied().into_iter().collect();
    for pair in line.windows(2) {
        let (mut a, b) = (pair[0], pair[1]);
        let mut length = (b.0 - a.0).hypot(b.1 - a.1);
        while length > left {
            let share = left / length;
            a = (a.0 + share * (b.0 - a.0), a.1 + share * (b.1 - a.1));
            length -= left;
            if index % 2 == 0 {
                part.push(a);
                parts.push(std::mem::take(&mut part));
            } else {
                part = vec![a];
            }
            index += 1;
            left = pattern[index % pattern.len()];
        }
        left -= length;
        if index % 2 == 0 {
            part.push(b);
        }
    }
    if part.len() > 1 {
        parts.push(part);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FRAME: Rect = Rect { x: 0.0, y: 0.0, width: 10.0, height: 10.0 };

    fn length(line: &[Place]) -> f64 {
        line.windows(2).map(|p| (p[1].0 - p[0].0).hypot(p[1].1 - p[0].1)).sum()
    }

    #[test]
    fn a_line_is_cut_at_the_edge_and_at_gaps() {
        assert_eq!(clip(&[(-5.0, 5.0), (15.0, 5.0)], FRAME), [vec![(0.0, 5.0), (10.0, 5.0)]]);
        assert_eq!(clip(&[(1.0, 1.0), (2.0, 1.0), (3.0, f64::NAN), (4.0, 1.0), (5.0, 1.0)], FRAME).len(), 2);
        assert!(clip(&[(-1.0, 5.0), (-2.0, 6.0)], FRAME).is_empty());
        let over = clip(&[(0.0, 5.0), (5.0, 15.0), (10.0, 5.0)], FRAME);
        assert_eq!(over, [vec![(0.0, 5.0), (2.5, 10.0)], vec![(7.5, 10.0), (10.0, 5.0)]]);
    }

    #[test]
    fn dashes_have_the_lengths_of_their_pattern() {
        let parts = dashes(&[(0.0, 0.0), (10.0, 0.0)], &[3.0, 1.0]);
        assert_eq!(parts.iter().map(|p| length(p)).collect::<Vec<_>>(), [3.0, 3.0, 2.0]);
        assert_eq!(dashes(&[(0.0, 0.0), (10.0, 0.0)], &[]).len(), 1);
    }

    proptest! {
        #[test]
        fn what_is_left_lies_inside(points in proptest::collection::vec((-20.0f64..30.0, -20.0f64..30.0), 2..20)) {
            for (x, y) in clip(&points, FRAME).concat() {
                prop_assert!((-1e-9..=10.0 + 1e-9).contains(&x) && (-1e-9..=10.0 + 1e-9).contains(&y));
            }
        }

        /// Around corners too, half of a line is drawn where dash and gap are equally long.
        #[test]
        fn dashes_cover_their_share(points in proptest::collection::vec((0.0f64..100.0, 0.0f64..100.0), 2..20), dash in 0.5f64..5.0) {
            let drawn: f64 = dashes(&points, &[dash, dash]).iter().map(|p| length(p)).sum();
            prop_assert!((drawn - length(&points) / 2.0).abs() <= dash / 2.0 + 1e-6);
        }
    }
}
