import { createLogger } from '@wafleet/runtime';
import { FencedError } from '@wafleet/store';
import type { SignalDataSet, SignalKeyStore } from '@whiskeysockets/baileys';
import { expect, it } from 'vitest';
import { AuthGuard } from './auth-guard.js';

const logger = createLogger({ app: 'test', level: 'silent' });
const fenced = () => new FencedError({ tenantId: 't', sessionId: 's', epoch: 1, worker: 'w' });

/** A guard over a storage that writes down what it is told, and fails as often as it should. */
function guardOver({ failures = [] as Error[], patienceMs = 0 } = {}) {
  const told: string[] = [];
  const attempt = async (what: string) => {
    const failure = failures.shift();
    if (failure !== undefined) throw failure;
    told.push(what);
  };
  const keys: SignalKeyStore = {
    get: async () => {
      await attempt('get');
      return {};
    },
    set: (data) => attempt(`set ${Object.keys(data).join()}`),
  };
  const guard = new AuthGuard({
    keys,
    saveCreds: () => attempt('creds'),
    logger,
    patienceMs,
    onFenced: () => told.push('fenced'),
    onFailed: () => told.push('failed'),
  });
  return { guard, told };
}

const records = (type: keyof SignalDataSet): SignalDataSet => ({ [type]: { 1: null } });

it('stores in the order given; saves of credentials that wait share one', async () => {
  const { guard, told } = guardOver();
  const done = [
    guard.keys.set(records('session')),
    guard.saveCreds(),
    guard.saveCreds(),
    guard.keys.set(records('pre-key')),
    guard.saveCreds(),
  ];
  await Promise.all(done);
  expect(told).toEqual(['set session', 'creds', 'set pre-key']);
  await guard.saveCreds();
  expect(told.at(-1)).toBe('creds');
});

it('tries again while it has patience', async () => {
  const { guard, told } = guardOver({ failures: [new Error('Command timed out')], patienceMs: 60_000 });
  await guard.keys.set(records('session'));
  expect(told).toEqual(['set session']);
});

it('has the socket ended before a write that cannot be stored rejects', async () => {
  const { guard, told } = guardOver({ failures: [new Error('Command timed out')] });
  const write = Promise.resolve(guard.keys.set(records('session'))).catch(() => told.push('rejected'));
  await write;
  expect(told).toEqual(['failed', 'rejected']);
  await guard.keys.set(records('pre-key'));
  expect(told.at(-1)).toBe('set pre-key');
});

it('lets nothing through once the fence refused', async () => {
  const { guard, told } = guardOver({ failures: [fenced()] });
  await expect(guard.keys.set(records('session'))).rejects.toBeInstanceOf(FencedError);
  await expect(guard.keys.set(records('pre-key'))).rejects.toThrow('discarded');
  await expect(guard.keys.get('session', ['1'])).rejects.toThrow('discarded');
  await guard.saveCreds();
  expect(told).toEqual(['fenced']);
});
