import { MAX_EVENT_BYTES, payloadSchemas } from '@wafleet/contract';
import { createLogger } from '@wafleet/runtime';
import {
  Cipher,
  connectRedis,
  digestOfMessage,
  EventLog,
  type Fence,
  MessageSecrets,
  Ownership,
  ProcessedMessages,
  type RedisConnection,
  SessionDirectory,
} from '@wafleet/store';
import { startRedis, type TestRedis, waitFor } from '@wafleet/testkit';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { MappedEvent } from '../mapping/mapped-event.js';
import { Outbox } from './outbox.js';

const logger = createLogger({ app: 'test', level: 'silent' });
const SMALL = { events: 1, characters: 100 };
const ref = { tenantId: 'tnt_a', sessionId: 'shop' };

let server: TestRedis;
let redis: RedisConnection;
let log: EventLog;
let outbox: Outbox;
let reported: string[];

async function claim(worker: string, expectPrevious?: string): Promise<Fence> {
  const result = await new Ownership(redis).claim(ref, { worker, expectPrevious });
  if (!('fence' in result)) throw new Error('somebody else owns the session');
  return result.fence;
}

beforeEach(async () => {
  server = await startRedis();
  redis = connectRedis({ url: server.url, role: 'command', name: 'test', logger });
  await new SessionDirectory(redis).create(ref);
  log = new EventLog(redis, { maxLength: 100_000 });
  reported = [];
  outbox = new Outbox({
    fence: await claim('wrk_a'),
    eventLog: log,
    logger,
    lifecycle: { end: (end) => reported.push(end) },
    readingGate: { hold: (_, isHeld) => reported.push(isHeld ? 'congested' : 'free') },
  });
});

afterEach(async () => {
  outbox.discard();
  redis.disconnect();
  await server.stop();
});

/** Finishes a message that reports when its events are in the log. */
function finish(field: string, digest: string | undefined): void {
  outbox.finish({ field, digest, logged: () => reported.push(`finished ${field}`) });
}

function numbered(first: number, count: number, text = ''): MappedEvent[] {
  return Array.from({ length: count }, (_, index) => ({
    event: 'presence.update',
    payload: { id: String(first + index), presences: { text } },
  }));
}

async function logged(): Promise<number[]> {
  const { events } = await log.read(ref.tenantId, { after: undefined, count: 100_000, maxBytes: 1024 ** 3 });
  return events.map(({ body }) => Number(JSON.parse(body.toString()).id));
}

it('keeps everything through an outage and brings it into the log once and in order', async () => {
  outbox.publish(numbered(0, 10));
  await outbox.idle();
  outbox.publish(numbered(10, 150));
  await server.kill();
  outbox.publish(numbered(160, 150));
  const steps: number[] = [];
  outbox.run(async () => {
    steps.push((await logged()).length);
  });
  outbox.publish(numbered(310, 2_000));
  expect(reported).toEqual(['congested']);

  await server.restart();
  await outbox.idle();
  expect(await logged()).toEqual(Array.from({ length: 2_310 }, (_, number) => number));
  expect(steps).toEqual([310]);
  expect(reported).toEqual(['congested', 'free']);
});

it('is also congested by few long events', async () => {
  await server.kill();
  outbox.publish(numbered(0, 20, 'x'.repeat(450 * 1024)));
  expect(reported).toEqual(['congested']);
});

it.each([
  ['few steps that hold much', 20, 450 * 1024],
  ['many steps that hold little', 2_100, 10],
] as const)('is congested by %s while they wait, and free once they ran', async (_, count, characters) => {
  await server.kill();
  outbox.publish(numbered(0, 1));
  for (let number = 1; number <= count; number += 1) {
    const run = async () => numbered(number, 1);
    outbox.runFor({ run, instead: () => [], size: { events: 1, characters } });
  }
  expect(reported).toEqual(['congested']);
  await server.restart();
  await outbox.idle();
  expect(reported).toEqual(['congested', 'free']);
  expect(await logged()).toHaveLength(count + 1);
});

it('is also congested by large writes', async () => {
  await server.kill();
  outbox.publish(numbered(0, 1));
  for (let number = 0; number < 20; number += 1) outbox.run(async () => {}, 450 * 1024);
  expect(reported).toEqual(['congested']);
  await server.restart();
  await outbox.idle();
  expect(reported).toEqual(['congested', 'free']);
});

it('brings a message’s events and its end into the log in one step', async () => {
  const digest = digestOfMessage(['chat', '1']);
  for (let number = 0; number < 20; number += 1) {
    outbox.publish(numbered(number, 1));
    // Some microtasks later, as when Baileys' handler returns.
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
    finish(`inbox:${number}`, digest);
  }
  await outbox.idle();
  expect(reported).toEqual(Array.from({ length: 20 }, (_, number) => `finished inbox:${number}`));
  expect(await redis.hget('wf:{tnt_a}:owner:shop', 'batch')).toMatch(/:1 /);
  expect((await new ProcessedMessages(redis).read(ref)).has(digest)).toBe(true);
});

it('stores the secret of a message in the step that appends its events', async () => {
  const secrets = new MessageSecrets({ redis, cipher: Cipher.fromHexKeys('22'.repeat(32)) }).ofSession(ref);
  for (let number = 0; number < 20; number += 1) {
    outbox.keep(secrets.seal(`A${number}`, Buffer.from('secret')));
    outbox.publish(numbered(number, 1));
  }
  await outbox.idle();
  expect(await logged()).toHaveLength(20);
  expect(await redis.hget('wf:{tnt_a}:owner:shop', 'batch')).toMatch(/:1 /);
  expect(await secrets.find('A19')).toEqual(Buffer.from('secret'));
});

it('stores the secrets of a long history in several steps', async () => {
  const secrets = new MessageSecrets({ redis, cipher: Cipher.fromHexKeys('22'.repeat(32)) }).ofSession(ref);
  for (let number = 0; number < 1_000; number += 1) {
    outbox.keep(secrets.seal(`A${number}`, Buffer.from('secret')));
  }
  outbox.publish(numbered(0, 1));
  await outbox.idle();
  expect(await logged()).toEqual([0]);
  expect(await redis.hlen('wf:{tnt_a}:secrets:shop')).toBe(1_000);
});

it('lets the events that a step gives leave before what was given later, in the step that ends their message', async () => {
  outbox.publish(numbered(0, 1));
  outbox.runFor({ run: async () => numbered(1, 2), instead: () => [], size: SMALL });
  finish('inbox:0', undefined);
  outbox.run(async () => {
    reported.push(`logged ${await logged()}`);
  });
  outbox.publish(numbered(3, 1));
  await outbox.idle();
  expect(reported).toEqual(['finished inbox:0', 'logged 0,1,2']);
  expect(await logged()).toEqual([0, 1, 2, 3]);
  expect(await redis.hget('wf:{tnt_a}:owner:shop', 'batch')).toMatch(/:3 /);
});

it('stays empty once the fence has refused', async () => {
  await claim('wrk_b', 'wrk_a');
  outbox.publish(numbered(0, 10));
  await waitFor(() => reported.length > 0, { what: 'the fence' });
  outbox.publish(numbered(10, 5_000));
  await outbox.idle();
  expect(reported).toEqual(['fenced']);
  expect(await logged()).toEqual([]);
});

it('leaves out a step that cannot succeed, and goes on with what comes after it', async () => {
  outbox.publish(numbered(0, 1));
  outbox.run(async () => {
    JSON.parse('a stored value that is malformed');
  });
  outbox.run(() => Promise.reject('not an error'));
  outbox.publish(numbered(1, 1));
  await waitFor(async () => (await logged()).length === 2, { what: 'the event after the steps' });
  expect(await logged()).toEqual([0, 1]);
});

it('publishes an event that is too large with its longest texts cut, and names what is missing', async () => {
  const message = (id: string, text: string) => ({
    key: { id, remoteJid: 'a@lid' },
    message: { conversation: text },
  });
  outbox.publish([
    {
      event: 'messages.upsert',
      payload: { type: 'notify', messages: [message('A', 'é'.repeat(5_000_000))] },
    },
    { event: 'messages.upsert', payload: { type: 'notify', messages: [message('B', 'short')] } },
    {
      event: 'presence.update',
      payload: {
        id: 'g@g.us',
        presences: Object.fromEntries(
          Array.from({ length: 50_000 }, (_, index) => [`${index}@lid`, { lastKnownPresence: 'composing' }]),
        ),
      },
    },
  ]);
  await outbox.idle();
  const { events } = await log.read(ref.tenantId, { after: undefined, count: 10, maxBytes: 1024 ** 3 });
  const payloads = events.map(({ body }) => JSON.parse(body.toString()));
  for (const [index, { event, body }] of events.entries()) {
    expect(body.length).toBeLessThanOrEqual(MAX_EVENT_BYTES);
    expect(payloadSchemas[event].safeParse(payloads[index]).error).toBeUndefined();
  }
  expect(payloads[0]).toMatchObject({
    messages: [{ key: { id: 'A' }, message: { conversation: 'é'.repeat(16_384) } }],
    omitted: { reason: 'too-large', limit: MAX_EVENT_BYTES, fields: ['messages.0.message.conversation'] },
  });
  expect(payloads[0].omitted.bytes).toBeGreaterThan(10_000_000);
  expect(payloads[1]).not.toHaveProperty('omitted');
  expect(payloads[2].omitted.fields).toEqual(['presences']);
});

it('shrinks one event of any shape that is too large, and writes all others that left with it', async () => {
  type Nested = string | Nested[];
  const nested = (depth: number): Nested =>
    depth === 0 ? 'some text' : Array.from({ length: 8 }, () => nested(depth - 1));
  const fields = Array.from({ length: 100_000 }, (_, index) => [`field ${index}`, 'some text'] as const);
  outbox.publish([
    ...numbered(1, 2),
    { event: 'presence.update', payload: { id: '3', presences: nested(6), ...Object.fromEntries(fields) } },
    ...numbered(4, 2),
  ]);
  await outbox.idle();
  const { events } = await log.read(ref.tenantId, { after: undefined, count: 10, maxBytes: 1024 ** 3 });
  const payloads = events.map(({ body }) => JSON.parse(body.toString()));
  expect(payloads.map(({ id }) => id)).toEqual(['1', '2', '3', '4', '5']);
  expect(payloads[2].omitted).toMatchObject({ reason: 'too-large', limit: MAX_EVENT_BYTES });
});

it.each([
  ['malformed', new SyntaxError('Unexpected token'), 1],
  [
    'of another type',
    Object.assign(new Error('WRONGTYPE Operation against a key'), { name: 'ReplyError' }),
    1,
  ],
  ['out of reach at first', new Error('Connection is closed.'), 2],
] as const)('a step whose stored value is %s gives its events, in order', async (_, error, runs) => {
  let ran = 0;
  outbox.publish(numbered(0, 1));
  outbox.runFor({
    run: async () => {
      ran += 1;
      if (ran < 2) throw error;
      return numbered(1, 1, 'read');
    },
    instead: () => numbered(1, 1, 'not read'),
    size: SMALL,
  });
  outbox.publish(numbered(2, 1));
  await outbox.idle();
  expect(await logged()).toEqual([0, 1, 2]);
  expect(ran).toBe(runs);
});
