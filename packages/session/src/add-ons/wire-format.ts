/**
 * The bytes of a field in an encoded protobuf message, for messages that Baileys' schema lacks. Returns the last one if
 * there are several; undefined if there is none or the encoding is damaged.
 */
export function bytesOfField(encoded: Uint8Array, wanted: number): Uint8Array | undefined {
  let found: Uint8Array | undefined;
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; shift < 64; shift += 7) {
      const byte = encoded[at] ?? 0;
      at += 1;
      // Lengths and tags take 32 bits; what is beyond them is skipped.
      if (shift < 35) value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    return value;
  };
  while (at < encoded.length) {
    const tag = varint();
    const wireType = tag % 8;
    if (wireType === 0) varint();
    else if (wireType === 1) at += 8;
    else if (wireType === 5) at += 4;
    else if (wireType === 2) {
      const length = varint();
      if (Math.floor(tag / 8) === wanted) found = encoded.subarray(at, at + length);
      at += length;
    } else return undefined;
  }
  return at === encoded.length ? found : undefined;
}
