import { expect, it } from 'vitest';
import { FairQueue } from './fair-queue.js';

const drain = (line: FairQueue<string>) => Array.from({ length: line.size }, () => line.next());

it('serves tenants in turn, and those of a tenant in their order', () => {
  const line = new FairQueue<string>();
  for (const n of [1, 2, 3, 4]) line.join('a', `a${n}`);
  line.join('b', 'b1');
  line.join('c', 'c1');
  line.join('c', 'c2');
  expect([...line]).toEqual(['a1', 'b1', 'c1', 'a2', 'c2', 'a3', 'a4']);
  expect(drain(line)).toEqual(['a1', 'b1', 'c1', 'a2', 'c2', 'a3', 'a4']);
  expect([line.size, line.next()]).toEqual([0, undefined]);
});

it('lets a tenant who comes late wait for one turn of each other, whatever they have waiting', () => {
  const line = new FairQueue<string>();
  for (let n = 0; n < 500; n += 1) line.join('a', `a${n}`);
  for (let n = 0; n < 100; n += 1) line.next();
  line.join('b', 'b');
  expect([line.next(), line.next()]).toEqual(['a100', 'b']);
});

it('passes over a tenant who may not be served, who keeps its place', () => {
  const line = new FairQueue<string>();
  for (const waiter of ['a1', 'b1', 'b2', 'c1']) line.join(waiter.slice(0, 1), waiter);
  expect(line.next((tenantId) => tenantId !== 'a')).toBe('b1');
  expect(line.next((tenantId) => tenantId === 'none')).toBeUndefined();
  expect(line.size).toBe(3);
  expect(drain(line)).toEqual(['a1', 'c1', 'b2']);
});

it('serves one out of turn, whose tenant then waits for the others', () => {
  const line = new FairQueue<string>();
  for (const waiter of ['a1', 'a2', 'a3', 'b1', 'c1']) line.join(waiter.slice(0, 1), waiter);
  expect(line.serve('a', 'a2')).toBe(true);
  expect(line.serve('a', 'a2')).toBe(false);
  expect(drain(line)).toEqual(['b1', 'c1', 'a1', 'a3']);
});

it('forgets one that leaves', () => {
  const line = new FairQueue<string>();
  line.join('a', 'a1');
  line.join('a', 'a2');
  line.join('b', 'b1');
  line.leave('a', 'a1');
  line.leave('a', 'a1');
  line.leave('b', 'b1');
  line.leave('c', 'c1');
  expect(drain(line)).toEqual(['a2']);
});
