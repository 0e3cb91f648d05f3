import { expect, it } from 'vitest';
import { Reconnecting } from './reconnect-policy.js';

const REPLACED = { statusCode: 440, message: 'Stream Errored (conflict)' };

function replacements(times: readonly number[]) {
  let now = 0;
  const reconnecting = new Reconnecting({ random: () => 0, now: () => now });
  return times.map((at) => {
    now = at;
    return reconnecting.reactionTo(REPLACED, { isLinked: true });
  });
}

it('fails a session that is replaced for the fifth time within an hour', () => {
  const again = { kind: 'reconnect', reason: 'replaced', wait: 30_000 };
  expect(replacements([0, 60_000, 120_000, 180_000, 240_000])).toEqual([
    again,
    again,
    again,
    again,
    { kind: 'failed', reason: 'replaced-repeatedly' },
  ]);
});

it('fails an imported session the first time in its first day, since its source still runs', () => {
  const importedAt = Date.now() - 3_600_000;
  let now = 0;
  const reconnecting = new Reconnecting({ random: () => 0, now: () => now, importedAt });
  const reaction = () => reconnecting.reactionTo(REPLACED, { isLinked: true });
  expect(reaction()).toEqual({ kind: 'failed', reason: 'used-elsewhere' });
  now = 86_400_000;
  expect(reaction()).toEqual({ kind: 'reconnect', reason: 'replaced', wait: 30_000 });
});

it('reconnects after replacements that are rarer than that', () => {
  const hourly = Array.from({ length: 50 }, (_, index) => index * 900_000);
  expect(replacements(hourly).every(({ kind }) => kind === 'reconnect')).toBe(true);
});

it('reacts to every other cause as the table says', () => {
  const reconnecting = new Reconnecting({ random: () => 0.5 });
  expect(reconnecting.reactionTo({ statusCode: 403, message: '' }, { isLinked: true })).toEqual({
    kind: 'failed',
    reason: 'forbidden',
  });
});

it('waits longer after each refusal of WhatsApp, and starts over half an hour after the last', () => {
  let now = 0;
  const reconnecting = new Reconnecting({ random: () => 0, now: () => now });
  const waits = [0, 30_000, 90_000, 90_000 + 1_800_001].map((at) => {
    now = at;
    const reaction = reconnecting.reactionTo({ statusCode: 429, message: '' }, { isLinked: true });
    return 'wait' in reaction && reaction.wait;
  });
  expect(waits).toEqual([20_000, 40_000, 80_000, 20_000]);
});
