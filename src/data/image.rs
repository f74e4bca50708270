//! Images at 8 bits, as every data set here holds them.

use super::DataError;

/// A stack of equally sized images, 8 bits a channel, planar: `[n][channel][row][column]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Images {
    /// Channels, height, width.
    pub shape: [usize; 3],
    /// `n * channels * height * width` bytes.
    pub pixels: Vec<u8>,
}

impl Images {
    /// An empty stack with room for `capacity` images.
    pub fn with_capacity(shape: [usize; 3], capacity: usize) -> Self {
        Self { shape, pixels: Vec::with_capacity(capacity * shape.iter().product::<usize>()) }
    }

    /// Bytes of one image.
    pub fn stride(&self) -> usize {
        self.shape.iter().product()
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.pixels.len() / self.stride().max(1)
    }

    /// Whether there is no image.
    pub fn is_empty(&self) -> bool {
        self.pixels.is_empty()
    }

    /// The planes of image `index`.
    pub fn get(&self, index: usize) -> &[u8] {
        &self.pixels[index * self.stride()..][..self.stride()]
    }

    /// The planes of image `index`, to be changed.
    pub fn get_mut(&mut self, index: usize) -> &mut [u8] {
        let stride = self.stride();
        &mut self.pixels[index * stride..][..stride]
    }

    /// Appends one image of the same shape.
    pub fn push(&mut self, planes: &[u8]) {
        debug_assert_eq!(planes.len(), self.stride());
        self.pixels.extend_from_slice(planes);
    }

    /// The images at `indices`, in that order.
    pub fn select(&self, indices: &[usize]) -> Self {
        let mut out = Self::with_capacity(self.shape, indices.len());
        for &index in indices {
            out.push(self.get(index));
        }
        out
    }

    /// Image `index` as interleaved RGB rows (a grey image is repeated over the channels).
    pub fn rgb(&self, index: usize) -> Vec<u8> {
        let [channels, height, width] = self.shape;
        let (plane, planes) = (height * width, self.get(index));
        (0..plane * 3).map(|i| planes[(i % 3).min(channels - 1) * plane + i / 3]).collect()
    }
}

/// The difference of two images value by value, amplified, and by how much: the largest of x8, x4, x2, x1 that clips nothing.
pub fn difference(clean: &[u8], triggered: &[u8]) -> (Vec<u8>, u8) {
    let apart: Vec<u8> = clean.iter().zip(triggered).map(|(a, b)| a.abs_diff(*b)).collect();
    let largest = apart.iter().copied().max().unwrap_or(0);
    let gain = [8u8, 4, 2].into_iter().find(|g| u16::from(largest) * u16::from(*g) <= 255).unwrap_or(1);
    (apart.into_iter().map(|d| d.saturating_mul(gain)).collect(), gain)
}

/// Labelled images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// The pictures.
    pub images: Images,
    /// One class index per picture.
    pub labels: Vec<u16>,
}

impl Split {
    /// Number of samples.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The samples at `indices`, in that order.
    pub fn select(&self, indices: &[usize]) -> Self {
        Self { images: self.images.select(indices), labels: indices.iter().map(|&i| self.labels[i]).collect() }
    }

    /// The first `count` samples, or all of them when `count` is 0.
    ///
    /// # Errors
    /// When fewer are there; `what` names the split in the message.
    pub fn first(mut self, count: usize, what: &str) -> Result<Self, DataError> {
        if count > self.len() {
            return Err(DataError::TooFew { what: what.to_owned(), there: self.len(), wanted: count });
        }
        if count > 0 {
            self.labels.truncate(count);
            let stride = self.images.stride();
            self.images.pixels.truncate(count * stride);
        }
        Ok(self)
    }
}

/// Per-channel mean and deviation of pixels in 0..1, by which the network's input is normalised.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normalise {
    /// Mean of each channel.
    pub mean: [f32; 3],
    /// Standard deviation of each channel.
    pub std: [f32; 3],
}

/// A data set in memory.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// The name that presets use, for instance `signs-12`.
    pub name: String,
    /// What each label stands for.
    pub classes: Vec<String>,
    /// Input normalisation of this set (spec.md 1.1).
    pub normalise: Normalise,
    /// Training samples.
    pub train: Split,
    /// Test samples.
    pub test: Split,
}

impl Dataset {
    /// Makes sure that there is a class `target`: of some sets only the files tell.
    ///
    /// # Errors
    /// When there is none.
    pub fn has_class(&self, target: u16) -> Result<(), DataError> {
        let (target, classes) = (usize::from(target), self.classes.len());
        if target < classes { Ok(()) } else { Err(DataError::NoClass { set: self.name.clone(), target, classes }) }
    }

    /// A hash of every pixel and label: two runs share a backdoored model only when it agrees.
    pub fn fingerprint(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for split in [&self.train, &self.test] {
            hasher.update(&(split.len() as u64).to_le_bytes());
            hasher.update(&split.images.pixels);
            for label in &split.labels {
                hasher.update(&label.to_le_bytes());
            }
        }
        hasher.finalize().to_hex()[..16].to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_amplified_as_far_as_nothing_clips() {
        assert_eq!(difference(&[10, 20], &[10, 50]), (vec![0, 240], 8));
        assert_eq!(difference(&[10, 20], &[10, 60]), (vec![0, 160], 4));
        assert_eq!(difference(&[0, 20], &[255, 20]), (vec![255, 0], 1));
    }
}
