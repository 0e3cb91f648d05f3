import { waitFor } from '@wafleet/testkit';
import { afterEach, expect, test } from 'vitest';
import { createGate } from '../testing/gate.js';
import { CommandTurns } from './command-turns.js';

const LIMITS = { concurrency: 4, perTenant: 3, reserved: 1 };
let gates: { open: () => void }[] = [];
afterEach(() => {
  for (const gate of gates) gate.open();
  gates = [];
});

/** Turns whose work ends when the test ends it. */
class Stage {
  /** How much work of a tenant may run at the current load of the process. */
  whenBusy = LIMITS.perTenant;
  readonly turns = new CommandTurns({ ...LIMITS, whenBusy: () => this.whenBusy });
  readonly begun: string[] = [];
  readonly discarded: string[] = [];
  readonly #gates = new Map<string, ReturnType<typeof createGate>>();

  /** @param name such as `a:1:x`, of tenant a and, in order, session 1; `a::x` has no order. */
  add(name: string, { holdsMs = 60_000 }: { holdsMs?: number } = {}): void {
    const [tenantId = '', session = ''] = name.split(':');
    const gate = createGate();
    this.#gates.set(name, gate);
    gates.push(gate);
    this.turns.add({
      tenantId,
      inOrderOf: session === '' ? undefined : session,
      holdsMs,
      run: async () => {
        this.begun.push(name);
        await gate.opened;
      },
      discard: async () => {
        this.discarded.push(name);
      },
    });
  }

  /** Ends work, and resolves when the work that follows has begun. */
  async end(...names: string[]): Promise<void> {
    for (const name of names) this.#gates.get(name)?.open();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('work of one session runs one after the other, in order of arrival', async () => {
  const stage = new Stage();
  for (const name of ['a:1:x', 'a:1:y', 'a:1:z', 'a:2:x']) stage.add(name);
  expect(stage.begun).toEqual(['a:1:x', 'a:2:x']);
  await stage.end('a:1:x');
  expect(stage.begun).toEqual(['a:1:x', 'a:2:x', 'a:1:y']);
  await stage.end('a:1:y', 'a:2:x');
  expect(stage.begun.at(-1)).toBe('a:1:z');
});

test('work that its sender no longer waits for does not delay other work', async () => {
  const stage = new Stage();
  stage.add('a:1:stuck', { holdsMs: 1 });
  stage.add('a:1:next');
  await expect.poll(() => stage.begun).toEqual(['a:1:stuck', 'a:1:next']);
});

test('a tenant with much work leaves room for others, and takes turns with them', async () => {
  const stage = new Stage();
  for (let session = 1; session <= 9; session += 1) stage.add(`a:${session}:x`);
  expect(stage.begun).toEqual(['a:1:x', 'a:2:x', 'a:3:x']);
  for (const name of ['b:1:x', 'b:2:x', 'b:3:x', 'c:1:x']) stage.add(name);
  // All places are taken, but one is reserved for c.
  expect(stage.begun.slice(3)).toEqual(['b:1:x', 'c:1:x']);
  await stage.end('a:1:x', 'a:2:x');
  expect(stage.begun.slice(5)).toEqual(['a:4:x']);
  await stage.end('a:3:x', 'a:4:x');
  expect(stage.begun.slice(6)).toEqual(['b:2:x', 'a:5:x']);
});

test('sessions of one tenant take turns', async () => {
  const stage = new Stage();
  for (const name of ['a::1', 'a::2', 'a:1:x', 'a:1:y', 'a:1:z', 'a:2:x']) stage.add(name);
  expect(stage.begun).toEqual(['a::1', 'a::2', 'a:1:x']);
  await stage.end('a:1:x');
  expect(stage.begun.at(-1)).toBe('a:2:x');
});

test('closing discards waiting work, and waits for running work', async () => {
  const stage = new Stage();
  for (const name of ['a:1:x', 'a:1:y', 'b::x']) stage.add(name);
  let isClosed = false;
  const closed = stage.turns.close().then(() => {
    isClosed = true;
  });
  stage.add('c:1:late');
  await stage.end('b::x');
  expect(isClosed).toBe(false);
  await stage.end('a:1:x');
  await closed;
  expect(stage.begun).toEqual(['a:1:x', 'b::x']);
  expect(stage.discarded.sort()).toEqual(['a:1:y', 'c:1:late']);
});

test('a busy process runs less of each tenant, and the first piece of work of any tenant', async () => {
  const stage = new Stage();
  stage.whenBusy = 1;
  for (const name of ['a:1:x', 'a:2:x', 'a:3:x', 'b:1:x', 'b:2:x', 'c:1:x']) stage.add(name);
  expect(stage.begun).toEqual(['a:1:x', 'b:1:x', 'c:1:x']);
  await stage.end('a:1:x');
  expect(stage.begun.at(-1)).toBe('a:2:x');
  stage.whenBusy = 2;
  await stage.end('b:1:x');
  expect(stage.begun.slice(4).sort()).toEqual(['a:3:x', 'b:2:x']);
});

test('work that waits for a busy process begins when it is less busy, even if no work ends or arrives', async () => {
  const stage = new Stage();
  stage.whenBusy = 1;
  for (const name of ['a:1:x', 'a:2:x', 'a:3:x']) stage.add(name);
  stage.whenBusy = 3;
  await waitFor(() => stage.begun.length === 3, { what: 'the work that waits' });
});
