import { expect, it } from 'vitest';
import type { PasskeyView } from '../passkey-view.js';
import type { CeremonyState } from './ceremony-state.js';
import { screenOf } from './screen.js';

const requested: PasskeyView = { stage: 'requested', expiresAt: 0, options: {}, isCodeOptional: false };
const shown: PasskeyView = { stage: 'code-shown', expiresAt: 0, code: 'AAAA-BBBB', isCodeOptional: false };

function actionsOf(state: CeremonyState): string[] {
  return screenOf(state).actions.map(({ action }) => action);
}

it.each<[CeremonyState, string[]]>([
  [{ at: 'loading' }, ['cancel']],
  [{ at: 'loading', problem: 'unreachable' }, ['cancel']],
  [{ at: 'open', view: requested }, ['sign', 'cancel']],
  [{ at: 'open', view: requested, busy: 'signing' }, ['cancel']],
  [{ at: 'open', view: requested, busy: 'sending' }, []],
  [{ at: 'open', view: requested, problem: 'no-passkey' }, ['sign', 'cancel']],
  [{ at: 'open', view: requested, problem: 'unreachable' }, ['sign', 'cancel']],
  [{ at: 'open', view: { ...requested, stage: 'signed' } }, []],
  [{ at: 'open', view: shown }, ['confirm', 'reject']],
  [{ at: 'open', view: shown, problem: 'server-busy' }, ['confirm', 'reject']],
  [{ at: 'open', view: { ...shown, isCodeOptional: true } }, []],
  [{ at: 'ended', end: 'done' }, []],
])('%j offers %j', (state, actions) => {
  expect(actionsOf(state)).toEqual(actions);
});

it('a code is shown whether or not it must be compared, also while the server is away', () => {
  for (const isCodeOptional of [true, false]) {
    const view = { ...shown, isCodeOptional };
    expect(screenOf({ at: 'open', view }).code).toBe('AAAA-BBBB');
    expect(screenOf({ at: 'open', view, problem: 'unreachable' }).code).toBe('AAAA-BBBB');
  }
});
