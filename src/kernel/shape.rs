//! The sizes of a convolution.

/// A convolution of images `[batch, in_channels, height, width]` with a square `weight`
/// `[out_channels, in_channels, kernel, kernel]` to `[batch, out_channels, out_height, out_width]`, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvShape {
    pub batch: usize,
    pub in_channels: usize,
    pub height: usize,
    pub width: usize,
    pub out_channels: usize,
    pub kernel: usize,
    pub stride: usize,
    pub padding: usize,
    pub out_height: usize,
    pub out_width: usize,
}

impl ConvShape {
    /// The sizes that follow from those of the input and the weight.
    ///
    /// # Panics
    /// If the two do not fit each other, the kernel is not square, the stride is 0 or the kernel is larger than the
    /// padded input: the kernels rely on it.
    pub fn new(x: [usize; 4], weight: [usize; 4], stride: usize, padding: usize) -> Self {
        let [batch, in_channels, height, width] = x;
        let [out_channels, weight_channels, kernel, kernel_width] = weight;
        assert_eq!(in_channels, weight_channels, "a convolution's input and weight differ in channels");
        assert_eq!(kernel, kernel_width, "a convolution's kernel must be square");
        assert!(stride > 0, "a convolution's stride must be at least 1");
        assert!(kernel > 0 && kernel <= height.min(width) + 2 * padding, "a convolution's kernel is larger than its padded input");
        let out = |size: usize| (size + 2 * padding - kernel) / stride + 1;
        Self { batch, in_channels, height, width, out_channels, kernel, stride, padding, out_height: out(height), out_width: out(width) }
    }

    /// Values in one input image.
    pub fn image(&self) -> usize {
        self.in_channels * self.height * self.width
    }

    /// Pixels in one output plane.
    pub fn out_plane(&self) -> usize {
        self.out_height * self.out_width
    }

    /// Values in one output image.
    pub fn out_image(&self) -> usize {
        self.out_channels * self.out_plane()
    }

    /// Multiplications per output value: a row of the weight.
    pub fn taps(&self) -> usize {
        self.in_channels * self.kernel * self.kernel
    }
}
