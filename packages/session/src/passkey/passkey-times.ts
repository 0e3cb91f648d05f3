import { PASSKEY_CHALLENGE_MS, PASSKEY_STEP_MS } from '@wafleet/contract';

/** How long the steps of a link by passkey may take, ms: those of WhatsApp Web. */
export interface PasskeyTimes {
  /** How long WhatsApp takes a signature of its challenge, unless the challenge says less. */
  readonly challengeMs: number;
  /** How long the phone remembers the code that it has read, so that no other code needs to be compared. */
  readonly handoffMs: number;
  /** How long the phone, or the person who compares the codes, may take for one step. */
  readonly patienceMs: number;
  /** How long WhatsApp may take to name the ceremony, before the signature is sent. */
  readonly refMs: number;
  /** How long a caller waits for WhatsApp's answer. With `refMs` it is shorter than a command may take. */
  readonly answerMs: number;
}

export const PASSKEY_TIMES: PasskeyTimes = {
  challengeMs: PASSKEY_CHALLENGE_MS,
  handoffMs: 300_000,
  patienceMs: PASSKEY_STEP_MS,
  refMs: 4_000,
  answerMs: 10_000,
};
