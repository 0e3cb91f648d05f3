import type { PasskeyView } from '../passkey-view.js';
import type { CeremonyState, End, Problem } from './ceremony-state.js';

/** What a button of the panel does. */
export type Action = 'sign' | 'confirm' | 'reject' | 'cancel';

/** What a person sees, and can do. */
export interface Screen {
  /** Read aloud by screen readers whenever it changes. */
  readonly status: string;
  readonly tone: 'neutral' | 'good' | 'bad';
  readonly hints: readonly string[];
  readonly code?: string;
  readonly actions: readonly { readonly action: Action; readonly text: string }[];
}

const CANCEL = { action: 'cancel', text: 'Cancel' } as const;
const SIGN = { action: 'sign', text: 'Sign with a passkey' } as const;
const SIGN_AGAIN = { action: 'sign', text: 'Try again' } as const;
const COMPARISON = [
  { action: 'confirm', text: 'The codes match' },
  { action: 'reject', text: 'They do not match' },
] as const;

const PROBLEMS: Readonly<Record<Problem, string>> = {
  'no-passkey':
    'No passkey was used. It was cancelled, took too long, or was not found: browsers do not say which. If the passkey is on your phone, choose "use a phone" in the next dialog.',
  'not-supported': 'This browser cannot use a passkey of WhatsApp here.',
  'options-unreadable': 'WhatsApp asks for a signature that this extension does not understand.',
  'signer-failed': 'The signature failed. Open the link again.',
  'assertion-invalid': 'The signature was not valid for this request. Try again.',
  unreachable: 'The server cannot be reached. Trying again.',
  'server-busy': 'The server is busy. Trying again.',
};

const ENDS: Readonly<Record<End, Omit<Screen, 'actions'>>> = {
  done: { tone: 'good', status: 'Done: the device is linked.', hints: ['You can close this tab.'] },
  'outcome-unknown': {
    tone: 'neutral',
    status: 'The request has ended. Look in WhatsApp on your phone whether the device is linked.',
    hints: ['You can close this tab.'],
  },
  expired: {
    tone: 'bad',
    status: 'The request has expired.',
    hints: ['Link the session again, and open the new link.'],
  },
  'link-invalid': {
    tone: 'bad',
    status: 'This link is not valid, or not valid any more.',
    hints: ['Ask for a new link.'],
  },
  'link-damaged': {
    tone: 'bad',
    status: 'This link is damaged, or its server does not use https.',
    hints: ['Copy the whole link, or ask for a new one.'],
  },
  refused: {
    tone: 'bad',
    status: 'The signature was refused.',
    hints: ['Link the session again, and open the new link.'],
  },
  'already-linked': {
    tone: 'good',
    status: 'The device is linked already.',
    hints: ['You can close this tab.'],
  },
  'codes-differ': {
    tone: 'bad',
    status: 'Stopped: the codes do not match. Nothing was linked.',
    hints: ['Refuse it on your phone too. Somebody else may have tried to link a device.'],
  },
  cancelled: {
    tone: 'neutral',
    status: 'Cancelled. Nothing was sent.',
    hints: ['You can close this tab, or open the link again.'],
  },
};

/** The screen of a state. */
export function screenOf(state: CeremonyState): Screen {
  if (state.at === 'ended') return { ...ENDS[state.end], actions: [] };
  const { problem } = state;
  if (problem === 'unreachable' || problem === 'server-busy') {
    const open = state.at === 'open' ? screenOfView(state.view) : undefined;
    return { hints: [], ...open, tone: 'bad', status: PROBLEMS[problem], actions: open?.actions ?? [CANCEL] };
  }
  if (state.at === 'loading') return working('Asking what is to be signed …');
  if (state.busy === 'signing') return working('Waiting for your passkey …');
  if (state.busy === 'sending') return { ...working('Sending …'), actions: [] };
  if (problem !== undefined)
    return { tone: 'bad', status: PROBLEMS[problem], hints: [], actions: [SIGN_AGAIN, CANCEL] };
  return screenOfView(state.view);
}

function working(status: string): Screen {
  return { tone: 'neutral', status, hints: [], actions: [CANCEL] };
}

function screenOfView({ stage, code, isCodeOptional, expiresAt }: PasskeyView): Screen {
  if (stage === 'requested') {
    const until = new Date(expiresAt).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
    return {
      tone: 'neutral',
      status: 'WhatsApp asks for your passkey.',
      hints: [
        'Go on only if you are linking this device yourself: it will be able to read and send your messages.',
        `The request is valid until ${until}.`,
      ],
      actions: [SIGN, CANCEL],
    };
  }
  if (code === undefined || stage === 'signed') {
    return {
      tone: 'neutral',
      status: 'Signed. Waiting for your phone …',
      hints: ['Open WhatsApp on your phone and keep it open.'],
      actions: [],
    };
  }
  return isCodeOptional || stage === 'confirmed'
    ? {
        tone: 'neutral',
        status: 'Signed. Your phone finishes the link.',
        hints: ['If your phone shows a code, accept it there only if it is this one.'],
        code,
        actions: [],
      }
    : {
        tone: 'neutral',
        status: 'Compare the code with the one on your phone.',
        hints: ['Answer on your phone too.'],
        code,
        actions: COMPARISON,
      };
}
