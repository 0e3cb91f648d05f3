import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FrameReader } from './frame-reader.js';

function frameOf(text: string): Buffer {
  const payload = Buffer.from(text);
  const { length } = payload;
  if (length < 126) return Buffer.concat([Buffer.from([0x81, length]), payload]);
  if (length < 65_536) {
    return Buffer.concat([Buffer.from([0x81, 126, length >> 8, length & 0xff]), payload]);
  }
  const header = Buffer.alloc(10);
  header.set([0x81, 127]);
  header.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([header, payload]);
}

test('reports each frame once, for any split of the bytes', () => {
  const lengths = fc.array(fc.oneof(fc.nat(300), fc.nat(2_000), fc.integer({ min: 65_000, max: 66_000 })), {
    minLength: 1,
    maxLength: 8,
  });
  fc.assert(
    fc.property(lengths, fc.array(fc.integer({ min: 1, max: 3_000 }), { minLength: 1 }), (sizes, cuts) => {
      const texts = sizes.map((size, index) => `${index}:`.padEnd(size + 4, 'x'));
      const heads: string[] = [];
      const reader = new FrameReader((opcode, head) => heads.push(`${opcode} ${head}`));
      let rest = Buffer.concat(texts.map(frameOf));
      for (let turn = 0; rest.length > 0; turn += 1) {
        const cut = cuts[turn % cuts.length] ?? 1;
        reader.push(rest.subarray(0, cut));
        rest = rest.subarray(cut);
      }
      expect(heads).toEqual(texts.map((text) => `1 ${text.slice(0, 256)}`));
    }),
  );
});
