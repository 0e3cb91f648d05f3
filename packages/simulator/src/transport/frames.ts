import { NOISE_WA_HEADER } from '@whiskeysockets/baileys';

const routingMark = Buffer.from([0x45, 0x44, 0x00, 0x01]);

/**
 * Cuts a client's byte stream into frames. The stream starts with `WA 06 03`, before which a client that was
 * given `edge_routing` puts `ED 00 01`, a 3-byte length and that routing info; each frame has a 3-byte length.
 */
export class FrameReader {
  #buffer: Buffer = Buffer.alloc(0);
  #introduced = false;

  /** Returns the frames that these bytes complete. Throws if the stream does not start with the expected header. */
  push(data: Buffer): Buffer[] {
    this.#buffer = this.#buffer.length === 0 ? data : Buffer.concat([this.#buffer, data]);
    if (!this.#introduced && !this.#skipIntroduction()) return [];
    const frames: Buffer[] = [];
    while (this.#buffer.length >= 3) {
      const end = 3 + this.#buffer.readUIntBE(0, 3);
      if (this.#buffer.length < end) break;
      frames.push(this.#buffer.subarray(3, end));
      this.#buffer = this.#buffer.subarray(end);
    }
    return frames;
  }

  #skipIntroduction(): boolean {
    let start = 0;
    if (this.#buffer.subarray(0, routingMark.length).equals(routingMark)) {
      if (this.#buffer.length < 7) return false;
      start = 7 + this.#buffer.readUIntBE(4, 3);
    }
    const header = this.#buffer.subarray(start, start + NOISE_WA_HEADER.length);
    if (header.length < NOISE_WA_HEADER.length) return false;
    if (!header.equals(NOISE_WA_HEADER)) throw new Error('not a WhatsApp Web client: wrong header');
    this.#introduced = true;
    this.#buffer = this.#buffer.subarray(start + NOISE_WA_HEADER.length);
    return true;
  }
}

/** A frame as the server sends it: 3-byte length, then the payload. */
export function frame(payload: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(3 + payload.length);
  framed.writeUIntBE(payload.length, 0, 3);
  framed.set(payload, 3);
  return framed;
}
