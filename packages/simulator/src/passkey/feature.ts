import { type BinaryNode, getBinaryNodeChild } from '@whiskeysockets/baileys';
import { IqError } from '../protocol/iq-error.js';
import type { Feature, RegistrationContext } from '../server/feature.js';
import type { PasskeyCeremony } from './passkey-ceremony.js';
import { ofKeyLength, readPrologue, readSealedRequest } from './prologue.js';
import { leaf } from './stanzas.js';
import { readAssertion } from './verify-assertion.js';

/** A longer assertion is refused. */
const MAX_ASSERTION_BYTES = 8192;

/**
 * Linking by passkey: what a client sends that has got a `passkey_prologue_request`. Clients without one are refused with
 * 405.
 */
export const passkeyFeature: Feature = {
  registrationIqs: {
    'get:md:ref': (_iq, context) => [leaf('ref', Buffer.from(ceremonyOf(context).issueRef()))],
    'get:md:passkey_request_options': (_iq, context) => {
      const options = JSON.stringify(ceremonyOf(context).issueOptions());
      return [leaf('passkey_request_options', Buffer.from(options))];
    },
    'set:md:passkey_prologue': (iq, context) => {
      const ceremony = ceremonyOf(context);
      const prologue = getBinaryNodeChild(iq, 'passkey_prologue');
      const assertion = bytesOf(prologue, 'webauthn_assertion');
      if (assertion.length > MAX_ASSERTION_BYTES) throw new IqError(400, 'bad-request');
      ceremony.receivePrologue({
        credentialId: Buffer.from(bytesOf(prologue, 'credential_id')),
        assertion: readAssertion(assertion),
        prologue: readPrologue(
          bytesOf(prologue, 'prologue_payload'),
          getBinaryNodeChild(prologue, 'pairing_handoff_proof') && bytesOf(prologue, 'pairing_handoff_proof'),
        ),
      });
      return [];
    },
    'set:md:companion_nonce': (iq, context) => {
      const ceremony = ceremonyOf(context);
      ceremony.receiveNonce(ofKeyLength(bytesOf(iq, 'companion_nonce')));
      return [];
    },
    'set:md:encrypted_pairing_request': (iq, context) => {
      const ceremony = ceremonyOf(context);
      ceremony.receiveSealedRequest(readSealedRequest(bytesOf(iq, 'encrypted_pairing_request')));
      return [];
    },
  },
};

function ceremonyOf({ simulator, client }: RegistrationContext): PasskeyCeremony {
  return simulator.passkeyLinks.ceremonyOf(client);
}

/** The bytes in a child. Text and nodes are refused, since WhatsApp reads bytes alone here. */
function bytesOf(node: BinaryNode | undefined, tag: string): Uint8Array {
  const content = getBinaryNodeChild(node, tag)?.content;
  if (!(content instanceof Uint8Array) || content.length === 0) throw new IqError(400, 'bad-request');
  return content;
}
