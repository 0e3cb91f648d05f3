import type { BinaryNode } from '@whiskeysockets/baileys';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Harness } from '../testing/harness.js';

let harness: Harness;

beforeAll(async () => {
  harness = await Harness.start();
});

afterAll(async () => {
  await harness?.stop();
});

function streamError(code: string, ...content: BinaryNode[]): BinaryNode {
  return { tag: 'stream:error', attrs: { code }, content };
}

const removed = streamError('401', { tag: 'conflict', attrs: { type: 'device_removed' } });

// WhatsApp says why it ends a connection, and leaves closing to the client, which has time to decrypt more messages.
it.each([
  ['the device is removed', removed, 'logged_out', 'device-removed'],
  ['another one replaces it', streamError('440'), 'reconnecting', 'replaced'],
  ['the account is blocked', streamError('403'), 'failed', 'forbidden'],
  ['there are too many', streamError('429'), 'reconnecting', 'rate-limited'],
] as const)(
  'a connection that ends while messages are decrypted, since %s, ends for that reason',
  async (_why, stanza, status, reason) => {
    const phone = harness.simulator.addPhone({ name: 'Anna' });
    const carl = harness.simulator.addPhone({ name: 'Carl' });
    const test = await harness.newSession();
    await test.link(phone);
    const [device] = phone.devices.values();
    const sent = Promise.all(Array.from({ length: 5 }, (_, index) => carl.send(phone, `${index}`)));
    device?.send(stanza);
    await sent;
    expect(await test.status(status)).toMatchObject({ reason });
    test.session.discard();
  },
);
