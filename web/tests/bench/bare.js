// Reads a file and throws it away: in slices of a length, or as a stream into a buffer of its own where that is 0.
'use strict';

/** How long the buffer is that a stream is read into, in bytes. */
const BUFFER_LEN = 16 << 20;

async function slices(file, len) {
  let bytes = 0;
  while (bytes < file.size) {
    bytes += (await file.slice(bytes, Math.min(file.size, bytes + len)).arrayBuffer()).byteLength;
  }
  return bytes;
}

async function stream(file) {
  const reader = file.stream().getReader({ mode: 'byob' });
  let bytes = 0;
  let buffer = new ArrayBuffer(BUFFER_LEN);
  for (;;) {
    const { done, value } = await reader.read(new Uint8Array(buffer));
    if (done) return bytes;
    bytes += value.byteLength;
    buffer = value.buffer;
  }
}

onmessage = async ({ data: [{ Open }, file] }) => {
  const bytes = await (Open.sliceLen > 0 ? slices(file, Open.sliceLen) : stream(file));
  postMessage([{ Progress: { bytes, memory: 0 } }]);
  postMessage(['Done']);
};
postMessage(['Ready']);
