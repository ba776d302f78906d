//! Buffers whose numbers begin on a cache line. A vector register is as wide as a line or half of it, and
//! a load that reaches into two lines costs two: products ran 5 % slower on buffers from anywhere.

use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

/// A number that any bits make, zeros among them.
pub trait Number: Copy {}
impl Number for f32 {}
impl Number for i32 {}
impl Number for i16 {}

#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([u8; 64]);

/// A slice of numbers on whole cache lines.
pub struct Aligned<T> {
    lines: Vec<Line>,
    length: usize,
    of: PhantomData<T>,
}

impl<T: Number> Aligned<T> {
    pub fn zeros(length: usize) -> Self {
        let mut made = Self::default();
        made.grow(length);
        made
    }

    /// The same numbers, and zeros up to `length`.
    pub fn padded(numbers: &[T], length: usize) -> Self {
        let mut made = Self::zeros(length.max(numbers.len()));
        made[..numbers.len()].copy_from_slice(numbers);
        made
    }

    /// At least `length` numbers; new ones are zero.
    pub fn grow(&mut self, length: usize) {
        if length > self.length {
            self.lines.resize((length * size_of::<T>()).div_ceil(size_of::<Line>()), Line([0; 64]));
            self.length = length;
        }
    }
}

impl<T> Default for Aligned<T> {
    fn default() -> Self {
        Self { lines: Vec::new(), length: 0, of: PhantomData }
    }
}

impl<T: Number> Deref for Aligned<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        // SAFETY: the lines hold at least so many numbers, initialised, and any bits are a number.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.length) }
    }
}

impl<T: Number> DerefMut for Aligned<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as above, and they are borrowed alone.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.length) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_begin_on_a_line_and_stay_when_there_are_more() {
        let mut numbers = Aligned::padded(&[1i16, 2, 3], 5);
        assert_eq!(numbers[..], [1, 2, 3, 0, 0]);
        numbers.grow(2);
        assert_eq!(numbers.len(), 5);
        for length in [6, 32, 33, 1000] {
            numbers.grow(length);
            assert_eq!((numbers.len(), numbers.as_ptr() as usize % 64), (length, 0));
            assert!(numbers[..3] == [1, 2, 3] && numbers[3..].iter().all(|&n| n == 0));
            numbers[length - 1] = 7;
            numbers[length - 1] = 0;
        }
        assert!(Aligned::<f32>::default().is_empty());
    }
}
