import { randomBytes } from 'node:crypto';
import { type AppProcess, type Cluster, startCluster, waitFor } from '@wafleet/testkit';
import { afterEach, expect, test } from 'vitest';
import { linkedAnew, linkSessions } from '../support/linked-sessions.js';
import { report } from '../support/report.js';
import { Traffic } from '../support/traffic.js';

/** Changes ENCRYPTION_KEY by the steps of docs/operations.md, under traffic. No phone has to be linked again. */
const SESSIONS = 4;

let cluster: Cluster | undefined;
let traffic: Traffic | undefined;

afterEach(async () => {
  await traffic?.close();
  await cluster?.stop();
});

test('three rolling restarts change the key, and afterwards the old key opens nothing', async () => {
  const [oldKey, newKey] = [randomBytes(32).toString('hex'), randomBytes(32).toString('hex')];
  const running = await startCluster({ workers: 0, environment: { PLACEMENTS_PER_SECOND: '50' } });
  cluster = running;
  let worker = await running.addWorker({ ENCRYPTION_KEY: oldKey });
  const tenant = await running.addTenant();
  const sessions = await linkSessions(running, tenant, SESSIONS);
  traffic = await Traffic.start({ cluster: running, tenant, sessions });

  async function replaceWorker(keys: string): Promise<AppProcess> {
    const next = await running.addWorker({ ENCRYPTION_KEY: keys });
    const exit = await worker.stop();
    expect(exit.code).toBe(0);
    await traffic?.flows(2);
    return next;
  }

  worker = await replaceWorker(`${oldKey},${newKey}`);
  await expect(running.addWorker({ ENCRYPTION_KEY: newKey })).rejects.toThrow('ENCRYPTION_KEY');
  worker = await replaceWorker(`${newKey},${oldKey}`);
  const sealing = worker;
  const sealedAnew = () =>
    sealing.logs.filter(({ msg }) => msg === 'stored keys were sealed with the current key');
  await waitFor(() => new Set(sealedAnew().map(({ sessionId }) => sessionId)).size === SESSIONS, {
    what: 'every session sealed with the new key',
    timeoutMs: 60_000,
  });
  const resealed = sealedAnew().map((line) => Number(line.resealed));
  worker = await replaceWorker(newKey);
  await expect(running.addWorker({ ENCRYPTION_KEY: oldKey })).rejects.toThrow('ENCRYPTION_KEY');

  const { sent, duplicates, gaps } = await traffic.finish();
  report('encryption-key-rotates', { sessions: SESSIONS, resealed, sent, duplicates, gapMs: gaps });
  expect(linkedAnew(sessions), 'sessions that were linked again').toEqual([]);
  expect(traffic.events.payloads('auth.qr')).toEqual([]);
});
