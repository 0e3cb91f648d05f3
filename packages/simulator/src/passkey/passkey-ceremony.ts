import { randomBytes } from 'node:crypto';
import { ChangeSignal } from '../change-signal.js';
import type { RegisteringClient, SentNotification } from '../login/registering-client.js';
import { IqError } from '../protocol/iq-error.js';
import type { CloseCause } from '../transport/close-cause.js';
import type { Account, Device } from '../world/account.js';
import {
  NoPasskeyCeremonyError,
  PasskeyCeremonyError,
  type PasskeyFailure,
  WrongPasskeyCodeError,
} from './ceremony-error.js';
import { Challenges, type PasskeyRequestOptions } from './challenges.js';
import type { PasskeyDemand } from './demand.js';
import { newPrimaryEphemeral, PhoneSide } from './phone-side.js';
import type { Prologue, SealedRequest } from './prologue.js';
import { continuationContent, pairSuccessExtras, requestContent } from './stanzas.js';
import { type Assertion, type StoredCredential, verifyAssertion } from './verify-assertion.js';

const REF_LENGTH = 24;
const DEFAULT_CHALLENGE_TTL_MS = 600_000;
const DEFAULT_HANDOFF_TTL_MS = 300_000;

/**
 * How far a ceremony has come:
 *
 * - `requested`: the client has the request
 * - `signed`: the server has accepted the assertion, and the phone is to continue
 * - `continued`: the client has the phone's key and nonce
 * - `code-known`: the phone knows the confirmation code
 * - `sealed`: the client's pairing request has arrived
 * - `linked`, `failed`: it is over
 */
export type PasskeyStage =
  | 'requested'
  | 'signed'
  | 'continued'
  | 'code-known'
  | 'sealed'
  | 'linked'
  | 'failed';

/** What a ceremony needs of the simulator. */
export interface CeremonyContext {
  /** Runs a task after a delay, unless the simulator is stopped before. */
  later(ms: number, task: () => void): void;
}

/** What a ceremony asks of its account, at the time when it needs it. */
export interface PasskeyOwner {
  /** What the server knows of the account's passkey. */
  readonly credential: StoredCredential | undefined;
  /** Whether WhatsApp is open on the phone's screen. */
  readonly isForeground: boolean;
}

/** Whose ceremony it is. */
export interface CeremonyParties {
  readonly phone: Account;
  readonly client: RegisteringClient;
  readonly owner: PasskeyOwner;
  readonly demand: PasskeyDemand;
  /** The ADV secret of the QR code or pairing code. */
  readonly advSecret: Uint8Array;
}

/** A prologue with the assertion that allows it. */
export interface SignedPrologue {
  /** The content of `credential_id`. */
  readonly credentialId: Buffer;
  readonly assertion: Assertion;
  readonly prologue: Prologue;
}

/**
 * The ceremony with which one client is linked to an account by its passkey: the parts of the server and the phone. It
 * lasts as long as the client's connection at most. The phone decides when the assertion arrives whether it needs the
 * person to compare the code: not if the handoff proof is right and in time, and WhatsApp is in the foreground.
 */
export class PasskeyCeremony {
  readonly client: RegisteringClient;
  /** The notifications that the client was sent, oldest first. */
  readonly notifications: SentNotification[] = [];
  readonly #context: CeremonyContext;
  readonly #parties: CeremonyParties;
  readonly #startedAt = Date.now();
  readonly #challenges: Challenges;
  readonly #refs = new Set<string>();
  readonly #changes = new ChangeSignal();
  #stage: Exclude<PasskeyStage, 'linked' | 'failed'> = 'requested';
  #phoneSide: PhoneSide | undefined;
  #code: string | undefined;
  #isDead = false;
  #isAccepted = false;
  #isHandedOff = false;
  #sealed: SealedRequest | undefined;
  #outcome: 'linked' | Error | undefined;
  #settle: { resolve(device: Device): void; reject(error: Error): void } | undefined;

  constructor(context: CeremonyContext, parties: CeremonyParties) {
    this.#context = context;
    this.#parties = parties;
    this.client = parties.client;
    this.#challenges = new Challenges(parties.demand.challengeTtlMs ?? DEFAULT_CHALLENGE_TTL_MS);
  }

  get stage(): PasskeyStage {
    if (this.#outcome === undefined) return this.#stage;
    return this.#outcome === 'linked' ? 'linked' : 'failed';
  }

  /** Why the phone has ended it, if it has. */
  get failure(): Error | undefined {
    return this.#outcome === 'linked' ? undefined : this.#outcome;
  }

  /**
   * Whether the server has ended it too, and refuses everything that the client sends for it. If only the phone has ended
   * it, the server does not know, and goes on answering.
   */
  get isDead(): boolean {
    return this.#isDead;
  }

  /** The options of the challenge that can be signed now, if there is one. */
  get options(): PasskeyRequestOptions | undefined {
    return this.#challenges.options;
  }

  /** The confirmation code, as `XXXX-XXXX`, once the phone knows it. */
  get code(): string | undefined {
    return this.#code && `${this.#code.slice(0, 4)}-${this.#code.slice(4)}`;
  }

  /** Whether the phone has accepted the handoff proof, and therefore does not show the code. */
  get isHandedOff(): boolean {
    return this.#isHandedOff;
  }

  /** The code that the phone shows now, as `XXXX-XXXX`. */
  get shownCode(): string | undefined {
    return this.#isHandedOff || this.#outcome !== undefined ? undefined : this.code;
  }

  /**
   * Sends the request, and resolves when the client is linked.
   * @throws PasskeyCeremonyError when the phone has ended the ceremony, or the error with which the client could not be
   * paired.
   */
  async run(): Promise<Device> {
    const linked = new Promise<Device>((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    const stopWatching = this.client.onGone(() => this.end('disconnected'));
    this.sendRequest();
    try {
      return await linked;
    } finally {
      stopWatching();
    }
  }

  /** Sends the request, again if it was sent before; its new challenge replaces the one before. */
  sendRequest(): void {
    const { requestOptions = 'inline', dbscRegistration = false } = this.#parties.demand;
    const options = requestOptions === 'inline' ? this.issueOptions() : requestOptions;
    this.#notify('passkey_prologue_request', requestContent(options, dbscRegistration));
  }

  /** Options with a new challenge, which replaces the one before. */
  issueOptions(): PasskeyRequestOptions {
    const { demand, owner } = this.#parties;
    const listed = demand.listsCredential && owner.credential ? [owner.credential.credentialId] : [];
    return this.#challenges.issue(listed);
  }

  /** A new ref, for one prologue of this ceremony. */
  issueRef(): string {
    const ref = randomBytes(REF_LENGTH).toString('base64url');
    this.#refs.add(ref);
    return ref;
  }

  /** @throws IqError for anything that is wrong. The challenge is used up even so. */
  receivePrologue({ credentialId, assertion, prologue }: SignedPrologue): void {
    if (this.#stage !== 'requested') throw new IqError(409, 'conflict');
    const { owner, demand, advSecret } = this.#parties;
    const { credential } = owner;
    this.#challenges.take(assertion.clientData.challenge);
    verifyAssertion(assertion, { credential, credentialId, isListed: demand.listsCredential ?? false });
    if (prologue.deviceType !== this.client.payload.platformType) throw new IqError(400, 'bad-request');
    if (!this.#refs.delete(prologue.ref)) throw new IqError(404, 'item-not-found');
    this.#stage = 'signed';
    const phoneSide = new PhoneSide(prologue, newPrimaryEphemeral(demand.primaryNonceLength));
    const isRecent = Date.now() - this.#startedAt < (demand.handoffTtlMs ?? DEFAULT_HANDOFF_TTL_MS);
    this.#isHandedOff = isRecent && owner.isForeground && phoneSide.isHandedOff(advSecret);
    this.#phoneSide = phoneSide;
    const { continueAfterMs = 0 } = demand;
    if (continueAfterMs !== 'never') this.#context.later(continueAfterMs, () => this.#continue(phoneSide));
  }

  /** @throws IqError 409 before the continuation or for a second nonce, 406 for one that the client did not commit to. */
  receiveNonce(companionNonce: Uint8Array): void {
    if (this.#stage !== 'continued' || !this.#phoneSide) throw new IqError(409, 'conflict');
    try {
      this.#code = this.#phoneSide.codeFor(companionNonce);
    } catch (error) {
      if (!(error instanceof PasskeyCeremonyError)) throw error;
      this.#isDead = true;
      this.#fail(error);
      throw new IqError(406, 'not-acceptable');
    }
    this.#stage = 'code-known';
    this.#changes.wake();
  }

  /**
   * The phone keeps the request until its owner has accepted the code. If it cannot be opened, the phone ends the
   * ceremony and the client learns nothing.
   * @throws IqError 409 before the nonce, or for a second request.
   */
  receiveSealedRequest(request: SealedRequest): void {
    if (this.#stage !== 'code-known') throw new IqError(409, 'conflict');
    this.#stage = 'sealed';
    this.#sealed = request;
    this.#completeIfReady();
  }

  /**
   * The person compares the code of the client with the one that the phone shows, and accepts. Waits until the phone
   * shows it, at most `patienceMs`.
   * @throws WrongPasskeyCodeError for another code: retryable. NoPasskeyCeremonyError if none is shown in time. Rejects
   * with the failure if the ceremony ends.
   */
  async accept(code: string, patienceMs: number): Promise<void> {
    const deadline = Date.now() + patienceMs;
    while (this.#code === undefined && this.#outcome === undefined && Date.now() < deadline) {
      await this.#changes.next(deadline - Date.now());
    }
    if (this.failure) throw this.failure;
    if (this.#code === undefined) throw new NoPasskeyCeremonyError('The phone does not show a code yet');
    if (code.replace(/[\s-]/g, '').toUpperCase() !== this.#code) throw new WrongPasskeyCodeError();
    this.#isAccepted = true;
    this.#completeIfReady();
  }

  /** The phone ends the ceremony. The client learns nothing, unless its connection is closed. */
  end(reason: PasskeyFailure, closeCause?: CloseCause): void {
    this.#fail(new PasskeyCeremonyError(reason));
    if (closeCause) this.client.close(closeCause);
  }

  #continue(phoneSide: PhoneSide): void {
    if (this.#outcome !== undefined) return;
    this.#stage = 'continued';
    this.#notify('crsc_continuation', continuationContent(phoneSide.identity));
  }

  #completeIfReady(): void {
    const sealed = this.#sealed;
    if (!sealed || !(this.#isAccepted || this.#isHandedOff)) return;
    this.#sealed = undefined;
    // The client must get its answer to the request before pair-success.
    this.#context.later(0, () => void this.#complete(sealed));
  }

  async #complete(sealed: SealedRequest): Promise<void> {
    const { phone, client, advSecret } = this.#parties;
    const phoneSide = this.#phoneSide;
    if (this.#outcome !== undefined || !phoneSide) return;
    try {
      const newSecret = phoneSide.open(sealed, client.payload, advSecret);
      const device = await client.pair(phone, newSecret, pairSuccessExtras());
      if (this.#outcome !== undefined) return;
      this.#outcome = 'linked';
      this.#settle?.resolve(device);
      this.#changes.wake();
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #fail(error: Error): void {
    if (this.#outcome !== undefined) return;
    this.#outcome = error;
    this.#settle?.reject(error);
    this.#changes.wake();
  }

  #notify(type: string, content: Parameters<RegisteringClient['notify']>[1]): void {
    this.notifications.push(this.client.notify(type, content));
  }
}
