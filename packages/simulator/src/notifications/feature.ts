import { type BinaryNode, getBinaryNodeChild, getBinaryNodeChildren } from '@whiskeysockets/baileys';
import { isVisible } from '../app-state/visibility.js';
import type { Group } from '../groups/group.js';
import { IqError } from '../protocol/iq-error.js';
import type { DeviceContext, Feature } from '../server/feature.js';
import type { Account } from '../world/account.js';
import { isPerson } from '../world/chat.js';
import { setBlocked, sharePrivacyToken } from './notices.js';

const JPEG_START = Buffer.from('ffd8ff', 'hex');

/** Pictures and other account data that clients request, and whose changes others are notified of. */
export const notificationsFeature: Feature = {
  iqs: {
    'get:w:profile:picture': (iq, context) => {
      const { simulator, phone: viewer } = context;
      const owner = pictureOwner(iq, context);
      const isHidden = isPerson(owner) && !isVisible(simulator, owner, { category: 'profile', viewer });
      if (isHidden) throw new IqError(401, 'not-authorized');
      const picture = simulator.pictures.of(owner);
      if (!picture) throw new IqError(404, 'item-not-found');
      const { host } = simulator;
      const type = getBinaryNodeChild(iq, 'picture')?.attrs.type ?? 'image';
      const url = `https://${host}${picture.path}`;
      return [{ tag: 'picture', attrs: { id: picture.id, type, url, direct_path: picture.path } }];
    },
    'set:w:profile:picture': (iq, context) => {
      const { phone, simulator } = context;
      const owner = pictureOwner(iq, context);
      if (!isPerson(owner)) owner.requireEditor(phone);
      else if (owner !== phone) throw new IqError(403, 'forbidden');
      const image = getBinaryNodeChild(iq, 'picture')?.content;
      if (!(image instanceof Uint8Array)) {
        simulator.pictures.remove(owner, phone);
        return [];
      }
      if (!Buffer.from(image).subarray(0, JPEG_START.length).equals(JPEG_START)) {
        throw new IqError(406, 'not-acceptable');
      }
      return [{ tag: 'picture', attrs: { id: simulator.pictures.set(owner, image, phone).id } }];
    },
    'get:blocklist': (_iq, { phone }) => {
      const items = [...phone.blocked].map(({ lid }) => ({ tag: 'item', attrs: { jid: lid } }));
      return [{ tag: 'list', attrs: {}, content: items }];
    },
    'set:blocklist': (iq, { phone, device, simulator }) => {
      const { action, jid = '', pn_jid } = getBinaryNodeChild(iq, 'item')?.attrs ?? {};
      const person = simulator.world.phone(jid);
      if (!person || (action !== 'block' && action !== 'unblock')) throw new IqError(400, 'bad-request');
      // A block names both ids of the person.
      if (action === 'block' && (jid !== person.lid || pn_jid !== person.jid)) {
        throw new IqError(400, 'bad-request');
      }
      setBlocked(phone, person, action, device);
      return [];
    },
    'set:privacy:tokens': (iq, { phone, simulator }) => {
      for (const { attrs } of getBinaryNodeChildren(getBinaryNodeChild(iq, 'tokens'), 'token')) {
        const person = simulator.world.phone(attrs.jid ?? '');
        if (person) sharePrivacyToken(phone, person);
      }
      return [];
    },
  },
};

function pictureOwner(iq: BinaryNode, { phone, simulator }: DeviceContext): Account | Group {
  const target = iq.attrs.target;
  if (target === undefined) return phone;
  const owner = simulator.groups.find(target) ?? simulator.world.phone(target);
  if (!owner) throw new IqError(404, 'item-not-found');
  return owner;
}
