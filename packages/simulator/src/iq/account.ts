import { type BinaryNode, getBinaryNodeChild, getBinaryNodeChildren } from '@whiskeysockets/baileys';
import type { Feature } from '../server/feature.js';

/** Queries around a login that the server must answer but that have no effect, and the account's privacy settings. */
export const accountFeature: Feature = {
  // Clients send keep-alive pings while they show a QR code as well.
  registrationIqs: { 'get:w:p': () => [] },
  iqs: {
    'set:passive': () => [],
    'get:w:p': () => [],
    'undefined:w:stats': () => [],
    'get:abt': () => [{ tag: 'props', attrs: { protocol: '1', hash: 'sim', refresh: '86400' }, content: [] }],
    'set:urn:xmpp:whatsapp:dirty': () => [],
    'set:md:remove-companion-device': (iq, { device, phone }) => {
      const jid = getBinaryNodeChild(iq, 'remove-companion-device')?.attrs.jid;
      const removed = [...phone.devices.values()].find((each) => each.jid === jid) ?? device;
      phone.unlink(removed);
      return [];
    },
    'get:privacy': (_iq, { phone }) => [
      {
        tag: 'privacy',
        attrs: {},
        content: [...phone.privacy].map(([name, value]) => category(name, value)),
      },
    ],
    'set:privacy:privacy': (iq, { phone }) => {
      const changes = getBinaryNodeChildren(getBinaryNodeChild(iq, 'privacy'), 'category');
      for (const { attrs } of changes) phone.privacy.set(attrs.name ?? '', attrs.value ?? '');
      return [{ tag: 'privacy', attrs: {}, content: changes }];
    },
    'set:status': (iq, { phone }) => {
      phone.about = getBinaryNodeChild(iq, 'status')?.content?.toString() ?? '';
      return [];
    },
    'set:disappearing_mode': () => [],
  },
};

function category(name: string, value: string): BinaryNode {
  return { tag: 'category', attrs: { name, value } };
}
