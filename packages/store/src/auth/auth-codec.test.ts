import { initAuthCreds, proto } from '@whiskeysockets/baileys';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeAuthValue, encodeAuthValue } from './auth-codec.js';

const roundTrip = (value: unknown) => decodeAuthValue(encodeAuthValue(value));

test('keeps credentials as Baileys makes them', () => {
  const creds = initAuthCreds();
  const back = roundTrip(creds);
  expect(back).toEqual(JSON.parse(JSON.stringify(creds), reviveBytes));
});

/** As JSON, undefined fields are left out and bytes are Buffers. */
function reviveBytes(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('type' in value) || !('data' in value)) return value;
  return value.type === 'Buffer' && Array.isArray(value.data) ? Buffer.from(value.data) : value;
}

test('keeps bytes as Buffers, alone and inside', () => {
  const bytes = Uint8Array.of(0, 1, 255);
  expect(roundTrip(bytes)).toEqual(Buffer.from(bytes));
  expect(roundTrip({ public: bytes, list: [bytes, null] })).toEqual({
    public: Buffer.from(bytes),
    list: [Buffer.from(bytes), null],
  });
});

test('does not take an object with numbers for bytes', () => {
  expect(roundTrip({ 0: 1, 1: 2 })).toEqual({ 0: 1, 1: 2 });
});

test('keeps protobuf messages so that they can be encoded again', () => {
  const key = proto.Message.AppStateSyncKeyData.decode(
    proto.Message.AppStateSyncKeyData.encode({
      keyData: Buffer.alloc(32, 7),
      fingerprint: { rawId: 4_000_000_000, currentIndex: 2, deviceIndexes: [0, 1] },
      timestamp: 1_760_000_000_123,
    }).finish(),
  );
  const back = proto.Message.AppStateSyncKeyData.fromObject(Object(roundTrip(key)));
  expect(Buffer.from(proto.Message.AppStateSyncKeyData.encode(back).finish())).toEqual(
    Buffer.from(proto.Message.AppStateSyncKeyData.encode(key).finish()),
  );
  expect(roundTrip(key)).toMatchObject({ keyData: Buffer.alloc(32, 7), timestamp: 1_760_000_000_123 });
});

test('keeps every value that JSON can hold, including keys with dollars', () => {
  const key = fc.oneof(fc.string(), fc.constantFrom('$bytes', '$$bytes', '$', '__isLong__'));
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof({ maxDepth: 4 }, fc.jsonValue(), fc.dictionary(key, tie('tree')), fc.array(tie('tree'))),
  }));
  fc.assert(
    fc.property(tree, (value) => {
      expect(roundTrip(value)).toEqual(JSON.parse(JSON.stringify(value)));
    }),
    { numRuns: 300 },
  );
});
