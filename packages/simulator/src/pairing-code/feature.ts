import {
  type BinaryNode,
  getBinaryNodeChild,
  getBinaryNodeChildBuffer,
  jidDecode,
} from '@whiskeysockets/baileys';
import { IqError } from '../protocol/iq-error.js';
import type { Feature, RegistrationContext } from '../server/feature.js';
import { NoPairingRequestError } from './pairing-codes.js';
import { WrongPairingCodeError } from './phone-side.js';

/** Pairing by code: `companion_hello` and `companion_finish` of a client that is not linked yet. */
export const pairingCodeFeature: Feature = {
  registrationIqs: {
    'set:md:link_code_companion_reg': (iq, context) => {
      const request = getBinaryNodeChild(iq, 'link_code_companion_reg');
      const number = jidDecode(request?.attrs.jid ?? '')?.user;
      if (!request || !number) throw new IqError(400, 'bad-request');
      if (request.attrs.stage === 'companion_hello') return hello(request, number, context);
      if (request.attrs.stage === 'companion_finish') return finish(request, number, context);
      throw new IqError(400, 'bad-request');
    },
  },
};

function hello(
  request: BinaryNode,
  number: string,
  { simulator, client }: RegistrationContext,
): BinaryNode[] {
  const wrappedEphemeral = bytes(request, 'link_code_pairing_wrapped_companion_ephemeral_pub');
  const ref = simulator.pairingCodes.request(number, { client, wrappedEphemeral });
  return [
    {
      tag: 'link_code_companion_reg',
      attrs: { stage: 'companion_hello' },
      content: [{ tag: 'link_code_pairing_ref', attrs: {}, content: Buffer.from(ref) }],
    },
  ];
}

function finish(request: BinaryNode, number: string, { simulator }: RegistrationContext): BinaryNode[] {
  const ref = bytes(request, 'link_code_pairing_ref').toString();
  try {
    simulator.pairingCodes.finish(number, ref, bytes(request, 'link_code_pairing_wrapped_key_bundle'));
  } catch (error) {
    if (error instanceof WrongPairingCodeError) throw new IqError(406, 'not-acceptable');
    if (error instanceof NoPairingRequestError) throw new IqError(404, 'item-not-found');
    throw error;
  }
  return [];
}

function bytes(request: BinaryNode, tag: string): Buffer {
  const content = getBinaryNodeChildBuffer(request, tag);
  if (!(content instanceof Uint8Array)) throw new IqError(400, 'bad-request');
  return Buffer.from(content);
}
