import { appendFileSync, closeSync, openSync, readSync } from 'node:fs';

/** A part of a recording. It begins with the end of the part before, so that no secret is split. */
export interface RecordedPart {
  readonly bytes: Buffer;
  /** Where it begins in the whole. */
  readonly offset: number;
}

const PART_BYTES = 4 * 1024 ** 2;
/** More than a secret takes in any form, however spaced. */
const OVERLAP_BYTES = 4 * 1024;
const IN_MEMORY_BYTES = 1024 ** 2;

/** A stream of bytes from one place. Keeps at most 1 MB in memory. */
export class Recording {
  /** Where they are from, for a person. */
  readonly name: string;
  readonly #newFile: () => string;
  #file: string | undefined;
  #fileBytes = 0;
  #chunks: Buffer[] = [];
  #memoryBytes = 0;

  /** @param newFile returns the path of a file that does not exist, for what exceeds the memory. */
  constructor(name: string, newFile: () => string) {
    this.name = name;
    this.#newFile = newFile;
  }

  get size(): number {
    return this.#fileBytes + this.#memoryBytes;
  }

  append(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#memoryBytes += chunk.length;
    if (this.#memoryBytes < IN_MEMORY_BYTES) return;
    this.#file ??= this.#newFile();
    appendFileSync(this.#file, Buffer.concat(this.#chunks));
    this.#fileBytes += this.#memoryBytes;
    this.#chunks = [];
    this.#memoryBytes = 0;
  }

  *parts(): Generator<RecordedPart> {
    let offset = 0;
    let end: Buffer = Buffer.alloc(0);
    for (const piece of this.#pieces()) {
      const bytes = Buffer.concat([end, piece]);
      yield { bytes, offset: offset - end.length };
      offset += piece.length;
      end = bytes.subarray(-OVERLAP_BYTES);
    }
  }

  *#pieces(): Generator<Buffer> {
    if (this.#file !== undefined) {
      const file = openSync(this.#file, 'r');
      try {
        for (;;) {
          const piece = Buffer.alloc(PART_BYTES);
          const count = readSync(file, piece);
          if (count === 0) break;
          yield piece.subarray(0, count);
        }
      } finally {
        closeSync(file);
      }
    }
    if (this.#memoryBytes > 0) yield Buffer.concat(this.#chunks);
  }
}

/** The parts of what is in memory. */
export function* partsOf(whole: Buffer): Generator<RecordedPart> {
  for (let begin = 0; begin < whole.length; begin += PART_BYTES) {
    const offset = Math.max(0, begin - OVERLAP_BYTES);
    yield { bytes: whole.subarray(offset, begin + PART_BYTES), offset };
  }
}
