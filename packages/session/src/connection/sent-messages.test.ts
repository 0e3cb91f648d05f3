import { RecentMessages } from '@wafleet/store';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Harness } from '../testing/harness.js';

let harness: Harness;

beforeAll(async () => {
  harness = await Harness.start();
});

afterAll(() => harness.stop());

test('a text is sent again to a receiver who cannot read it, also by another owner', async () => {
  const alice = harness.simulator.addPhone({ name: 'Alice' });
  const bob = harness.simulator.addPhone({ name: 'Bob' });
  const first = await harness.newSession();
  await first.link(alice);
  await first.session.execute('send-text', { to: bob.number, text: 'once more', messageId: '3EB0A1' });
  const isIt = ({ text }: { text: string | undefined }) => text === 'once more';
  const atFirst = await bob.waitForMessage(isIt, { timeoutMs: 60_000 });
  bob.inbox.forget(atFirst);
  const again = await bob.waitForMessage(isIt, { timeoutMs: 60_000 });
  expect(again.id).toBe('3EB0A1');

  await first.session.stop({ reason: 'drain' });
  const second = await harness.takeOver(first.fence, first.fence.worker);
  await second.session.start();
  await second.status('open');
  bob.inbox.forget(again);
  const onceMore = await bob.waitForMessage(isIt, { timeoutMs: 60_000 });
  expect(onceMore).toMatchObject({ id: '3EB0A1', chat: bob });
});

/** Fails the next `failures` reads, like a Redis that does not answer. */
class FailingMessages extends RecentMessages {
  failures = 0;

  override async get(...args: Parameters<RecentMessages['get']>) {
    if (this.failures === 0) return super.get(...args);
    this.failures -= 1;
    throw new Error('Command timed out');
  }
}

test('a text that is requested again while Redis does not answer is sent when Redis answers', async () => {
  const alice = harness.simulator.addPhone({ name: 'Alice' });
  const bob = harness.simulator.addPhone({ name: 'Bob' });
  const first = await harness.newSession();
  await first.link(alice);
  await first.session.execute('send-text', { to: bob.number, text: 'once more', messageId: '3EB0A2' });
  const isIt = ({ text }: { text: string | undefined }) => text === 'once more';
  const atFirst = await bob.waitForMessage(isIt, { timeoutMs: 60_000 });
  await first.session.stop({ reason: 'drain' });

  let recentMessages: FailingMessages | undefined;
  const second = await harness.takeOver(
    first.fence,
    first.fence.worker,
    {},
    {
      store: (fence) => {
        const { redis, cipher } = harness.authOptions(fence);
        recentMessages = new FailingMessages({ redis, cipher });
        return { ...harness.storeOf(fence), recentMessages };
      },
    },
  );
  await second.session.start();
  await second.status('open');
  if (recentMessages === undefined) throw new Error('the session has no store');
  recentMessages.failures = 2;
  bob.inbox.forget(atFirst);
  expect(await bob.waitForMessage(isIt, { timeoutMs: 60_000 })).toMatchObject({ id: '3EB0A2' });
});
