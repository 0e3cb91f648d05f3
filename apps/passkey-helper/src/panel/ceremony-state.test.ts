import { describe, expect, it } from 'vitest';
import type { PasskeyView } from '../passkey-view.js';
import type { CallOutcome } from '../relay/messages.js';
import { type CeremonyState, mergeRefresh, problemOfSigning, stateAfter } from './ceremony-state.js';

const requested: PasskeyView = { stage: 'requested', expiresAt: 0, options: {}, isCodeOptional: false };
const shown: PasskeyView = { stage: 'code-shown', expiresAt: 0, code: 'AAAA-BBBB', isCodeOptional: false };
const get = { name: 'get' } as const;

function refused(status: number, code: string): CallOutcome {
  return { kind: 'refused', status, code };
}

describe('an answer', () => {
  it('with a view shows it, and ends when the session is linked', () => {
    expect(stateAfter(get, { kind: 'view', view: shown }, requested)).toEqual({ at: 'open', view: shown });
    const confirmed: PasskeyView = { ...shown, stage: 'confirmed' };
    const after = stateAfter(get, { kind: 'view', view: confirmed }, shown);
    expect(after).toEqual({ at: 'open', view: confirmed });
    const linked: PasskeyView = { ...shown, stage: 'linked' };
    expect(stateAfter(get, { kind: 'view', view: linked }, shown)).toEqual({ at: 'ended', end: 'done' });
  });

  it.each([
    [refused(401, 'UNAUTHORIZED'), undefined, 'link-invalid'],
    [refused(401, 'UNAUTHORIZED'), requested, 'expired'],
    [refused(409, 'PASSKEY_NOT_REQUESTED'), undefined, 'expired'],
    [refused(409, 'PASSKEY_NOT_REQUESTED'), requested, 'expired'],
    // The request ends when the link is done, too.
    [refused(409, 'PASSKEY_NOT_REQUESTED'), shown, 'outcome-unknown'],
    [refused(401, 'UNAUTHORIZED'), shown, 'outcome-unknown'],
    [refused(422, 'PASSKEY_REFUSED'), requested, 'refused'],
    [refused(409, 'ALREADY_LINKED'), requested, 'already-linked'],
    [refused(403, 'FORBIDDEN'), undefined, 'refused'],
  ] as const)('%j ends the panel', (outcome, view, end) => {
    expect(stateAfter(get, outcome, view)).toEqual({ at: 'ended', end });
  });

  it.each([
    [refused(422, 'PASSKEY_ASSERTION_INVALID'), 'assertion-invalid'],
    [refused(429, 'RATE_LIMITED'), 'server-busy'],
    [refused(503, 'UNAVAILABLE'), 'server-busy'],
    [{ kind: 'unreachable' }, 'unreachable'],
  ] as const)('%j is a problem, and the request stands', (outcome, problem) => {
    expect(stateAfter(get, outcome, requested)).toEqual({ at: 'open', view: requested, problem });
    expect(stateAfter(get, outcome, undefined)).toEqual({ at: 'loading', problem });
  });

  it('to a rejected code means that the codes differ, unless it did not arrive', () => {
    const reject = { name: 'confirm', matches: false } as const;
    const differ = { at: 'ended', end: 'codes-differ' };
    expect(stateAfter(reject, { kind: 'view', view: shown }, shown)).toEqual(differ);
    expect(stateAfter(reject, refused(409, 'PASSKEY_NOT_REQUESTED'), shown)).toEqual(differ);
    expect(stateAfter(reject, { kind: 'unreachable' }, shown)).toMatchObject({ problem: 'unreachable' });
  });
});

describe('a problem', () => {
  const state = (problem?: 'no-passkey' | 'unreachable', view = requested): CeremonyState =>
    problem === undefined ? { at: 'open', view } : { at: 'open', view, problem };

  it('of the last signature stays while nothing changes', () => {
    expect(mergeRefresh(state('no-passkey'), state())).toEqual(state('no-passkey'));
    expect(mergeRefresh(state('no-passkey'), state('unreachable'))).toEqual(state('unreachable'));
    expect(mergeRefresh(state('no-passkey'), state(undefined, shown))).toEqual(state(undefined, shown));
  });

  it('of the network goes when the network is back', () => {
    expect(mergeRefresh(state('unreachable'), state())).toEqual(state());
  });
});

it.each([
  ['NotAllowedError', 'no-passkey'],
  ['SecurityError', 'not-supported'],
  ['TypeError', 'options-unreadable'],
  ['UnknownError', 'signer-failed'],
])('%s of the browser is %s', (error, problem) => {
  expect(problemOfSigning(error)).toBe(problem);
});
