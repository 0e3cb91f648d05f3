/** Parsers of Redis replies. Each throws if the reply has another type, which means that a script is defective. */

export function asNumber(reply: unknown): number {
  if (typeof reply === 'number') return reply;
  throw new TypeError(`Redis answered ${typeof reply} in place of a number`);
}

export function asText(reply: unknown): string {
  if (typeof reply === 'string') return reply;
  throw new TypeError(`Redis answered ${typeof reply} in place of a text`);
}

export function asBuffer(reply: unknown): Buffer {
  if (Buffer.isBuffer(reply)) return reply;
  throw new TypeError(`Redis answered ${typeof reply} in place of bytes`);
}

export function asBufferOrNull(reply: unknown): Buffer | null {
  if (reply === null || Buffer.isBuffer(reply)) return reply;
  throw new TypeError(`Redis answered ${typeof reply} in place of bytes`);
}

export function asList(reply: unknown): readonly unknown[] {
  if (Array.isArray(reply)) return reply;
  throw new TypeError(`Redis answered ${typeof reply} in place of a list`);
}
