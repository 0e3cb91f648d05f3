import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import { setTimeout as delay, setImmediate as tick } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createLogger } from '@wafleet/runtime';
import { makeWASocket, type WASocket } from '@whiskeysockets/baileys';
import { afterEach, describe, expect, test } from 'vitest';
import { makeSocket, newCredentials } from '../baileys.js';
import { baileysLogger } from '../logger.js';
import { SharedAsyncStorage, withSharedAsyncStorage } from './shared-async-storage.js';

const SOCKETS = 5;
/** Whether Node.js makes no copies, so that nothing has to be shared: true since version 24. */
const isFreeOfCopies = Number.parseInt(process.versions.node, 10) >= 24;

const sockets: WASocket[] = [];

afterEach(async () => {
  await Promise.all(sockets.splice(0).map((socket) => socket.end(undefined)));
});

/** Returns how many properties an asynchronous resource, such as a promise, gets when it is created. */
function countCopies(): number {
  return Object.getOwnPropertySymbols(new AsyncResource('probe')).length;
}

/** Returns how many more copies there are after each of the sockets has had a transaction. */
async function copiesFor(make: typeof makeSocket): Promise<number> {
  const before = countCopies();
  for (let count = 0; count < SOCKETS; count += 1) {
    const socket = make({
      auth: { creds: newCredentials(), keys: { get: async () => ({}), set: async () => {} } },
      logger: baileysLogger(createLogger({ app: 'test', level: 'silent' })),
      waWebSocketUrl: 'ws://127.0.0.1:1',
    });
    sockets.push(socket);
    const { keys } = socket.authState;
    if (!('transaction' in keys)) throw new Error('Baileys gave its keys no transactions');
    await keys.transaction(async () => {
      await tick();
      expect(keys.isInTransaction()).toBe(true);
    }, 'me');
    expect(keys.isInTransaction()).toBe(false);
  }
  return countCopies() - before;
}

test('a promise does not cost more with more sockets in the process', async () => {
  await copiesFor(makeSocket);
  expect(await copiesFor(makeSocket)).toBe(0);
});

test('without the patch a promise costs more with each socket, if Node.js copies its storages', async () => {
  expect(await copiesFor(makeWASocket)).toBe(isFreeOfCopies ? 0 : SOCKETS);
});

test('other code gets the storage class of Node.js', () => {
  const made = withSharedAsyncStorage(() => new AsyncLocalStorage<string>());
  expect(made instanceof SharedAsyncStorage).toBe(!isFreeOfCopies);
  expect(new AsyncLocalStorage()).not.toBeInstanceOf(SharedAsyncStorage);
  expect(() =>
    withSharedAsyncStorage(() => {
      throw new Error('no socket');
    }),
  ).toThrow('no socket');
  expect(new AsyncLocalStorage()).not.toBeInstanceOf(SharedAsyncStorage);
});

test('the stores of a storage are freed with it, though one of its contexts lives on', async () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage: () => void = runInNewContext('gc');
  const kept = new SharedAsyncStorage<string>();
  const used = new SharedAsyncStorage<object>();
  const makeContext = (storage: SharedAsyncStorage<object>) => {
    const store = {};
    const context = kept.run('kept', () => storage.run(store, () => new AsyncResource('timer')));
    return { store: new WeakRef(store), context };
  };
  const living = makeContext(used);
  const dead = makeContext(new SharedAsyncStorage<object>());
  for (let round = 0; round < 100 && dead.store.deref() !== undefined; round += 1) {
    await tick();
    collectGarbage();
  }
  expect(dead.store.deref()).toBeUndefined();
  expect(living.context.runInAsyncScope(() => used.getStore())).toBe(living.store.deref());
  expect(living.store.deref()).toBeDefined();
  expect(dead.context.runInAsyncScope(() => kept.getStore())).toBe('kept');
});

describe.each<[string, () => AsyncLocalStorage<string>]>([
  ["Node.js' own", () => new AsyncLocalStorage<string>()],
  ['a shared one', () => new SharedAsyncStorage<string>()],
])('%s', (_, make) => {
  test('has its store in the context alone, whatever runs in between', async () => {
    const [first, second] = [make(), make()];
    const seen = () => [first.getStore(), second.getStore()];
    const both = (names: [string, string]) =>
      first.run(names[0], () => second.run(names[1], tick)).then(seen);
    const inside = await first.run('a', async () => {
      await delay(1);
      const nested = await second.run('b', async () => {
        await tick();
        const again = await first.run('c', async () => {
          await delay(1);
          return seen();
        });
        return [seen(), again];
      });
      return [...nested, seen(), await both(['d', 'e'])];
    });
    expect(inside).toEqual([
      ['a', 'b'],
      ['c', 'b'],
      ['a', undefined],
      ['a', undefined],
    ]);
    expect(seen()).toEqual([undefined, undefined]);
  });

  test('keeps apart what runs at once, and hands arguments, results and errors on', async () => {
    const storage = make();
    const names = ['a', 'b', 'c', 'd'];
    const work = async (times: number, name: string) => {
      for (let time = 0; time < times; time += 1) {
        await (time % 2 === 0 ? tick() : delay(1));
        expect(storage.getStore()).toBe(name);
      }
      return name;
    };
    expect(await Promise.all(names.map((name) => storage.run(name, work, 5, name)))).toEqual(names);
    const fail = () => {
      throw new Error(storage.getStore());
    };
    expect(() => storage.run('a', fail)).toThrow('a');
    expect(storage.getStore()).toBeUndefined();
  });

  test('can be left, entered for good and bound', async () => {
    const [storage, other] = [make(), make()];
    const seen = () => [storage.getStore(), other.getStore()];
    const bound = other.run('x', () =>
      storage.run('a', () => {
        expect(storage.exit((mark: string) => [...seen(), mark], 'm')).toEqual([undefined, 'x', 'm']);
        expect(seen()).toEqual(['a', 'x']);
        storage.enterWith('b');
        return AsyncResource.bind(seen);
      }),
    );
    expect(seen()).toEqual([undefined, undefined]);
    expect(bound()).toEqual(['b', 'x']);
    expect(storage.run('c', seen)).toEqual(['c', undefined]);
  });
});

test('a disabled storage has no store in existing contexts', () => {
  const storage = new SharedAsyncStorage<string>();
  const getStore = () => storage.getStore();
  const bound = storage.run('a', () => AsyncResource.bind(getStore));
  expect(bound()).toBe('a');
  storage.disable();
  expect(bound()).toBeUndefined();
  expect(storage.run('b', getStore)).toBe('b');
  expect(bound()).toBeUndefined();
});
