/** The bytes of a field that must be there; throws with the field's name otherwise. */
export function required(value: Uint8Array | null | undefined, field: string): Uint8Array {
  if (!value || value.length === 0) throw new Error(`missing field ${field}`);
  return value;
}

/** A big-endian unsigned number of at most 6 bytes. */
export function unsigned(bytes: Uint8Array): number {
  return Buffer.from(bytes).readUIntBE(0, bytes.length);
}

/** The big-endian form of a number, in `length` bytes. */
export function bigEndian(value: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  bytes.writeUIntBE(value, 0, length);
  return bytes;
}
