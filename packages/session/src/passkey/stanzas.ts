import {
  type BinaryNode,
  getAllBinaryNodeChildren,
  getBinaryNodeChild,
  getBinaryNodeChildBuffer,
  proto,
  S_WHATSAPP_NET,
} from '@whiskeysockets/baileys';
import type { CheckedAssertion, PasskeyOptions } from './assertion.js';
import { KEY_BYTES, type PrimaryIdentity } from './crypto.js';

/** The longest text of options that WhatsApp Web takes, in bytes. */
const MAX_OPTIONS_BYTES = 4096;
const OPTIONS = 'passkey_request_options';

/** Whether a stanza comes from the server itself. Others could make the client give up the secret of its code. */
export function isFromServer({ attrs }: BinaryNode): boolean {
  return attrs.from === S_WHATSAPP_NET || attrs.from === S_WHATSAPP_NET.slice(1);
}

/** What a passkey is to sign, in a request or an answer; undefined if it is not there or cannot be read. */
export function optionsIn(stanza: BinaryNode): PasskeyOptions | undefined {
  const bytes = contentOf(stanza, OPTIONS);
  if (bytes === undefined || bytes.length > MAX_OPTIONS_BYTES) return undefined;
  try {
    const options: unknown = JSON.parse(bytes.toString());
    return hasChallenge(options) ? { ...options } : undefined;
  } catch {
    return undefined;
  }
}

function hasChallenge(options: unknown): options is object {
  if (typeof options !== 'object' || options === null || !('challenge' in options)) return false;
  return typeof options.challenge === 'string' && options.challenge !== '';
}

/** WhatsApp's name of the ceremony in an answer; undefined if there is none. */
export function refIn(answer: BinaryNode): string | undefined {
  const text = contentOf(answer, 'ref')?.toString();
  return text === '' ? undefined : text;
}

/** The phone's part in a continuation; undefined if it cannot be read. */
export function primaryIdentityIn(stanza: BinaryNode): PrimaryIdentity | undefined {
  const [child] = getAllBinaryNodeChildren(stanza);
  const bytes = contentOf(stanza, 'primary_ephemeral_identity');
  if (child?.tag !== 'primary_ephemeral_identity' || bytes === undefined) return undefined;
  try {
    const { publicKey, nonce } = proto.PrimaryEphemeralIdentity.decode(bytes);
    if (publicKey?.length !== KEY_BYTES || nonce?.length !== KEY_BYTES) return undefined;
    return { publicKey, nonce };
  } catch {
    return undefined;
  }
}

/** Asks for a challenge, for a request without one. */
export const OPTIONS_REQUEST: BinaryNode = { tag: OPTIONS, attrs: {} };

export const REF_REQUEST: BinaryNode = { tag: 'ref', attrs: {} };

export function prologueNode(parts: {
  readonly assertion: CheckedAssertion;
  readonly payload: Uint8Array;
  /** Undefined if the phone does not know this client's code any more. */
  readonly proof: Uint8Array | undefined;
}): BinaryNode {
  const { assertion, payload, proof } = parts;
  const content = [
    leaf('credential_id', assertion.credentialId),
    leaf('webauthn_assertion', Buffer.from(assertion.json)),
    leaf('prologue_payload', payload),
    ...(proof === undefined ? [] : [leaf('pairing_handoff_proof', proof)]),
  ];
  return { tag: 'passkey_prologue', attrs: {}, content };
}

export function nonceNode(nonce: Uint8Array): BinaryNode {
  return leaf('companion_nonce', nonce);
}

export function pairingRequestNode(sealed: Uint8Array): BinaryNode {
  return leaf('encrypted_pairing_request', sealed);
}

/** The acknowledgement of a notification. */
export function ackNode({ tag, attrs }: BinaryNode): BinaryNode {
  const { id = '', from = '', type = '' } = attrs;
  return { tag: 'ack', attrs: { id, to: from, class: tag, type } };
}

function leaf(tag: string, content: Uint8Array): BinaryNode {
  return { tag, attrs: {}, content };
}

/** The content of a child as bytes: Baileys decodes short texts of the protocol as strings. */
function contentOf(stanza: BinaryNode, tag: string): Buffer | undefined {
  const content = getBinaryNodeChild(stanza, tag)?.content;
  if (typeof content === 'string') return Buffer.from(content);
  const bytes = getBinaryNodeChildBuffer(stanza, tag);
  return bytes instanceof Uint8Array ? Buffer.from(bytes) : undefined;
}
