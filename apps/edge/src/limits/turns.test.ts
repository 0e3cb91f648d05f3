import { setImmediate as turnOfLoop } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type Caller, Turns } from './turns.js';

/** Lets everything begin at once. */
const NO_PACE = { wait: () => 0, count: () => {} };

const of = (tenantId: string, keyId = 'key'): Caller => ({ tenantId, keyId });

/** Work that records its name when it begins. */
function workers(turns: Turns) {
  const begun: string[] = [];
  const ask = (caller: Caller, name: string) => {
    const turn = turns.of(caller);
    const done = turn.come().then((isTurn) => {
      if (isTurn) begun.push(name);
      return isTurn;
    });
    return { turn, done };
  };
  return { begun, ask };
}

describe('work that is asked for at the same time', () => {
  it('begins tenant by tenant, and a few in each turn of the event loop', async () => {
    const turns = new Turns({ pace: NO_PACE });
    const { begun, ask } = workers(turns);
    const flood = Array.from({ length: 300 }, (_, index) => ask(of('greedy'), `greedy ${index}`).done);
    const other = ask(of('modest'), 'modest').done;
    expect(turns.size).toBe(297);
    await other;
    expect(begun.length).toBeLessThanOrEqual(8);
    await Promise.all(flood);
    expect(begun.filter((name) => name !== 'modest')).toEqual(flood.map((_, index) => `greedy ${index}`));
    expect(turns.size).toBe(0);
  });

  it('begins key by key within a tenant', async () => {
    const { begun, ask } = workers(new Turns({ pace: NO_PACE }));
    const flood = Array.from({ length: 300 }, () => ask(of('tenant', 'one'), 'one').done);
    await ask(of('tenant', 'two'), 'two').done;
    expect(begun.length).toBeLessThanOrEqual(8);
    await Promise.all(flood);
  });

  it('begins by address where the key is not known', async () => {
    const { begun, ask } = workers(new Turns({ pace: NO_PACE }));
    const flood = Array.from({ length: 300 }, () => ask({ address: '203.0.113.7' }, 'one').done);
    await ask({ address: '203.0.113.8' }, 'two').done;
    expect(begun.length).toBeLessThanOrEqual(8);
    await Promise.all(flood);
  });
});

it('one piece of work begins at a time while turns of the event loop take long', async () => {
  let ms = 0;
  const turns = new Turns({ pace: NO_PACE, now: () => ms });
  const begunInTurns: number[] = [];
  let begun = 0;
  const work = async () => {
    await turns.of(of('greedy')).come();
    begun += 1;
    ms += 10;
  };
  const all = Promise.all(Array.from({ length: 30 }, work));
  while (begun < 30) {
    const before = begun;
    await turnOfLoop();
    begunInTurns.push(begun - before);
  }
  await all;
  const [first = 0, second = 0, ...later] = begunInTurns;
  expect(first + second).toBeLessThanOrEqual(8);
  expect(new Set(later)).toEqual(new Set([1]));
});

it('withdrawn work does not begin, and leaves its place to others', async () => {
  const turns = new Turns({ pace: NO_PACE });
  const { begun, ask } = workers(turns);
  const asked = Array.from({ length: 10 }, (_, index) => ask(of('tenant'), `${index}`));
  for (const { turn } of asked.slice(2, 9)) turn.withdraw();
  const early = turns.of(of('tenant'));
  early.withdraw();
  expect(await early.come()).toBe(false);
  expect(await Promise.all(asked.map(({ done }) => done))).toEqual(
    asked.map((_, index) => index < 4 || index === 9),
  );
  expect(begun).toEqual(['0', '1', '2', '3', '9']);
  expect(turns.size).toBe(0);
});

it('a tenant that has to wait for its pace holds no other one back', async () => {
  const held = new Set(['greedy']);
  const turns = new Turns({ pace: { ...NO_PACE, wait: (name) => (held.has(name) ? 1 : 0) } });
  const { begun, ask } = workers(turns);
  const greedy = ask(of('greedy'), 'greedy').done;
  const modest = Array.from({ length: 20 }, () => ask(of('modest'), 'modest').done);
  await Promise.all(modest);
  expect(begun).not.toContain('greedy');
  held.clear();
  await greedy;
  expect(begun.at(-1)).toBe('greedy');
});

it('counts what begins by tenant, or by address, and what it turns out to be worth', async () => {
  const counted: [string, number][] = [];
  const pace = { wait: () => 0, count: (name: string, pieces = 1) => counted.push([name, pieces]) };
  const turns = new Turns({ pace });
  const turn = turns.of(of('tenant'));
  await turn.come();
  turn.charge(0);
  turn.charge(4);
  await turns.of({ address: '203.0.113.7' }).come();
  expect(counted).toEqual([
    ['tenant', 1],
    ['tenant', 4],
    ['address 203.0.113.7', 1],
  ]);
});
