import {
  type LinkProblemCode,
  type PasskeyAssertion,
  type PasskeyStage,
  type PasskeyView,
  WafleetError,
} from '@wafleet/contract';
import { withTimeout } from '@wafleet/runtime';
import {
  type BinaryNode,
  getAllBinaryNodeChildren,
  proto,
  type WABrowserDescription,
  type WASocket,
} from '@whiskeysockets/baileys';
import { askWhatsApp, NoAnswerError } from '../baileys/ask-whatsapp.js';
import { type CheckedAssertion, checkAssertion, type PasskeyOptions } from './assertion.js';
import {
  type CeremonyKeys,
  type CompanionName,
  confirmationCode,
  handoffKey,
  handoffProof,
  newCeremonyKeys,
  type PrimaryIdentity,
  prologuePayload,
  sealPairingRequest,
} from './crypto.js';
import type { PasskeyTimes } from './passkey-times.js';
import {
  ackNode,
  isFromServer,
  nonceNode,
  OPTIONS_REQUEST,
  optionsIn,
  pairingRequestNode,
  primaryIdentityIn,
  prologueNode,
  REF_REQUEST,
  refIn,
} from './stanzas.js';

/** Learns how a ceremony goes on. */
export interface PasskeyListener {
  /** The view has changed. */
  changed(): void;
  /** The ceremony has failed. Nothing more can be done with the connection: it is for other codes to link. */
  failed(code: LinkProblemCode, message: string): void;
}

interface PasskeyCeremonyOptions {
  readonly socket: WASocket;
  /** What the client has said of itself when it connected. */
  readonly browser: WABrowserDescription;
  /** Stores the credentials. Never rejects. */
  readonly saveCreds: () => Promise<void>;
  readonly times: PasskeyTimes;
  readonly listener: PasskeyListener;
}

type Stage = 'none' | 'requested' | 'signing' | 'signed' | 'revealing' | 'code-shown' | 'confirmed' | 'over';

const SHOWN: Readonly<Record<Stage, PasskeyStage | undefined>> = {
  none: undefined,
  requested: 'requested',
  signing: 'requested',
  signed: 'signed',
  revealing: 'signed',
  'code-shown': 'code-shown',
  confirmed: 'confirmed',
  over: undefined,
};

/**
 * The ceremony by which WhatsApp has the passkey of an account link a device: WhatsApp asks for it after a QR code or a
 * pairing code. There is one at most for each connection, since WhatsApp's challenge and both sides' keys belong to the
 * connection.
 *
 * | stage | how it comes about | what ends it |
 * |---|---|---|
 * | requested | WhatsApp's challenge | `sign` → signing; the challenge expires → over |
 * | signing | a signature that was checked is sent | accepted, or no answer → signed; refused → over; not sent → requested |
 * | signed | WhatsApp hands over to the phone, or may do so | the phone's key and nonce → revealing |
 * | revealing | this side's nonce is sent | accepted → code-shown |
 * | code-shown | both sides can compute the code | `confirm`, or by itself if the phone knows this client → confirmed |
 * | confirmed | the sealed keys and the new secret are sent | WhatsApp links the device: `end` |
 *
 * Only what WhatsApp answers is a refusal. Without an answer the stage stays, and ends by its time.
 *
 * The time of the challenge ends when the signature is sent. From then on each stage ends after `times.patienceMs`, and the
 * ceremony with it.
 */
export class PasskeyCeremony {
  readonly #options: PasskeyCeremonyOptions;
  #stage: Stage = 'none';
  #requestOptions: PasskeyOptions | undefined;
  #expiresAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #keys: CeremonyKeys | undefined;
  #handoff: { readonly key: Uint8Array; readonly until: number } | undefined;
  #name: CompanionName | undefined;
  #primary: PrimaryIdentity | undefined;
  #code: string | undefined;
  #isHandedOff = false;
  #isLinked = false;
  #signing: { readonly signature: string; readonly done: Promise<void> } | undefined;

  constructor(options: PasskeyCeremonyOptions) {
    this.#options = options;
    const { ws } = options.socket;
    const listen = (type: string, handle: (stanza: BinaryNode) => Promise<void>) => {
      ws.on(`CB:notification,type:${type}`, (stanza: BinaryNode) => {
        if (!isFromServer(stanza)) return;
        this.#acknowledge(stanza);
        void handle(stanza);
      });
    };
    listen('passkey_prologue_request', (stanza) => this.#receiveRequest(stanza));
    listen('crsc_continuation', (stanza) => this.#receiveContinuation(stanza));
  }

  get isUnderWay(): boolean {
    return SHOWN[this.#stage] !== undefined;
  }

  /** What clients see. Undefined if no ceremony is under way. */
  get view(): PasskeyView | undefined {
    const stage = SHOWN[this.#stage];
    if (stage === undefined) return undefined;
    const options = stage === 'requested' ? this.#requestOptions : undefined;
    const code = this.#code;
    return {
      stage,
      expiresAt: new Date(this.#expiresAt).toISOString(),
      ...(options === undefined ? {} : { options }),
      ...(code === undefined ? {} : { code, isCodeOptional: this.#isHandedOff }),
    };
  }

  /**
   * Sends a signature of WhatsApp's challenge. Resolves when WhatsApp has accepted it. A repeated call with the same
   * signature sends nothing, and resolves alike.
   * @throws {WafleetError} PASSKEY_NOT_REQUESTED; PASSKEY_ASSERTION_INVALID, after which another one can follow;
   * UNAVAILABLE if nothing was sent, after which the same one can follow; PASSKEY_REFUSED, which ends the ceremony;
   * OUTCOME_UNKNOWN if WhatsApp did not answer, and the phone may go on.
   * @throws {Error} if the connection ends.
   */
  async sign(assertion: PasskeyAssertion): Promise<void> {
    const { signature } = assertion.response;
    if (this.isUnderWay && this.#signing?.signature === signature) return this.#signing.done;
    const options = this.#requestOptions;
    if (this.#stage !== 'requested' || options === undefined) throw this.#notRequested();
    const checked = checkAssertion(assertion, options);
    const done = this.#send(checked);
    this.#signing = { signature, done };
    return done;
  }

  /**
   * The person has seen the same code on the phone. Resolves when WhatsApp has the sealed request, after
   * `times.answerMs` at the latest.
   * @throws {WafleetError} PASSKEY_NOT_REQUESTED if no code is shown.
   */
  async confirm(): Promise<void> {
    if (this.#stage === 'confirmed') return;
    if (this.#stage !== 'code-shown') throw this.#notRequested();
    await withTimeout(this.#handOver(), this.#options.times.answerMs);
  }

  /** The person does not want the link. @throws {WafleetError} PASSKEY_NOT_REQUESTED */
  cancel(): void {
    if (!this.isUnderWay) throw this.#notRequested();
    this.#fail('cancelled', 'The link was cancelled.');
  }

  /** Whether the ceremony has led to a link. */
  get isLinked(): boolean {
    return this.#isLinked;
  }

  /** The ceremony is over: the device is linked, or the connection has ended. Idempotent. */
  end({ isLinked = false }: { readonly isLinked?: boolean } = {}): void {
    clearTimeout(this.#timer);
    this.#isLinked ||= isLinked && this.isUnderWay;
    this.#stage = 'over';
    this.#keys = undefined;
    this.#handoff = undefined;
    this.#requestOptions = undefined;
    this.#code = undefined;
    this.#signing = undefined;
  }

  /**
   * Baileys acknowledges notifications, but cannot do so before there is an account. With a pairing code there is one.
   * This is decided at once, as Baileys does.
   */
  #acknowledge(stanza: BinaryNode): void {
    const { socket } = this.#options;
    if (socket.authState.creds.me !== undefined) return;
    // A send that fails shows as the end of the connection.
    socket.sendNode(ackNode(stanza)).catch(() => {});
  }

  async #receiveRequest(stanza: BinaryNode): Promise<void> {
    const { socket, listener, times } = this.#options;
    const { creds } = socket.authState;
    if (creds.account !== undefined) return;
    if (this.#stage === 'none') {
      this.#keys = newCeremonyKeys();
      const key = handoffKey(Buffer.from(creds.advSecretKey, 'base64'));
      this.#handoff = { key, until: Date.now() + times.handoffMs };
      this.#stage = 'requested';
      this.#expectUntil(times.challengeMs, 'expired', 'The passkey was not used in time.');
      listener.changed();
    }
    // A repeated request brings another challenge and nothing else: the phone knows only the secret of its code.
    if (this.#stage !== 'requested') return;
    const options = optionsIn(stanza) ?? (await this.#fetchOptions());
    if (this.#stage !== 'requested') return;
    if (options === undefined) {
      if (!socket.ws.isOpen) return;
      this.#fail('refused', 'WhatsApp asked for a passkey and gave nothing to sign.');
      return;
    }
    this.#requestOptions = options;
    const { timeout } = options;
    const { challengeMs } = times;
    const lifeMs = typeof timeout === 'number' && timeout > 0 ? Math.min(timeout, challengeMs) : challengeMs;
    this.#expectUntil(lifeMs, 'expired', 'The passkey was not used in time.');
    listener.changed();
  }

  /** Asks until WhatsApp answers. Resolves to undefined if it has nothing to sign, and when the request has ended. */
  async #fetchOptions(): Promise<PasskeyOptions | undefined> {
    const { socket, times } = this.#options;
    while (this.#stage === 'requested') {
      try {
        const wanted = { type: 'get', answerMs: times.answerMs } as const;
        return optionsIn(await askWhatsApp(socket, OPTIONS_REQUEST, wanted));
      } catch (error) {
        if (!(error instanceof NoAnswerError)) return undefined;
      }
    }
    return undefined;
  }

  /** Sends the signature, with the commitment to this side's nonce. */
  async #send(assertion: CheckedAssertion): Promise<void> {
    const { socket, times } = this.#options;
    const keys = this.#keys;
    if (keys === undefined) throw this.#notRequested();
    this.#stage = 'signing';
    const ref = await this.#askRef();
    if (this.#stage !== 'signing') throw this.#notRequested();
    this.#name = { deviceType: deviceTypeOf(this.#options.browser), ref };
    const payload = prologuePayload(this.#name, keys);
    const proof = this.#proofOf(payload);
    this.#isHandedOff = proof !== undefined;
    const prologue = prologueNode({ assertion, payload, proof });
    // The challenge was answered in time, whenever WhatsApp says so.
    this.#expectPhone();
    try {
      await askWhatsApp(socket, prologue, { answerMs: times.answerMs });
    } catch (error) {
      if (error instanceof WafleetError) throw this.#refused(error);
      this.#withoutAnswer(error);
      return;
    }
    this.#waitForPhone();
  }

  /**
   * The name that WhatsApp gives the ceremony. Nothing of the signature is sent before, so without a name it can be used
   * again.
   */
  async #askRef(): Promise<string> {
    const wanted = { type: 'get', answerMs: this.#options.times.refMs } as const;
    try {
      const ref = refIn(await askWhatsApp(this.#options.socket, REF_REQUEST, wanted));
      if (ref !== undefined) return ref;
    } catch (error) {
      if (error instanceof WafleetError) throw this.#refused(error);
      if (!(error instanceof NoAnswerError)) throw error;
    }
    if (this.#stage === 'signing') this.#stage = 'requested';
    this.#signing = undefined;
    const message =
      'WhatsApp did not answer in time, and nothing was sent. The same signature can be sent again.';
    throw new WafleetError('UNAVAILABLE', message);
  }

  /**
   * The signature was sent, and WhatsApp's answer has not come. If the phone goes on, WhatsApp has accepted it.
   * @throws the error that the caller gets unless the phone has gone on.
   */
  #withoutAnswer(error: unknown): void {
    const isSigning = this.#stage === 'signing';
    if (!isSigning && (this.isUnderWay || this.#isLinked)) return;
    if (!(error instanceof NoAnswerError)) throw error;
    this.#waitForPhone();
    throw new WafleetError(
      'OUTCOME_UNKNOWN',
      'WhatsApp may have accepted the signature: its answer has not come. The link goes on if the phone does.',
      undefined,
      { cause: error },
    );
  }

  /** The phone is to go on, unless it has done so, or the ceremony is over. */
  #waitForPhone(): void {
    if (this.#stage !== 'signing') return;
    this.#stage = 'signed';
    this.#expectPhone();
    this.#options.listener.changed();
  }

  #expectPhone(): void {
    const { patienceMs } = this.#options.times;
    this.#expectUntil(patienceMs, 'phone-timeout', 'The phone did not go on after the passkey was used.');
  }

  /** The proof is good for one use, and only as long as the phone remembers the code. */
  #proofOf(payload: Uint8Array): Uint8Array | undefined {
    const handoff = this.#handoff;
    this.#handoff = undefined;
    return handoff !== undefined && Date.now() < handoff.until
      ? handoffProof(handoff.key, payload)
      : undefined;
  }

  async #receiveContinuation(stanza: BinaryNode): Promise<void> {
    if (this.#stage !== 'signing' && this.#stage !== 'signed') return;
    const [child] = getAllBinaryNodeChildren(stanza);
    if (child?.tag !== 'primary_ephemeral_identity') return;
    const { socket, listener, times } = this.#options;
    const primary = primaryIdentityIn(stanza);
    const keys = this.#keys;
    if (primary === undefined || keys === undefined) {
      this.#fail('refused', 'The phone answered in a way that cannot be read.');
      return;
    }
    const isReported = this.#stage === 'signed';
    this.#primary = primary;
    this.#stage = 'revealing';
    this.#expectPhone();
    // The phone may answer before WhatsApp's answer to the signature is handled.
    if (!isReported) listener.changed();
    try {
      await askWhatsApp(socket, nonceNode(keys.nonce), { answerMs: times.patienceMs });
    } catch (error) {
      // The end of the connection is reported by itself, and a missing answer ends with the patience.
      if (error instanceof WafleetError)
        this.#fail('refused', 'WhatsApp did not take the answer to the phone.');
      return;
    }
    if (this.#stage !== 'revealing') return;
    this.#code = confirmationCode(keys.nonce, primary);
    this.#stage = 'code-shown';
    this.#expectUntil(times.patienceMs, 'expired', 'The code was not confirmed in time.');
    listener.changed();
    // The listener may have ended it.
    if (this.#isHandedOff && this.isUnderWay) await this.#handOver();
  }

  /** Gives the phone this client's keys, and the new secret with which it will sign the link. */
  async #handOver(): Promise<void> {
    const { socket, saveCreds, listener, times } = this.#options;
    const keys = this.#keys;
    const name = this.#name;
    const primary = this.#primary;
    if (keys === undefined || name === undefined || primary === undefined) throw this.#notRequested();
    this.#stage = 'confirmed';
    this.#expectUntil(times.patienceMs, 'phone-timeout', 'The phone did not complete the link.');
    listener.changed();
    const sealed = this.#seal(primary, name, keys);
    if (sealed === undefined) return;
    // The secret is replaced this late so that codes shown after an abandoned ceremony are those that are verified.
    // It must be in place before the request: the link may arrive earlier than its answer.
    socket.authState.creds.advSecretKey = Buffer.from(keys.advSecret).toString('base64');
    await saveCreds();
    if (this.#stage !== 'confirmed') return;
    try {
      await askWhatsApp(socket, pairingRequestNode(sealed), { answerMs: times.patienceMs });
    } catch (error) {
      // As above.
      if (error instanceof WafleetError) this.#fail('refused', 'WhatsApp did not take the request to link.');
    }
  }

  /** Seals this client's keys for the phone. Ends the ceremony if the phone's key cannot be used. */
  #seal(primary: PrimaryIdentity, name: CompanionName, keys: CeremonyKeys): Uint8Array | undefined {
    const { noiseKey, signedIdentityKey } = this.#options.socket.authState.creds;
    try {
      return sealPairingRequest(primary, name, {
        ...keys,
        noisePublic: noiseKey.public,
        identityPublic: signedIdentityKey.public,
      });
    } catch {
      this.#fail('refused', 'The phone answered in a way that cannot be read.');
      return undefined;
    }
  }

  #expectUntil(ms: number, code: LinkProblemCode, message: string): void {
    clearTimeout(this.#timer);
    this.#expiresAt = Date.now() + ms;
    this.#timer = setTimeout(() => this.#fail(code, message), ms);
  }

  #fail(code: LinkProblemCode, message: string): void {
    if (!this.isUnderWay) return;
    this.end();
    this.#options.listener.failed(code, message);
  }

  /** Ends the ceremony: a challenge is good for one signature. @returns what the caller gets. */
  #refused(error: WafleetError): WafleetError {
    const message = 'WhatsApp did not accept the signature of the passkey.';
    this.#fail('passkey-refused', message);
    return new WafleetError('PASSKEY_REFUSED', message, error.details, { cause: error });
  }

  #notRequested(): WafleetError {
    const { view } = this;
    return new WafleetError(
      'PASSKEY_NOT_REQUESTED',
      view === undefined
        ? 'WhatsApp asks for no passkey now.'
        : `The link by passkey waits for something else: it is at the stage ${view.stage}.`,
      view === undefined ? undefined : { stage: view.stage },
    );
  }
}

/** The number under which Baileys has registered this client with WhatsApp (Utils/validate-connection.js). */
function deviceTypeOf([, browser]: WABrowserDescription): number {
  const { PlatformType } = proto.DeviceProps;
  const name = browser.toUpperCase();
  if (name === 'ANDROID') return PlatformType.ANDROID_PHONE;
  const found: unknown = Reflect.get(PlatformType, name);
  return typeof found === 'number' && found > 0 ? found : PlatformType.CHROME;
}
