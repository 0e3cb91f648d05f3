import { EventLog } from '@wafleet/store';
import { waitFor } from '@wafleet/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Harness, type TestSession } from '../testing/harness.js';
import { WatchedAuth } from '../testing/watched-auth.js';

/** The rows of the journal (decryption-journal.ts). */
const ROWS = 64;

let harness: Harness;

beforeAll(async () => {
  harness = await Harness.start();
});

afterAll(async () => {
  await harness?.stop();
});

/** A log whose appends can be held up, as by a Redis that does not answer them. */
class HeldLog extends EventLog {
  isHeld = false;

  override async append(...args: Parameters<EventLog['append']>): ReturnType<EventLog['append']> {
    while (this.isHeld) await new Promise((resolve) => setTimeout(resolve, 20));
    return super.append(...args);
  }
}

/** A linked session that runs on a log that can be held up, its phone and device, and a person who has written `one`. */
async function sessionOn({ inGroup = false } = {}) {
  const phone = harness.simulator.addPhone({ name: 'Anna' });
  const carl = harness.simulator.addPhone({ name: 'Carl' });
  const chat = inGroup ? carl.createGroup('Friends', [phone]) : phone;
  const first = await harness.newSession();
  await first.link(phone);
  await carl.send(chat, 'one');
  await first.event('messages.upsert', 'one');
  await first.session.stop({ reason: 'test' });
  const options = harness.authOptions(first.fence);
  const log = new HeldLog(options.redis, { maxLength: 10_000 });
  let auth: WatchedAuth | undefined;
  const store = (fence: TestSession['fence']) => {
    auth = new WatchedAuth(harness.authOptions(fence));
    return { ...harness.storeOf(fence), auth, events: log };
  };
  const session = await harness.takeOver(first.fence, first.fence.worker, {}, { store });
  await session.session.start();
  await session.status('open');
  const [device] = phone.devices.values();
  if (auth === undefined || device === undefined) throw new Error('the session has no store or no device');
  return { session, phone, carl, chat, device, auth, log };
}

/** Lets a session's process die and the next one take over. Returns the texts of all messages that were published. */
async function textsAfterDeath(
  { session, fence }: TestSession,
  { carl, chat }: Awaited<ReturnType<typeof sessionOn>>,
): Promise<string[]> {
  // Like a killed process: what waits in its memory is lost.
  session.discard();
  const next = await harness.takeOver(fence, fence.worker);
  await next.session.start();
  await next.status('open');
  await carl.send(chat, 'last');
  await next.event('messages.upsert', 'last');
  const messages = (await next.events()).flatMap(({ payload }) =>
    Array.isArray(payload.messages) ? payload.messages : [],
  );
  return messages.map(({ message, key }) => String(message?.conversation ?? key.id));
}

test.each([
  ['a chat of two', false],
  ['a group', true],
])(
  'a message in %s whose keys could not be stored at first is stored before it is acknowledged',
  async (_, inGroup) => {
    const test = await sessionOn({ inGroup });
    const { session, carl, chat, device, auth, log } = test;
    let hasFailed = false;
    auth.isAwaited = (data) => 'inbox' in data;
    auth.aroundWrite = async () => {
      device.close('tcp');
      hasFailed = true;
      throw new Error('Command timed out');
    };
    await carl.send(chat, 'two');
    await waitFor(() => hasFailed, { what: 'the write that failed' });
    log.isHeld = true;
    await waitFor(() => device.pendingCount === 0, { what: 'everything is acknowledged' });
    expect(await harness.fieldsOf(session.fence, 'inbox:')).toHaveLength(1);
    expect(await textsAfterDeath(session, test)).toEqual(['one', 'two', 'last']);
  },
);

test('a message for which the journal has no place is neither decrypted nor acknowledged until it has one', async () => {
  const test = await sessionOn();
  const { session, carl, chat, device, log } = test;
  log.isHeld = true;
  const texts = Array.from({ length: ROWS + 6 }, (_, index) => `number ${index}`);
  for (const text of texts) await carl.send(chat, text);
  await waitFor(() => device.pendingCount === texts.length - ROWS, {
    what: 'as many acknowledged as have a row',
  });
  log.isHeld = false;
  await waitFor(() => device.pendingCount === 0, { what: 'the others are acknowledged' });
  log.isHeld = true;
  for (const text of texts) await carl.send(chat, `again ${text}`);
  await waitFor(() => device.pendingCount === texts.length - ROWS, { what: 'as many again' });
  const published = await textsAfterDeath(session, test);
  expect(published).toEqual(['one', ...texts, ...texts.map((text) => `again ${text}`), 'last']);
});

test('a message whose append ends with an error is still stored', async () => {
  const test = await sessionOn();
  const { session, carl, chat, device } = test;
  const { redis } = harness.authOptions(session.fence);
  const log = `wf:{${session.fence.tenantId}}:log`;
  // A damaged log: the script ends at its first entry.
  await redis.rename(log, `${log}-kept`);
  await redis.set(log, 'x');
  await carl.send(chat, 'two');
  await waitFor(() => device.pendingCount === 0, { what: 'the acknowledgement' });
  expect(await harness.fieldsOf(session.fence, 'inbox:')).toHaveLength(1);
  session.session.discard();
  await redis.rename(`${log}-kept`, log);
  expect(await textsAfterDeath(session, test)).toEqual(['one', 'two', 'last']);
});

test('a message without content that comes again is acknowledged after its event is in the log', async () => {
  const test = await sessionOn();
  const { session, carl, device, log } = test;
  const { logins } = device.loginRecord;
  log.isHeld = true;
  const unavailable = { tag: 'unavailable', attrs: { type: 'view_once_unavailable_fanout' } };
  const attrs = { id: '3ADROPPED', from: carl.jid, type: 'text', t: String(harness.simulator.now()) };
  device.deliver({ tag: 'message', attrs, content: [unavailable] });
  await carl.send(test.phone, 'two');
  await waitFor(() => device.pendingCount === 1, { what: 'the next message is acknowledged' });
  device.close('tcp');
  await waitFor(() => device.loginRecord.logins > logins && device.isOnline, { what: 'the next login' });
  await carl.send(test.phone, 'three');
  await waitFor(() => device.pendingCount === 1, { what: 'the message after it is acknowledged' });
  expect(device.pending()[0]?.attrs.id).toBe('3ADROPPED');
  expect(await textsAfterDeath(session, test)).toEqual(['one', 'two', 'three', '3ADROPPED', 'last']);
});
