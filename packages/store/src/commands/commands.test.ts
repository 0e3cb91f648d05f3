import { setTimeout as delay } from 'node:timers/promises';
import { type CommandReply, DEFAULT_TENANT_LIMITS, WafleetError } from '@wafleet/contract';
import { LossyPort, waitFor } from '@wafleet/testkit';
import { afterEach, describe, expect, test } from 'vitest';
import { connectRedis } from '../redis/connection.js';
import { channels, keys } from '../redis/keyspace.js';
import { FencedError } from '../redis/session-ref.js';
import { TenantLimitTable } from '../tenants/tenant-limits.js';
import { createGate } from '../testing/gate.js';
import { logger, useRedis } from '../testing/redis-fixture.js';
import { WorkerRegistry } from '../workers/worker-registry.js';
import { CommandClient } from './command-client.js';
import { CommandServer } from './command-server.js';
import { INBOX_LIMIT } from './inbox-limits.js';
import { NotOwnerError, NotSupportedError, type WorkerCommand } from './worker-command.js';

const fixture = useRedis();
const WORKER = 'wrk_a';
const ref = { tenantId: 'tnt_a', sessionId: 'shop' };
const sendText = (messageId = 'M1') =>
  ({ kind: 'send-text', ...ref, messageId, to: '15551234567', text: 'hello' }) as const;

let stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.reverse()) await stop();
  stops = [];
});

type Handle = (command: WorkerCommand) => Promise<CommandReply>;

async function startServer(handle: Handle, workerId = WORKER): Promise<CommandServer> {
  await new WorkerRegistry(fixture.redis).acquireLease(workerId);
  const server = new CommandServer({
    redis: fixture.redis,
    blocking: fixture.connect('blocking'),
    workerId,
    handle,
    logger,
  });
  server.start();
  stops.push(() => server.stop());
  return server;
}

async function startClient(clientId = 'edge_1', redis = fixture.redis): Promise<CommandClient> {
  const client = new CommandClient({
    redis,
    subscriber: fixture.connect('subscriber'),
    clientId,
    logger,
  });
  await client.start();
  stops.push(() => client.stop());
  return client;
}

/** Handles send-text, and counts how often. */
function counting(): { handle: Handle; handled: WorkerCommand[] } {
  const handled: WorkerCommand[] = [];
  return {
    handled,
    handle: async (command) => {
      handled.push(command);
      return command.kind === 'send-text' ? { messageId: command.messageId } : {};
    },
  };
}

const inTime = { deadlineMs: 10_000 };

describe('a command', () => {
  test('reaches its worker as it was sent, and its reply comes back', async () => {
    const { handle, handled } = counting();
    await startServer(handle);
    const client = await startClient();
    expect(await client.call(WORKER, sendText(), inTime)).toEqual({ messageId: 'M1' });
    expect(await client.call(WORKER, { kind: 'assign', ...ref, expectPrevious: 'wrk_x' }, inTime)).toEqual(
      {},
    );
    expect(handled).toEqual([sendText(), { kind: 'assign', ...ref, expectPrevious: 'wrk_x' }]);
    await waitFor(async () => (await fixture.redis.xlen(keys.inbox(WORKER))) === 0, {
      what: 'an empty inbox',
    });
  });

  test('of one client among several is answered to that client', async () => {
    const { handle } = counting();
    await startServer(handle);
    const clients = await Promise.all(['edge_1', 'edge_2', 'edge_3'].map((id) => startClient(id)));
    const replies = await Promise.all(
      clients.flatMap((client, index) =>
        Array.from({ length: 50 }, async (_, n) => {
          const messageId = `M${index}-${n}`;
          const reply = await client.call(WORKER, sendText(messageId), inTime);
          return reply.messageId === messageId;
        }),
      ),
    );
    expect(replies).toEqual(Array.from({ length: 150 }, () => true));
  });

  test('sent before the worker reads its inbox is carried out when it does', async () => {
    await new WorkerRegistry(fixture.redis).acquireLease(WORKER);
    const client = await startClient();
    const reply = client.call(WORKER, sendText(), inTime);
    await waitFor(() => fixture.redis.xlen(keys.inbox(WORKER)), { what: 'the command in the inbox' });
    await startServer(counting().handle);
    expect(await reply).toEqual({ messageId: 'M1' });
  });

  test('does not wait for a slow one before it', async () => {
    const gate = createGate();
    await startServer(async (command) => {
      if (command.kind === 'release') await gate.opened;
      return {};
    });
    const client = await startClient();
    const slow = client.call(WORKER, { kind: 'release', ...ref }, inTime);
    expect(await client.call(WORKER, { kind: 'unlink', ...ref }, inTime)).toEqual({});
    gate.open();
    expect(await slow).toEqual({});
  });
});

describe('a failure', () => {
  test('of the registry arrives as it was thrown', async () => {
    const failure = new WafleetError('SESSION_NOT_OPEN', 'The session is closed.', { status: 'closed' });
    await startServer(() => Promise.reject(failure));
    const client = await startClient();
    await expect(client.call(WORKER, sendText(), inTime)).rejects.toEqual(failure);
  });

  test.each([
    ['that it does not own the session', new NotOwnerError(ref)],
    ['that it lost the session', new FencedError({ ...ref, epoch: 1, worker: WORKER })],
  ])('of a worker %s arrives as NotOwnerError', async (_name, failure) => {
    await startServer(() => Promise.reject(failure));
    const client = await startClient();
    await expect(client.call(WORKER, sendText(), inTime)).rejects.toThrow(NotOwnerError);
  });

  test('of any other kind arrives as INTERNAL, without its text', async () => {
    await startServer(() => Promise.reject(new Error('a secret detail')));
    const client = await startClient();
    const failure = await client.call(WORKER, sendText(), inTime).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'INTERNAL' });
    expect(String(failure)).not.toContain('secret');
  });
});

describe('a deadline', () => {
  test('that passes leaves the outcome unknown, and a late reply harms nothing', async () => {
    const gate = createGate();
    let carriedOut = 0;
    await startServer(async () => {
      if (carriedOut++ === 0) await gate.opened;
      return { messageId: 'M' };
    });
    const client = await startClient();
    await expect(client.call(WORKER, sendText(), { deadlineMs: 50 })).rejects.toMatchObject({
      code: 'OUTCOME_UNKNOWN',
    });
    gate.open();
    expect(await client.call(WORKER, sendText('M2'), inTime)).toEqual({ messageId: 'M' });
  });

  test('that passed before the worker read the command makes it drop the command', async () => {
    await new WorkerRegistry(fixture.redis).acquireLease(WORKER);
    const client = await startClient();
    await expect(client.call(WORKER, sendText('late'), { deadlineMs: 1 })).rejects.toMatchObject({
      code: 'OUTCOME_UNKNOWN',
    });
    expect(await fixture.redis.xlen(keys.inbox(WORKER))).toBe(1);
    const { handle, handled } = counting();
    await startServer(handle);
    await client.call(WORKER, sendText('in time'), inTime);
    expect(handled).toEqual([sendText('in time')]);
  });
});

describe('an idempotency key', () => {
  test('makes a repeated command happen once, with the same reply', async () => {
    let sent = 0;
    await startServer(async () => ({ messageId: `M${++sent}` }));
    const client = await startClient();
    const other = await startClient('edge_2');
    const options = { ...inTime, idempotencyKey: 'k' };
    const replies = await Promise.all([
      client.call(WORKER, sendText(), options),
      other.call(WORKER, sendText(), options),
      client.call(WORKER, sendText(), { ...inTime, idempotencyKey: 'other' }),
      client.call(WORKER, { ...sendText(), sessionId: 'desk' }, options),
    ]);
    expect(sent).toBe(3);
    expect(replies[0]).toEqual(replies[1]);
  });

  test('of a command that failed lets it be tried again', async () => {
    let tries = 0;
    await startServer(async () => {
      if (++tries === 1) throw new WafleetError('SESSION_NOT_OPEN', 'Not yet.');
      return { messageId: 'M1' };
    });
    const client = await startClient();
    const options = { ...inTime, idempotencyKey: 'k' };
    await expect(client.call(WORKER, sendText(), options)).rejects.toMatchObject({
      code: 'SESSION_NOT_OPEN',
    });
    expect(await client.call(WORKER, sendText(), options)).toEqual({ messageId: 'M1' });
  });
});

describe('a command is refused', () => {
  test('with NO_WORKER when the worker is gone, and leaves nothing in Redis', async () => {
    const client = await startClient();
    await expect(client.call('wrk_gone', sendText(), inTime)).rejects.toMatchObject({ code: 'NO_WORKER' });
    expect(await fixture.redis.dbsize()).toBe(0);
  });

  test('with INBOX_FULL when too many wait', async () => {
    await new WorkerRegistry(fixture.redis).acquireLease(WORKER);
    const filling = fixture.redis.pipeline();
    for (let n = 0; n < INBOX_LIMIT; n++)
      filling.xadd(keys.inbox(WORKER), '*', 'command', '{}', 'deadline', '0');
    await filling.exec();
    const client = await startClient();
    await expect(client.call(WORKER, sendText(), inTime)).rejects.toMatchObject({
      code: 'INBOX_FULL',
      details: { resource: 'inbox' },
    });
  });

  test('with UNAVAILABLE when Redis is out of reach', async () => {
    const redis = fixture.connect('command');
    const client = await startClient('edge_1', redis);
    redis.disconnect();
    await waitFor(() => redis.status === 'end', { what: 'the end of the connection' });
    await expect(client.call(WORKER, sendText(), inTime)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  const dance = { kind: 'dance', ...ref };

  test.each([
    ['of an unknown kind', { command: dance }],
    ['of a known kind with fields that are missing', { command: { kind: 'send-text', ...ref } }],
    ['in an envelope of a later version', { v: 2, command: sendText() }],
  ])('as not supported if it is %s', async (_, envelope) => {
    const { handle, handled } = counting();
    await startServer(handle);
    const replies: string[] = [];
    const subscriber = fixture.connect('subscriber');
    subscriber.on('smessage', (_channel: string, message: string) => replies.push(message));
    const replyTo = channels.replies('edge_new');
    await subscriber.ssubscribe(replyTo);
    const deadline = String(Date.now() + 60_000);
    for (const text of ['no JSON', JSON.stringify({ id: '1', replyTo, ...envelope })]) {
      await fixture.redis.xadd(keys.inbox(WORKER), '*', 'command', text, 'deadline', deadline);
    }
    await waitFor(() => replies.length > 0, { what: 'the reply' });
    expect(JSON.parse(replies[0] ?? '')).toEqual({ id: '1', outcome: 'not-supported' });
    expect(handled).toEqual([]);
  });

  test('with a NotSupportedError for its sender if the worker does not support it', async () => {
    await startServer(async ({ kind }) => {
      throw new NotSupportedError(kind);
    });
    const client = await startClient();
    await expect(client.call(WORKER, sendText(), inTime)).rejects.toThrow(NotSupportedError);
  });

  test('with INTERNAL if its reply is larger than 256 KiB', async () => {
    await startServer(async () => ({ messageId: 'x'.repeat(256 * 1024) }));
    const client = await startClient();
    await expect(client.call(WORKER, sendText(), inTime)).rejects.toMatchObject({ code: 'INTERNAL' });
  });
});

describe('the commands of one tenant', () => {
  const LIMITS = { commands: 6, commandsPerSession: 3 };

  async function limitedClient(clientId = 'edge_1'): Promise<CommandClient> {
    const limits = new TenantLimitTable(fixture.redis, { ...DEFAULT_TENANT_LIMITS, ...LIMITS });
    const subscriber = fixture.connect('subscriber');
    const client = new CommandClient({ redis: fixture.redis, subscriber, clientId, limits, logger });
    await client.start();
    stops.push(() => client.stop());
    return client;
  }

  const send = (sessionId: string, tenantId = 'tnt_a', messageId = 'M1') =>
    ({ ...sendText(messageId), tenantId, sessionId }) as const;

  async function codesOf(calls: readonly Promise<unknown>[]): Promise<string[]> {
    const settled = await Promise.allSettled(calls);
    return settled.map((each) => (each.status === 'fulfilled' ? 'done' : String(each.reason.code)));
  }

  async function expectOutOfMemory(client: CommandClient): Promise<void> {
    await fixture.redis.config('SET', 'maxmemory', '1');
    try {
      await expect(client.call(WORKER, send('a'), inTime)).rejects.toMatchObject({
        code: 'UNAVAILABLE',
        message: expect.stringContaining('out of memory'),
      });
    } finally {
      await fixture.redis.config('SET', 'maxmemory', '0');
    }
  }

  test('are refused with the cause when Redis is out of memory, and reach no worker', async () => {
    const { handle, handled } = counting();
    await startServer(handle);
    const client = await limitedClient();
    await client.call(WORKER, send('a'), inTime);
    await expectOutOfMemory(client);
    await client.call(WORKER, send('a'), inTime);
    expect(handled).toHaveLength(2);
  });

  test('are refused with the cause when the lease of their worker could not be renewed', async () => {
    const client = await limitedClient();
    await expect(client.call(WORKER, send('a'), inTime)).rejects.toMatchObject({ code: 'NO_WORKER' });
    await expectOutOfMemory(client);
    expect(await fixture.redis.exists(keys.lease(WORKER))).toBe(0);
  });

  test('are bounded for each session and for the tenant, on all edges and workers together', async () => {
    const gate = createGate();
    const handle = async () => {
      await gate.opened;
      return { messageId: 'M1' };
    };
    await startServer(handle);
    await startServer(handle, 'wrk_b');
    const [client, other] = [await limitedClient(), await limitedClient('edge_2')];
    const ofOneSession = Array.from({ length: 5 }, () => client.call(WORKER, send('one'), inTime));
    const refused = await Promise.any(ofOneSession.map((call) => call.catch((error: unknown) => error)));
    expect(refused).toMatchObject({
      code: 'TOO_MANY_COMMANDS',
      details: { resource: 'commandsPerSession', limit: 3, used: 3, retryAfterMs: expect.any(Number) },
    });
    const ofTenant = Array.from({ length: 5 }, (_, n) => other.call('wrk_b', send(`s${n}`), inTime));
    const refusedToo = await Promise.any(ofTenant.map((call) => call.catch((error: unknown) => error)));
    expect(refusedToo).toMatchObject({
      code: 'TOO_MANY_COMMANDS',
      details: { resource: 'commands', limit: 6, used: 6 },
    });
    const neighbour = client.call(WORKER, send('shop', 'tnt_b'), inTime);
    gate.open();
    expect(await neighbour).toEqual({ messageId: 'M1' });
    expect((await codesOf(ofOneSession)).sort()).toEqual([
      ...['TOO_MANY_COMMANDS', 'TOO_MANY_COMMANDS'],
      ...['done', 'done', 'done'],
    ]);
    expect((await codesOf(ofTenant)).filter((code) => code === 'done')).toHaveLength(3);
    // An answer leaves room for the next command.
    expect(await client.call(WORKER, send('one', 'tnt_a', 'M2'), inTime)).toEqual({ messageId: 'M1' });
    expect(await fixture.redis.keys('wf:{workers}:commands:*')).toEqual([]);
  });

  test('stop counting at their deadlines, when their worker is gone', async () => {
    await new WorkerRegistry(fixture.redis).acquireLease(WORKER);
    const client = await limitedClient();
    const calls = Array.from({ length: 3 }, () => client.call(WORKER, send('one'), { deadlineMs: 300 }));
    expect(await codesOf(calls)).toEqual(['OUTCOME_UNKNOWN', 'OUTCOME_UNKNOWN', 'OUTCOME_UNKNOWN']);
    await startServer(counting().handle);
    // Redis decides on the deadlines, and its clock may differ from the client's by milliseconds.
    const answer = await waitFor(() => client.call(WORKER, send('one'), inTime), {
      what: 'a call that is let in',
    });
    expect(answer).toEqual({ messageId: 'M1' });
  });

  test('do not fill the inbox for other tenants or for commands of the cluster', async () => {
    await new WorkerRegistry(fixture.redis).acquireLease(WORKER);
    const filling = fixture.redis.pipeline();
    for (let n = 0; n < INBOX_LIMIT; n++)
      filling.xadd(keys.inbox(WORKER), '*', 'command', '{}', 'deadline', '0');
    await filling.exec();
    const client = await limitedClient();
    const unlimited = await startClient('placer_1');
    const calls = [
      client.call(WORKER, send('shop', 'tnt_b'), inTime),
      unlimited.call(WORKER, { kind: 'assign', ...ref }, inTime),
      unlimited.call(WORKER, { kind: 'release', ...ref }, inTime),
    ];
    await startServer(counting().handle);
    expect(await codesOf(calls)).toEqual(['done', 'done', 'done']);
  });

  test('that are slow delay neither another tenant nor commands of the cluster', async () => {
    const gate = createGate();
    const begun: string[] = [];
    await startServer(async (command) => {
      begun.push(`${command.tenantId}/${command.sessionId}`);
      if (command.tenantId === 'tnt_a' && command.kind === 'send-text') await gate.opened;
      return command.kind === 'send-text' ? { messageId: command.messageId } : {};
    });
    // A server that stops waits for its running commands.
    stops.push(async () => gate.open());
    const client = await startClient();
    const slow = Array.from({ length: 300 }, (_, n) =>
      client.call(WORKER, send(`s${n % 150}`, 'tnt_a', `M${n}`), { deadlineMs: 60_000 }),
    );
    await waitFor(() => begun.length === 50, { what: 'the share of the slow tenant' });
    expect(await client.call(WORKER, send('shop', 'tnt_b'), inTime)).toEqual({ messageId: 'M1' });
    expect(await client.call(WORKER, { kind: 'assign', ...ref }, inTime)).toEqual({});
    expect(begun.length).toBe(52);
    gate.open();
    expect(await codesOf(slow)).toEqual(slow.map(() => 'done'));
  });

  test('to one session are carried out one after the other, in their order', async () => {
    const done: string[] = [];
    let running = 0;
    await startServer(async (command) => {
      running += 1;
      expect(running).toBe(1);
      // The first ones take longest.
      await delay(Math.max(0, 10 - done.length));
      running -= 1;
      if (command.kind !== 'send-text') return {};
      done.push(command.messageId);
      return { messageId: command.messageId };
    });
    const client = await startClient();
    const ids = Array.from({ length: 20 }, (_, n) => `M${n}`);
    await Promise.all(ids.map((id) => client.call(WORKER, send('one', 'tnt_a', id), inTime)));
    expect(done).toEqual(ids);
  });

  test('that wait for their turn are sent elsewhere when the worker stops', async () => {
    const gate = createGate();
    const begun = createGate();
    let handled = 0;
    const server = await startServer(async () => {
      handled += 1;
      begun.open();
      await gate.opened;
      return { messageId: 'M1' };
    });
    const client = await startClient();
    const first = client.call(WORKER, send('one'), inTime);
    await begun.opened;
    const waiting = client.call(WORKER, send('one', 'tnt_a', 'M2'), inTime);
    const refused = expect(waiting).rejects.toThrow(NotOwnerError);
    // When a later command runs, the one before it was read.
    const later = client.call(WORKER, send('two', 'tnt_a', 'M3'), inTime);
    await waitFor(() => handled === 2, { what: 'the command to another session' });
    const stopped = server.stop();
    await refused;
    gate.open();
    await stopped;
    expect([await first, await later]).toEqual([{ messageId: 'M1' }, { messageId: 'M1' }]);
  });
});

describe('a stop', () => {
  test('of the server waits for running commands and accepts no more', async () => {
    const gate = createGate();
    const begun = createGate();
    const server = await startServer(async () => {
      begun.open();
      await gate.opened;
      return { messageId: 'M1' };
    });
    const client = await startClient();
    const reply = client.call(WORKER, sendText(), inTime);
    await begun.opened;
    const stopped = server.stop();
    const unread = client.call(WORKER, sendText('M2'), { deadlineMs: 100 });
    await expect(unread).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' });
    gate.open();
    await stopped;
    expect(await reply).toEqual({ messageId: 'M1' });
  });

  test('of the client gives up waiting calls', async () => {
    await new WorkerRegistry(fixture.redis).acquireLease(WORKER);
    const client = await startClient();
    const reply = client.call(WORKER, sendText(), inTime);
    const settled = expect(reply).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' });
    await waitFor(() => fixture.redis.xlen(keys.inbox(WORKER)), { what: 'the command in the inbox' });
    await client.stop();
    await settled;
  });
});

test('commands continue after a restart of Redis', async () => {
  const { handle } = counting();
  await startServer(handle);
  const client = await startClient();
  await client.call(WORKER, sendText('before'), inTime);
  await fixture.server.kill();
  await fixture.server.restart();
  await new WorkerRegistry(fixture.redis).renewLease(WORKER);
  await waitFor(
    async () => (await client.call(WORKER, sendText('after'), { deadlineMs: 500 })).messageId === 'after',
    { what: 'a reply after the restart' },
  );
});

test('the client stops while Redis is out of reach', async () => {
  const subscriber = fixture.connect('subscriber');
  const client = new CommandClient({ redis: fixture.redis, subscriber, clientId: 'edge_1', logger });
  await client.start();
  await fixture.server.kill();
  await waitFor(() => subscriber.status !== 'ready', { what: 'the subscriber without Redis' });
  await client.stop();
  await fixture.server.restart();
});

describe('a command whose answer is lost with the connection', () => {
  /** Connects through a port that drops the answer to the next command with this text. */
  async function lossyClient(limits?: TenantLimitTable) {
    const lossy = await LossyPort.open(fixture.server.port);
    const url = `redis://127.0.0.1:${lossy.port}`;
    const redis = connectRedis({ url, role: 'command', name: 'lossy', logger });
    await redis.ping();
    const client = new CommandClient({
      ...{ redis, subscriber: fixture.connect('subscriber'), clientId: 'edge_1', logger },
      ...(limits === undefined ? {} : { limits }),
    });
    await client.start();
    stops.push(async () => {
      await client.stop();
      redis.disconnect();
      await lossy.close();
    });
    return { client, redis, lossy };
  }

  test('fills no limit by itself', async () => {
    const again = createGate();
    const handled: WorkerCommand[] = [];
    await startServer(async (command) => {
      handled.push(command);
      if (handled.length === 2) await again.opened;
      return { messageId: 'M1' };
    });
    const limits = new TenantLimitTable(fixture.redis, { ...DEFAULT_TENANT_LIMITS, commandsPerSession: 1 });
    const { client, redis, lossy } = await lossyClient(limits);
    await client.call(WORKER, sendText('M0'), inTime);
    lossy.loseAnswer('"M1"', 'cut');
    const call = client.call(WORKER, sendText('M1'), inTime);
    const outcome = call.catch((error: unknown) => error);
    await waitFor(() => redis.status !== 'ready', { what: 'the cut', intervalMs: 1 });
    // This is answered after the resent command.
    await waitFor(() => redis.status === 'ready', { what: 'another connection' });
    await redis.ping();
    again.open();
    expect(await outcome).toEqual({ messageId: 'M1' });
    expect(handled).toHaveLength(2);
  });

  test('is not carried out again after it failed', async () => {
    const handled: WorkerCommand[] = [];
    await startServer(async (command) => {
      handled.push(command);
      if (handled.length === 2) throw new WafleetError('SESSION_NOT_OPEN', 'The session is closed.');
      return { messageId: 'M1' };
    });
    const { client, lossy } = await lossyClient();
    await client.call(WORKER, sendText('M0'), inTime);
    lossy.loseAnswer('"M1"', 'cut');
    const call = client.call(WORKER, sendText('M1'), inTime);
    await expect(call).rejects.toMatchObject({ code: 'SESSION_NOT_OPEN' });
    await waitFor(async () => (await fixture.redis.xlen(keys.inbox(WORKER))) === 0, {
      what: 'an empty inbox',
    });
    expect(handled).toHaveLength(2);
  });
});
