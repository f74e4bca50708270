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
        let size = kernel_width * window.channels * phases * rows * out_width + lanes;
        Self { window, kind: Kind::Shifted, phases, rows, pitch: out_width, size }
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
        Self { window, kind: Kind::Whole, phases: 1, rows: height, pitch: width, size: channels * height * width }
    }

    fn padded(window: Window, lanes: usize) -> Self {
        let reach = |out: usize, kernel: usize| out.saturating_sub(1) * window.stride + kernel;
        let (rows, pitch) = (reach(window.out_height, window.kernel[0]), reach(window.out_width, window.kernel[1]));
        Self { window, kind: Kind::Padded, phases: 1, rows, pitch, size: window.channels * rows * pitch + lanes }
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
        let Window { channels, height, width, kernel, stride, padding, .. } = self.window;
        assert!(image.len() == channels * height * width && to.len() == self.size && self.kind != Kind::Whole);
        let (copies, step) = if self.kind == Kind::Padded { (1, 1) } else { (kernel[1], stride) };
        let planes = self.phases * self.rows * self.pitch;
        for kx in 0..copies {
            let row = RowCopy { width, pitch: self.pitch, first: kx as isize - padding[1], step };
            for channel in 0..channels {
                let from = &image[channel * height * width..][..height * width];
                let start = (kx * channels + channel) * planes;
                for phase in 0..self.phases {
                    for r in 0..self.rows {
                        let y = (r * step + phase) as isize - padding[0];
                        let at = start + (phase * self.rows + r) * self.pitch;
                        // SAFETY: the caller is inside `Lanes::run`; a row begins `lanes` floats or more before the end.
                        unsafe { row.copy::<L>(from, y, to[at..].as_mut_ptr()) };
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

/// A row to be copied: value `i` of the target is value `first + i * step` of the source, 0 outside of it.
#[derive(Clone, Copy)]
struct RowCopy {
    /// Of the source row.
    width: usize,
    /// Of the target row.
    pitch: usize,
    first: isize,
    step: usize,
}

impl RowCopy {
    /// Copies row `y` of `plane` to `to`; may overwrite up to a vector beyond the row's end.
    ///
    /// # Safety
    /// Only inside [`Lanes::run`]; `to` must have `pitch + L::N` values.
    #[inline(always)]
    unsafe fn copy<L: Lanes>(self, plane: &[f32], y: isize, to: *mut f32) {
        let inside = y >= 0 && (y as usize) < plane.len() / self.width;
        let row = if inside { &plane[y as usize * self.width..][..self.width] } else { &[] };
        let n = L::N as isize;
        for i in (0..self.pitch).step_by(L::N) {
            // the source index of the vector's lane 0
            let from = self.first + (i * self.step) as isize;
            let left = row.len() as isize - from;
            let at = row.as_ptr().wrapping_offset(from);
            // SAFETY: masked loads touch only values of `row`; the store ends below `pitch + L::N`.
            unsafe {
                let value = match self.step {
                    1 => L::load_masked(at, L::mask(-from, left)),
                    2 => L::even(L::load_masked(at, L::mask(-from, left)), L::load_masked(at.wrapping_offset(n), L::mask(-from - n, left - n))),
                    _ => {
                        for lane in 0..L::N.min(self.pitch - i) {
                            let source = from + (lane * self.step) as isize;
                            let value = usize::try_from(source).ok().and_then(|s| row.get(s)).copied();
                            to.add(i + lane).write(value.unwrap_or(0.0));
                        }
                        continue;
                    }
                };
                L::store(to.add(i), value);
            }
        }
    }
}
