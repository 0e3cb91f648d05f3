import { createLogger } from '@wafleet/runtime';
import { connectRedis } from '@wafleet/store';
import { startRedis, waitFor } from '@wafleet/testkit';
import { Queue, Worker } from 'bullmq';
import { expect, it, onTestFinished } from 'vitest';
import { paceErrors } from './pace-errors.js';

it('a queue whose Redis is out of memory tries again with pauses, and goes on afterwards', async () => {
  const server = await startRedis();
  const logger = createLogger({ app: 'test', level: 'silent' });
  const connection = connectRedis({ url: server.url, role: 'queue', name: 'test', logger });
  const queue = new Queue('paced', { connection });
  const served: string[] = [];
  const worker = new Worker('paced', async ({ name }) => served.push(name), { connection });
  const errors: string[] = [];
  worker.on('error', ({ message }) => errors.push(message));
  paceErrors(worker, { connection, logger });
  onTestFinished(async () => {
    await worker.close();
    await queue.close();
    connection.disconnect();
    await server.stop();
  });
  await worker.waitUntilReady();
  await queue.add('first', {});
  await waitFor(() => served.length === 1, { what: 'the first job' });

  await queue.pause();
  await queue.add('second', {});
  await server.command('CONFIG', 'SET', 'maxmemory', '1');
  await queue.resume().catch(() => {});
  let pauses = 0;
  worker.on('resumed', () => {
    pauses += 1;
  });
  await waitFor(() => pauses >= 2, { what: 'two pauses', timeoutMs: 30_000 });
  expect(errors.every((message) => message.includes('OOM'))).toBe(true);
  // Without pauses there were thousands.
  expect(errors.length).toBeLessThan(20);

  await server.command('CONFIG', 'SET', 'maxmemory', '0');
  await queue.resume();
  await waitFor(() => served.length === 2, { what: 'the second job', timeoutMs: 60_000 });
});
