//! Convolution on Flex tensors: sizes checked, then the kernels of the instruction set in use.

use super::gemm;
use super::isa::Isa;
use super::shape::ConvShape;
use super::tensor::{contiguous, from_values, sizes};
#[cfg(target_arch = "x86_64")]
use super::{
    buffer::filled,
    direct::{Packed, correlate},
    input_gradient::input_gradient,
    lanes::{Avx2, Avx512, Lanes},
    layout::{Layout, Window},
    weight_gradient::weight_gradient,
};
use burn_flex::FlexTensor;

/// The convolution of `x` `[batch, in_channels, height, width]` with `weight` `[out_channels, in_channels, k, k]`.
pub fn forward(isa: Isa, x: &FlexTensor, weight: &FlexTensor, stride: usize, padding: usize) -> FlexTensor {
    let (x, weight) = (contiguous(x), contiguous(weight));
    let shape = ConvShape::new(sizes(&x), sizes(&weight), stride, padding);
    let y = forward_values(isa, &shape, x.storage(), weight.storage());
    from_values(y, [shape.batch, shape.out_channels, shape.out_height, shape.out_width])
}

/// Its gradients with respect to `x` and `weight` from that of its output, those that are wanted.
pub fn backward(
    isa: Isa,
    x: &FlexTensor,
    weight: &FlexTensor,
    dy: &FlexTensor,
    [stride, padding]: [usize; 2],
    [want_x, want_weight]: [bool; 2],
) -> [Option<FlexTensor>; 2] {
    let (x, weight, dy) = (contiguous(x), contiguous(weight), contiguous(dy));
    let shape = ConvShape::new(sizes(&x), sizes(&weight), stride, padding);
    assert_eq!(
        sizes(&dy),
        [shape.batch, shape.out_channels, shape.out_height, shape.out_width],
        "a convolution's gradient must have the size of its output"
    );
    let dx = want_x.then(|| from_values(input_values(isa, &shape, weight.storage(), dy.storage()), sizes::<4>(&x)));
    let dw = want_weight.then(|| from_values(weight_values(isa, &shape, x.storage(), dy.storage()), sizes::<4>(&weight)));
    [dx, dw]
}

fn forward_values(isa: Isa, shape: &ConvShape, x: &[f32], weight: &[f32]) -> Vec<f32> {
    #[cfg(target_arch = "x86_64")]
    match isa {
        Isa::Avx512 => {
            if let Some(lanes) = Avx512::detect() {
                return direct_forward::<_, 8, 3>(lanes, shape, x, weight);
            }
        }
        Isa::Avx2 => {
            if let Some(lanes) = Avx2::detect() {
                return direct_forward::<_, 4, 3>(lanes, shape, x, weight);
            }
        }
        Isa::Portable => {}
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = isa;
    gemm::forward(shape, x, weight)
}

fn input_values(isa: Isa, shape: &ConvShape, weight: &[f32], dy: &[f32]) -> Vec<f32> {
    #[cfg(target_arch = "x86_64")]
    match isa {
        Isa::Avx512 => {
            if let Some(lanes) = Avx512::detect() {
                return input_gradient::<_, 8, 3>(lanes, shape, weight, dy);
            }
        }
        Isa::Avx2 => {
            if let Some(lanes) = Avx2::detect() {
                return input_gradient::<_, 4, 3>(lanes, shape, weight, dy);
            }
        }
        Isa::Portable => {}
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = isa;
    gemm::input_gradient(shape, weight, dy)
}

fn weight_values(isa: Isa, shape: &ConvShape, x: &[f32], dy: &[f32]) -> Vec<f32> {
    #[cfg(target_arch = "x86_64")]
    match isa {
        Isa::Avx512 => {
            if let Some(lanes) = Avx512::detect() {
                // vectors of channels, lines and taps per line: up to 24 of the 32 registers are sums
                return match (shape.out_channels <= 16, shape.kernel) {
                    (true, 3) => weight_gradient::<_, 1, 6, 3>(lanes, shape, x, dy),
                    (true, _) => weight_gradient::<_, 1, 8, 1>(lanes, shape, x, dy),
                    (false, 3) => weight_gradient::<_, 2, 3, 3>(lanes, shape, x, dy),
                    (false, _) => weight_gradient::<_, 2, 8, 1>(lanes, shape, x, dy),
                };
            }
        }
        Isa::Avx2 => {
            if let Some(lanes) = Avx2::detect() {
                // 12 of the 16 registers are sums
                return match shape.kernel {
                    3 => weight_gradient::<_, 2, 2, 3>(lanes, shape, x, dy),
                    _ => weight_gradient::<_, 2, 6, 1>(lanes, shape, x, dy),
                };
            }
        }
        Isa::Portable => {}
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = isa;
    gemm::weight_gradient(shape, x, dy)
}

#[cfg(target_arch = "x86_64")]
fn direct_forward<L: Lanes, const ROWS: usize, const VECTORS: usize>(lanes: L, shape: &ConvShape, x: &[f32], weight: &[f32]) -> Vec<f32> {
    let (layout, taps) = (Layout::vectors(Window::forward(shape), L::N), shape.taps());
    let packed = Packed::<ROWS>::new(shape.out_channels, taps, |row, q| weight[row * taps + q]);
    let len = shape.batch * shape.out_image();
    // SAFETY: `correlate` writes every value.
    unsafe { filled(len, |y| correlate::<L, ROWS, VECTORS>(lanes, &layout, &packed, x, shape.image(), shape.out_plane(), y)) }
}
