import { createHash } from 'node:crypto';
import { type PasskeyAssertion, WafleetError } from '@wafleet/contract';

/** The only origin whose signatures WhatsApp takes: where WhatsApp Web asks for them. */
const ORIGIN = 'https://web.whatsapp.com';
const DEFAULT_RP_ID = 'whatsapp.com';
const USER_PRESENT = 0x01;
const USER_VERIFIED = 0x04;
const HASH_BYTES = 32;
/** The hash of the relying party, the flags and the counter. */
const LEAST_DATA_BYTES = HASH_BYTES + 5;

/** What WhatsApp asks a passkey to sign: PublicKeyCredentialRequestOptionsJSON, verbatim. */
export type PasskeyOptions = Readonly<Record<string, unknown>>;

/** An assertion as WhatsApp takes it. */
export interface CheckedAssertion {
  readonly credentialId: Buffer;
  /** JSON text, with bytes as base64url without padding. */
  readonly json: string;
}

type Problem = 'malformed' | 'challenge' | 'origin' | 'rp-id' | 'type' | 'credential' | 'user-verification';

/**
 * Checks everything about a signature that can be checked without the public key, which only WhatsApp has. A wrong
 * signature would use up the challenge, and with it the attempt to link.
 * @throws {WafleetError} PASSKEY_ASSERTION_INVALID, with what is wrong in `details.problem`.
 */
export function checkAssertion(assertion: PasskeyAssertion, options: PasskeyOptions): CheckedAssertion {
  const { response } = assertion;
  const credentialId = bytesOf(assertion.rawId);
  if (!credentialId.equals(bytesOf(assertion.id))) throw invalid('malformed');
  checkCredential(credentialId, options);
  checkClientData(bytesOf(response.clientDataJSON), options);
  checkAuthenticatorData(bytesOf(response.authenticatorData), options);
  const { userHandle } = response;
  const json = {
    id: base64url(assertion.id),
    rawId: base64url(assertion.rawId),
    type: 'public-key',
    response: {
      clientDataJSON: base64url(response.clientDataJSON),
      authenticatorData: base64url(response.authenticatorData),
      signature: base64url(response.signature),
      userHandle: userHandle == null ? null : base64url(userHandle),
    },
  };
  return { credentialId, json: JSON.stringify(json) };
}

function checkCredential(id: Buffer, { allowCredentials }: PasskeyOptions): void {
  if (!Array.isArray(allowCredentials) || allowCredentials.length === 0) return;
  const isAllowed = allowCredentials.some((allowed: unknown) => {
    const text = fieldOf(allowed, 'id');
    return typeof text === 'string' && bytesOf(text).equals(id);
  });
  if (!isAllowed) throw invalid('credential');
}

function checkClientData(bytes: Buffer, { challenge }: PasskeyOptions): void {
  const clientData = parsedJson(bytes);
  if (fieldOf(clientData, 'type') !== 'webauthn.get') throw invalid('type');
  const signed = fieldOf(clientData, 'challenge');
  if (typeof signed !== 'string') throw invalid('malformed');
  if (typeof challenge !== 'string' || !bytesOf(signed).equals(bytesOf(challenge)))
    throw invalid('challenge');
  const isCrossOrigin = fieldOf(clientData, 'crossOrigin') === true;
  if (fieldOf(clientData, 'origin') !== ORIGIN || isCrossOrigin) throw invalid('origin');
}

function checkAuthenticatorData(data: Buffer, { rpId, userVerification }: PasskeyOptions): void {
  if (data.length < LEAST_DATA_BYTES) throw invalid('malformed');
  const id = typeof rpId === 'string' ? rpId : DEFAULT_RP_ID;
  const expected = createHash('sha256').update(id).digest();
  if (!data.subarray(0, HASH_BYTES).equals(expected)) throw invalid('rp-id');
  const flags = data[HASH_BYTES] ?? 0;
  const needed = userVerification === 'required' ? USER_PRESENT | USER_VERIFIED : USER_PRESENT;
  if ((flags & needed) !== needed) throw invalid('user-verification');
}

/** Node.js reads base64 and base64url alike, with or without padding. */
function bytesOf(text: string): Buffer {
  return Buffer.from(text, 'base64');
}

function base64url(text: string): string {
  return bytesOf(text).toString('base64url');
}

function parsedJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    throw invalid('malformed');
  }
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function invalid(problem: Problem): WafleetError {
  const message = 'The passkey has signed something else than WhatsApp asks for.';
  return new WafleetError('PASSKEY_ASSERTION_INVALID', message, { problem });
}
