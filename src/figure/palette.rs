//! Mark and colour of each defense, attack and further series: the same in every figure, so that a reader learns them
//! once. Two of one list differ in both.

use super::look::{Colour, Dash, Look, Marker};

/// What has no defense.
const UNDEFENDED: (Colour, Marker) = (Colour::Grey, Marker::Cross);

/// Defenses by the names of their presets.
const DEFENSES: [(&str, Colour, Marker); 8] = [
    ("super-fine-tuning", Colour::Vermillion, Marker::Star),
    ("fine-tuning", Colour::Orange, Marker::Circle),
    ("abl", Colour::Blue, Marker::Square),
    ("ac", Colour::SkyBlue, Marker::Triangle),
    ("fine-pruning", Colour::Green, Marker::Diamond),
    ("nad", Colour::Purple, Marker::TriangleDown),
    ("neural-cleanse", Colour::Black, Marker::Plus),
    ("spectral", Colour::Wine, Marker::TriangleLeft),
];

/// Looks for whatever else stands side by side, in turn.
const SERIES: [(Colour, Marker, Dash); 8] = [
    (Colour::Blue, Marker::Circle, Dash::Solid),
    (Colour::Vermillion, Marker::Triangle, Dash::Dashes),
    (Colour::Green, Marker::Square, Dash::DashDot),
    (Colour::Purple, Marker::Diamond, Dash::Dots),
    (Colour::Orange, Marker::TriangleDown, Dash::Solid),
    (Colour::SkyBlue, Marker::Star, Dash::Dashes),
    (Colour::Black, Marker::Plus, Dash::DashDot),
    (Colour::Wine, Marker::TriangleLeft, Dash::Dots),
];

fn mark(colour: Colour, marker: Marker) -> Look {
    Look { colour, marker: Some(marker), width: 0.8, ..Look::default() }
}

/// The mark of a model that no defense has cleaned.
pub fn undefended() -> Look {
    mark(UNDEFENDED.0, UNDEFENDED.1)
}

/// The mark of the defense called `name`, without a line; that of [`series`] 0 where there is no such defense.
pub fn defense(name: &str) -> Look {
    let entry = DEFENSES.iter().find(|(n, ..)| *n == name);
    entry.map_or_else(|| Look { dash: None, ..series(0) }, |(_, colour, marker)| mark(*colour, *marker))
}

/// Mark and line of the series number `index`. After eight the marks are hollow, after sixteen they begin anew.
pub fn series(index: usize) -> Look {
    let (colour, marker, dash) = SERIES[index % SERIES.len()];
    let marker = if index / SERIES.len() % 2 == 1 { marker.hollow() } else { marker };
    Look { dash: Some(dash), width: 1.1, ..mark(colour, marker) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Scenario;

    #[test]
    fn defenses_differ_in_shape_and_in_colour() {
        let names = Scenario::Standalone.choices("defense.name").unwrap();
        let mut looks: Vec<Look> = names.iter().map(|name| defense(name)).collect();
        looks.push(undefended());
        for (i, a) in looks.iter().enumerate() {
            assert!(looks[i + 1..].iter().all(|b| a.marker != b.marker && a.colour != b.colour));
        }
    }

    #[test]
    fn sixteen_series_have_marks_of_their_own() {
        let marks: Vec<_> = (0..16).map(|i| series(i).marker).collect();
        assert!(marks.iter().enumerate().all(|(i, mark)| !marks[i + 1..].contains(mark)));
    }
}
