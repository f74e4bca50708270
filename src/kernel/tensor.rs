//! In and out of Flex tensors.

use burn::tensor::{Bytes, DType, Shape};
use burn_flex::{FlexTensor, Layout};

/// A contiguous tensor of `sizes` from its float32 values.
pub fn from_values<const D: usize>(values: Vec<f32>, sizes: [usize; D]) -> FlexTensor {
    debug_assert_eq!(values.len(), sizes.iter().product::<usize>());
    FlexTensor::new(Bytes::from_elems(values), Layout::contiguous(Shape::new(sizes)), DType::F32)
}

/// The sizes of a tensor that has `D` axes; missing ones are 1.
pub fn sizes<const D: usize>(x: &FlexTensor) -> [usize; D] {
    let mut sizes = [1; D];
    for (to, from) in sizes.iter_mut().zip(x.layout().shape().as_slice()) {
        *to = *from;
    }
    sizes
}

/// Whether all of `tensors` hold float32, the only kind that the kernels compute.
pub fn all_float32(tensors: &[&FlexTensor]) -> bool {
    tensors.iter().all(|x| x.dtype() == DType::F32)
}

/// The tensor with its values in order and nothing else in its buffer. A gradient that is the same for all pixels of a
/// plane, as global average pooling's is, is spread by plain fills.
pub fn contiguous(x: &FlexTensor) -> FlexTensor {
    let layout = x.layout();
    if let (&[image, channel, 0, 0], &[batch, channels, height, width]) = (layout.strides(), layout.shape().as_slice()) {
        let (source, plane) = (x.storage::<f32>(), height * width);
        let mut values = Vec::with_capacity(batch * channels * plane);
        for i in 0..batch * channels {
            let at = (i / channels) as isize * image + (i % channels) as isize * channel;
            values.resize(values.len() + plane, source[layout.start_offset().wrapping_add_signed(at)]);
        }
        return from_values(values, [batch, channels, height, width]);
    }
    x.to_contiguous()
}
