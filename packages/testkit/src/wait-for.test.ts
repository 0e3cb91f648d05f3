import { expect, it } from 'vitest';
import { waitFor } from './wait-for.js';

it('resolves with the first truthy value despite earlier errors', async () => {
  const looks = [undefined, new Error('not yet'), 0, 'there'];
  const value = await waitFor(
    () => {
      const look = looks.shift();
      if (look instanceof Error) throw look;
      return look;
    },
    { what: 'a value', intervalMs: 1 },
  );
  expect(value).toBe('there');
  expect(looks).toEqual([]);
});

it('reports what it waited for and the last result', async () => {
  const wait = { what: 'the second worker', timeoutMs: 5, intervalMs: 1 };
  await expect(waitFor(() => '', wait)).rejects.toThrow(
    "the second worker: not within 5 ms; the last look gave ''",
  );
  await expect(waitFor(() => Promise.reject(new Error('refused')), wait)).rejects.toThrow(
    'the second worker: not within 5 ms; the last look threw: refused',
  );
});
