import type { Phone } from '@wafleet/simulator';
import { waitFor } from '@wafleet/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Harness, type TestSession } from '../testing/harness.js';

let harness: Harness;

beforeAll(async () => {
  harness = await Harness.start();
});

afterAll(async () => {
  await harness?.stop();
});

/** Writes `1`, `2` and so on to a phone until `stop` is called, which returns the number of messages. */
function writeTo(phone: Phone): { stop: () => Promise<number> } {
  const writer = harness.simulator.addPhone({ name: 'Carl' });
  let isOver = false;
  const written = (async () => {
    let count = 0;
    while (!isOver) {
      count += 1;
      await writer.send(phone, { text: String(count) });
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return count;
  })();
  return {
    stop: () => {
      isOver = true;
      return written;
    },
  };
}

async function textsOf(session: TestSession): Promise<number[]> {
  const texts = (await session.events()).flatMap(({ payload }) =>
    Array.isArray(payload.messages)
      ? payload.messages.map(({ message }) => Number(message?.conversation))
      : [],
  );
  return texts.filter((text) => !Number.isNaN(text));
}

async function expectAll(session: TestSession, count: number): Promise<void> {
  const sent = Array.from({ length: count }, (_, index) => index + 1);
  const missing = async () => {
    const texts = new Set(await textsOf(session));
    return sent.filter((text) => !texts.has(text));
  };
  await waitFor(async () => (await missing()).length === 0, {
    what: `${count} messages`,
    timeoutMs: 60_000,
  }).catch(async (error: Error) => {
    throw new Error(`${error.message}; missing ${(await missing()).join(' ')}`, { cause: error });
  });
  expect(await textsOf(session)).toEqual(sent);
}

test('messages that waited for the login come before those that arrive after it, in their order', async () => {
  const phone = harness.simulator.addPhone({ name: 'Anna' });
  const session = await harness.newSession();
  await session.link(phone);
  const writing = writeTo(phone);
  for (let round = 0; round < 2; round += 1) {
    const before = (await textsOf(session)).length;
    const [device] = phone.devices.values();
    const { logins } = device?.loginRecord ?? { logins: 0 };
    harness.simulator.disconnect(phone, 'tcp');
    await waitFor(() => (device?.loginRecord.logins ?? 0) > logins, { what: 'the next login' });
    await session.status('open');
    await waitFor(async () => (await textsOf(session)).length > before + 20, { what: 'what was missed' });
  }
  await expectAll(session, await writing.stop());
});

test('a session that is stopped leaves the next one all messages that it did not begin', async () => {
  const phone = harness.simulator.addPhone({ name: 'Berta' });
  const first = await harness.newSession();
  await first.link(phone);
  const writing = writeTo(phone);
  await waitFor(async () => (await textsOf(first)).length > 10, { what: 'a stream of messages' });
  await first.session.stop({ reason: 'drain' });
  await harness.ownership.release(first.fence);
  const second = await harness.takeOver(first.fence);
  await second.session.start();
  await second.status('open');
  await expectAll(second, await writing.stop());
});
