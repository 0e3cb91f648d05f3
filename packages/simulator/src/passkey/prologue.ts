import { proto } from '@whiskeysockets/baileys';
import { IqError } from '../protocol/iq-error.js';
import { type CompanionName, KEY_LENGTH } from './ceremony-keys.js';

/** What a companion sends to the phone with its assertion. */
export interface Prologue extends CompanionName {
  /** The encoded `ProloguePayload`, which the handoff proof covers. */
  readonly payload: Uint8Array;
  /** The encoded `CompanionEphemeralIdentity`, which the commitment covers. */
  readonly ephemeralIdentity: Uint8Array;
  /** The companion's ephemeral X25519 key. */
  readonly publicKey: Uint8Array;
  readonly commitment: Uint8Array;
  readonly proof: Uint8Array | undefined;
}

/** @throws IqError 400 if the payload is not a `ProloguePayload` with all its fields, or the proof has a wrong length. */
export function readPrologue(payload: Uint8Array, proof: Uint8Array | undefined): Prologue {
  if (proof && proof.length !== KEY_LENGTH) throw new IqError(400, 'bad-request');
  const { companionEphemeralIdentity, commitment } = decoded(() => proto.ProloguePayload.decode(payload));
  const ephemeralIdentity = companionEphemeralIdentity ?? new Uint8Array();
  const { publicKey, deviceType, ref } = decoded(() =>
    proto.CompanionEphemeralIdentity.decode(ephemeralIdentity),
  );
  if (deviceType === null || deviceType === undefined || !ref) throw new IqError(400, 'bad-request');
  return {
    payload,
    ephemeralIdentity,
    publicKey: ofKeyLength(publicKey),
    deviceType,
    ref,
    commitment: ofKeyLength(commitment?.hash),
    proof,
  };
}

/** A pairing request as its companion has sealed it. */
export interface SealedRequest {
  /** Ciphertext ‖ tag (16). */
  readonly ciphertext: Uint8Array;
  readonly iv: Uint8Array;
}

const IV_LENGTH = 12;
const TAG_LENGTH = 16;

/** @throws IqError 400 if the bytes are not an `EncryptedPairingRequest` with both fields. */
export function readSealedRequest(bytes: Uint8Array): SealedRequest {
  const { encryptedPayload, iv } = decoded(() => proto.EncryptedPairingRequest.decode(bytes));
  if (!encryptedPayload || encryptedPayload.length <= TAG_LENGTH || iv?.length !== IV_LENGTH) {
    throw new IqError(400, 'bad-request');
  }
  return { ciphertext: encryptedPayload, iv };
}

/** @throws IqError 400 for any other length. */
export function ofKeyLength(bytes: Uint8Array | null | undefined): Uint8Array {
  if (bytes?.length !== KEY_LENGTH) throw new IqError(400, 'bad-request');
  return bytes;
}

function decoded<Message>(decode: () => Message): Message {
  try {
    return decode();
  } catch {
    throw new IqError(400, 'bad-request');
  }
}
