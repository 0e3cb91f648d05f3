import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  verify,
} from 'node:crypto';

/** A passkey of a WhatsApp account, as a virtual authenticator takes it and a server checks it. */
export interface Passkey {
  readonly rpId: 'whatsapp.com';
  readonly credentialId: Buffer;
  readonly userHandle: Buffer;
  readonly privateKey: KeyObject;
}

const ORIGIN = 'https://web.whatsapp.com';
/** Flags of authenticator data: the user was present, and verified. */
const PRESENT_AND_VERIFIED = 0x05;

export function createPasskey(): Passkey {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { rpId: 'whatsapp.com', credentialId: randomBytes(20), userHandle: randomBytes(16), privateKey };
}

/** What is wrong with an assertion (the JSON of the API) for this challenge. Undefined if it is valid. */
export function problemOfAssertion(body: unknown, passkey: Passkey, challenge: string): string | undefined {
  const { id, rawId, type, clientData, authenticatorData, signature, userHandle, names } = read(body);
  if (names !== 'id,rawId,response,type') return `fields ${names}`;
  if (type !== 'public-key' || id !== rawId) return 'id or type';
  if (!decode(rawId).equals(passkey.credentialId)) return 'credential';
  if (!decode(userHandle).equals(passkey.userHandle)) return 'user handle';
  const client = JSON.parse(decode(clientData).toString());
  if (client.type !== 'webauthn.get' || client.origin !== ORIGIN) return 'client data';
  if (client.challenge !== challenge) return 'challenge';
  const data = decode(authenticatorData);
  if (!data.subarray(0, 32).equals(sha256(passkey.rpId))) return 'rpId';
  if (((data[32] ?? 0) & PRESENT_AND_VERIFIED) !== PRESENT_AND_VERIFIED) return 'flags';
  const signed = Buffer.concat([data, sha256(decode(clientData))]);
  const isValid = verify('sha256', signed, createPublicKey(passkey.privateKey), decode(signature));
  return isValid ? undefined : 'signature';
}

function read(body: unknown) {
  const fields = Object(body);
  const response = Object(fields.response);
  const text = (value: unknown) => (typeof value === 'string' ? value : '');
  return {
    names: Object.keys(fields).sort().join(','),
    id: text(fields.id),
    rawId: text(fields.rawId),
    type: text(fields.type),
    clientData: text(response.clientDataJSON),
    authenticatorData: text(response.authenticatorData),
    signature: text(response.signature),
    userHandle: text(response.userHandle),
  };
}

function decode(text: string): Buffer {
  return Buffer.from(text, 'base64url');
}

function sha256(content: string | Buffer): Buffer {
  return createHash('sha256').update(content).digest();
}
