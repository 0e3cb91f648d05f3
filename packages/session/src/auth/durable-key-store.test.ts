import { createLogger } from '@wafleet/runtime';
import { FencedError, SealedValueError } from '@wafleet/store';
import type { SignalDataSet, SignalKeyStore } from '@whiskeysockets/baileys';
import { expect, it } from 'vitest';
import { DurableKeyStore } from './durable-key-store.js';

const logger = createLogger({ app: 'test', level: 'silent' });
const fenced = () => new FencedError({ tenantId: 't', sessionId: 's', epoch: 1, worker: 'w' });

/** A guard over a storage that records its writes, and whose first operations fail with `failures`. */
function guardOver({ failures = [] as Error[], patienceMs = 0 } = {}) {
  const reported: string[] = [];
  const attempt = async (what: string) => {
    const failure = failures.shift();
    if (failure !== undefined) throw failure;
    reported.push(what);
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
    failures: {
      fenced: () => reported.push('fenced'),
      storageFailed: () => reported.push('failed'),
      credentialsUnreadable: () => reported.push('unreadable'),
    },
  });
  return {
    guard,
    reported,
    keys: guard.keysWhile(
      () => true,
      () => reported.push('silenced'),
    ),
  };
}

const records = (type: keyof SignalDataSet): SignalDataSet => ({ [type]: { 1: null } });

it('stores in the order of the calls; waiting saves of credentials share one write', async () => {
  const { guard, reported, keys } = guardOver();
  const done = [
    keys.set(records('session')),
    guard.saveCreds(),
    guard.saveCreds(),
    keys.set(records('pre-key')),
    guard.saveCreds(),
  ];
  await Promise.all(done);
  expect(reported).toEqual(['set session', 'creds', 'set pre-key']);
  await guard.saveCreds();
  expect(reported.at(-1)).toBe('creds');
});

it('retries within its patience', async () => {
  const { reported, keys } = guardOver({ failures: [new Error('Command timed out')], patienceMs: 60_000 });
  await keys.set(records('session'));
  expect(reported).toEqual(['set session']);
});

it('ends the socket before a write that cannot be stored rejects', async () => {
  const { reported, keys } = guardOver({ failures: [new Error('Command timed out')] });
  const write = Promise.resolve(keys.set(records('session'))).catch(() => reported.push('rejected'));
  await write;
  expect(reported).toEqual(['failed', 'silenced', 'rejected']);
  await keys.set(records('pre-key'));
  expect(reported.at(-1)).toBe('set pre-key');
});

it('neither begins nor repeats a write for a socket that is gone', async () => {
  const { guard, reported } = guardOver({ failures: [new Error('Command timed out')], patienceMs: 60_000 });
  let isOpen = true;
  const keys = guard.keysWhile(
    () => isOpen,
    () => reported.push('silenced'),
  );
  const write = keys.set(records('session'));
  isOpen = false;
  await expect(write).rejects.toThrow('ended');
  await expect(keys.set(records('pre-key'))).rejects.toThrow('ended');
  expect(reported).toEqual(['silenced', 'silenced']);
  await guard.saveCreds();
  expect(reported.at(-1)).toBe('creds');
});

it('gives up at once on a stored value that cannot be opened', async () => {
  const { reported, keys } = guardOver({ failures: [new SealedValueError('damaged')], patienceMs: 60_000 });
  await expect(keys.get('session', ['1'])).rejects.toThrow('damaged');
  await expect(keys.set(records('session'))).rejects.toThrow('discarded');
  expect(reported).toEqual(['unreadable', 'silenced', 'silenced']);
});

it('lets nothing through once the fence refused', async () => {
  const { guard, reported, keys } = guardOver({ failures: [fenced()] });
  await expect(keys.set(records('session'))).rejects.toBeInstanceOf(FencedError);
  await expect(keys.set(records('pre-key'))).rejects.toThrow('discarded');
  await expect(keys.get('session', ['1'])).rejects.toThrow('discarded');
  await guard.saveCreds();
  expect(reported).toEqual(['fenced', 'silenced', 'silenced', 'silenced']);
});
