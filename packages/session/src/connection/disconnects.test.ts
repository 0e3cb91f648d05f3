import { Boom } from '@hapi/boom';
import { describe, expect, it } from 'vitest';
import { banLeftMs, causeOf, isDeviceRemoved, QR_CODES_USED_UP, reactionTo } from './disconnects.js';

const react = (
  statusCode: number,
  { isLinked = true, message = 'Connection Failure', banLeftMs }: Occasion = {},
) => reactionTo({ statusCode, message }, { isLinked, banLeftMs, random: 0.5 });

interface Occasion {
  isLinked?: boolean;
  message?: string;
  banLeftMs?: number;
}

describe('the reaction to a disconnect', () => {
  it.each([
    [403, 'forbidden'],
    [406, 'banned'],
    [411, 'multi-device-not-enabled'],
  ])('%i needs a person', (code, reason) => {
    expect(react(code)).toEqual({ kind: 'failed', reason });
  });

  it.each([405, 408, 428, 500, 503, 599])('%i is tried again after a while', (code) => {
    expect(react(code)).toMatchObject({ kind: 'reconnect', wait: 'back-off' });
  });

  it('515 is a restart at once', () => {
    expect(react(515)).toMatchObject({ kind: 'reconnect', wait: 0 });
  });

  it('401 ends a linked session, but not one that is not linked yet', () => {
    expect(react(401)).toEqual({ kind: 'logged-out', reason: 'logged-out' });
    expect(react(401, { isLinked: false })).toMatchObject({ kind: 'reconnect', wait: 'back-off' });
  });

  it('408 starts a new round of QR codes only when those of the last round were used up', () => {
    expect(react(408, { isLinked: false, message: QR_CODES_USED_UP.message })).toEqual({
      kind: 'new-qr-round',
    });
  });

  it('402 waits until the ban is over, if WhatsApp says when', () => {
    expect(react(402)).toEqual({ kind: 'failed', reason: 'temporarily-banned' });
    expect(react(402, { banLeftMs: 3_600_000 })).toEqual({
      kind: 'reconnect',
      reason: 'temporarily-banned',
      wait: 3_607_500,
    });
    expect(react(402, { banLeftMs: 1e15 })).toMatchObject({ wait: 2 ** 31 - 1 });
  });

  it('440 waits at least 30 s', () => {
    expect(react(440)).toEqual({ kind: 'replaced', wait: 37_500 });
  });

  it('429 waits 20 to 30 s, twice as long after each further one, five minutes at most', () => {
    const waits = (random: number) =>
      [0, 1, 2, 3, 4, 50].map((refusals) => {
        const reaction = reactionTo({ statusCode: 429, message: '' }, { isLinked: true, random, refusals });
        return 'wait' in reaction && reaction.wait;
      });
    expect(waits(0)).toEqual([20_000, 40_000, 80_000, 160_000, 200_000, 200_000]);
    expect(waits(1)).toEqual([30_000, 60_000, 120_000, 240_000, 300_000, 300_000]);
  });
});

describe('the cause of a disconnect', () => {
  it('is the code and the message that Baileys gives, 500 without a code', () => {
    const date = new Date();
    const boom = new Boom('Stream Errored (conflict)', { statusCode: 440, data: { secret: 'x' } });
    expect(causeOf({ error: boom, date })).toEqual({ statusCode: 440, message: 'Stream Errored (conflict)' });
    expect(causeOf({ error: new Error('x'), date })).toEqual({ statusCode: 500, message: 'x' });
    expect(causeOf(undefined).statusCode).toBe(500);
  });
});

describe('the rest of a ban', () => {
  const date = new Date();
  const failure = (data: unknown) => ({ error: new Boom('x', { statusCode: 402, data }), date });

  it('is what the stanza says, in seconds', () => {
    expect(banLeftMs(failure({ reason: '402', code: '101', expire: '3600' }))).toBe(3_600_000);
  });

  it('is unknown when the stanza does not say', () => {
    for (const data of [{ reason: '402' }, { expire: 'soon' }, null, undefined]) {
      expect(banLeftMs(failure(data))).toBeUndefined();
    }
    expect(banLeftMs({ error: new Error('x'), date })).toBeUndefined();
    expect(banLeftMs(undefined)).toBeUndefined();
  });
});

describe('a device that was removed', () => {
  const date = new Date();
  const streamError = (data: unknown) => ({ error: new Boom('x', { statusCode: 401, data }), date });

  it('is distinguished from one that is refused at its login', () => {
    const removed = streamError({ tag: 'conflict', attrs: { type: 'device_removed' } });
    expect(isDeviceRemoved(removed)).toBe(true);
    const others = [{ tag: 'conflict', attrs: { type: 'replaced' } }, { reason: '401' }, null, undefined];
    for (const data of others) expect(isDeviceRemoved(streamError(data))).toBe(false);
    expect(isDeviceRemoved(undefined)).toBe(false);
  });

  it('shows the reason that WhatsApp gave', () => {
    const cause = { statusCode: 401, message: 'Stream Errored (conflict)' };
    const react = (isDeviceRemoved: boolean) =>
      reactionTo(cause, { isLinked: true, random: 0, isDeviceRemoved });
    expect(react(true)).toEqual({ kind: 'logged-out', reason: 'device-removed' });
    expect(react(false)).toEqual({ kind: 'logged-out', reason: 'logged-out' });
  });
});
