//! A picture in a panel.

/// A picture and where it comes from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Picture {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Red, green and blue of each pixel, row by row.
    pub rgb: Vec<u8>,
    /// How much it was amplified.
    pub gain: u8,
    /// What was read.
    pub origin: Origin,
}

/// Where a picture was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Origin {
    /// Run directory.
    pub run: String,
    /// The run's seed.
    pub seed: u64,
    /// Number among the run's samples.
    pub sample: usize,
    /// Index of the test image, where the log tells.
    pub index: Option<usize>,
    /// File within the run directory.
    pub file: String,
}

impl Picture {
    /// The colour at a place; black outside.
    pub fn at(&self, x: usize, y: usize) -> [u8; 3] {
        let at = (y * self.width + x) * 3;
        self.rgb.get(at..at + 3).map_or([0; 3], |p| [p[0], p[1], p[2]])
    }
}
