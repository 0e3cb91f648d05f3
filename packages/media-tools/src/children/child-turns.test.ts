import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { ChildTurns } from './child-turns.js';

/** Work that ends when `end` is called. */
function task() {
  let end: () => void = () => undefined;
  const work = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { work: () => work, end };
}

it('lets tenants that wait take turns', async () => {
  const turns = new ChildTurns(1, 10);
  const first = task();
  const started: string[] = [];
  const run = (tenantId: string, name: string) =>
    turns.run({ tenantId }, async () => {
      started.push(name);
    });
  const all = [turns.run({ tenantId: 'a' }, first.work), run('a', 'a1'), run('a', 'a2'), run('b', 'b1')];
  await setImmediate();
  expect(started).toEqual([]);
  first.end();
  await Promise.all(all);
  expect(started).toEqual(['a1', 'b1', 'a2']);
});

it('refuses more than may wait', async () => {
  const turns = new ChildTurns(1, 1);
  const first = task();
  const running = turns.run({ tenantId: 'a' }, first.work);
  const waiting = turns.run({ tenantId: 'a' }, async () => 'done');
  await expect(turns.run({ tenantId: 'b' }, async () => undefined)).rejects.toMatchObject({
    kind: 'busy',
    isRetryable: true,
  });
  first.end();
  await running;
  expect(await waiting).toBe('done');
});

it('leaves places to other tenants: one has at most half of them', async () => {
  const turns = new ChildTurns(1, 4);
  const first = task();
  const running = turns.run({ tenantId: 'a' }, first.work);
  const run = (tenantId: string) => turns.run({ tenantId }, async () => tenantId);
  const waiting = [run('a'), run('a')];
  await expect(run('a')).rejects.toMatchObject({ kind: 'busy' });
  waiting.push(run('b'));
  first.end();
  await running;
  expect(await Promise.all(waiting)).toEqual(['a', 'a', 'b']);
  // Those that had their turn do not count any more.
  const second = task();
  const again = turns.run({ tenantId: 'a' }, second.work);
  waiting.push(run('a'), run('a'));
  second.end();
  await again;
  expect(await Promise.all(waiting)).toHaveLength(5);
});

it('forgets a call that is aborted while it waits', async () => {
  const turns = new ChildTurns(1, 1);
  const first = task();
  const abort = new AbortController();
  const running = turns.run({ tenantId: 'a' }, first.work);
  const waiting = turns.run({ tenantId: 'a', signal: abort.signal }, async () => undefined);
  abort.abort(new Error('the client left'));
  await expect(waiting).rejects.toThrow('the client left');
  const next = turns.run({ tenantId: 'b' }, async () => 'next');
  first.end();
  expect(await next).toBe('next');
  await running;
});

it('passes the turn on when work fails', async () => {
  const turns = new ChildTurns(1, 1);
  await expect(turns.run({ tenantId: 'a' }, () => Promise.reject(new Error('broken')))).rejects.toThrow(
    'broken',
  );
  expect(await turns.run({ tenantId: 'a' }, async () => 'next')).toBe('next');
});
