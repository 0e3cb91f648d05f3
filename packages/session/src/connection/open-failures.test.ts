import { createLogger } from '@wafleet/runtime';
import {
  ConnectRate,
  connectRedis,
  type Fence,
  type RedisConnection,
  UnreadableRecords,
} from '@wafleet/store';
import { waitFor } from '@wafleet/testkit';
import { encodeBinaryNode, type SignalDataSet } from '@whiskeysockets/baileys';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { QuestionStore } from '../add-ons/question-store.js';
import { newCredentials } from '../baileys/baileys.js';
import { baileysLogger } from '../baileys/logger.js';
import { makeWholeSocket } from '../baileys/whole-socket.js';
import { Harness } from '../testing/harness.js';
import { ConnectLimiter, type PermitRequest } from './connect-limiter.js';
import { ConnectPermit } from './connect-permit.js';
import { SentMessages } from './sent-messages.js';

const lines: string[] = [];
const destination = { write: (line: string) => lines.push(line) };
const logger = createLogger({ app: 'test', level: 'warn', destination });

let harness: Harness;
let redis: RedisConnection;

/** A limiter that records the outcomes of its permits. */
class WatchedGate extends ConnectLimiter {
  readonly outcomes: string[] = [];

  override async permit(request: PermitRequest) {
    const permit = await super.permit(request);
    const report = (outcome: string) => this.outcomes.push(outcome);
    return permit && new ConnectPermit({ version: permit.version, report });
  }
}

beforeAll(async () => {
  harness = await Harness.start();
  redis = connectRedis({ url: harness.redisServer.url, role: 'command', name: 'test', logger });
});

afterAll(async () => {
  redis?.disconnect();
  await harness?.stop();
});

function watchedGate(): WatchedGate {
  return new WatchedGate({
    rate: new ConnectRate(redis, { perSecond: 100, clientVersion: '2.3000.1' }),
    logger,
  });
}

it.each([['not a url'], ['ftp://127.0.0.1/'], ['tcp://127.0.0.1:1/']])(
  'a session that cannot be opened with the address %s tries again, with the reason open-failed',
  async (url) => {
    const connectLimiter = watchedGate();
    lines.length = 0;
    const created = await harness.newSession();
    const test = await harness.takeOver(
      created.fence,
      created.fence.worker,
      { url },
      { connectLimiter, logger },
    );
    await test.session.start();
    expect(await test.status('reconnecting')).toMatchObject({ reason: 'open-failed' });
    expect(connectLimiter.outcomes).toContain('failed');
    await waitFor(() => connectLimiter.outcomes.length > 1, { what: 'another attempt' });
    expect(test.ends).toEqual([]);
    const line = lines.find((each) => each.includes('the session could not be opened'));
    const { err, sessionId } = JSON.parse(line ?? '{}');
    expect(sessionId).toBe(test.fence.sessionId);
    expect(String(err.message)).not.toBe('');
    test.session.discard();
  },
);

it.each([
  ['a TypeError', new TypeError('of a library')],
  ['a text', 'not an error'],
  ['nothing', undefined],
  ['an object without a prototype', Object.create(null)],
])('a session whose credentials could not be read for %s opens at a later attempt', async (_what, thrown) => {
  const created = await harness.newSession();
  let failures = 1;
  const store = (fence: Fence) => {
    const failing = harness.storeOf(fence);
    const load = failing.auth.load.bind(failing.auth);
    failing.auth.load = async (fresh) => {
      failures -= 1;
      if (failures >= 0) throw thrown;
      return load(fresh);
    };
    return failing;
  };
  const successor = await harness.takeOver(created.fence, created.fence.worker, {}, { store, logger });
  await successor.session.start();
  await successor.event('connection.update', 'open-failed');
  await successor.status('awaiting_link');
  successor.session.discard();
});

it('a socket whose Signal repository cannot be made leaves no connection behind', async () => {
  const makeSignalRepository = () => {
    throw new Error('the library is not the expected one');
  };
  const make = () =>
    makeWholeSocket({
      auth: { creds: newCredentials(), keys: { get: async () => ({}), set: async () => {} } },
      logger: baileysLogger(logger),
      waWebSocketUrl: harness.simulator.url,
      makeSignalRepository,
    });
  expect(make).toThrow('the library is not the expected one');
  // By the time a later session has connected, a connection that was left behind would be there too.
  const other = await harness.newSession();
  await other.link(harness.simulator.addPhone({ name: 'Anna' }));
  await waitFor(() => harness.simulator.connectionCount === 1, { what: 'no other connection is left' });
});

it('malformed rows of the inbox are deleted and logged, and the session opens', async () => {
  const phone = harness.simulator.addPhone({ name: 'Berta' });
  const first = await harness.newSession();
  await first.link(phone);
  await first.session.stop({ reason: 'away' });

  const connectLimiter = watchedGate();
  lines.length = 0;
  const row = (stanza: Uint8Array) => ({ number: 1, stanza, plaintexts: {} });
  const rows: Record<string, unknown> = {
    0: row(Buffer.from([0, 0xff, 0xff, 0xff])),
    1: row(Buffer.from([])),
    2: row(Buffer.from([2, 1, 2, 3])),
    3: row(encodeBinaryNode({ tag: 'receipt', attrs: { id: '1' } })),
    4: row(encodeBinaryNode({ tag: 'message', attrs: {} })),
    5: { number: '1', stanza: 'none', plaintexts: null },
    6: 'a text',
    7: Buffer.from('bytes'),
  };
  const second = await harness.takeOver(first.fence, first.fence.worker, {}, { connectLimiter, logger });
  const store = harness.storeOf(second.fence);
  const { keys } = await store.auth.load(newCredentials);
  const data: SignalDataSet & { inbox: Record<string, unknown> } = { inbox: rows };
  await keys.set(data);
  const { tenantId, sessionId } = second.fence;
  await redis.hset(`wf:{${tenantId}}:auth:${sessionId}`, 'inbox:8', 'not a sealed value');

  await second.session.start();
  await second.status('open');
  const inbox = async () =>
    (await redis.hkeys(`wf:{${tenantId}}:auth:${sessionId}`)).filter((field) => field.startsWith('inbox:'));
  // A row that no key of this worker opens is kept: another worker may have its key.
  await waitFor(async () => (await inbox()).join() === 'inbox:8', { what: 'the other rows are gone' });
  for (const id of Object.keys(rows)) expect(lines.join('')).toContain(`"row":"inbox:${id}"`);
  expect(lines.join('')).toContain('"row":"inbox:8"');
  expect(connectLimiter.outcomes).toEqual(['opened']);

  const carl = harness.simulator.addPhone({ name: 'Carl' });
  await carl.send(phone, { text: 'all is well' });
  await second.event('messages.upsert', 'all is well');
});

it('malformed sent messages and questions are not found, and are logged', async () => {
  const { fence } = await harness.newSession();
  const { recentMessages } = harness.storeOf(fence);
  const sent = new SentMessages({ recentMessages, fence, logger });
  const questions = new QuestionStore({ recentMessages, fence, unreadable: new UnreadableRecords(logger) });
  lines.length = 0;
  await recentMessages.put(fence, 'SENT', Buffer.from([0xff, 0xff, 0xff]));
  await recentMessages.put(fence, 'question TEXT', Buffer.from('no json'));
  await recentMessages.put(fence, 'question NULL', Buffer.from('null'));
  await recentMessages.put(fence, 'question EMPTY', Buffer.from('{}'));
  expect(await sent.find('SENT')).toBeUndefined();
  for (const id of ['TEXT', 'NULL', 'EMPTY']) expect(await questions.find(id)).toBeUndefined();
  expect(lines.join('')).toContain('"messageId":"SENT"');
  for (const id of ['TEXT', 'NULL', 'EMPTY']) expect(lines.join('')).toContain(`"name":"${id}"`);
});
