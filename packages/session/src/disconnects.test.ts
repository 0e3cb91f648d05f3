import { Boom } from '@hapi/boom';
import { describe, expect, it } from 'vitest';
import { causeOf, reactionTo } from './disconnects.js';

const react = (statusCode: number, { linked = true, message = 'Connection Failure' } = {}) =>
  reactionTo({ statusCode, message }, linked, 0.5);

describe('the reaction to a disconnect', () => {
  it.each([
    [402, 'temporarily-banned'],
    [403, 'forbidden'],
    [405, 'client-outdated'],
    [406, 'banned'],
    [411, 'multi-device-not-enabled'],
  ])('%i needs a person', (code, reason) => {
    expect(react(code)).toEqual({ kind: 'failed', reason });
  });

  it.each([408, 428, 500, 503, 599])('%i is tried again after a while', (code) => {
    expect(react(code)).toMatchObject({ kind: 'reconnect', wait: 'back-off' });
  });

  it('515 is a restart at once', () => {
    expect(react(515)).toMatchObject({ kind: 'reconnect', wait: 0 });
  });

  it('401 ends a link, but not the making of one', () => {
    expect(react(401)).toEqual({ kind: 'logged-out', reason: 'logged-out' });
    expect(react(401, { linked: false })).toMatchObject({ kind: 'reconnect', wait: 'back-off' });
  });

  it('408 is a new round of QR codes only when those of the last one were used up', () => {
    expect(react(408, { linked: false, message: 'QR refs attempts ended' })).toEqual({
      kind: 'new-qr-round',
    });
  });

  it('440 waits at least 30 s, 429 two minutes', () => {
    expect(react(440)).toEqual({ kind: 'reconnect', reason: 'replaced', wait: 30_000 });
    expect(react(429)).toEqual({ kind: 'reconnect', reason: 'rate-limited', wait: 210_000 });
  });
});

describe('the cause of a disconnect', () => {
  it('is the code and the sentence that Baileys gives, 500 without a code', () => {
    const date = new Date();
    const boom = new Boom('Stream Errored (conflict)', { statusCode: 440, data: { secret: 'x' } });
    expect(causeOf({ error: boom, date })).toEqual({ statusCode: 440, message: 'Stream Errored (conflict)' });
    expect(causeOf({ error: new Error('x'), date })).toEqual({ statusCode: 500, message: 'x' });
    expect(causeOf(undefined).statusCode).toBe(500);
  });
});
