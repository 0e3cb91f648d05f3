import { waitFor } from '@wafleet/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Harness, type TestSession } from '../testing/harness.js';

/**
 * How far the writer may be ahead of the slowest session. On a slow machine the test takes longer instead of sending
 * more messages.
 */
const MAX_AHEAD = 20;

let harness: Harness;

beforeAll(async () => {
  harness = await Harness.start();
});

afterAll(async () => {
  await harness?.stop();
});

/** The numbers among the texts that a session has published, in their order, without repeated ones. */
async function numbersOf(session: TestSession): Promise<number[]> {
  const numbers = (await session.events()).flatMap(({ payload }) =>
    Array.isArray(payload.messages)
      ? payload.messages.map(({ message }) => Number(message?.conversation))
      : [],
  );
  return [...new Set(numbers.filter((number) => !Number.isNaN(number)))];
}

test('sessions whose process ends leave the next process the messages that are not in the log', async () => {
  const { simulator } = harness;
  const phones = ['Anna', 'Berta', 'Cora'].map((name) => simulator.addPhone({ name }));
  const writer = simulator.addPhone({ name: 'Dora' });
  let sessions: TestSession[] = [];
  for (const phone of phones) {
    const session = await harness.newSession();
    await session.link(phone);
    sessions.push(session);
  }

  let sent = 0;
  let isOver = false;
  const writing = (async () => {
    while (!isOver) {
      sent += 1;
      await Promise.all(phones.map((phone) => writer.send(phone, { text: String(sent) })));
      await new Promise((resolve) => setTimeout(resolve, 40));
      const isNear = (numbers: number[]) => numbers.length > sent - MAX_AHEAD;
      const areNear = async () => (await Promise.all(sessions.map(numbersOf))).every(isNear);
      await waitFor(async () => isOver || (await areNear()), {
        what: 'sessions that keep up',
        timeoutMs: 60_000,
        intervalMs: 40,
      });
    }
  })();

  for (let round = 0; round < 3; round += 1) {
    const goal = sent + 3;
    await waitFor(
      async () => (await Promise.all(sessions.map(numbersOf))).every((numbers) => numbers.length > goal),
      { what: 'a stream of messages', intervalMs: 250 },
    );
    // Like a killed process: its pending work is lost.
    for (const { session } of sessions) session.discard();
    sessions = await Promise.all(sessions.map(({ fence }) => harness.takeOver(fence, fence.worker)));
    await Promise.all(sessions.map(({ session }) => session.start()));
    await Promise.all(sessions.map((session) => session.status('open')));
  }
  isOver = true;
  await writing;

  const all = Array.from({ length: sent }, (_, index) => index + 1);
  for (const session of sessions) {
    await waitFor(async () => (await numbersOf(session)).length >= sent, {
      what: `${sent} messages`,
      intervalMs: 250,
    }).catch(() => {});
    expect(await numbersOf(session)).toEqual(all);
  }
});
