import { randomBytes } from 'node:crypto';
import { IqError } from '../protocol/iq-error.js';
import { RP_ID } from './passkey.js';

const CHALLENGE_LENGTH = 32;

/** `PublicKeyCredentialRequestOptionsJSON` as WhatsApp sends it. */
export interface PasskeyRequestOptions {
  /** Base64url without padding. */
  readonly challenge: string;
  /** In milliseconds. */
  readonly timeout: number;
  readonly rpId: string;
  readonly allowCredentials: readonly { readonly id: string; readonly type: 'public-key' }[];
  readonly userVerification: 'required';
  readonly extensions: { readonly uvm: true };
}

/** The challenges of one ceremony: one at a time, for one assertion. */
export class Challenges {
  readonly #ttlMs: number;
  #current: { readonly options: PasskeyRequestOptions; readonly expiresAt: number } | undefined;

  constructor(ttlMs: number) {
    this.#ttlMs = ttlMs;
  }

  /** The options of the challenge that can be signed now, if there is one. */
  get options(): PasskeyRequestOptions | undefined {
    return this.#current?.options;
  }

  /** Replaces the challenge by a new one. @param listed the credentials that `allowCredentials` names. */
  issue(listed: readonly Buffer[]): PasskeyRequestOptions {
    const options: PasskeyRequestOptions = {
      challenge: randomBytes(CHALLENGE_LENGTH).toString('base64url'),
      timeout: this.#ttlMs,
      rpId: RP_ID,
      allowCredentials: listed.map((id) => ({ id: id.toString('base64url'), type: 'public-key' })),
      userVerification: 'required',
      extensions: { uvm: true },
    };
    this.#current = { options, expiresAt: Date.now() + this.#ttlMs };
    return options;
  }

  /**
   * Uses up the challenge that an assertion was made for, whether the assertion turns out right or not.
   * @throws IqError 410 if it is unknown, used, replaced or expired.
   */
  take(challenge: string): void {
    const current = this.#current;
    if (current?.options.challenge !== challenge) throw new IqError(410, 'gone');
    this.#current = undefined;
    if (Date.now() >= current.expiresAt) throw new IqError(410, 'gone');
  }
}
