//! Device memory and its copies.

use super::device::Context;
use crate::backend::DeviceError;

/// Device memory, freed on drop.
#[derive(Debug)]
pub struct Buffer {
    pub(super) inner: wgpu::Buffer,
}

/// Bytes that a copy moves at least: WebGPU copies whole words.
const WORD: usize = 4;

impl Context {
    pub(super) fn alloc(&self, bytes: usize) -> Result<Buffer, DeviceError> {
        let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST;
        Ok(Buffer { inner: self.buffer(bytes as u64, usage)? })
    }

    pub(super) fn upload(&self, src: &[u8], dst: &Buffer) -> Result<(), DeviceError> {
        let (words, rest) = src.split_at(src.len() - src.len() % WORD);
        self.checked(src.len() as u64, || {
            if !words.is_empty() {
                self.queue.write_buffer(&dst.inner, 0, words);
            }
            if !rest.is_empty() {
                let mut last = [0; WORD];
                last[..rest.len()].copy_from_slice(rest);
                self.queue.write_buffer(&dst.inner, words.len() as u64, &last);
            }
            self.queue.submit([]);
        })?;
        self.wait()
    }

    pub(super) fn download(&self, src: &wgpu::Buffer, dst: &mut [u8]) -> Result<(), DeviceError> {
        if dst.is_empty() {
            return Ok(());
        }
        let size = dst.len().next_multiple_of(WORD) as u64;
        let host = self.buffer(size, wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST)?;
        self.checked(size, || {
            let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
            encoder.copy_buffer_to_buffer(src, 0, &host, 0, size);
            self.queue.submit([encoder.finish()]);
            host.map_async(wgpu::MapMode::Read, .., |_| {});
        })?;
        self.wait()?;
        let mapped = host.get_mapped_range(..).map_err(|e| DeviceError::Driver(e.to_string()))?;
        dst.copy_from_slice(&mapped[..dst.len()]);
        Ok(())
    }
}
