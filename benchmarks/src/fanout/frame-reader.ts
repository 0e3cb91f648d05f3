/** A frame is reported once this number of bytes of its payload is there, or all of a shorter payload. */
const HEAD_BYTES = 256;
const LONGEST_HEADER = 10;

interface Header {
  readonly opcode: number;
  readonly length: number;
  readonly payload: number;
}

/**
 * Reads the frames that a WebSocket server sends, without copying or reading most of their bytes, so that a load
 * generator uses little CPU compared with the server. RFC 6455, section 5.2; a server does not mask.
 */
export class FrameReader {
  readonly #onFrame: (opcode: number, head: Buffer) => void;
  #toSkip = 0;
  #kept: Buffer | undefined;

  /** @param onFrame gets each frame's opcode and the first bytes of its payload, valid only during the call. */
  constructor(onFrame: (opcode: number, head: Buffer) => void) {
    this.#onFrame = onFrame;
  }

  /** Reads the next bytes, which may begin and end anywhere in a frame. The caller may reuse them afterwards. */
  push(bytes: Buffer): void {
    let offset = Math.min(this.#toSkip, bytes.length);
    this.#toSkip -= offset;
    if (this.#kept !== undefined) {
      const kept = this.#kept;
      const beginning = Buffer.concat([
        kept,
        bytes.subarray(offset, offset + LONGEST_HEADER + HEAD_BYTES - kept.length),
      ]);
      this.#kept = undefined;
      const size = this.#readFrame(beginning, 0);
      if (size === undefined) {
        this.#kept = beginning;
        return;
      }
      offset = this.#advance(offset, size - kept.length, bytes.length);
    }
    while (offset < bytes.length) {
      const size = this.#readFrame(bytes, offset);
      if (size === undefined) {
        this.#kept = Buffer.from(bytes.subarray(offset));
        return;
      }
      offset = this.#advance(offset, size, bytes.length);
    }
  }

  #advance(offset: number, size: number, end: number): number {
    this.#toSkip = Math.max(0, offset + size - end);
    return Math.min(offset + size, end);
  }

  /** Reports the frame that begins here and returns its whole size. Undefined while too little of it is there. */
  #readFrame(bytes: Buffer, offset: number): number | undefined {
    const header = readHeader(bytes, offset);
    if (header === undefined) return undefined;
    const { opcode, length, payload } = header;
    const headEnd = payload + Math.min(length, HEAD_BYTES);
    if (headEnd > bytes.length) return undefined;
    this.#onFrame(opcode, bytes.subarray(payload, headEnd));
    return payload - offset + length;
  }
}

function readHeader(bytes: Buffer, offset: number): Header | undefined {
  if (bytes.length < offset + 2) return undefined;
  const opcode = bytes.readUInt8(offset) & 0x0f;
  const short = bytes.readUInt8(offset + 1) & 0x7f;
  if (short < 126) return { opcode, length: short, payload: offset + 2 };
  if (short === 126) {
    if (bytes.length < offset + 4) return undefined;
    return { opcode, length: bytes.readUInt16BE(offset + 2), payload: offset + 4 };
  }
  if (bytes.length < offset + LONGEST_HEADER) return undefined;
  return {
    opcode,
    length: Number(bytes.readBigUInt64BE(offset + 2)),
    payload: offset + LONGEST_HEADER,
  };
}
