import { randomBytes } from 'node:crypto';
import { getAllBinaryNodeChildren } from '@whiskeysockets/baileys';
import type { Feature } from '../server/feature.js';

/** What clients can do with calls: Baileys can reject a call and create a call link. */
export const callsFeature: Feature = {
  stanzas: {
    'call:reject': (stanza, { simulator, device }) => {
      const [reject] = getAllBinaryNodeChildren(stanza);
      const call = simulator.calls.find(reject?.attrs['call-id'] ?? '');
      if (call?.callee === device.phone && call.state === 'ringing') call.reject(device);
      device.send(callAck(stanza.attrs.id, stanza.attrs.to, 'reject'));
    },
    'call:link_create': (stanza, { device }) => {
      const ack = callAck(stanza.attrs.id, stanza.attrs.to, 'link_create');
      const token = randomBytes(16).toString('base64url');
      device.send({ ...ack, content: [{ tag: 'link_create', attrs: { token } }] });
    },
  },
};

function callAck(id = '', from = '', type = '') {
  return { tag: 'ack', attrs: { class: 'call', id, from, type } };
}
