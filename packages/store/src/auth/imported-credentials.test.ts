import { initAuthCreds } from '@whiskeysockets/baileys';
import { expect, test } from 'vitest';
import { decodeAuthValue, encodeAuthValue } from './auth-codec.js';
import { Cipher } from './cipher.js';
import { fieldsOfImport, placeOfImport, sealImport } from './imported-credentials.js';
import { WorkerBoxes } from './worker-box.js';

const boxes = new WorkerBoxes(Cipher.fromHexKeys('07'.repeat(32)));
const shop = { tenantId: 'tnt_a', sessionId: 'shop' };
const creds = initAuthCreds();

type Records = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

async function sealedAndOpened(records: Records): Promise<Buffer> {
  const keys = new Map(Object.entries(records).map(([type, all]) => [type, new Map(Object.entries(all))]));
  return boxes.open(await sealImport(boxes.publicKey, shop, { creds, keys }), placeOfImport(shop));
}

test.each([
  ['no records', {}],
  ['no records of a type', { session: {} }],
  [
    'bytes, texts and objects with odd names',
    {
      'identity-key': { '1.0': Buffer.alloc(33, 5) },
      'lid-mapping': { '15551230001': '30000000001', '"{}",': '1' },
      session: { '1.0': { version: 'v1', $bytes: 1, nested: { $odd: [Buffer.of(1), null, '}'] } } },
    },
  ],
] as const)('sealed credentials with %s open to what was sealed', async (_what, records: Records) => {
  const opened = await sealedAndOpened(records);
  const named = Object.entries(records).flatMap(([type, all]) =>
    Object.entries(all).map(([id, record]) => [`${type}:${id}`, record] as const),
  );
  const content = { creds, records: Object.fromEntries(named) };
  expect(decodeAuthValue(opened)).toEqual(decodeAuthValue(encodeAuthValue(content)));
  const fields = [...fieldsOfImport(opened)].map(([field, value]) => [field, decodeAuthValue(value)]);
  expect(fields.at(-1)).toEqual(['creds', decodeAuthValue(encodeAuthValue(creds))]);
  expect(Object.fromEntries(fields.slice(0, -1))).toEqual(content.records);
});

test('many credentials are sealed in steps, between which the process does other work', async () => {
  const pairs = Array.from({ length: 5_000 }, (_, index) => [String(index), String(index)] as const);
  let turns = -1;
  let next: NodeJS.Immediate | undefined;
  const turn = () => {
    turns += 1;
    next = setImmediate(turn);
  };
  turn();
  await sealedAndOpened({ 'lid-mapping': Object.fromEntries(pairs) });
  clearImmediate(next);
  expect(turns).toBeGreaterThanOrEqual(40);
});
