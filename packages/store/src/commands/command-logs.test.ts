import { createLogger } from '@wafleet/runtime';
import { expect, test } from 'vitest';
import { logger, useRedis } from '../testing/redis-fixture.js';
import { WorkerRegistry } from '../workers/worker-registry.js';
import { CommandClient } from './command-client.js';
import { CommandServer } from './command-server.js';

const fixture = useRedis();
const command = {
  kind: 'send-text',
  ...{ tenantId: 'tnt_a', sessionId: 'shop', messageId: 'M1', to: '15551234567', text: 'hello' },
} as const;

test('a worker logs what it executes and what fails with the id of the request', async () => {
  let written = '';
  await new WorkerRegistry(fixture.redis).acquireLease('wrk_a');
  const server = new CommandServer({
    redis: fixture.redis,
    blocking: fixture.connect('blocking'),
    workerId: 'wrk_a',
    handle: ({ kind }) =>
      kind === 'send-text' ? Promise.resolve({ messageId: 'M1' }) : Promise.reject(new Error('a failure')),
    logger: createLogger({
      app: 'worker',
      level: 'debug',
      destination: {
        write: (line) => {
          written += line;
        },
      },
    }),
  });
  server.start();
  const subscriber = fixture.connect('subscriber');
  const client = new CommandClient({ redis: fixture.redis, subscriber, clientId: 'edge_1', logger });
  await client.start();
  try {
    await client.call('wrk_a', command, { requestId: 'request-1' });
    const { tenantId, sessionId } = command;
    const failing = client.call(
      'wrk_a',
      { kind: 'release', tenantId, sessionId },
      { requestId: 'request-2' },
    );
    await expect(failing).rejects.toMatchObject({ code: 'INTERNAL' });
    // A longer one than any edge sends, and that of an edge of an earlier release.
    await client.call('wrk_a', { ...command, messageId: 'M2' }, { requestId: 'x'.repeat(200) });
    await client.call('wrk_a', { ...command, messageId: 'M3' });
  } finally {
    await client.stop();
    await server.stop();
  }
  const lines = written
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines).toMatchObject([
    { msg: 'answered a command', kind: 'send-text', requestId: 'request-1', outcome: 'done' },
    { msg: 'a command failed', kind: 'release', requestId: 'request-2' },
    { msg: 'answered a command', kind: 'release', requestId: 'request-2', outcome: 'failed' },
    { msg: 'answered a command', outcome: 'done' },
    { msg: 'answered a command', outcome: 'done' },
  ]);
  expect(lines[3]).not.toHaveProperty('requestId');
  expect(lines[4]).not.toHaveProperty('requestId');
});
