//! How an image is laid out for the kernels, so that every tap of the filter reads plain runs of memory.
//!
//! A kernel works on vectors of consecutive output pixels. For a tap `(ky, kx)` the pixels they multiply must be
//! consecutive too, and the zero padding must be real zeros. [`Layout::expand`] makes it so, in one of three ways:
//!
//! ```text
//! Whole    the image as it is (1 x 1, stride 1, no padding)
//! Padded   each plane with its zeros around it; a tap is an offset
//! Shifted  one copy per kx, its rows split by the stride, as wide as the output: any stride, any width
//! ```

use super::lanes::Lanes;
use super::shape::ConvShape;

/// A correlation over one image: output pixel `(oy, ox)` reads `(oy * stride + ky - top, ox * stride + kx - left)` for
/// each tap `(ky, kx)`, zero where that is outside. Forward convolution is one of these, the input gradient a few.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub channels: usize,
    pub height: usize,
    pub width: usize,
    /// Taps down and across.
    pub kernel: [usize; 2],
    pub stride: usize,
    /// Rows and columns of zeros before the image; negative: rows and columns of it that are skipped.
    pub padding: [isize; 2],
    pub out_height: usize,
    pub out_width: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Whole,
    Padded,
    Shifted,
}

/// Where everything lies in an expanded image.
#[derive(Clone, Debug)]
pub struct Layout {
    window: Window,
    kind: Kind,
    /// Row phases: rows `r * phases + phase` lie together.
    phases: usize,
    /// Rows per phase.
    rows: usize,
    /// Floats from one row to the next.
    pub pitch: usize,
    /// Floats of an expanded image, with room for a vector that reads beyond the last row.
    pub size: usize,
    /// How a plane is copied, once per horizontal tap that has a copy of its own.
    copies: Vec<Vec<Move>>,
}

/// A vector to be copied: lane `i` of the target is value `from + i * step` of the source plane if bit `i * step` is set,
/// 0 if not. (Two vectors' bits: the lanes lie in the second where `step` is 2.)
#[derive(Clone, Copy, Debug)]
struct Move {
    to: usize,
    from: isize,
    bits: [u32; 2],
}

impl Layout {
    /// The layout for vectors of `lanes` consecutive output pixels.
    pub fn vectors(window: Window, lanes: usize) -> Self {
        let Window { kernel: [kernel_height, kernel_width], stride, out_height, out_width, .. } = window;
        if window.is_whole() && (out_height * out_width).is_multiple_of(lanes) {
            return Self::whole(window);
        }
        if stride == 1 && out_width.is_multiple_of(lanes) {
            return Self::padded(window, lanes);
        }
        let (phases, rows) = (stride.min(kernel_height), out_height + (kernel_height - 1) / stride);
        let size = (kernel_width * window.channels * phases * rows * out_width + lanes).next_multiple_of(lanes);
        Self { window, kind: Kind::Shifted, phases, rows, pitch: out_width, size, copies: Vec::new() }.with_moves(lanes)
    }

    /// The layout for reading single pixels: at most padded.
    pub fn pixels(window: Window, lanes: usize) -> Self {
        if window.padding == [0, 0] {
            return Self::whole(window);
        }
        Self::padded(window, lanes)
    }

    fn whole(window: Window) -> Self {
        let Window { channels, height, width, .. } = window;
        let size = channels * height * width;
        Self { window, kind: Kind::Whole, phases: 1, rows: height, pitch: width, size, copies: Vec::new() }
    }

    fn padded(window: Window, lanes: usize) -> Self {
        let reach = |out: usize, kernel: usize| out.saturating_sub(1) * window.stride + kernel;
        let (rows, width) = (reach(window.out_height, window.kernel[0]), reach(window.out_width, window.kernel[1]));
        // long rows start on a cache line
        let pitch = if width > lanes { width.next_multiple_of(lanes) } else { width };
        let size = (window.channels * rows * pitch + lanes).next_multiple_of(lanes);
        Self { window, kind: Kind::Padded, phases: 1, rows, pitch, size, copies: Vec::new() }.with_moves(lanes)
    }

    fn with_moves(mut self, lanes: usize) -> Self {
        let copies = if self.kind == Kind::Padded { 1 } else { self.window.kernel[1] };
        self.copies = (0..copies).map(|kx| self.moves(kx, lanes)).collect();
        self
    }

    /// Source pixels from one target pixel to the next.
    fn step(&self) -> usize {
        if self.kind == Kind::Padded { 1 } else { self.window.stride }
    }

    /// How a plane is copied for the horizontal tap `kx`.
    fn moves(&self, kx: usize, lanes: usize) -> Vec<Move> {
        let (step, width, height) = (self.step(), self.window.width as isize, self.window.height as isize);
        // where target and source rows are equally long, a vector may hold several
        let together = if step == 1 && self.pitch == self.window.width && self.pitch <= lanes { lanes / self.pitch } else { 1 };
        // steps beyond 2 go lane by lane
        let stride = if step > 2 { 1 } else { lanes.min(together * self.pitch) };
        let mut moves = Vec::new();
        for phase in 0..self.phases {
            for row in (0..self.rows).step_by(together) {
                for column in (0..together * self.pitch).step_by(stride) {
                    let source = |lane: usize| {
                        let (r, c) = (row + (column + lane) / self.pitch, (column + lane) % self.pitch);
                        let y = (r * step + phase) as isize - self.window.padding[0];
                        let x = (c * step + kx) as isize - self.window.padding[1];
                        let inside = r < self.rows && (0..height).contains(&y) && (0..width).contains(&x);
                        (y * width + x, inside)
                    };
                    let mut bits = 0u64;
                    for lane in 0..stride.min(together * self.pitch - column) {
                        bits |= u64::from(source(lane).1) << (lane * step.min(2));
                    }
                    let bits = [bits & ((1 << lanes) - 1), bits >> lanes].map(|bits| bits as u32);
                    moves.push(Move { to: (phase * self.rows + row) * self.pitch + column, from: source(0).0, bits });
                }
            }
        }
        moves
    }

    /// Whether the image is used as it is.
    pub fn is_whole(&self) -> bool {
        self.kind == Kind::Whole
    }

    /// Floats of scratch that `count` expanded images take.
    pub fn scratch(&self, count: usize) -> usize {
        if self.is_whole() { 0 } else { count * self.size }
    }

    /// Offset of the value that output pixel (0, 0) reads for a tap.
    pub fn tap(&self, channel: usize, ky: usize, kx: usize) -> usize {
        match self.kind {
            Kind::Whole | Kind::Padded => (channel * self.rows + ky) * self.pitch + kx,
            Kind::Shifted => {
                let (phase, row) = (ky % self.window.stride, ky / self.window.stride);
                (((kx * self.window.channels + channel) * self.phases + phase) * self.rows + row) * self.pitch
            }
        }
    }

    /// The offsets of all taps, in the order of a weight's row: channel, ky, kx.
    pub fn taps(&self) -> Vec<usize> {
        let [height, width] = self.window.kernel;
        let one = |q: usize| self.tap(q / (height * width), q / width % height, q % width);
        (0..self.window.channels * height * width).map(one).collect()
    }

    /// What to add to a tap's offset for output pixel number `pixel` of the plane (stride 1 or shifted).
    #[inline(always)]
    pub fn pixel(&self, pixel: usize) -> usize {
        match self.kind {
            Kind::Padded => pixel / self.window.out_width * self.pitch + pixel % self.window.out_width,
            Kind::Whole | Kind::Shifted => pixel,
        }
    }

    /// Writes the expanded form of `image` `[channels, height, width]` to `to`, of length [`Self::size`].
    ///
    /// # Safety
    /// Only inside [`Lanes::run`].
    #[inline(always)]
    pub unsafe fn expand<L: Lanes>(&self, image: &[f32], to: &mut [f32]) {
        let (channels, plane) = (self.window.channels, self.window.height * self.window.width);
        assert!(image.len() == channels * plane && to.len() == self.size && self.kind != Kind::Whole);
        let (target, two) = (self.phases * self.rows * self.pitch, self.step() == 2);
        for (kx, moves) in self.copies.iter().enumerate() {
            for channel in 0..channels {
                let from = image[channel * plane..].as_ptr();
                // SAFETY: the caller is inside `Lanes::run`. Bits are set for pixels of the plane alone, and masked loads
                // touch nothing else. A move's target begins inside the target plane, so a vector ends inside `to`, which
                // has room for one more; what it writes beyond its lanes is written again by a later move.
                unsafe {
                    let to = to.as_mut_ptr().add((kx * channels + channel) * target);
                    for m in moves {
                        let at = from.wrapping_offset(m.from);
                        let mut value = L::load_masked(at, L::mask(m.bits[0]));
                        if two {
                            value = L::even(value, L::load_masked(at.wrapping_add(L::N), L::mask(m.bits[1])));
                        }
                        L::store(to.add(m.to), value);
                    }
                }
            }
        }
    }
}

impl Window {
    /// What a convolution's output reads of its input.
    pub fn forward(shape: &ConvShape) -> Self {
        Self {
            channels: shape.in_channels,
            height: shape.height,
            width: shape.width,
            kernel: [shape.kernel; 2],
            stride: shape.stride,
            padding: [shape.padding as isize; 2],
            out_height: shape.out_height,
            out_width: shape.out_width,
        }
    }

    /// Whether each output pixel reads just the input pixel of its place.
    fn is_whole(&self) -> bool {
        self.kernel == [1, 1] && self.stride == 1 && self.padding == [0, 0] && (self.out_height, self.out_width) == (self.height, self.width)
    }
}
