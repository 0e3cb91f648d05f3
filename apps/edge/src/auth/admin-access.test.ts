import { createLogger } from '@wafleet/runtime';
import { describe, expect, it } from 'vitest';
import { LONE_GUESSES } from '../testing/lone-guesses.js';
import { AdminAccess } from './admin-access.js';

const TOKEN = 'the-token-of-the-administrator';

function access() {
  const exceeded = { times: 0 };
  const admin = new AdminAccess(TOKEN, {
    onExceeded: () => {
      exceeded.times += 1;
    },
    guesses: LONE_GUESSES,
    logger: createLogger({ app: 'test', level: 'silent' }),
  });
  /** How many tokens from an address are checked. */
  const guess = (address: string, times: number): number => {
    let looked = 0;
    for (let time = 0; time < times; time += 1) {
      try {
        expect(admin.matches(`guess ${time}`, address)).toBe(false);
        looked += 1;
      } catch {
        // The address has to wait.
      }
    }
    return looked;
  };
  return { admin, exceeded, guess };
}

describe('the admin token', () => {
  it('lets the administrator in who mistyped it a few times', () => {
    const { admin, guess } = access();
    expect(guess('203.0.113.7', 19)).toBe(19);
    expect(admin.matches(TOKEN, '203.0.113.7')).toBe(true);
    expect(guess('203.0.113.7', 19)).toBe(19);
    expect(admin.matches(TOKEN, '203.0.113.7')).toBe(true);
  });

  it('is guessed twenty times in a row by one address, which then waits, even with the right one', () => {
    const { admin, exceeded, guess } = access();
    expect(guess('203.0.113.7', 1_000)).toBe(20);
    expect(exceeded.times).toBe(980);
    expect(() => admin.matches(TOKEN, '203.0.113.7')).toThrow(
      expect.objectContaining({
        code: 'RATE_LIMITED',
        details: { resource: 'wrong_admin_tokens', retryAfterMs: expect.any(Number) },
      }),
    );
    expect(admin.matches(TOKEN, '203.0.113.8')).toBe(true);
  });

  it('is not shown to be right by calls that take another key', () => {
    const { admin, guess } = access();
    expect(admin.isShown(TOKEN, '203.0.113.7')).toBe(true);
    guess('203.0.113.7', 20);
    expect(admin.isShown(TOKEN, '203.0.113.7')).toBe(false);
  });

  it('is guessed a hundred times by many addresses that have done so before, and the administrator gets in', () => {
    const { admin, guess } = access();
    let looked = 0;
    for (let host = 0; host < 250; host += 1) looked += guess(`198.51.100.${host}`, 5);
    // Each address may guess once, since nothing is known of it yet.
    expect(looked).toBeLessThan(100 + 250);
    expect(admin.matches(TOKEN, '203.0.113.8')).toBe(true);
  });
});
