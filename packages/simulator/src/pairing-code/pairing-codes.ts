import { randomBytes } from 'node:crypto';
import type { BinaryNode } from '@whiskeysockets/baileys';
import { ChangeSignal } from '../change-signal.js';
import type { RegisteringClient } from '../login/registering-client.js';
import { unixSeconds } from '../unix-seconds.js';
import type { Account, Device } from '../world/account.js';
import { answerCompanionHello, type PrimaryHello } from './phone-side.js';

/** No client has asked to be linked to this number by a code, or the client has gone or does not answer. */
export class NoPairingRequestError extends Error {
  override readonly name = 'NoPairingRequestError';
}

/** Links a client to the phone's account, under the secret that both have. */
export type LinkClient = (
  phone: Account,
  client: RegisteringClient,
  advSecret: Uint8Array,
) => Promise<Device>;

/** The content of a client's `companion_hello`. */
export interface CompanionHello {
  readonly client: RegisteringClient;
  /** `link_code_pairing_wrapped_companion_ephemeral_pub`. */
  readonly wrappedEphemeral: Uint8Array;
}

interface Attempt {
  readonly phone: Account;
  readonly hello: PrimaryHello;
  settle(outcome: { advSecret: Uint8Array } | { error: Error }): void;
}

interface Request extends CompanionHello {
  readonly ref: string;
  attempt?: Attempt;
}

/**
 * The server's part of pairing by code: it knows which client wants to be linked to which number, and carries the three
 * messages between that client and the phone. The code itself never passes through it.
 */
export class PairingCodes {
  readonly #requests = new Map<string, Request>();
  readonly #changes = new ChangeSignal();
  readonly #link: LinkClient;
  readonly #patienceMs: number;

  /**
   * @param link called once the client and the phone have agreed on a secret.
   * @param patienceMs how long a phone waits for a client that asks to be linked, and then for its answer.
   */
  constructor(link: LinkClient, patienceMs = 20_000) {
    this.#link = link;
    this.#patienceMs = patienceMs;
  }

  /** A client asks to be linked to a number; a newer request replaces an older one. Returns the request's ref. */
  request(number: string, hello: CompanionHello): string {
    const ref = randomBytes(24).toString('base64url');
    this.#requests.set(number, { ...hello, ref });
    this.#changes.wake();
    return ref;
  }

  /**
   * A person types a code on the phone. Waits for a client that asks for this number, if there is none yet.
   * @throws WrongPairingCodeError if the client shows another code. Retryable with the same client.
   * @throws NoPairingRequestError when no client asks, or it does not answer.
   * @throws PasskeyCeremonyError if the phone demands a passkey, and the ceremony has failed.
   * @param linking when the phone goes on, after both sides have agreed on a secret. Default: at once.
   */
  async enter(phone: Account, code: string, linking: Promise<void> = Promise.resolve()): Promise<Device> {
    const request = await this.#requestFor(phone.number);
    const hello = await answerCompanionHello(request.wrappedEphemeral, code, phone.identity);
    const outcome = new Promise<Uint8Array>((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new NoPairingRequestError(`The client that asked for ${phone.number} does not answer`));
      }, this.#patienceMs).unref();
      request.attempt = {
        phone,
        hello,
        settle: (result) => {
          clearTimeout(timer);
          if ('error' in result) reject(result.error);
          else resolve(result.advSecret);
        },
      };
    });
    request.client.send(primaryHelloNode(request.ref, phone, hello));
    const advSecret = await outcome;
    this.#requests.delete(phone.number);
    await linking;
    return this.#link(phone, request.client, advSecret);
  }

  /**
   * The client has answered the phone's `primary_hello`.
   * @throws WrongPairingCodeError when the codes differ, NoPairingRequestError for an unknown ref.
   */
  finish(number: string, ref: string, wrappedKeyBundle: Uint8Array): void {
    const request = this.#requests.get(number);
    const attempt = request?.ref === ref ? request.attempt : undefined;
    if (!attempt) throw new NoPairingRequestError(`No phone has answered a request of ${number}`);
    try {
      const { advSecret } = attempt.hello.finish(wrappedKeyBundle);
      // The client must get its answer to companion_finish before pair-success.
      setImmediate(() => attempt.settle({ advSecret }));
    } catch (error) {
      attempt.settle({ error: error instanceof Error ? error : new Error(String(error)) });
      throw error;
    }
  }

  async #requestFor(number: string): Promise<Request> {
    const deadline = Date.now() + this.#patienceMs;
    for (;;) {
      const request = this.#requests.get(number);
      if (request?.client.isConnected) return request;
      this.#requests.delete(number);
      if (Date.now() >= deadline) throw new NoPairingRequestError(`No client asks to be linked to ${number}`);
      await this.#changes.next(deadline - Date.now());
    }
  }
}

function primaryHelloNode(ref: string, phone: Account, hello: PrimaryHello): BinaryNode {
  const t = String(unixSeconds());
  return {
    tag: 'notification',
    attrs: { from: phone.jid, id: ref.slice(0, 16), t, type: 'link_code_companion_reg' },
    content: [
      {
        tag: 'link_code_companion_reg',
        attrs: { stage: 'primary_hello' },
        content: [
          { tag: 'link_code_pairing_ref', attrs: {}, content: Buffer.from(ref) },
          { tag: 'primary_identity_pub', attrs: {}, content: phone.identity.public },
          {
            tag: 'link_code_pairing_wrapped_primary_ephemeral_pub',
            attrs: {},
            content: hello.wrappedPrimaryEphemeral,
          },
        ],
      },
    ],
  };
}
