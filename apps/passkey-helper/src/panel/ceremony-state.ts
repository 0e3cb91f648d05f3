import type { PasskeyView } from '../passkey-view.js';
import type { ApiCall, CallOutcome } from '../relay/messages.js';

/** Why the panel has nothing left to do. */
export type End =
  | 'done'
  | 'outcome-unknown'
  | 'expired'
  | 'link-invalid'
  | 'link-damaged'
  | 'refused'
  | 'already-linked'
  | 'codes-differ'
  | 'cancelled';

/** What went wrong with the last attempt. The request still stands. */
export type Problem =
  | 'no-passkey'
  | 'not-supported'
  | 'options-unreadable'
  | 'signer-failed'
  | 'assertion-invalid'
  | 'unreachable'
  | 'server-busy';

/** What the panel shows. */
export type CeremonyState =
  | { readonly at: 'loading'; readonly problem?: Problem }
  | {
      readonly at: 'open';
      readonly view: PasskeyView;
      readonly busy?: 'signing' | 'sending';
      readonly problem?: Problem;
    }
  | { readonly at: 'ended'; readonly end: End };

/** What the answer to a call means for the panel. `view` is the last one known. */
export function stateAfter(
  call: ApiCall,
  outcome: CallOutcome,
  view: PasskeyView | undefined,
): CeremonyState {
  const state = stateAfterAny(outcome, view);
  const isRejection = call.name === 'confirm' && !call.matches;
  return isRejection && !('problem' in state) ? { at: 'ended', end: 'codes-differ' } : state;
}

function stateAfterAny(outcome: CallOutcome, view: PasskeyView | undefined): CeremonyState {
  if (outcome.kind === 'view') return stateOf(outcome.view);
  if (outcome.kind === 'unreachable') return withProblem(view, 'unreachable');
  const { status, code } = outcome;
  if (code === 'PASSKEY_ASSERTION_INVALID') return withProblem(view, 'assertion-invalid');
  if (status === 408 || status === 429 || status >= 500) return withProblem(view, 'server-busy');
  return { at: 'ended', end: endAfter(status, code, view) };
}

function stateOf(view: PasskeyView): CeremonyState {
  return view.stage === 'linked' ? { at: 'ended', end: 'done' } : { at: 'open', view };
}

/** The token ends with the request: after a signature, a refused token may mean success as well. */
function endAfter(status: number, code: string, view: PasskeyView | undefined): End {
  if (code === 'ALREADY_LINKED') return 'already-linked';
  if (code === 'PASSKEY_REFUSED') return 'refused';
  const isOver = status === 401 || code === 'PASSKEY_NOT_REQUESTED';
  if (!isOver) return 'refused';
  if (view === undefined) return code === 'PASSKEY_NOT_REQUESTED' ? 'expired' : 'link-invalid';
  return view.stage === 'requested' ? 'expired' : 'outcome-unknown';
}

function withProblem(view: PasskeyView | undefined, problem: Problem): CeremonyState {
  return view === undefined ? { at: 'loading', problem } : { at: 'open', view, problem };
}

/** The next state after a periodic question. A problem of the last signature stays until something changes. */
export function mergeRefresh(before: CeremonyState, after: CeremonyState): CeremonyState {
  if (before.at !== 'open' || after.at !== 'open' || before.problem === undefined) return after;
  const isTemporary = before.problem === 'unreachable' || before.problem === 'server-busy';
  const hasChanged = before.view.stage !== after.view.stage || after.problem !== undefined;
  return isTemporary || hasChanged ? after : { ...after, problem: before.problem };
}

/** What the name of an error of `navigator.credentials.get` means. */
export function problemOfSigning(error: string): Problem {
  switch (error) {
    case 'NotAllowedError':
    case 'AbortError':
      return 'no-passkey';
    case 'NotSupportedError':
    case 'SecurityError':
      return 'not-supported';
    case 'TypeError':
      return 'options-unreadable';
    default:
      return 'signer-failed';
  }
}
