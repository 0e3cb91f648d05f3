import { createLogger } from '@wafleet/runtime';
import { FencedError, SealedValueError } from '@wafleet/store';
import type { SignalDataSet, SignalKeyStore } from '@whiskeysockets/baileys';
import { expect, it } from 'vitest';
import { DurableKeyStore } from './durable-key-store.js';

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
  const storage: SignalKeyStore = {
    get: async () => {
      await attempt('get');
      return {};
    },
    set: (data) => attempt(`set ${Object.keys(data).join()}`),
  };
  const guard = new DurableKeyStore({
    keys: storage,
    saveCreds: () => attempt('creds'),
    logger,
    patienceMs,
    onFenced: () => told.push('fenced'),
    onFailed: () => told.push('failed'),
    onUnreadable: () => told.push('unreadable'),
  });
  return {
    guard,
    told,
    keys: guard.keysWhile(
      () => true,
      () => told.push('silenced'),
    ),
  };
}

const records = (type: keyof SignalDataSet): SignalDataSet => ({ [type]: { 1: null } });

it('stores in the order given; saves of credentials that wait share one', async () => {
  const { guard, told, keys } = guardOver();
  const done = [
    keys.set(records('session')),
    guard.saveCreds(),
    guard.saveCreds(),
    keys.set(records('pre-key')),
    guard.saveCreds(),
  ];
  await Promise.all(done);
  expect(told).toEqual(['set session', 'creds', 'set pre-key']);
  await guard.saveCreds();
  expect(told.at(-1)).toBe('creds');
});

it('tries again while it has patience', async () => {
  const { told, keys } = guardOver({ failures: [new Error('Command timed out')], patienceMs: 60_000 });
  await keys.set(records('session'));
  expect(told).toEqual(['set session']);
});

it('has the socket ended before a write that cannot be stored rejects', async () => {
  const { told, keys } = guardOver({ failures: [new Error('Command timed out')] });
  const write = Promise.resolve(keys.set(records('session'))).catch(() => told.push('rejected'));
  await write;
  expect(told).toEqual(['failed', 'silenced', 'rejected']);
  await keys.set(records('pre-key'));
  expect(told.at(-1)).toBe('set pre-key');
});

it('neither begins nor repeats a write for a socket that is gone', async () => {
  const { guard, told } = guardOver({ failures: [new Error('Command timed out')], patienceMs: 60_000 });
  let isOpen = true;
  const keys = guard.keysWhile(
    () => isOpen,
    () => told.push('silenced'),
  );
  const write = keys.set(records('session'));
  isOpen = false;
  await expect(write).rejects.toThrow('ended');
  await expect(keys.set(records('pre-key'))).rejects.toThrow('ended');
  expect(told).toEqual(['silenced', 'silenced']);
  await guard.saveCreds();
  expect(told.at(-1)).toBe('creds');
});

it('gives up at once on a stored value that cannot be opened', async () => {
  const { told, keys } = guardOver({ failures: [new SealedValueError('damaged')], patienceMs: 60_000 });
  await expect(keys.get('session', ['1'])).rejects.toThrow('damaged');
  await expect(keys.set(records('session'))).rejects.toThrow('discarded');
  expect(told).toEqual(['unreadable', 'silenced', 'silenced']);
});

it('lets nothing through once the fence refused', async () => {
  const { guard, told, keys } = guardOver({ failures: [fenced()] });
  await expect(keys.set(records('session'))).rejects.toBeInstanceOf(FencedError);
  await expect(keys.set(records('pre-key'))).rejects.toThrow('discarded');
  await expect(keys.get('session', ['1'])).rejects.toThrow('discarded');
  await guard.saveCreds();
  expect(told).toEqual(['fenced', 'silenced', 'silenced', 'silenced']);
});
