import { createHash, type KeyObject, verify } from 'node:crypto';
import { z } from 'zod';
import { IqError } from '../protocol/iq-error.js';
import { FLAGS, ORIGIN, RP_ID } from './passkey.js';

/** What the server knows of an account's passkey. */
export interface StoredCredential {
  readonly credentialId: Buffer;
  readonly userHandle: Buffer;
  readonly publicKey: KeyObject;
  /** The highest that an assertion had. */
  signCount: number;
}

const base64url = z
  .string()
  .regex(/^[\w-]+$/, 'base64url without padding')
  .transform((text) => Buffer.from(text, 'base64url'));

/** `webauthn_assertion`: keys that it does not name are ignored, since some clients send the whole credential. */
const assertionSchema = z.object({
  id: z.string().min(1),
  rawId: base64url,
  type: z.string(),
  response: z.object({
    clientDataJSON: base64url,
    authenticatorData: base64url,
    signature: base64url,
    userHandle: base64url.nullable(),
  }),
});

const clientDataSchema = z.object({
  type: z.string(),
  challenge: z.string(),
  origin: z.string(),
  crossOrigin: z.boolean().optional(),
});

/** An assertion whose form is right. Nothing of it has been verified. */
export interface Assertion extends z.infer<typeof assertionSchema> {
  readonly clientData: z.infer<typeof clientDataSchema>;
}

/** rpIdHash (32), flags (1), signCount (4). */
const AUTHENTICATOR_DATA_LENGTH = 37;

/** @throws IqError 400 for anything that is not the JSON of an assertion. */
export function readAssertion(json: Uint8Array): Assertion {
  const assertion = parseJson(assertionSchema, json);
  const clientData = parseJson(clientDataSchema, assertion.response.clientDataJSON);
  if (assertion.response.authenticatorData.length < AUTHENTICATOR_DATA_LENGTH) {
    throw new IqError(400, 'bad-request');
  }
  return { ...assertion, clientData };
}

/** What an assertion is verified against. */
export interface ExpectedAssertion {
  /** The credential of the account; undefined if it has none. */
  readonly credential: StoredCredential | undefined;
  /** The content of `credential_id`. */
  readonly credentialId: Buffer;
  /** Whether the options listed the credential. If they did not, the assertion must name the user. */
  readonly isListed: boolean;
}

/**
 * Verifies everything of an assertion but its challenge, and stores its signature counter.
 * @throws IqError 404 for a credential that is not the account's, 401 for an assertion that is wrong in itself.
 */
export function verifyAssertion(assertion: Assertion, expected: ExpectedAssertion): void {
  const { credential, credentialId, isListed } = expected;
  const { id, rawId, type, response, clientData } = assertion;
  if (!credential?.credentialId.equals(credentialId)) throw new IqError(404, 'item-not-found');
  const isNamedAlike = rawId.equals(credentialId) && id === rawId.toString('base64url');
  const { userHandle } = response;
  const isUserRight = userHandle === null ? isListed : userHandle.equals(credential.userHandle);
  const { flags, signCount, rpIdHash } = readAuthenticatorData(response.authenticatorData);
  const isRight =
    isNamedAlike &&
    isUserRight &&
    type === 'public-key' &&
    clientData.type === 'webauthn.get' &&
    clientData.origin === ORIGIN &&
    clientData.crossOrigin !== true &&
    rpIdHash.equals(createHash('sha256').update(RP_ID).digest()) &&
    areFlagsRight(flags, response.authenticatorData.length) &&
    (signCount === 0 || signCount > credential.signCount) &&
    isSigned(response, credential.publicKey);
  if (!isRight) throw new IqError(401, 'not-authorized');
  credential.signCount = Math.max(credential.signCount, signCount);
}

function areFlagsRight(flags: number, length: number): boolean {
  const has = (flag: number): boolean => (flags & flag) !== 0;
  const mayBeLonger = has(FLAGS.attestedData) || has(FLAGS.extensions);
  return (
    has(FLAGS.userPresent) &&
    has(FLAGS.userVerified) &&
    (has(FLAGS.backupEligible) || !has(FLAGS.backedUp)) &&
    (mayBeLonger || length === AUTHENTICATOR_DATA_LENGTH)
  );
}

function isSigned(response: Assertion['response'], publicKey: KeyObject): boolean {
  const clientDataHash = createHash('sha256').update(response.clientDataJSON).digest();
  const signed = Buffer.concat([response.authenticatorData, clientDataHash]);
  return verify('sha256', signed, publicKey, response.signature);
}

function readAuthenticatorData(data: Buffer) {
  return { rpIdHash: data.subarray(0, 32), flags: data.readUInt8(32), signCount: data.readUInt32BE(33) };
}

function parseJson<Schema extends z.ZodType>(schema: Schema, json: Uint8Array): z.infer<Schema> {
  try {
    return schema.parse(JSON.parse(Buffer.from(json).toString()));
  } catch {
    throw new IqError(400, 'bad-request');
  }
}
