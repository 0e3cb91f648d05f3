import { randomBytes, timingSafeEqual } from 'node:crypto';
import { aesDecryptGCM, Curve, proto } from '@whiskeysockets/baileys';
import type { RegistrationPayload } from '../login/registering-client.js';
import { PasskeyCeremonyError } from './ceremony-error.js';
import {
  commitmentTo,
  confirmationCode,
  handoffKey,
  handoffProof,
  KEY_LENGTH,
  pairingRequestKey,
} from './ceremony-keys.js';
import type { Prologue, SealedRequest } from './prologue.js';

/** The phone's ephemeral key pair and nonce. Default: random ones. */
export interface PrimaryEphemeral {
  readonly keyPair: { readonly private: Uint8Array; readonly public: Uint8Array };
  readonly nonce: Uint8Array;
}

/** A new ephemeral key pair, with a nonce of this length. */
export function newPrimaryEphemeral(nonceLength = KEY_LENGTH): PrimaryEphemeral {
  return { keyPair: Curve.generateKeyPair(), nonce: randomBytes(nonceLength) };
}

/**
 * The phone's half of a passkey ceremony, from the companion's prologue on. It has no connection: the ceremony carries
 * its messages.
 */
export class PhoneSide {
  readonly #prologue: Prologue;
  readonly #ephemeral: PrimaryEphemeral;

  constructor(prologue: Prologue, ephemeral: PrimaryEphemeral) {
    this.#prologue = prologue;
    this.#ephemeral = ephemeral;
  }

  /** The encoded `PrimaryEphemeralIdentity`. */
  get identity(): Uint8Array {
    const { keyPair, nonce } = this.#ephemeral;
    return proto.PrimaryEphemeralIdentity.encode({ publicKey: keyPair.public, nonce }).finish();
  }

  /** Whether the companion has proven that it comes from the QR code or pairing code with this ADV secret. */
  isHandedOff(advSecret: Uint8Array): boolean {
    const { proof, payload } = this.#prologue;
    return proof !== undefined && timingSafeEqual(proof, handoffProof(handoffKey(advSecret), payload));
  }

  /**
   * The code to show, without its dash.
   * @throws PasskeyCeremonyError `commitment-wrong` if the companion had committed to another nonce.
   */
  codeFor(companionNonce: Uint8Array): string {
    const { ephemeralIdentity, commitment } = this.#prologue;
    if (!timingSafeEqual(commitment, commitmentTo(ephemeralIdentity, companionNonce))) {
      throw new PasskeyCeremonyError('commitment-wrong');
    }
    const { keyPair, nonce } = this.#ephemeral;
    return confirmationCode(nonce, companionNonce, keyPair.public);
  }

  /**
   * The new ADV secret in a pairing request.
   * @param secretBefore the ADV secret of the QR code or pairing code, which the companion must have replaced.
   * @throws PasskeyCeremonyError `request-wrong` if it cannot be opened or is not for this client, `secret-reused`.
   */
  open(
    request: SealedRequest,
    { noiseKey, identityKey }: Pick<RegistrationPayload, 'noiseKey' | 'identityKey'>,
    secretBefore: Uint8Array,
  ): Uint8Array {
    const { companionPublicKey, companionIdentityKey, advSecret } = this.#decrypt(request);
    const isOfClient = areEqual(companionPublicKey, noiseKey) && areEqual(companionIdentityKey, identityKey);
    if (!isOfClient || advSecret?.length !== KEY_LENGTH) throw new PasskeyCeremonyError('request-wrong');
    if (areEqual(advSecret, secretBefore)) throw new PasskeyCeremonyError('secret-reused');
    return advSecret;
  }

  #decrypt({ ciphertext, iv }: SealedRequest): proto.IPairingRequest {
    try {
      const key = pairingRequestKey(
        this.#ephemeral.keyPair.private,
        this.#prologue.publicKey,
        this.#prologue,
      );
      return proto.PairingRequest.decode(aesDecryptGCM(ciphertext, key, iv, Buffer.alloc(0)));
    } catch {
      throw new PasskeyCeremonyError('request-wrong');
    }
  }
}

function areEqual(bytes: Uint8Array | null | undefined, expected: Uint8Array): boolean {
  return bytes !== null && bytes !== undefined && Buffer.compare(bytes, expected) === 0;
}
