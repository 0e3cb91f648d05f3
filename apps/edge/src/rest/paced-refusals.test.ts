import { Socket } from 'node:net';
import { waitFor } from '@wafleet/testkit';
import { expect, it } from 'vitest';
import { PacedRefusals } from './paced-refusals.js';

it('refusals wait for their turn up to a number, and those after it are answered at once', async () => {
  const refusals = new PacedRefusals();
  let answered = 0;
  for (let count = 0; count < 1_500; count += 1) {
    refusals.add(new Socket(), () => {
      answered += 1;
    });
  }
  expect([answered, refusals.size]).toEqual([500, 1_000]);
  await new Promise((resolve) => setImmediate(resolve));
  expect(answered).toBe(508);
  await waitFor(() => answered === 1_500, { what: 'all are answered' });
  expect(refusals.size).toBe(0);
});

it('one refusal of a connection waits at a time', async () => {
  const refusals = new PacedRefusals();
  const connection = new Socket();
  const answered: string[] = [];
  for (const name of ['first', 'second', 'third']) refusals.add(connection, () => answered.push(name));
  expect(answered).toEqual(['second', 'third']);
  await new Promise((resolve) => setImmediate(resolve));
  expect(answered).toEqual(['second', 'third', 'first']);
});
