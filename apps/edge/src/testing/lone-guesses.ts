import type { WrongGuesses } from '@wafleet/store';

const unreachable = () => Promise.reject(new Error('Redis is out of reach'));

/** For an edge that counts wrong guesses alone, since Redis is out of reach. */
export const LONE_GUESSES: Pick<WrongGuesses, 'countKey' | 'countAdminToken' | 'forgetAdminTokens'> = {
  countKey: unreachable,
  countAdminToken: unreachable,
  forgetAdminTokens: unreachable,
};
