/** At least this much of a frame's payload, or all of a shorter one, is there when the frame is told. */
const HEAD_BYTES = 256;
const LONGEST_HEADER = 10;

interface Header {
  readonly opcode: number;
  readonly length: number;
  readonly payload: number;
}

/**
 * Reads the frames that a WebSocket server sends, without copying or even looking at most of their bytes, so that a
 * generator of load costs little beside what it loads. RFC 6455, section 5.2; a server does not mask.
 */
export class FrameReader {
  readonly #onFrame: (opcode: number, head: Buffer) => void;
  #toSkip = 0;
  #kept: Buffer | undefined;

  /** @param onFrame is given each frame's opcode and the first bytes of its payload, valid during the call only. */
  constructor(onFrame: (opcode: number, head: Buffer) => void) {
    this.#onFrame = onFrame;
  }

  /** Takes the next bytes, which may begin and end anywhere in a frame. They are the caller's again afterwards. */
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

  /** Tells the frame that begins here and gives its whole size; undefined while too little of it is there. */
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
