import { expect, test } from 'vitest';
import type { PlacementReason } from '../placement-request.js';
import { priorityOf } from './priority.js';

/** The requests, as `tenant reason rank`, in the order in which a queue serves them. */
function served(requests: readonly (readonly [string, PlacementReason, number])[]): string[] {
  return requests
    .map(([tenant, reason, rank]) => ({ name: `${tenant} ${reason} ${rank}`, at: priorityOf(reason, rank) }))
    .sort((a, b) => a.at - b.at)
    .map(({ name }) => name);
}

test('one session of a tenant does not wait for the five hundred of another one', () => {
  const many = Array.from({ length: 500 }, (_, index) => ['acme', 'crash', index + 1] as const);
  for (const reason of ['create', 'restart', 'drain', 'crash'] as const) {
    expect(served([...many, ['globex', reason, 1]]).indexOf(`globex ${reason} 1`)).toBeLessThanOrEqual(1);
  }
});

test('what somebody waits for comes before the rest, of the same tenant too', () => {
  expect(
    served([
      ['acme', 'rebalance', 1],
      ['acme', 'crash', 1],
      ['acme', 'crash', 2],
      ['acme', 'drain', 1],
      ['acme', 'create', 1],
    ]),
  ).toEqual(['acme create 1', 'acme drain 1', 'acme crash 1', 'acme crash 2', 'acme rebalance 1']);
});

test('is one that the queue takes, however many wait', () => {
  expect(priorityOf('rebalance', 1_000_000)).toBe(2_097_151);
  expect(priorityOf('create', 1)).toBe(1);
});
